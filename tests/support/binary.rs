//! Running the real `bottlec`, in a directory of the test's own and with nothing of the user's environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The binary under test.
pub(crate) const BOTTLEC: &str = env!("CARGO_BIN_EXE_bottlec");

/// Where the programs are that the tests need besides.
pub(crate) const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// How many seconds of CPU a run may take: far more than any does, and the same on a busy machine.
const CPU_SECONDS: u32 = 60;

/// How long is waited for what does nothing, by the clock on the wall: so long that no busy machine fails a test.
pub(crate) const PATIENCE: Duration = Duration::from_mins(15);

/// A bottle that compiles, without anything that is not needed.
pub(crate) const SMALL: &str =
    "bottle \"api\" { egress { allow \"api.example.com\"; }; network octet=42; }\n";

/// A Docker that answers, with its Compose.
pub(crate) const DOCKER: &str = "case \"$1 $2\" in \
    'version --format') echo 26.1.5 ;; \
    'compose version') echo 'Docker Compose version v2.26.1' ;; \
    *) exit 1 ;; esac";

/// A directory to work in, gone with the test.
pub(crate) struct Dir {
    tmp: tempfile::TempDir,
}

impl Dir {
    pub(crate) fn new() -> Self {
        Self { tmp: tempfile::tempdir().unwrap() }
    }

    /// One with a spec, `x.kdl`.
    pub(crate) fn with(spec: impl AsRef<[u8]>) -> Self {
        let dir = Self::new();
        dir.write("x.kdl", spec);
        dir
    }

    pub(crate) fn path(&self) -> &Path {
        self.tmp.path()
    }

    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.tmp.path().join(path)
    }

    /// Writes a file and the directories above it.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a program. Another process writes it: were it this one, a fork of another test could still hold it open
    /// for writing when it is run.
    pub(crate) fn program(&self, path: &str, script: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"";
        let status = Command::new("sh").args(["-c", write, "sh", script]).arg(&path).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn call<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Call {
        Call::new(self.path(), args)
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        self.call(args).run()
    }
}

/// Every file and directory below `dir` with its mode and content, by path.
pub(crate) fn tree(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    fn walk(root: &Path, dir: &Path, found: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
        for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let bytes = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            let name = path.strip_prefix(root).unwrap().to_owned();
            found.insert(name, (meta.permissions().mode() & 0o7777, bytes));
            if meta.is_dir() {
                walk(root, &path, found);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, dir, &mut found);
    found
}

/// A run to be.
pub(crate) struct Call {
    dir: PathBuf,
    words: Vec<OsString>,
    program: OsString,
    env: Vec<(OsString, OsString)>,
    input: Option<Vec<u8>>,
}

impl Call {
    pub(crate) fn new<S: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = S>) -> Self {
        let mut words = vec![OsString::from(BOTTLEC)];
        words.extend(args.into_iter().map(|word| word.as_ref().to_owned()));
        Self {
            dir: dir.to_owned(),
            program: words.remove(0),
            words,
            env: vec![("PATH".into(), SYSTEM_PATH.into())],
            input: None,
        }
    }

    /// With a variable in its environment, which has nothing but `PATH` otherwise.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.retain(|(known, _)| known != name.as_ref());
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// With words before it: a program that runs the rest of its arguments.
    pub(crate) fn within<S: AsRef<OsStr>>(mut self, wrapper: impl IntoIterator<Item = S>) -> Self {
        let mut words: Vec<OsString> = wrapper.into_iter().map(|word| word.as_ref().to_owned()).collect();
        words.push(std::mem::take(&mut self.program));
        words.append(&mut self.words);
        self.program = words.remove(0);
        self.words = words;
        self
    }

    /// After a line of shell.
    pub(crate) fn after(self, script: &str) -> Self {
        self.within(["sh", "-c", &format!("{script}; exec \"$@\""), "sh"])
    }

    /// With no more address space than this.
    pub(crate) fn memory(self, mebibytes: usize) -> Self {
        self.after(&format!("ulimit -v {} || exit 99", mebibytes * 1024))
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.words).env_clear().envs(self.env.iter().cloned()).current_dir(&self.dir);
        command
    }

    /// Runs it to its end, which must be one of its own choice and in time.
    pub(crate) fn run(mut self) -> Run {
        let input = self.input.take();
        let call = self.within(["/bin/sh", "-c", &format!("ulimit -S -t {CPU_SECONDS}; exec \"$@\""), "sh"]);
        let mut command = call.command();
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it can be run");
        let pipe = child.stdin.take();
        let writer = thread::spawn(move || {
            if let (Some(input), Some(mut pipe)) = (input, pipe) {
                // It may stop reading when it has seen enough.
                let _ = pipe.write_all(&input);
            }
        });
        let out = reader(child.stdout.take().unwrap());
        let err = reader(child.stderr.take().unwrap());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{:?} did not end within {PATIENCE:?}", call.words);
            }
            thread::sleep(Duration::from_millis(2));
        };
        writer.join().unwrap();
        let (out, err) = (out.join().unwrap(), err.join().unwrap());
        let told = format!("{:?}\n{out}\n{err}", call.words);
        let code = status.code().unwrap_or_else(|| panic!("ended by a signal: {status}\n{told}"));
        assert!(matches!(code, 0..=3), "exit code {code}: {told}");
        assert!(!err.contains("panicked") && !err.contains("RUST_BACKTRACE"), "{told}");
        Run { code, out, err }
    }
}

fn reader(mut from: impl std::io::Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).expect("output is UTF-8")
    })
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The run, if it ended so.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// Whether a preflight found the host ready, but for its processor: where the tests run there may be none for machines.
    pub(crate) fn lacks_nothing(&self) -> bool {
        let mut lacks = self.out.lines().filter(|line| line.starts_with("fail "));
        lacks.all(|line| line.starts_with("fail `/dev/kvm` "))
    }

    /// The run, if its standard output holds that.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "expected {text:?} in\n{}\n{}", self.out, self.err);
        self
    }

    /// The run, if its standard error holds that.
    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(self.err.contains(text), "expected {text:?} in\n{}\nand\n{}", self.err, self.out);
        self
    }

    /// The run, if neither stream holds that.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.out.contains(text) && !self.err.contains(text), "{}\n{}", self.out, self.err);
        self
    }
}

/// Whether a program is there and ends well with these words.
pub(crate) fn works(words: &[&str]) -> bool {
    Command::new(words[0]).args(&words[1..]).output().is_ok_and(|output| output.status.success())
}

/// Makes a FIFO.
pub(crate) fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Makes a file of so many bytes that takes no room.
pub(crate) fn sparse(path: &Path, bytes: u64) {
    File::create(path).unwrap().set_len(bytes).unwrap();
}
