//! Paths: files on disk that a spec may name.

use std::path::{Path, PathBuf};

use lsp_types::CompletionItemKind;

use super::Request;
use super::item::Candidate;
use super::slot::Slot;
use crate::lsp::disk::DirectoryEntry;
use crate::path::join;
use crate::resolve::include;
use crate::schema::ValueType;
use crate::syntax::{Node, Value};

/// Which files fit a place, by the ends of their names; an empty list takes every one.
#[derive(Clone, Copy)]
struct Fit {
    ends: &'static [&'static str],
    not: &'static [&'static str],
    files: bool,
}

impl Fit {
    fn of(value: ValueType, node: &str) -> Self {
        let any = Self { ends: &[], not: &[], files: true };
        match (value, node) {
            (ValueType::RelativePath, _) => Self { ends: &[".kdl"], ..any },
            (ValueType::MachinePath, _) => Self { ends: &[".smolmachine"], ..any },
            (ValueType::Directory | ValueType::OwnDirectory | ValueType::MachineVolume, _) => {
                Self { files: false, ..any }
            }
            // A repository.
            (_, "path") => Self { files: false, ..any },
            (_, "ca-cert" | "trust") => Self { ends: &[".pem", ".crt", ".cer"], ..any },
            (_, "ca-key") => Self { ends: &[".pem", ".key"], ..any },
            // The other half of a pair of keys, and what else `ssh` keeps there.
            (_, "identity") => {
                Self { not: &[".pub", "known_hosts", "known_hosts.old", "config", "authorized_keys"], ..any }
            }
            _ => any,
        }
    }

    fn takes(self, entry: &DirectoryEntry) -> bool {
        let ends = |ends: &[&str]| ends.iter().any(|end| entry.name.ends_with(end));
        entry.is_directory || (self.files && (self.ends.is_empty() || ends(self.ends)) && !ends(self.not))
    }
}

/// A directory whose entries are offered.
struct Listed {
    directory: PathBuf,
    /// What is written before an entry's name.
    prefix: String,
    /// Whether entries that begin with a dot are offered before somebody types one.
    hidden: bool,
}

/// The files and directories that could stand here.
pub(super) fn paths(request: Request<'_>, value: ValueType, slot: &Slot) -> Vec<Candidate> {
    let node = request.cursor.node().map(Node::name).unwrap_or_default();
    let fit = Fit::of(value, node);
    let own_name = request.asked.source().place();
    let mut found = Vec::new();
    for Listed { directory, prefix, hidden } in listed(request, value, node, &slot.typed) {
        let last = slot.typed.rsplit('/').next().unwrap_or_default();
        let hidden = hidden || last.starts_with('.');
        for entry in request.disk.list(&directory) {
            if (entry.name.starts_with('.') && !hidden) || !fit.takes(&entry) {
                continue;
            }
            let text = format!("{prefix}{}", entry.name);
            let is_self = value == ValueType::RelativePath
                && include::target(own_name, &text).is_some_and(|target| *target == **own_name);
            let legal = value.check(Value::String(&text)).is_ok() || (entry.is_directory && fit.files);
            if is_self || !legal || !slot.holds(&text) {
                continue;
            }
            let label = entry.name.clone();
            let candidate = if !entry.is_directory {
                Candidate::value(text, CompletionItemKind::FILE)
            } else if fit.files {
                Candidate::prefix(format!("{text}/"), CompletionItemKind::FOLDER).tier(2)
            } else {
                Candidate::value(text, CompletionItemKind::FOLDER)
            };
            found.push(Candidate { label: Some(label), ..candidate });
        }
    }
    if slot.typed.is_empty() {
        found.extend(beginnings(value, node).iter().map(|(text, detail)| {
            Candidate::prefix(*text, CompletionItemKind::FOLDER).detail(*detail).tier(3)
        }));
    }
    found
}

/// What a path of that type may begin with.
fn beginnings(value: ValueType, node: &str) -> &'static [(&'static str, &'static str)] {
    const HOME: (&str, &str) = ("~/", "the home of who launches");
    const SECRETS: (&str, &str) = ("/run/secrets/", "where secrets are usually put");
    match (value, node) {
        (ValueType::AbsolutePath, _) => &[SECRETS],
        (_, "secret") => &[SECRETS, HOME],
        (ValueType::HostPath | ValueType::PrivateKey | ValueType::OwnDirectory, _) => &[HOME],
        _ => &[],
    }
}

/// The directories that what is typed leads to.
fn listed(request: Request<'_>, value: ValueType, node: &str, typed: &str) -> Vec<Listed> {
    let takes_home = matches!(
        value,
        ValueType::HostPath | ValueType::PrivateKey | ValueType::OwnDirectory | ValueType::VolumeSource
    );
    let typed_directory = typed.rfind('/').map_or("", |at| &typed[..=at]);
    let at = |directory: PathBuf| Listed {
        directory,
        prefix: typed_directory.to_owned(),
        hidden: typed_directory.starts_with("~/"),
    };
    if let Some(rest) = typed_directory.strip_prefix("~/") {
        let home = request.disk.home().filter(|_| takes_home);
        return home.map(|home| at(home.join(rest))).into_iter().collect();
    }
    if typed_directory.starts_with('/') {
        let takes = value != ValueType::RelativePath;
        return takes.then(|| at(PathBuf::from(typed_directory))).into_iter().collect();
    }
    let mut found = Vec::new();
    if typed.is_empty() && matches!(node, "identity") {
        // Where keys are.
        let ssh = request.disk.home().map(|home| home.join(".ssh"));
        found.extend(ssh.map(|directory| Listed { directory, prefix: "~/.ssh/".into(), hidden: false }));
    }
    // A key in the workspace is one that somebody commits.
    if typed.is_empty() && matches!(node, "identity" | "ca-key") {
        return found;
    }
    if matches!(value, ValueType::AbsolutePath)
        || (value == ValueType::VolumeSource && !typed.starts_with('.') && !typed.is_empty())
    {
        return found;
    }
    let Some(directory) = relative(request, value, typed_directory) else { return found };
    // A path in front of which nothing is typed is written as one, where a plain name could be another thing.
    let plain = value == ValueType::RelativePath || !typed.is_empty();
    let prefix = if plain { typed_directory.to_owned() } else { String::from("./") };
    found.push(Listed { directory, prefix, hidden: false });
    found
}

/// The directory of this spec, or one as seen from it. An `include` leads to nowhere above the workspace.
fn relative(request: Request<'_>, value: ValueType, typed: &str) -> Option<PathBuf> {
    let folder: &Path = request.folder?;
    let name = request.asked.source().name();
    if value == ValueType::RelativePath {
        // The target of a file in it is one that may be included.
        let file = include::target(name, &format!("{typed}x"))?;
        return Some(folder.join(file).parent()?.to_owned());
    }
    let own = name.rsplit_once('/').map_or("", |(directory, _)| directory);
    Some(folder.join(join(own, typed)))
}
