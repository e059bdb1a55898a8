//! The host's programs: where they are and what version they print.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bottlec::text::{quote, quote_path};
use bottlec::world::engine::Version;
use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process_group};

/// How long a program may take to say its version.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The most that is read of what it says.
const MAX_OUTPUT: u64 = 64 * 1024;

/// Why a program's version is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    /// It could not be run, or heard.
    #[error("cannot run {}: {reason}", quote_path(path))]
    Run {
        /// The program.
        path: PathBuf,
        /// What the system said; part of the message, so no `source` as well.
        reason: io::Error,
    },
    /// It did not end in time.
    #[error("{} did not end within {} ms and was killed: run it yourself to see why", call, patience.as_millis())]
    Timeout {
        /// The program and its arguments, quoted.
        call: String,
        /// How long it had.
        patience: Duration,
    },
    /// It says more than any version.
    #[error("{} prints more than 64 KiB: is this the right program?", call)]
    TooMuchOutput {
        /// The program and its arguments, quoted.
        call: String,
    },
    /// It failed.
    #[error("{} failed with {status}: run it yourself to see why", call)]
    Failed {
        /// The program and its arguments, quoted.
        call: String,
        /// How.
        status: ExitStatus,
    },
    /// There is no version in its first line.
    #[error("{} prints {}, expected a version such as `1.33.0` in its first line", call, quote(line))]
    NoVersion {
        /// The program and its arguments, quoted.
        call: String,
        /// What it said instead.
        line: String,
    },
}

fn call(path: &Path, arguments: &[&str]) -> String {
    quote(&format!("{} {}", path.to_string_lossy(), arguments.join(" ")))
}

/// The first executable file called `name` in the directories of `path_var`, the value of `PATH`.
///
/// Empty and relative directories, which a shell would look up from where it stands, are passed over: `bottlec` runs
/// in checkouts of strangers' repositories, and would run a program out of them.
pub(crate) fn find_program(name: &str, path_var: &OsStr) -> Option<PathBuf> {
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return None;
    }
    std::env::split_paths(path_var)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok())
}

/// What `<path> --version` says, when it says so within `patience` ([`PATIENCE`], but for tests): the first version in
/// the first line of its output. What it says on its standard error is not heard.
///
/// It is run without a shell, without input, and in a process group of its own, which is killed as a whole.
///
/// # Errors
/// When it cannot be run, hangs, floods, fails, or says no version.
pub(crate) fn program_version(path: &Path, patience: Duration) -> Result<Version, ProbeError> {
    version_said(path, &["--version"], patience)
}

/// The same with other arguments.
pub(crate) fn version_said(
    path: &Path,
    arguments: &[&str],
    patience: Duration,
) -> Result<Version, ProbeError> {
    first_line_with(path, arguments, "", patience).map(|(version, _)| version)
}

/// The version in the first line that holds `mark`, and that line.
pub(crate) fn first_line_with(
    path: &Path,
    arguments: &[&str],
    mark: &str,
    patience: Duration,
) -> Result<(Version, String), ProbeError> {
    let output = said(path, arguments, patience)?;
    let output = String::from_utf8_lossy(&output);
    let line = output.lines().find(|line| line.contains(mark)).unwrap_or_default();
    match version_in(line) {
        Some(version) => Ok((version, line.to_owned())),
        None => Err(ProbeError::NoVersion { call: call(path, arguments), line: line.to_owned() }),
    }
}

/// What a program writes to standard output.
fn said(path: &Path, arguments: &[&str], patience: Duration) -> Result<Vec<u8>, ProbeError> {
    let run = |reason| ProbeError::Run { path: path.to_owned(), reason };
    let begun = Instant::now();
    let child = Command::new(path)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(run)?;
    let mut running = Running::of(child);
    let (_, Some(stdout), _) = running.pipes() else { return Err(run(io::ErrorKind::BrokenPipe.into())) };

    // Reading waits, so another thread does it; should something outlive the kill with the pipe in its hand, it is
    // that thread which waits on.
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let result = stdout.take(MAX_OUTPUT + 1).read_to_end(&mut output);
        let _ = send.send(result.map(|_| output));
    });
    let timeout = || ProbeError::Timeout { call: call(path, arguments), patience };
    let output = receive.recv_timeout(patience).map_err(|_| timeout())?.map_err(run)?;
    if output.len() as u64 > MAX_OUTPUT {
        return Err(ProbeError::TooMuchOutput { call: call(path, arguments) });
    }
    let status = running.wait(begun + patience).map_err(run)?.ok_or_else(timeout)?;
    if !status.success() {
        return Err(ProbeError::Failed { call: call(path, arguments), status });
    }
    Ok(output)
}

/// The first word that is a version, with or without a `v` in front; what follows a `-` or `+` says which build of that
/// version it is.
fn version_in(line: &str) -> Option<Version> {
    line.split([' ', '\t', ',', ';', '(', ')']).find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        word.split(['-', '+']).next()?.parse().ok()
    })
}

/// A child, in a process group of its own, that does not outlive the value, nor do its own.
pub(crate) struct Running {
    child: Child,
    ended: bool,
}

impl Running {
    pub(crate) fn of(child: Child) -> Self {
        Self { child, ended: false }
    }

    /// Its standard streams, as far as they are pipes.
    pub(crate) fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take())
    }

    /// How it ended, when it did by then.
    pub(crate) fn wait(&mut self, until: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.ended = true;
                return Ok(Some(status));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            // Not waited for yet, so the number is still its own.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn script(dir: &Path, body: &str) -> PathBuf {
        let path = dir.join("smolvm");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Another test's fork may still hold the script open for writing.
    fn version(path: &Path, patience: Duration) -> Result<Version, ProbeError> {
        loop {
            match program_version(path, patience) {
                Err(ProbeError::Run { reason, .. }) if reason.kind() == io::ErrorKind::ExecutableFileBusy => {
                    thread::sleep(Duration::from_millis(5));
                }
                result => return result,
            }
        }
    }

    fn says(body: &str) -> Result<Version, ProbeError> {
        let tmp = tempfile::tempdir().unwrap();
        version(&script(tmp.path(), body), PATIENCE)
    }

    #[test]
    fn a_version_is_found_in_the_first_line() {
        for line in [
            "smolvm 1.32.2",
            "1.32.2",
            "smolvm v1.32.2 (abc 2026-01-01)",
            "smolvm, version 1.32.2, x",
            "s 1.32.2-rc.1+b",
        ] {
            assert_eq!(
                says(&format!("echo 'note' >&2; echo '{line}'; echo 9.9.9")).unwrap(),
                Version::new(1, 32, 2)
            );
        }
        assert_eq!(
            says("[ \"$*\" = --version ] && ! read x && echo smolvm 1.0.0").unwrap(),
            Version::new(1, 0, 0)
        );
    }

    #[test]
    fn what_is_no_version_is_quoted() {
        for body in ["", "echo", "echo; echo 1.2.3", "echo hello", "echo 1.2", "echo 01.2.3", "echo 1.2.3.4"]
        {
            let error = says(body).unwrap_err();
            assert!(matches!(error, ProbeError::NoVersion { .. }), "{body}: {error}");
        }
        let error = says("printf '\\033[2Jgarbage\\377\\n'").unwrap_err().to_string();
        assert!(error.contains("garbage") && !error.contains('\u{1b}'), "{error}");
        assert!(says("echo smolvm 1.0.0 >&2").is_err(), "notes are not heard");
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let tmp = tempfile::tempdir().unwrap();
        let pid = tmp.path().join("pid");
        for body in [
            "sleep 1000",
            "exec sleep 1000",
            "sleep 1000 & echo $! >PID; echo smolvm 1.0.0",
            "trap '' TERM INT; while :; do sleep 1; done",
            "exec >&-; sleep 1000",
        ] {
            let path = script(tmp.path(), &body.replace("PID", pid.to_str().unwrap()));
            let begun = Instant::now();
            let error = version(&path, Duration::from_millis(300)).unwrap_err();
            assert!(matches!(error, ProbeError::Timeout { .. }), "{body}: {error}");
            assert!(error.to_string().contains("within 300 ms"));
            assert!(begun.elapsed() < Duration::from_secs(20), "{body}");
        }
        let grandchild = fs::read_to_string(pid).unwrap();
        let gone = || {
            // Where nobody reaps orphans, a killed one stays as a zombie.
            let status = fs::read_to_string(format!("/proc/{}/stat", grandchild.trim())).unwrap_or_default();
            status.is_empty() || status.contains(") Z")
        };
        assert!((0..200).any(|_| gone() || {
            thread::sleep(Duration::from_millis(10));
            false
        }));
    }

    #[test]
    fn a_flood_is_cut_off() {
        let error = says("exec yes smolvm 1.0.0").unwrap_err();
        assert!(matches!(error, ProbeError::TooMuchOutput { .. }), "{error}");
        // Notes may flood: nobody reads them.
        assert!(says("head -c 1000000 /dev/zero >&2; echo smolvm 1.0.0").is_ok());
    }

    #[test]
    fn a_failure_is_told() {
        let error = says("echo smolvm 1.0.0; exit 1").unwrap_err().to_string();
        assert!(error.contains("failed with exit status: 1"), "{error}");
        let error = says("kill -9 $$").unwrap_err();
        assert!(matches!(error, ProbeError::Failed { .. }), "{error}");
    }

    #[test]
    fn what_cannot_be_run_is_told() {
        let tmp = tempfile::tempdir().unwrap();
        let absent = tmp.path().join("absent");
        assert!(matches!(program_version(&absent, PATIENCE), Err(ProbeError::Run { .. })));
        let plain = tmp.path().join("plain");
        fs::write(&plain, "x").unwrap();
        let error = program_version(&plain, PATIENCE).unwrap_err().to_string();
        assert!(error.starts_with("cannot run `/") && error.contains("ermission denied"), "{error}");
        assert!(matches!(program_version(tmp.path(), PATIENCE), Err(ProbeError::Run { .. })));
    }

    #[test]
    fn a_program_is_found_where_path_says() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = |name: &str| {
            let dir = tmp.path().join(name);
            fs::create_dir(&dir).unwrap();
            dir
        };
        let (absent, folder, plain, dangling, good, link) = (
            tmp.path().join("absent"),
            dir("folder"),
            dir("plain"),
            dir("dangling"),
            dir("good"),
            dir("link"),
        );
        fs::create_dir(folder.join("smolvm")).unwrap();
        fs::write(plain.join("smolvm"), "").unwrap();
        fs::set_permissions(plain.join("smolvm"), fs::Permissions::from_mode(0o644)).unwrap();
        symlink(tmp.path().join("nowhere"), dangling.join("smolvm")).unwrap();
        let program = script(&good, "echo smolvm 1.32.2");
        symlink(&program, link.join("smolvm")).unwrap();
        let find = |name: &str, dirs: &[&Path]| find_program(name, &std::env::join_paths(dirs).unwrap());
        assert_eq!(
            find("smolvm", &[&absent, &folder, &plain, &dangling, &good, &link]),
            Some(program.clone())
        );
        assert_eq!(find("smolvm", &[&link, &good]), Some(link.join("smolvm")));
        assert_eq!(find("smolvm", &[&absent, &folder, &plain, &dangling]), None);
        for name in ["", ".", "..", "../good/smolvm", "/bin/sh"] {
            assert_eq!(find(name, &[&good]), None);
        }
        assert_eq!(find_program("smolvm", OsStr::new("")), None);
    }

    #[test]
    fn empty_and_relative_entries_of_path_are_passed_over() {
        let here = std::env::current_dir().unwrap();
        let tmp = tempfile::tempdir_in(&here).unwrap();
        script(tmp.path(), "echo smolvm 1.32.2");
        let relative = tmp.path().strip_prefix(&here).unwrap();
        assert!(relative.join("smolvm").is_file());
        assert_eq!(find_program("smolvm", relative.as_os_str()), None);
        assert_eq!(
            find_program("smolvm", &std::env::join_paths([Path::new("."), relative, Path::new("")]).unwrap()),
            None
        );
        assert!(find_program("smolvm", tmp.path().as_os_str()).is_some());
    }
}
