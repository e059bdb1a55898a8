//! Repositories of this host: the git directory that a path leads to, and whether git-gate can serve it. Files are read,
//! within bounds; nothing of a repository is run.

mod view;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bottlec::text::{quote, quote_path};
use rustix::process::geteuid;

use super::error::reason;
use super::regular;
use super::workspace::GIT;

pub(crate) use view::{Bounds, GitError, View, output};

/// The most that is read of a file that is read whole.
const MAX_FILE: u64 = 1024 * 1024;
/// How many alternates of alternates git follows.
const MAX_ALTERNATES: usize = 5;

/// A repository that git-gate can serve.
#[derive(Debug)]
pub(crate) struct Repository {
    /// The git directory that all its work trees share, without a link in its path: what git-gate is shown.
    pub(crate) common_dir: PathBuf,
    /// That of this work tree.
    git_dir: PathBuf,
    /// The work tree; a bare repository has none.
    work_tree: Option<PathBuf>,
    /// The branch that is checked out there, without `refs/heads/`; nothing when none is.
    pub(crate) branch: Option<String>,
    /// What does not go along, each as a sentence's end.
    pub(crate) notes: Vec<&'static str>,
}

/// Why a path is no repository that git-gate can serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepositoryError {
    /// Something of it cannot be read.
    #[error("{} cannot be read: {reason}", quote_path(path))]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no repository.
    #[error("{} is no git repository", quote_path(path))]
    Absent {
        /// Where.
        path: PathBuf,
        /// The one that the path lies in.
        around: Option<PathBuf>,
    },
    /// A `.git` leads to what does not lead back.
    #[error("{} leads to {}, {why}", quote_path(link), quote_path(to))]
    Elsewhere {
        /// The `.git`.
        link: PathBuf,
        /// Where it leads.
        to: PathBuf,
        /// What is wrong there.
        why: &'static str,
    },
    /// A part of it lies outside of what is mounted.
    #[error(
        "a part of the repository {} lies outside of it: {} leads to {}",
        quote_path(path),
        quote(part),
        quote_path(to)
    )]
    Outside {
        /// The git directory.
        path: PathBuf,
        /// Which part.
        part: String,
        /// Where it lies.
        to: PathBuf,
    },
    /// It belongs to somebody else.
    #[error("the repository {} is not yours: it belongs to the user {owner}", quote_path(path))]
    Owner {
        /// The git directory, or the file that leads there.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// git-gate's mirror cannot hold what is in it.
    #[error("the repository {} {what}", quote_path(path))]
    Format {
        /// The git directory.
        path: PathBuf,
        /// What it is or does, as a sentence's end.
        what: String,
    },
    /// It lacks objects.
    #[error(
        "the repository {} is a partial clone: it lacks objects, which git would fetch with your keys when they are asked for",
        quote_path(path)
    )]
    Partial {
        /// The git directory.
        path: PathBuf,
    },
}

impl RepositoryError {
    /// Says what to do.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                String::from("make it readable for who launches, or name another path")
            }
            Self::Absent { path: _, around: Some(around) } => {
                format!("the repository that it lies in is {}: name that one", quote_path(around))
            }
            Self::Absent { path, around: None } => {
                format!("`git init` makes one, or name a repository instead of {}", quote_path(path))
            }
            Self::Elsewhere { .. } => String::from(
                "name the repository itself, and be sure that its history may be the agent's to read",
            ),
            Self::Outside { part, .. } if part.ends_with("alternates") => String::from(
                "`git repack -a -d` in it copies the objects, and then `objects/info/alternates` can be removed",
            ),
            Self::Outside { .. } => {
                String::from("put it where the link stands, or clone the repository anew")
            }
            Self::Owner { .. } => String::from(
                "launch as its owner, or clone it: git asks for `safe.directory` there, since it would run what the owner \
                 set up; here nothing of it is run, but its history would be the agent's, and the agent's work its own",
            ),
            Self::Format { .. } => String::from(
                "clone it with `git clone --no-local` and `GIT_DEFAULT_HASH=sha1 GIT_DEFAULT_REF_FORMAT=files`, where \
                 git can, and name the clone",
            ),
            Self::Partial { .. } => String::from("clone it without `--filter`, and name that clone"),
        }
    }
}

/// Finds the repository of a path: a work tree, a bare repository, or a git directory.
pub(crate) fn resolve(path: &Path) -> Result<Repository, RepositoryError> {
    let top = canonical(path)?;
    let dot = top.join(GIT);
    let found = match fs::symlink_metadata(&dot) {
        Ok(meta) if meta.is_dir() => Repository::new(dot.clone(), dot, Some(top)),
        Ok(meta) if meta.is_file() => linked(&top, &dot)?,
        Ok(_) => {
            let to = fs::read_link(&dot).unwrap_or_else(|_| dot.clone());
            return Err(RepositoryError::Elsewhere { link: dot, to, why: "by a symbolic link or worse" });
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unreadable(&dot, &error)),
        Err(_) => Repository::new(top.clone(), top, None),
    };
    if !is_git_dir(&found.common_dir) || found.common_dir.join("commondir").exists() {
        let around = path_above(&found.git_dir);
        return Err(RepositoryError::Absent { path: path.to_owned(), around });
    }
    found.checked()
}

/// Whether a directory is the top of a work tree whose repository git-gate can serve.
pub(crate) fn is_work_tree(directory: &Path) -> bool {
    resolve(directory)
        .is_ok_and(|found| found.work_tree.is_some_and(|top| canonical(directory).is_ok_and(|it| it == top)))
}

/// The nearest directory above with a repository.
fn path_above(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1);
    above.filter(|above| *above != path).find(|above| above.join(GIT).exists()).map(Path::to_owned)
}

/// Follows a `.git` that is a file: of a work tree beside the first one, or of a submodule. Either is known by what leads
/// back to it, so that a file that somebody put there opens no other repository.
fn linked(top: &Path, dot: &Path) -> Result<Repository, RepositoryError> {
    let text = read(dot)?.unwrap_or_default();
    let elsewhere =
        |to: &Path, why| RepositoryError::Elsewhere { link: dot.to_owned(), to: to.to_owned(), why };
    let to = text.strip_prefix(b"gitdir: ").map(|to| top.join(path_of(to)));
    let to = to.ok_or_else(|| elsewhere(top, "for it does not say `gitdir:`"))?;
    let git_dir = fs::canonicalize(&to).map_err(|_| elsewhere(&to, "which is not there"))?;
    let leads_back = |path: &Path, to: &Path| fs::canonicalize(path).is_ok_and(|path| path == to);
    owned(dot)?;
    let Some(common) = read(&git_dir.join("commondir"))? else {
        let settings = settings(&read(&git_dir.join("config"))?.unwrap_or_default());
        let work_tree = settings.iter().rfind(|(key, _)| key == "core.worktree");
        if !work_tree.is_some_and(|(_, path)| leads_back(&git_dir.join(path), top)) {
            return Err(elsewhere(&git_dir, "which does not lead back"));
        }
        return Ok(Repository::new(git_dir.clone(), git_dir, Some(top.to_owned())));
    };
    let common_dir = git_dir.join(path_of(&common));
    let common_dir = fs::canonicalize(&common_dir).map_err(|error| unreadable(&common_dir, &error))?;
    let back = read(&git_dir.join("gitdir"))?.unwrap_or_default();
    if git_dir.parent() != Some(&common_dir.join("worktrees"))
        || !leads_back(&git_dir.join(path_of(&back)), dot)
    {
        return Err(elsewhere(&git_dir, "which does not lead back"));
    }
    Ok(Repository::new(common_dir, git_dir, Some(top.to_owned())))
}

impl Repository {
    fn new(common_dir: PathBuf, git_dir: PathBuf, work_tree: Option<PathBuf>) -> Self {
        Self { common_dir, git_dir, work_tree, branch: None, notes: Vec::new() }
    }

    /// Looks whether git-gate can serve it, and for what does not go along.
    fn checked(mut self) -> Result<Self, RepositoryError> {
        let root = &self.common_dir;
        owned(root)?;
        owned(&self.git_dir)?;
        for part in
            ["HEAD", "config", "objects", "objects/info", "objects/pack", "refs", "packed-refs", "shallow"]
        {
            within(root, part)?;
        }
        for directory in ["objects", "objects/pack", "refs", "refs/heads"] {
            list(&root.join(directory))?;
        }
        alternates(root, &root.join("objects"), MAX_ALTERNATES)?;
        self.format()?;
        let there = |part: &str| root.join(part).exists();
        let head = read(&self.git_dir.join("HEAD"))?.unwrap_or_default();
        let branch = head.strip_prefix(b"ref: refs/heads/");
        self.branch = branch.map(|branch| String::from_utf8_lossy(branch.trim_ascii_end()).into_owned());
        let no_branch = self.branch.is_none() && self.work_tree.is_some();
        let notes = [
            (no_branch, "no branch is checked out, and commits that are on none do not go along"),
            (there("shallow"), "its history is shallow, and goes along as far as it is there"),
            (there("info/grafts"), "its grafts do not count"),
            (there("lfs"), "files of Git LFS go along as pointers only"),
            (there("modules"), "submodules do not go along: each is a repository of its own"),
        ];
        self.notes.extend(notes.into_iter().filter_map(|(holds, note)| holds.then_some(note)));
        Ok(self)
    }

    /// A mirror names objects by SHA-1 and keeps references as files.
    fn format(&self) -> Result<(), RepositoryError> {
        let path = || self.common_dir.clone();
        let format = |what| Err(RepositoryError::Format { path: path(), what });
        let config = read(&self.common_dir.join("config"))?.unwrap_or_default();
        for (key, value) in settings(&config) {
            match (key.as_str(), value.to_ascii_lowercase().as_str()) {
                ("extensions.objectformat", "sha1") | ("extensions.refstorage", "files") => {}
                ("extensions.objectformat", other) => {
                    return format(format!(
                        "names its objects by {}, and git-gate's mirror by SHA-1",
                        quote(other)
                    ));
                }
                ("extensions.refstorage", other) => {
                    return format(format!("keeps its references as {}, and not as files", quote(other)));
                }
                ("extensions.partialclone", _) => return Err(RepositoryError::Partial { path: path() }),
                _ => {}
            }
        }
        let packs = list(&self.common_dir.join("objects/pack"))?;
        if packs.iter().any(|name| name.as_bytes().ends_with(b".promisor")) {
            return Err(RepositoryError::Partial { path: path() });
        }
        Ok(())
    }

    /// Counts the tracked files that are not as they are committed; nothing where that cannot be told. None of the
    /// repository's settings, filters and hooks is asked, so it may count a file that only they make the same.
    pub(crate) fn uncommitted(&self) -> Option<usize> {
        let work_tree = self.work_tree.as_ref()?;
        let index = self.git_dir.join("index");
        let view = View::over(self).ok()?;
        let head = read(&self.git_dir.join("HEAD")).ok()??;
        view.check_out(&head).ok()?;
        let mut status =
            view.command(&["status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all"]);
        status.current_dir(work_tree).env("GIT_WORK_TREE", work_tree).env("GIT_INDEX_FILE", index);
        let printed = view::output(status, &[], &Bounds::QUICK).ok()?;
        Some(printed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()).count())
    }
}

fn unreadable(path: &Path, error: &io::Error) -> RepositoryError {
    RepositoryError::Unreadable { path: path.to_owned(), reason: reason(error) }
}

fn canonical(path: &Path) -> Result<PathBuf, RepositoryError> {
    let real = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
    if real.is_dir() {
        return Ok(real);
    }
    Err(RepositoryError::Absent { path: path.to_owned(), around: path_above(&real) })
}

fn is_git_dir(path: &Path) -> bool {
    fs::symlink_metadata(path.join("HEAD")).is_ok()
        && path.join("objects").is_dir()
        && path.join("refs").is_dir()
}

/// The bytes of a small file that must be regular; nothing when there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, RepositoryError> {
    let unreadable = |reason| RepositoryError::Unreadable { path: path.to_owned(), reason };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let (file, _, size) = regular::open(path).map_err(unreadable)?;
    if size > MAX_FILE {
        return Err(unreadable(String::from("it is larger than 1 MiB")));
    }
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE).read_to_end(&mut bytes);
    read.map(|_| Some(bytes)).map_err(|error| unreadable(reason(&error)))
}

/// The names in a directory; none when it is not there.
fn list(path: &Path) -> Result<Vec<std::ffi::OsString>, RepositoryError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| unreadable(path, &error))?,
    };
    entries.map(|entry| entry.map(|it| it.file_name()).map_err(|error| unreadable(path, &error))).collect()
}

/// A path as git writes one into a file of its own: the whole line.
fn path_of(line: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(line.trim_ascii_end()))
}

/// A part of a git directory that is there must be in it, over whatever links.
fn within(root: &Path, part: &str) -> Result<(), RepositoryError> {
    let path = root.join(part);
    match fs::canonicalize(&path) {
        Ok(to) if to.starts_with(root) => Ok(()),
        Ok(to) => Err(RepositoryError::Outside { path: root.to_owned(), part: part.to_owned(), to }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(&path) {
            Ok(to) => Err(RepositoryError::Outside { path: root.to_owned(), part: part.to_owned(), to }),
            Err(_) => Ok(()),
        },
        Err(error) => Err(unreadable(&path, &error)),
    }
}

/// Objects may lie in another place of the same git directory, by a relative path: that holds where it is mounted, too.
fn alternates(root: &Path, objects: &Path, depth: usize) -> Result<(), RepositoryError> {
    let file = objects.join("info/alternates");
    let text = read(&file)?.unwrap_or_default();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#")) {
        let named = path_of(line);
        let to = objects.join(named);
        let real = fs::canonicalize(&to).ok().filter(|real| real.starts_with(root) && depth > 0);
        let Some(real) = real.filter(|_| named.is_relative() && !line.starts_with(b"\"")) else {
            let part = String::from("objects/info/alternates");
            return Err(RepositoryError::Outside { path: root.to_owned(), part, to: named.to_owned() });
        };
        alternates(root, &real, depth - 1)?;
    }
    Ok(())
}

/// What belongs to who runs this, or to who runs it by `sudo`: git's own rule.
fn owned(path: &Path) -> Result<(), RepositoryError> {
    let owner = fs::metadata(path).map_err(|error| unreadable(path, &error))?.uid();
    let user = geteuid();
    let by_sudo = || env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok()) == Some(owner);
    if owner == user.as_raw() || user.is_root() && by_sudo() {
        return Ok(());
    }
    Err(RepositoryError::Owner { path: path.to_owned(), owner })
}

/// The settings of a configuration, each key in lower case with its section and subsection. What it includes does not
/// count, as it does not for git where these settings are concerned.
fn settings(config: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(config);
    let mut section = String::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let mut line = line.trim();
        if let Some((head, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let (name, sub) = head.split_once(char::is_whitespace).unwrap_or((head, ""));
            let sub = sub.trim().trim_matches('"');
            section =
                if sub.is_empty() { name.to_lowercase() } else { format!("{}.{sub}", name.to_lowercase()) };
            line = rest.trim();
        }
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, "true"));
        found.push((format!("{section}.{}", key.trim().to_lowercase()), unquoted(value.trim())));
    }
    found
}

/// A value without its quotes and escapes, and without a comment behind it.
fn unquoted(value: &str) -> String {
    let (mut text, mut quoted, mut escaped) = (String::new(), false, false);
    for c in value.chars() {
        match c {
            c if escaped => {
                text.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '#' | ';' if !quoted => break,
            c => text.push(c),
        }
    }
    text.trim_end().to_owned()
}
