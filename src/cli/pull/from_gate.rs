//! What an agent pushed, out of git-gate and into a repository of the human's: it arrives in a place apart, is checked
//! there, and is then known by remote-tracking branches. Nothing else of the repository is written.
//!
//! The gate is taken for hostile: what it sends is bounded in time, size and number, and no name of it is a command.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bottlec::text::quote;
use bottlec::world::builtin::{self, Builtin};

use crate::cli::error::reason;
use crate::cli::repository::{Bounds, GitError, Repository, View, output};

/// How long the gate may take to take a connection. It is on this host.
const KNOCK: Duration = Duration::from_secs(5);
/// What it may say of its branches: it reads the human's repository first, which may take as long as a fetch.
const LIST: Bounds = Bounds { patience: Duration::from_mins(10), output: 1 << 20 };
/// What a fetch may take; it prints nothing.
const FETCH: Bounds = Bounds { patience: Duration::from_mins(30), output: 1 << 16 };
/// How many branches are taken.
const MAX_BRANCHES: usize = 1000;
/// The size of a pack that is taken, in blocks of 512 bytes: 2 GiB.
const MAX_BLOCKS: &str = "4194304";
/// The memory of each process of a fetch, and of what lists branches, in KiB: 4 GiB and 256 MiB.
const FETCH_MEMORY: &str = "4194304";
const LIST_MEMORY: &str = "262144";

/// The git-gate of a bottle that runs.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(super) slug: String,
    address: SocketAddr,
}

/// A branch that the gate has, and this repository had not, or elsewhere.
#[derive(Debug)]
pub(crate) struct Branch {
    /// What the agent called it.
    pub(crate) name: Vec<u8>,
    /// Where it was when it was pulled before.
    pub(crate) old: Option<String>,
    /// Where it is.
    pub(crate) new: String,
    /// What became of it here.
    pub(crate) change: Change,
}

/// What became of a remote-tracking branch.
#[derive(Debug)]
pub(crate) enum Change {
    /// It was not there.
    New,
    /// It holds all that it held.
    Forward,
    /// It does not.
    Forced,
    /// It is what it was, and why.
    Refused(String),
}

/// A name of the gate's whose commits are nowhere in this repository.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfetched {
    /// The whole name, such as `refs/heads/topic`.
    pub(crate) reference: Vec<u8>,
    /// Where it is.
    pub(crate) object: String,
}

/// Why nothing was pulled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    /// The gate does not answer.
    #[error("git-gate does not answer at {0}: {1}; is the bundle up?")]
    Away(SocketAddr, String),
    /// git failed, or the gate refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The gate says what no gate says.
    #[error("git-gate answers what cannot be right: {0}")]
    Nonsense(&'static str),
    /// More than is taken.
    #[error(
        "git-gate has more than {MAX_BRANCHES} branches, which are the most that are taken: delete some of them there"
    )]
    TooMany,
    /// More than is taken.
    #[error("git-gate sends more than 2 GiB, which are the most that are taken")]
    TooLarge,
    /// The repository cannot be written.
    #[error("the objects cannot be stored: {0}")]
    Store(String),
}

impl Gate {
    /// That of a bottle, by its name and its bundle's address.
    pub(crate) fn of(slug: &str, bundle: Ipv4Addr) -> Self {
        let port = builtin::find(builtin::GIT_GATE).map_or(0, |Builtin { port, .. }| *port);
        Self { slug: slug.to_owned(), address: SocketAddr::from((bundle, port)) }
    }

    /// Fetches the branches of one repository to `refs/remotes/bottle-<slug>/*`: those that changed.
    pub(crate) fn fetch(&self, name: &str, repository: &Repository) -> Result<Vec<Branch>, PullError> {
        let view = View::over(repository)?;
        let known = known(&view, &self.tracking())?;
        let mut wanted = self.list(&view, name, &["refs/heads/*"])?;
        wanted.retain(|reference, object| known.get(branch(reference)) != Some(object));
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let came = self.receive(&view, name, repository, wanted.keys())?;
        let branches = came.into_iter().map(|(name, new)| self.track(&view, name, new, &known));
        branches.collect()
    }

    /// Asks what is lost when the gate's volume goes: branches and tags whose commits no reference of the repository has.
    pub(crate) fn unfetched(&self, name: &str, repository: &Repository) -> Result<Vec<Unfetched>, PullError> {
        let view = View::over(repository)?;
        let here: BTreeSet<String> = known(&view, "refs/")?.into_values().collect();
        let mut there = self.list(&view, name, &["refs/heads/*", "refs/tags/*"])?;
        there.retain(|_, object| !here.contains(object));
        // What is not here at all is an error of git's, and so is what is here in part.
        there.retain(|_, object| {
            let beyond = view.run(&["rev-list", "--max-count=1", object.as_str(), "--not", "--all"], &[]);
            !beyond.is_ok_and(|beyond| beyond.is_empty())
        });
        Ok(there.into_iter().map(|(reference, object)| Unfetched { reference, object }).collect())
    }

    /// Where the branches go.
    fn tracking(&self) -> String {
        format!("refs/remotes/bottle-{}/", self.slug)
    }

    fn url(&self, name: &str) -> String {
        format!("git://{}/{name}", self.address)
    }

    /// The references of the gate that match, and where each is; a tag is where its commit is.
    fn list(
        &self,
        view: &View,
        name: &str,
        patterns: &[&str],
    ) -> Result<BTreeMap<Vec<u8>, String>, PullError> {
        let away = |error: io::Error| PullError::Away(self.address, reason(&error));
        TcpStream::connect_timeout(&self.address, KNOCK).map_err(away)?;
        let url = self.url(name);
        let words = [&["-c", "protocol.version=2", "ls-remote", "--", url.as_str()], patterns].concat();
        let command = bounded(view, LIST_MEMORY, &words);
        let printed = output(command, &[], &LIST)?;
        let mut found = BTreeMap::new();
        for line in printed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let nonsense = PullError::Nonsense("a list of branches that is none");
            let at = line.iter().position(|byte| *byte == b'\t');
            let (object, reference) = at.map(|at| (&line[..at], &line[at + 1..])).ok_or(nonsense)?;
            let reference = reference.strip_suffix(b"^{}").unwrap_or(reference);
            found.insert(reference.to_owned(), id(object)?);
        }
        if found.len() > MAX_BRANCHES {
            return Err(PullError::TooMany);
        }
        Ok(found)
    }

    /// Fetches references into a place apart and, when they are whole and sound, moves their objects to the repository's:
    /// each branch with where it is.
    fn receive<'a>(
        &self,
        view: &View,
        name: &str,
        repository: &Repository,
        references: impl Iterator<Item = &'a Vec<u8>>,
    ) -> Result<BTreeMap<Vec<u8>, String>, PullError> {
        let store = |error: io::Error| PullError::Store(reason(&error));
        let objects = repository.common_dir.join("objects");
        // Called as git's own, which removes one that is left over.
        let apart =
            tempfile::Builder::new().prefix("tmp_objdir-bottlec-").tempdir_in(&objects).map_err(store)?;
        fs::create_dir_all(apart.path().join("info")).map_err(store)?;
        let mut line = objects.as_os_str().as_encoded_bytes().to_owned();
        if line.contains(&b'\n') {
            return Err(PullError::Store(String::from("there is a line end in its path")));
        }
        line.push(b'\n');
        fs::write(apart.path().join("info/alternates"), line).map_err(store)?;
        let url = self.url(name);
        let mut command = bounded(
            view,
            FETCH_MEMORY,
            &[
                "-c",
                "protocol.version=2",
                "-c",
                "fetch.fsckObjects=true",
                "-c",
                "transfer.fsckObjects=true",
                // One pack, whatever there is in it: one file, which has a bound.
                "-c",
                "fetch.unpackLimit=1",
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-auto-maintenance",
                "--no-recurse-submodules",
                "--stdin",
                "--",
                url.as_str(),
            ],
        );
        command.env("GIT_OBJECT_DIRECTORY", apart.path());
        let input: Vec<u8> =
            references.flat_map(|reference| [reference.as_slice(), b"\n"].concat()).collect();
        match output(command, &input, &FETCH) {
            Err(GitError::Failed(why)) if why.contains("index-pack died of signal") => {
                return Err(PullError::TooLarge);
            }
            done => done.map(drop)?,
        }
        let came = fetch_head(&fs::read(view.path().join("FETCH_HEAD")).map_err(store)?)?;
        install(&apart.path().join("pack"), &objects.join("pack")).map_err(store)?;
        Ok(came)
    }

    /// Points a remote-tracking branch at what came.
    fn track(
        &self,
        view: &View,
        name: Vec<u8>,
        new: String,
        known: &BTreeMap<Vec<u8>, String>,
    ) -> Result<Branch, PullError> {
        let old = known.get(&name).cloned();
        if name == b"HEAD" {
            // It would say which branch a remote has checked out.
            let change = Change::Refused(String::from("a remote-tracking branch cannot be called so"));
            return Ok(Branch { name, old, new, change });
        }
        // git says it in words that name no way out.
        if let Some(other) = known.keys().find(|other| is_in_the_way(other, &name)) {
            let other = format!("bottle-{}/{}", self.slug, String::from_utf8_lossy(other));
            let why = format!(
                "{} is in its way, which was pulled before: `git branch --delete --remotes` takes that one away",
                quote(&other)
            );
            return Ok(Branch { name, old, new, change: Change::Refused(why) });
        }
        let none = "0".repeat(new.len());
        let mut input = format!("update {}", self.tracking()).into_bytes();
        input.extend_from_slice(&name);
        input.extend_from_slice(format!(" {new} {}\n", old.as_ref().unwrap_or(&none)).as_bytes());
        let change = match (view.run(&["update-ref", "-m", "bottlec pull", "--stdin"], &input), &old) {
            (Err(GitError::Failed(why)), _) => Change::Refused(format!("git says {}", quote(&why))),
            (Err(error), _) => return Err(error.into()),
            (Ok(_), None) => Change::New,
            (Ok(_), Some(old)) => {
                let lost = view.run(&["rev-list", "--max-count=1", old.as_str(), "--not", new.as_str()], &[]);
                if lost.is_ok_and(|lost| lost.is_empty()) { Change::Forward } else { Change::Forced }
            }
        };
        Ok(Branch { name, old, new, change })
    }
}

/// Whether two names cannot both be files.
fn is_in_the_way(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with(b"/"))
}

/// A call of git that speaks to the gate, and to nobody else, with the bounds that git has none of: of a file that it
/// writes, and of memory.
fn bounded(view: &View, memory: &str, words: &[&str]) -> Command {
    let mut shell = Command::new("/bin/sh");
    let script = "ulimit -f \"$1\" && ulimit -d \"$2\" && shift 2 && exec \"$@\"";
    shell.args(["-c", script, "sh", MAX_BLOCKS, memory]);
    let mut command = view.command_within(shell, words);
    command.env("GIT_ALLOW_PROTOCOL", "git");
    command
}

/// The references below a prefix, without it, and where each is.
fn known(view: &View, prefix: &str) -> Result<BTreeMap<Vec<u8>, String>, PullError> {
    let printed = view.run(&["for-each-ref", "--format=%(objectname) %(refname)", prefix], &[])?;
    let mut found = BTreeMap::new();
    for line in printed.split(|byte| *byte == b'\n') {
        let at = line.iter().position(|byte| *byte == b' ');
        let Some((object, reference)) = at.map(|at| (&line[..at], &line[at + 1..])) else { continue };
        if let Some(name) = reference.strip_prefix(prefix.as_bytes()) {
            found.insert(name.to_owned(), id(object)?);
        }
    }
    Ok(found)
}

/// The name of a branch.
fn branch(reference: &[u8]) -> &[u8] {
    reference.strip_prefix(b"refs/heads/").unwrap_or(reference)
}

/// An object's name.
fn id(object: &[u8]) -> Result<String, PullError> {
    let nonsense = PullError::Nonsense("an object's name that is none");
    let id = std::str::from_utf8(object).ok().filter(|id| id.len() == 40);
    let id = id.filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit()));
    id.map(str::to_owned).ok_or(nonsense)
}

/// What git wrote down of a fetch: `<object>`, a tab, perhaps `not-for-merge`, a tab, `branch '<name>' of <url>`. No name
/// holds a blank.
fn fetch_head(text: &[u8]) -> Result<BTreeMap<Vec<u8>, String>, PullError> {
    let mut found = BTreeMap::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut parts = line.splitn(3, |byte| *byte == b'\t');
        let object = parts.next().unwrap_or_default();
        let name = parts.nth(1).and_then(|what| what.strip_prefix(b"branch '"));
        let name = name.and_then(|name| name.split(|byte| *byte == b' ').next()?.strip_suffix(b"'"));
        let name = name.ok_or(PullError::Nonsense("a branch that is none"))?;
        found.insert(name.to_owned(), id(object)?);
    }
    Ok(found)
}

/// Moves packs to where git finds them, in the order in which git does: the index, by which a pack is known, comes last.
fn install(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let entries = match fs::read_dir(from) {
        // Everything was there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let names: Vec<_> = entries.map(|entry| entry.map(|it| it.file_name())).collect::<io::Result<_>>()?;
    for end in ["pack", "rev", "idx"] {
        let files = names.iter().filter(|name| Path::new(name).extension().is_some_and(|it| it == end));
        for name in files {
            fs::rename(from.join(name), to.join(name))?;
        }
    }
    Ok(())
}
