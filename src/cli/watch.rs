//! `check --watch`: a check after each change, until Ctrl-C.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use bottlec::text::counted;
use notify::event::{CreateKind, EventKind, ModifyKind, RemoveKind};
use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::checking::{CheckRun, Checking};
use super::error::{Error, reason};
use super::reports::Report;
use super::workspace::here;
use super::{FAILED, Outcome, walk};

/// How long nothing must happen before it is looked at what happened: an editor saves a file in several steps.
const QUIET: Duration = Duration::from_millis(50);
/// How long is waited at most while things go on happening.
const IMPATIENT: Duration = Duration::from_millis(500);
/// How often directories are looked through again because there were new ones among them.
const MAX_LOOKS: usize = 8;

/// What makes the loop go on.
enum Message {
    /// Something changed, or the system lost track of what did.
    Event(Event),
    /// The system cannot tell what changes.
    Failed(notify::Error),
    /// It is over.
    End,
}

pub(super) fn run(mut checking: Checking<'_>) -> Result<Outcome, Error> {
    if checking.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Error::Usage(String::from("`--watch` cannot watch standard input: name files")));
    }
    if checking.reports.iter().any(Report::is_for_a_program) {
        let what = "`--watch` shows one result after the other, which no program reads as a whole: write \
                    `--format FORMAT=FILE`";
        return Err(Error::Usage(what.to_owned()));
    }
    let (sender, messages) = mpsc::channel();
    let mut watched = Watched::new(sender.clone())?;
    end_with_signals(sender.clone())?;
    end_with_stdout(sender);
    let mut last = Outcome::Clean;
    let mut shown = None;
    loop {
        let begun = Instant::now();
        let run = look(&mut checking, &mut watched)?;
        let took = begun.elapsed();
        // Something may happen and change nothing.
        let CheckRun { fleet, .. } = &run;
        let now = (fleet.units, fleet.bottles, fleet.failed.len());
        if shown.replace(now) != Some(now) || fleet.compiled > 0 {
            last = show(&checking, run, &watched, took)?;
        }
        if watched.wait(&messages)?.is_none() {
            return Ok(last);
        }
    }
}

/// Checks what is there, and watches what that is made of. What was changed before it was watched is checked, too.
fn look(checking: &mut Checking<'_>, watched: &mut Watched) -> Result<CheckRun, Error> {
    let mut compiled = 0;
    let mut looks = 0;
    loop {
        let mut run = checking.run();
        let news = watched.follow(checking, &run.directories)?;
        looks += 1;
        compiled += run.fleet.compiled;
        if !news || looks == MAX_LOOKS {
            run.fleet.compiled = compiled;
            return Ok(run);
        }
    }
}

/// Shows a result alone on the terminal, and below it what is watched.
fn show(checking: &Checking<'_>, run: CheckRun, watched: &Watched, took: Duration) -> Result<Outcome, Error> {
    let output = checking.output;
    if io::stdout().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb") {
        output.print("\u{1b}[H\u{1b}[2J\u{1b}[3J")?;
    }
    let (units, compiled) = (run.fleet.units, run.fleet.compiled.min(run.fleet.units));
    let outcome = match checking.show(run.fleet, None) {
        // Somebody will fix it.
        Err(error @ (Error::Read { .. } | Error::Write { .. })) => {
            output.complain(&error);
            Outcome::Failed
        }
        other => other?,
    };
    let of = counted(units, "spec", "specs");
    let what =
        if units == compiled { format!("checked {of}") } else { format!("checked {compiled} of {of} anew") };
    let directories = counted(watched.directories.len(), "directory", "directories");
    output.print(&format!("{what} in {} ms; watching {directories}, Ctrl-C ends\n", took.as_millis()))?;
    Ok(outcome)
}

/// The directories in which something may happen that matters.
struct Watched {
    watcher: RecommendedWatcher,
    /// Those that the system watches.
    directories: BTreeSet<PathBuf>,
    /// Those that specs were looked for in.
    walked: BTreeSet<PathBuf>,
    /// The files that were read or missed, and the paths that were named.
    files: BTreeSet<PathBuf>,
}

impl Watched {
    fn new(sender: Sender<Message>) -> Result<Self, Error> {
        let tell = move |event: notify::Result<Event>| {
            // When nobody listens any more, it is over.
            let _ = sender.send(event.map_or_else(Message::Failed, Message::Event));
        };
        let watcher =
            notify::recommended_watcher(tell).map_err(|error| unwatchable(Path::new("."), error))?;
        let empty = BTreeSet::new;
        Ok(Self { watcher, directories: empty(), walked: empty(), files: empty() })
    }

    /// Watches what a check was made of, and nothing else. Whether there is anything new among it.
    fn follow(&mut self, checking: &Checking<'_>, walked: &[PathBuf]) -> Result<bool, Error> {
        let here = here()?;
        let absolute = |path: &PathBuf| tidy(&here.join(path));
        self.walked = walked.iter().map(absolute).collect();
        let results = checking.results.iter().flatten();
        let read = results.flat_map(|(_, result)| result.files());
        // What was named may go and come back.
        let named = checking.paths.iter().filter(|path| path.as_os_str() != ".").cloned();
        self.files = read.chain(named).map(|path| absolute(&path)).collect();
        // A link changes, and so does the file that it leads to.
        let targets: Vec<PathBuf> =
            self.files.iter().filter_map(|file| fs::canonicalize(file).ok()).collect();
        self.files.extend(targets);
        let above = self.files.iter().filter_map(|file| nearest(file.parent()?));
        let wanted: BTreeSet<PathBuf> = self.walked.iter().cloned().chain(above).collect();
        let gone: Vec<PathBuf> = self.directories.difference(&wanted).cloned().collect();
        for directory in gone {
            self.leave(&directory);
        }
        let new: Vec<PathBuf> = wanted.difference(&self.directories).cloned().collect();
        let mut any = false;
        for directory in new {
            match self.watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => any |= self.directories.insert(directory),
                // It went meanwhile, and what lies above it will tell.
                Err(_) if !directory.exists() => {}
                Err(error) => return Err(unwatchable(&directory, error)),
            }
        }
        Ok(any)
    }

    /// Waits for something that matters, and until it is over: none when the run is.
    fn wait(&mut self, messages: &Receiver<Message>) -> Result<Option<()>, Error> {
        loop {
            match messages.recv() {
                Ok(Message::Event(event)) if self.matters(&event) => break,
                Ok(Message::Event(_)) => {}
                Ok(Message::Failed(error)) => return Err(unwatchable(Path::new("."), error)),
                Ok(Message::End) | Err(_) => return Ok(None),
            }
        }
        let latest = Instant::now() + IMPATIENT;
        loop {
            let left = latest.saturating_duration_since(Instant::now());
            match messages.recv_timeout(QUIET.min(left)) {
                // Asked for what it does besides.
                Ok(Message::Event(event)) => drop(self.matters(&event)),
                Ok(Message::Failed(error)) => return Err(unwatchable(Path::new("."), error)),
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => return Ok(Some(())),
            }
            if left.is_zero() {
                return Ok(Some(()));
            }
        }
    }

    /// Whether an event may change a result. A directory that went is not watched any more: one that comes in its place
    /// is another.
    fn matters(&mut self, event: &Event) -> bool {
        if matches!(event.kind, EventKind::Access(_)) {
            return false;
        }
        let moved = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
        let paths: Vec<PathBuf> = event.paths.iter().map(|path| tidy(path)).collect();
        for path in paths.iter().filter(|_| moved) {
            let gone: Vec<PathBuf> =
                self.directories.iter().filter(|directory| directory.starts_with(path)).cloned().collect();
            for directory in gone {
                self.leave(&directory);
            }
        }
        // A directory that comes may hold specs, and of what is renamed nobody says what it is.
        let branches = moved && !matches!(event.kind, EventKind::Remove(RemoveKind::File))
            || matches!(event.kind, EventKind::Create(CreateKind::Folder | CreateKind::Any));
        event.need_rescan()
            || paths.iter().any(|path| {
                walk::is_kdl(path)
                    || path.file_name().is_some_and(|name| name == ".gitignore")
                    // A file that is waited for may come with the directories above it.
                    || self.files.iter().any(|file| file.starts_with(path))
                    || branches && path.parent().is_some_and(|parent| self.walked.contains(parent))
            })
    }

    fn leave(&mut self, directory: &Path) {
        self.directories.remove(directory);
        // The system may have left it by itself.
        let _ = self.watcher.unwatch(directory);
    }
}

/// A path without `.` in it: as the system names it in an event.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}

/// The directory itself, or the nearest one above it that is there.
fn nearest(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|directory| directory.is_dir()).map(Path::to_owned)
}

fn unwatchable(path: &Path, error: notify::Error) -> Error {
    let why = match error.kind {
        ErrorKind::MaxFilesWatch => String::from("the system watches no more directories for this user"),
        ErrorKind::Io(error) => reason(&error),
        _ => error.to_string(),
    };
    Error::Read { path: path.to_owned(), reason: format!("it cannot be watched: {why}") }
}

/// The first signal ends the loop, the second one the program, whatever it does.
fn end_with_signals(sender: Sender<Message>) -> Result<(), Error> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for (before, _) in signals.forever().enumerate() {
            if before > 0 {
                std::process::exit(i32::from(FAILED));
            }
            let _ = sender.send(Message::End);
        }
    });
    Ok(())
}

/// When nobody reads what is shown, because a pipe or a terminal is closed, it is over.
fn end_with_stdout(sender: Sender<Message>) {
    thread::spawn(move || {
        let stdout = io::stdout();
        // Nothing is waited for but what is always told: an error, or that the other end is gone.
        let mut wanted = [PollFd::new(&stdout, PollFlags::empty())];
        loop {
            match poll(&mut wanted, None) {
                Ok(_)
                    if wanted[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) =>
                {
                    break;
                }
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                // Then a signal must end it.
                Err(_) => return,
            }
        }
        let _ = sender.send(Message::End);
    });
}
