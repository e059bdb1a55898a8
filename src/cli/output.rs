//! Standard output and standard error: what each of them can show, and writing to them.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use bottlec::diagnostic::Diagnostics;
use bottlec::report::{self, Format, Style, Unread};
use bottlec::syntax::Trees;
use bottlec::text::without_commands;

use supports_color::Stream as Support;

/// The columns of output that goes to no terminal.
const PIPED_WIDTH: usize = 100;

/// Where diagnostics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// They are what the command is for.
    Stdout,
    /// The command's own output goes to standard output.
    Stderr,
}

/// The two streams and their styles.
#[derive(Debug)]
pub(crate) struct Output {
    /// What standard output can show.
    pub(crate) stdout: Style,
    /// The same, but for what is laid out for people: of the usual width when it goes to no terminal.
    pub(crate) page: Style,
    /// What standard error can show.
    pub(crate) stderr: Style,
}

impl Output {
    /// Detects the styles of both streams, from the terminal and the environment.
    pub(crate) fn from_environment() -> Self {
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            stdout: style(Support::Stdout, stdout, PIPED_WIDTH),
            page: style(Support::Stdout, stdout, Style::default().width),
            stderr: style(Support::Stderr, stderr, PIPED_WIDTH),
        }
    }

    /// Writes text to standard output, whole: without what the runner of a CI service would take for a command.
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        self.print_exactly(&without_commands(text))
    }

    /// Writes text to standard output as it is, whole: for who reads it as a file.
    #[allow(clippy::unused_self, reason = "called as the others are, wherever it goes")]
    pub(crate) fn print_exactly(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        heard(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Writes text to a stream, whole.
    pub(crate) fn say(&self, stream: Stream, text: &str) -> io::Result<()> {
        match stream {
            Stream::Stdout => self.print(text),
            Stream::Stderr => {
                let mut stderr = io::stderr().lock();
                heard(stderr.write_all(without_commands(text).as_bytes()).and_then(|()| stderr.flush()))
            }
        }
    }

    /// Writes diagnostics to a stream.
    pub(crate) fn diagnostics(
        &self,
        stream: Stream,
        format: Format,
        diagnostics: &Diagnostics,
        unread: &[Unread],
        trees: &dyn Trees,
    ) -> io::Result<()> {
        let (style, out): (_, Box<dyn Write>) = match stream {
            Stream::Stdout => (&self.stdout, Box::new(io::stdout().lock())),
            Stream::Stderr => (&self.stderr, Box::new(io::stderr().lock())),
        };
        let mut out = io::BufWriter::new(out);
        let written = report::render(format, diagnostics, unread, trees, style, &mut out);
        heard(written.and_then(|()| out.flush()))
    }

    /// Says on standard error why the tool failed.
    pub(crate) fn complain(&self, error: &dyn Display) {
        let head = if self.stderr.color { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        // When not even that can be written, the exit code still tells.
        let line = format!("{head}: {error}\n");
        let _ = io::stderr().lock().write_all(without_commands(&line).as_bytes());
    }
}

/// Detects what a stream can show: plain ASCII where it is no terminal, unless colour is forced, in `piped` columns unless
/// others are wanted.
fn style(stream: Support, is_terminal: bool, piped: usize) -> Style {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let usual = if is_terminal { Style::default().width } else { piped };
    let terminal = terminal_size::terminal_size().filter(|_| is_terminal);
    let wanted = set("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    Style {
        // By its convention it counts whatever its value and whatever else is set, which the crate sees otherwise.
        color: set("NO_COLOR").is_none() && supports_color::on(stream).is_some(),
        unicode: is_terminal && supports_unicode::supports_unicode(),
        width: wanted.or(terminal.map(|(columns, _)| columns.0.into())).unwrap_or(usual),
    }
}

/// Who reads our output and stops has read enough: the command goes on, and its exit code is what it found. A build
/// must not be left out because `head` saw all the warnings that it wanted.
fn heard(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
