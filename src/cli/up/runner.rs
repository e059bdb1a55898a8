//! Running the plan's programs: bounded in time and in what is kept of their output, undisturbed by the terminal, and
//! ended as a whole when the launch is.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use bottlec::lower::plan_json::{Command as Vector, Commands};
use bottlec::text::{one_line, quote};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::cli::host;

/// The most of a program's output that is kept to be read, such as JSON.
const MAX_OUTPUT: usize = 8 << 20;
/// The last of what a program said that is kept to be shown.
const TAIL_LINES: usize = 12;
const TAIL_BYTES: usize = 16 << 10;
/// The time that a program has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);
/// The time in which what a program said arrives after it ended; what it left behind may hold its output open.
const DRAIN: Duration = Duration::from_millis(500);

/// The failure of a program.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// There is no such program.
    #[error("`{0}` is not on PATH")]
    NotFound(String),
    /// It could not be started, or waited for.
    #[error("cannot run {}: {reason}", quote(program))]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        reason: io::Error,
    },
    /// It did not succeed.
    #[error("{} {}{}", quote(command), how(*status), said(tail))]
    Failed {
        /// The whole vector, as a shell would take it.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// Its last lines.
        tail: Vec<String>,
    },
    /// It took too long, and was ended.
    #[error("{} did not end within {} s, and was stopped{}", quote(command), limit.as_secs(), said(tail))]
    TimedOut {
        /// The whole vector, as a shell would take it.
        command: String,
        /// How long it had.
        limit: Duration,
        /// Its last lines.
        tail: Vec<String>,
    },
    /// Somebody asked for the end of all.
    #[error("interrupted")]
    Interrupted,
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("failed with {code}"),
        (None, signal) => format!("was ended by signal {}", signal.unwrap_or_default()),
    }
}

fn said(tail: &[String]) -> String {
    if tail.is_empty() {
        return String::from(", and said nothing");
    }
    tail.iter().fold(String::from(", and said:"), |said, line| said + "\n    " + line)
}

/// What a program did that ended in time.
#[derive(Debug)]
pub(super) struct Done {
    /// How it ended.
    pub(super) status: ExitStatus,
    /// What it wrote to standard output, up to [`MAX_OUTPUT`].
    pub(super) stdout: Vec<u8>,
    /// What it wrote to standard error, likewise.
    stderr: Vec<u8>,
    /// The last lines of both its outputs.
    tail: Vec<String>,
}

impl Done {
    /// The last lines of both its outputs, as they may be shown.
    pub(super) fn tail(self) -> Vec<String> {
        self.tail
    }
}

/// Runs vectors in a directory, with the variables that a plan names.
#[derive(Debug)]
pub(super) struct Runner {
    directory: PathBuf,
    unset: Vec<String>,
    set: Vec<(String, OsString)>,
    interrupted: Arc<AtomicBool>,
}

impl Runner {
    /// Creates one for the commands of a plan. A `SIGINT`, `SIGTERM` or `SIGHUP` no longer ends this process from now on.
    pub(super) fn new(directory: &Path, commands: &Commands) -> io::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP]
        {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        Ok(Self {
            directory: directory.to_owned(),
            unset: commands.unset.iter().map(|name| name.value.clone()).collect(),
            set: commands
                .set
                .iter()
                .map(|(name, value)| (name.clone(), value.value.clone().into()))
                .collect(),
            interrupted,
        })
    }

    /// Gives all programs that come a variable of the launcher's.
    pub(super) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.set.push((name.to_owned(), value.into()));
    }

    /// Whether somebody asked for the end; not once it was heard by [`Runner::go_on`].
    pub(super) fn check(&self) -> Result<(), RunError> {
        if self.interrupted.load(Ordering::Relaxed) { Err(RunError::Interrupted) } else { Ok(()) }
    }

    /// Hears no more of an end that was asked for before: what is undone is undone whole.
    pub(super) fn go_on(&self) {
        self.interrupted.store(false, Ordering::Relaxed);
    }

    /// Waits, unless somebody asks for the end.
    pub(super) fn sleep(&self, time: Duration) -> Result<(), RunError> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.check()?;
            thread::sleep(left.min(Duration::from_millis(50)));
        }
        self.check()
    }

    /// Runs a program that must succeed.
    pub(super) fn run(&self, vector: &Vector, limit: Duration) -> Result<Done, RunError> {
        let done = self.ask(vector, limit)?;
        if done.status.success() {
            return Ok(done);
        }
        Err(RunError::Failed { command: shown(vector), status: done.status, tail: done.tail })
    }

    /// Runs a program, however it ends.
    pub(super) fn ask(&self, vector: &Vector, limit: Duration) -> Result<Done, RunError> {
        self.check()?;
        let start = |reason| RunError::Start { program: program(vector).to_owned(), reason };
        let child = self
            .command(vector)?
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The terminal's Ctrl-C is heard here first.
            .process_group(0)
            .spawn()
            .map_err(start)?;
        let mut running = Running { child, ended: false };
        let stdout = read(running.child.stdout.take());
        let stderr = read(running.child.stderr.take());
        let begun = Instant::now();
        let mut pause = Duration::from_micros(500);
        let ended = loop {
            if let Some(status) = running.child.try_wait().map_err(start)? {
                running.ended = true;
                break Ok(status);
            }
            if self.interrupted.load(Ordering::Relaxed) {
                break Err(RunError::Interrupted);
            }
            if begun.elapsed() >= limit {
                break Err(RunError::TimedOut { command: shown(vector), limit, tail: Vec::new() });
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        if ended.is_err() {
            running.end();
        }
        let (stdout, stderr) = (receive(&stdout), receive(&stderr));
        let mut tail = stdout.tail;
        tail.extend(stderr.tail);
        let tail: Vec<String> = tail.into_iter().map(|line| one_line(&line).into_owned()).collect();
        match ended {
            Ok(status) => Ok(Done { status, stdout: stdout.whole, stderr: stderr.whole, tail }),
            Err(RunError::TimedOut { command, limit, tail: _ }) => {
                Err(RunError::TimedOut { command, limit, tail })
            }
            Err(error) => Err(error),
        }
    }

    /// Runs a program that must succeed, and returns what it wrote, to standard output and then to standard error.
    pub(super) fn said(&self, vector: &Vector, limit: Duration) -> Result<String, RunError> {
        let done = self.run(vector, limit)?;
        Ok(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    }

    /// Runs a program on this process's own input and output until it ends. Ctrl-C is the program's.
    pub(super) fn attach(&self, vector: &Vector, program_of_user: &[OsString]) -> Result<u8, RunError> {
        let start = |reason| RunError::Start { program: program(vector).to_owned(), reason };
        let status = self.command(vector)?.args(program_of_user).status().map_err(start)?;
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
            // As a shell says it.
            (None, signal) => u8::try_from(128 + signal.unwrap_or_default()).unwrap_or(u8::MAX),
        })
    }

    fn command(&self, vector: &Vector) -> Result<Command, RunError> {
        let name = program(vector);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = host::find_program(name, &path).ok_or_else(|| RunError::NotFound(name.to_owned()))?;
        let mut command = Command::new(found);
        command.args(vector.iter().skip(1).map(|word| word.value.as_str())).current_dir(&self.directory);
        for name in &self.unset {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

fn program(vector: &Vector) -> &str {
    vector.first().map_or("", |word| word.value.as_str())
}

/// A vector for people: without the many words of a machine's environment.
fn shown(vector: &Vector) -> String {
    const LONGEST: usize = 8;
    let words: Vec<&str> = vector.iter().take(LONGEST).map(|word| word.value.as_str()).collect();
    let more = if vector.len() > LONGEST { " …" } else { "" };
    one_line(&(words.join(" ") + more)).into_owned()
}

/// What is kept of an output.
#[derive(Debug, Default)]
struct Heard {
    whole: Vec<u8>,
    tail: Vec<String>,
}

/// Reads an output to its end in a thread of its own, so that no program waits for a full pipe.
fn read(output: Option<impl Read + Send + 'static>) -> Receiver<Heard> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut output) = output else { return };
        let mut heard = Heard::default();
        let mut last: VecDeque<u8> = VecDeque::new();
        let mut buffer = [0; 8192];
        while let Ok(read) = output.read(&mut buffer)
            && read > 0
        {
            let part = &buffer[..read];
            let room = MAX_OUTPUT.saturating_sub(heard.whole.len());
            heard.whole.extend_from_slice(&part[..read.min(room)]);
            last.extend(part);
            let over = last.len().saturating_sub(TAIL_BYTES);
            last.drain(..over);
            // What is still running may hold it open: what there is so far goes out, too.
            heard.tail = tail(last.make_contiguous());
            let so_far = Heard { whole: Vec::new(), tail: heard.tail.clone() };
            let _ = send.send(so_far);
        }
        let _ = send.send(heard);
    });
    receive
}

fn tail(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].iter().map(|line| (*line).to_owned()).collect()
}

/// The last that was heard, when that is the end of it or no more comes in time.
fn receive(from: &Receiver<Heard>) -> Heard {
    let end = Instant::now() + DRAIN;
    let mut last = Heard::default();
    loop {
        match from.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(heard) => last = heard,
            Err(_) => return last,
        }
    }
}

/// A child that does not outlive the launch, nor do its own.
struct Running {
    child: Child,
    ended: bool,
}

impl Running {
    /// Asks it to end, and makes it after a while.
    fn end(&mut self) {
        let group = Pid::from_child(&self.child);
        // Not waited for yet, so the number is still its own.
        let _ = kill_process_group(group, Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < GRACE {
            if let Ok(Some(_)) = self.child.try_wait() {
                self.ended = true;
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.ended = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.end();
        }
    }
}
