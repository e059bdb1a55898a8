//! What a launch says of its progress: a line that moves on a terminal, a line for each step in a log.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use bottlec::text::one_line;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::{Output, Stream};
use crate::cli::progress;

/// Who speaks of one launch's steps.
pub(super) struct Progress<'a> {
    output: &'a Output,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    /// Creates one that draws on standard error if that is a terminal, and writes lines there if not.
    pub(super) fn new(output: &'a Output) -> Self {
        let bar =
            progress::is_wanted(io::stderr().is_terminal(), |name| std::env::var(name).ok()).then(|| {
                let ticks = if output.stderr.unicode { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " } else { "-\\|/ " };
                // The template is ours, and has no mistake.
                let style = ProgressStyle::with_template("{spinner} {wide_msg}").ok();
                let style = style.unwrap_or_else(ProgressStyle::default_spinner).tick_chars(ticks);
                let bar = ProgressBar::new_spinner().with_style(style);
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            });
        Self { output, bar }
    }

    /// Says which step has begun.
    pub(super) fn step(&self, step: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(one_line(step).into_owned()),
            None => self.line(step),
        }
    }

    /// Says what is still waited for: a log is not filled with it.
    pub(super) fn waiting(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("waiting for {}", one_line(what)));
        }
    }

    /// Says what stays on the screen.
    pub(super) fn line(&self, line: &str) {
        let print = || {
            // When nobody hears it, the launch goes on.
            let _ = self.output.say(Stream::Stderr, &format!("{}\n", one_line(line)));
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Leaves the terminal to somebody else.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
