//! git, called safely: it reads the objects and the index of a stranger's repository, and runs nothing of it.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use bottlec::source::{MAX_SOURCE_BYTES, Source};
use bottlec::text::quote;

use super::error::reason;
use super::host::find_program;
use super::workspace::GIT;

/// The most that is read of an answer of one line, and of a complaint.
const MAX_ANSWER: u64 = 4096;

/// What a repository's own configuration could otherwise set to a program. Nothing here compares files of the working
/// directory, so that no filter, text conversion or external diff is asked for.
const SETTINGS: [&str; 4] = [
    // A directory that was committed may look like a repository, and bring its configuration.
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
];

/// The variables of git's own that stay begin so: they are settings of the user's, and those above count before them.
/// The others lead to another repository, index or program, or write traces.
const KEPT: &str = "GIT_CONFIG_";

/// The complaint of a git that failed without one.
const SILENT: &str = "git fails, and does not say why";

/// A repository with a working directory.
#[derive(Debug)]
pub(crate) struct Repository {
    program: PathBuf,
    top: PathBuf,
}

/// The files of a revision.
#[derive(Debug)]
pub(crate) struct Tree {
    id: String,
    objects: Mutex<Objects>,
}

/// A process that is sent names of objects, and answers with what they hold.
#[derive(Debug)]
struct Objects {
    child: Child,
    names: ChildStdin,
    contents: BufReader<ChildStdout>,
}

impl Repository {
    /// The one that a directory is in, if any: the nearest above it with a `.git`. A directory between them that git
    /// would take for a bare repository is none.
    pub(crate) fn around(directory: &Path) -> Result<Option<Self>, String> {
        let Some(top) = directory.ancestors().find(|above| above.join(GIT).symlink_metadata().is_ok()) else {
            return Ok(None);
        };
        let path = env::var_os("PATH").unwrap_or_default();
        let program = find_program("git", &path).ok_or("git is not on PATH")?;
        Ok(Some(Self { program, top: top.to_owned() }))
    }

    /// Its directory.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// The files of a revision.
    pub(crate) fn tree(&self, revision: &str) -> Result<Tree, String> {
        let args = ["rev-parse", "--verify", "--quiet", &format!("{revision}^{{tree}}")];
        let id = self.run(&args, |out| {
            let mut id = String::new();
            out.take(MAX_ANSWER).read_to_string(&mut id).map(|_| id)
        });
        let unknown = |why: String| if why == SILENT { "git knows no such revision".to_owned() } else { why };
        let id = id.map_err(unknown)?;
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| unavailable(&error))?;
        let (Some(names), Some(contents)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unavailable(&io::ErrorKind::BrokenPipe.into()));
        };
        let objects = Objects { child, names, contents: BufReader::new(contents) };
        Ok(Tree { id: id.trim_end().to_owned(), objects: Mutex::new(objects) })
    }

    /// The files that git tracks, here and in submodules, by their paths from the top: each that `wanted` says.
    pub(crate) fn tracked(&self, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, String> {
        self.run(&["ls-files", "-z", "--cached", "--recurse-submodules"], |out| {
            let mut paths = Vec::new();
            let mut out = BufReader::new(out);
            let mut name = Vec::new();
            while out.read_until(0, &mut name)? > 0 {
                if name.last() == Some(&0) {
                    name.pop();
                }
                let path = Path::new(os(&name));
                if wanted(path) {
                    paths.push(path.to_owned());
                }
                name.clear();
            }
            Ok(paths)
        })
    }

    /// Runs git to its end; `read` reads what it prints.
    fn run<T>(
        &self,
        args: &[&str],
        read: impl FnOnce(&mut ChildStdout) -> io::Result<T>,
    ) -> Result<T, String> {
        let mut child = self.command(args).spawn().map_err(|error| unavailable(&error))?;
        let printed = match child.stdout.as_mut() {
            Some(out) => read(out),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        // It would wait for a reader of the rest.
        drop(child.stdout.take());
        let mut complaint = String::new();
        if let Some(err) = child.stderr.take() {
            let _ = err.take(MAX_ANSWER).read_to_string(&mut complaint);
        }
        let status = child.wait().map_err(|error| unavailable(&error))?;
        if !status.success() {
            let line = complaint.lines().next().map(|line| quote(line.trim_start_matches("fatal: ")));
            return Err(line.map_or(SILENT.to_owned(), |line| format!("git says {line}")));
        }
        printed.map_err(|error| unavailable(&error))
    }

    /// A call of git, as every one of them is made. It starts at the repository's top and looks no further up, fetches
    /// nothing, asks for nothing, writes nothing, and runs nothing of the repository's.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("GIT_") && !text.starts_with(KEPT) {
                command.env_remove(name);
            }
        }
        command
            .arg("--no-pager")
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .args(args)
            .current_dir(&self.top)
            // No protocol at all: it counts before whatever `protocol.ext.allow` a configuration has.
            .env("GIT_ALLOW_PROTOCOL", ":")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(above) = self.top.parent() {
            command.env("GIT_CEILING_DIRECTORIES", above);
        }
        command
    }
}

impl Tree {
    /// A file of it, by its path from the repository's top, as the source `name`; nothing when there is none.
    pub(crate) fn read(&self, path: &str, name: &str) -> Result<Option<Source>, String> {
        if path.contains('\n') {
            return Err(String::from("git is not asked for a path with a line end in it"));
        }
        let objects = &mut *self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.read(&format!("{}:{path}", self.id), name).map_err(|error| unavailable(&error))
    }
}

impl Objects {
    fn read(&mut self, object: &str, name: &str) -> io::Result<Option<Source>> {
        writeln!(self.names, "{object}")?;
        let mut head = String::new();
        if self.contents.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // `<id> <kind> <size>`, or what was asked for and `missing`.
        let mut words = head.trim_end().rsplit(' ');
        let Some(size) = words.next().and_then(|size| size.parse::<u64>().ok()) else { return Ok(None) };
        let is_file = words.next() == Some("blob");
        let small = usize::try_from(size).ok().filter(|size| is_file && *size <= MAX_SOURCE_BYTES);
        let mut bytes = Vec::with_capacity(small.unwrap_or(0));
        let mut content = self.contents.by_ref().take(size);
        let read = match small {
            Some(_) => content.read_to_end(&mut bytes).map(|read| read as u64)?,
            None => io::copy(&mut content, &mut io::sink())?,
        };
        let mut end = [0];
        self.contents.read_exact(&mut end)?;
        if read < size || end != *b"\n" {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(is_file.then(|| match small {
            Some(_) => Source::from_bytes(name, bytes),
            None => Source::oversized(name, usize::try_from(size).unwrap_or(usize::MAX)),
        }))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unavailable(error: &io::Error) -> String {
    format!("git cannot be run: {}", reason(error))
}

fn os(bytes: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}
