//! The progress line of a long check, on a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What takes no longer than this goes without.
const PATIENCE: Duration = Duration::from_secs(1);
/// The time between two pictures.
const PACE: Duration = Duration::from_millis(100);
/// The columns of the bar.
const BAR: usize = 24;

/// A line on standard error that is drawn over and over, and gone when this is.
#[derive(Debug)]
pub(crate) struct Progress {
    done: AtomicUsize,
    /// When the next picture is due; none where nothing is drawn.
    due: Option<Mutex<Due>>,
}

#[derive(Debug)]
struct Due {
    at: Instant,
    drawn: bool,
}

impl Progress {
    /// Draws on standard error, if that is a terminal that can draw over a line.
    pub(crate) fn from_environment() -> Self {
        let wanted = is_wanted(io::stderr().is_terminal(), |name| std::env::var(name).ok());
        let due = wanted.then(|| Mutex::new(Due { at: Instant::now() + PATIENCE, drawn: false }));
        Self { done: AtomicUsize::new(0), due }
    }

    /// One more of `all` is done.
    pub(crate) fn advance(&self, all: usize) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        // Who finds another thread drawing goes on.
        let Some(Ok(mut due)) = self.due.as_ref().map(Mutex::try_lock) else { return };
        let now = Instant::now();
        if now >= due.at {
            *due = Due { at: now + PACE, drawn: true };
            draw(&format!("\r{}\u{1b}[K", line(done, all)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let due = self.due.as_mut().and_then(|due| due.get_mut().ok());
        if due.is_some_and(|due| due.drawn) {
            draw("\r\u{1b}[K");
        }
    }
}

/// Whether somebody looks on, at a terminal that can draw over a line.
pub(crate) fn is_wanted(is_terminal: bool, env: impl Fn(&str) -> Option<String>) -> bool {
    let is = |name: &str, wrong: &[&str]| env(name).is_some_and(|value| !wrong.contains(&value.as_str()));
    is_terminal && !is("CI", &["", "0", "false"]) && is("TERM", &["", "dumb"])
}

fn line(done: usize, all: usize) -> String {
    let part = |of: usize| done.min(all) * of / all.max(1);
    let full = part(BAR);
    format!("checking [{}{}] {done} of {all}, {} %", "=".repeat(full), " ".repeat(BAR - full), part(100))
}

/// When it cannot be drawn, nothing is lost.
fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(is_terminal: bool, env: &[(&str, &str)]) -> bool {
        is_wanted(is_terminal, |name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn it_is_for_who_looks_at_a_terminal() {
        assert!(wanted(true, &[("TERM", "xterm-256color")]));
        assert!(wanted(true, &[("TERM", "xterm"), ("CI", "")]));
        assert!(wanted(true, &[("TERM", "xterm"), ("CI", "false")]));
        assert!(!wanted(true, &[("TERM", "xterm"), ("CI", "true")]));
        assert!(!wanted(true, &[("TERM", "xterm"), ("CI", "1")]));
        assert!(!wanted(true, &[("TERM", "dumb")]));
        assert!(!wanted(true, &[]));
        assert!(!wanted(false, &[("TERM", "xterm-256color")]));
    }

    #[test]
    fn the_line_is_short_and_true() {
        assert_eq!(line(1, 4), format!("checking [======{}] 1 of 4, 25 %", " ".repeat(18)));
        assert_eq!(line(0, 0), format!("checking [{}] 0 of 0, 0 %", " ".repeat(24)));
        assert!(line(10_000, 10_000).ends_with("] 10000 of 10000, 100 %"));
        assert!(line(10_000, 10_000).len() < 80);
    }
}
