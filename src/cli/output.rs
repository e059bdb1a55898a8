//! Where output goes, and how it may look there.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use bottlec::diagnostic::Diagnostics;
use bottlec::report::{self, Format, Style};
use bottlec::source::Sources;

use super::terminal;

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
    /// What standard error can show.
    pub(crate) stderr: Style,
}

impl Output {
    /// By what the streams are and what the environment wants.
    pub(crate) fn from_environment() -> Self {
        let width = terminal::width();
        let style = |terminal: bool| terminal::style_for(terminal, width, |name| std::env::var(name).ok());
        Self { stdout: style(io::stdout().is_terminal()), stderr: style(io::stderr().is_terminal()) }
    }

    /// Writes text to standard output, whole.
    #[allow(clippy::unused_self, reason = "called as the others are, wherever it goes")]
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        heard(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Writes text to a stream, whole.
    pub(crate) fn say(&self, stream: Stream, text: &str) -> io::Result<()> {
        match stream {
            Stream::Stdout => self.print(text),
            Stream::Stderr => {
                let mut stderr = io::stderr().lock();
                heard(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()))
            }
        }
    }

    /// Writes diagnostics to a stream.
    pub(crate) fn diagnostics(
        &self,
        stream: Stream,
        format: Format,
        diagnostics: &Diagnostics,
        sources: &Sources,
    ) -> io::Result<()> {
        let (style, out): (_, Box<dyn Write>) = match stream {
            Stream::Stdout => (&self.stdout, Box::new(io::stdout().lock())),
            Stream::Stderr => (&self.stderr, Box::new(io::stderr().lock())),
        };
        let mut out = io::BufWriter::new(out);
        let written = report::render(format, diagnostics, sources, style, &mut out);
        heard(written.and_then(|()| out.flush()))
    }

    /// Says on standard error why the tool failed.
    pub(crate) fn complain(&self, error: &dyn Display) {
        let head = if self.stderr.color { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        // When not even that can be written, the exit code still tells.
        let _ = writeln!(io::stderr().lock(), "{head}: {error}");
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
