//! git on a repository of the human's, by a git directory of ours: with the repository's references and objects, and with
//! none of its configuration, hooks and attributes, which git would heed and run.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bottlec::text::quote;
use tempfile::TempDir;

use super::Repository;
use crate::cli::error::reason;
use crate::cli::host::{Running, find_program};

/// All that git reads as configuration. The hooks' path is no directory.
const CONFIG: &str = "[core]\n\trepositoryFormatVersion = 0\n\tbare = true\n\thooksPath = /dev/null\n\
    \tlogAllRefUpdates = true\n\tfsmonitor = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";
/// The most that is kept of what git complains of.
const MAX_COMPLAINT: u64 = 4096;

/// What a call of git may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long.
    pub(crate) patience: Duration,
    /// How many bytes it may print.
    pub(crate) output: u64,
}

impl Bounds {
    /// Of what looks at what is on the disk.
    pub(crate) const QUICK: Self = Self { patience: Duration::from_secs(20), output: 16 << 20 };
}

/// Why git did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// It is not there, or cannot be run.
    #[error("git cannot be run: {0}")]
    Run(String),
    /// It failed, and said why.
    #[error("git says {}", quote(.0))]
    Failed(String),
    /// It was not done in time.
    #[error("git was not done after {} seconds, and was ended", .0.as_secs())]
    Late(Duration),
    /// It prints more than it may.
    #[error("git prints more than {0} bytes")]
    TooMuch(u64),
}

impl From<io::Error> for GitError {
    fn from(error: io::Error) -> Self {
        Self::Run(reason(&error))
    }
}

/// A git directory of ours over a repository.
#[derive(Debug)]
pub(crate) struct View {
    program: PathBuf,
    directory: TempDir,
}

impl View {
    /// Makes one. It goes with the value.
    pub(crate) fn over(repository: &Repository) -> Result<Self, GitError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let program =
            find_program("git", &path).ok_or_else(|| GitError::Run(String::from("it is not on PATH")))?;
        let directory = tempfile::Builder::new().prefix("bottlec-").tempdir()?;
        let (at, common) = (directory.path(), &repository.common_dir);
        fs::write(at.join("config"), CONFIG)?;
        fs::write(at.join("HEAD"), "ref: refs/heads/none-of-it\n")?;
        for part in ["refs", "packed-refs", "objects"] {
            symlink(common.join(part), at.join(part))?;
        }
        // Where the old value of a reference is kept, if the repository keeps any.
        if common.join("logs").is_dir() {
            symlink(common.join("logs"), at.join("logs"))?;
        }
        // git writes it anew, so it is a copy.
        match fs::copy(common.join("shallow"), at.join("shallow")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        Ok(Self { program, directory })
    }

    /// Its directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Says what is checked out, as `HEAD` holds it.
    pub(super) fn check_out(&self, head: &[u8]) -> io::Result<()> {
        fs::write(self.path().join("HEAD"), head)
    }

    /// A call of git: with nothing of the caller's environment but where programs are, and no way to any other host.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        self.prepared(Command::new(&self.program), words)
    }

    /// The same, as words of another program that runs it.
    pub(crate) fn command_within<S: AsRef<OsStr>>(&self, mut wrapper: Command, words: &[S]) -> Command {
        wrapper.arg(&self.program);
        self.prepared(wrapper, words)
    }

    fn prepared<S: AsRef<OsStr>>(&self, mut command: Command, words: &[S]) -> Command {
        command.env_clear();
        for name in ["PATH", "TMPDIR"] {
            command.envs(env::var_os(name).map(|value| (name, value)));
        }
        command
            .args(words)
            .current_dir(self.path())
            .env("GIT_DIR", self.path())
            .env("HOME", self.path())
            .env("LC_ALL", "C")
            // The user's settings lead to other places, too: `url.*.insteadOf`, `core.gitProxy`.
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_ALLOW_PROTOCOL", ":")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_COMMITTER_NAME", "bottlec")
            .env("GIT_COMMITTER_EMAIL", "bottlec@localhost");
        command
    }

    /// Runs git to its end.
    pub(crate) fn run(&self, words: &[&str], input: &[u8]) -> Result<Vec<u8>, GitError> {
        output(self.command(words), input, &Bounds::QUICK)
    }
}

/// Runs a program to its end, within bounds: what it prints. It is killed with all that it started when it is late.
pub(crate) fn output(mut command: Command, input: &[u8], bounds: &Bounds) -> Result<Vec<u8>, GitError> {
    let until = Instant::now() + bounds.patience;
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut running = Running::of(command.spawn()?);
    let (stdin, stdout, stderr) = running.pipes();
    if let Some(mut stdin) = stdin {
        let input = input.to_owned();
        // Whoever does not read it all says why by how it ends.
        thread::spawn(move || stdin.write_all(&input));
    }
    let (printed, complaint) = (kept(stdout, bounds.output + 1), kept(stderr, MAX_COMPLAINT));
    let late = || GitError::Late(bounds.patience);
    let left = || until.saturating_duration_since(Instant::now());
    let printed = printed.recv_timeout(left()).map_err(|_| late())??;
    if printed.len() as u64 > bounds.output {
        return Err(GitError::TooMuch(bounds.output));
    }
    let complaint = complaint.recv_timeout(left()).map_err(|_| late())??;
    let status = running.wait(until)?.ok_or_else(late)?;
    if status.success() {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&complaint);
    let line = complaint.lines().find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
    let line = line.or_else(|| complaint.lines().next()).unwrap_or("nothing, and fails");
    Err(GitError::Failed(line.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()))
}

/// Reads a pipe in a thread of its own: the first bytes are kept, and the rest is read and dropped only where the program
/// may say it, so that nobody waits.
fn kept(pipe: Option<impl Read + Send + 'static>, most: u64) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.map_or(Ok(0), |pipe| {
            let mut pipe = pipe.take(most);
            let read = pipe.read_to_end(&mut bytes)?;
            if most <= MAX_COMPLAINT {
                io::copy(&mut pipe.into_inner(), &mut io::sink())?;
            }
            Ok(read)
        });
        let _ = send.send(read.map(|_| bytes));
    });
    receive
}
