//! The mounts of a service. Where one hides a part of another and is not carried over, neither is the other.

use std::collections::BTreeSet;

use super::super::document::{Block, Node, fits, named};
use super::super::value::Value;
use super::super::{common, text_of};
use super::text::plain;
use crate::schema::{ValueType, is_host_path, suggest_name};
use crate::world::handed_over::Role;
use crate::world::images::lies_in;

enum From {
    /// A path of the host.
    Host(String),
    /// A volume of the engine's.
    Named(String),
    /// One that nothing names.
    Nothing,
    /// Memory.
    Memory,
}

struct Mount {
    from: From,
    target: String,
    writable: bool,
}

/// A mount, or what is wrong with one that is at that place, if the place is known.
type Read = Result<Mount, (Option<String>, String)>;

/// The mounts of a service, in the order in which they are written.
fn all(service: &Value) -> Vec<Read> {
    let of = |key| service.get(key).map_or(&[][..], Value::members).iter();
    let in_memory = |value: &Value| {
        let text = text_of(value);
        let target = text.split(':').next().unwrap_or_default();
        Ok(Mount { from: From::Memory, target: whole(target), writable: true })
    };
    of("volumes").map(mount).chain(of("tmpfs").map(in_memory)).collect()
}

/// A path without the slash at its end.
fn whole(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => String::from("/"),
        path => path.to_owned(),
    }
}

fn from(source: Option<String>) -> From {
    match source {
        None => From::Nothing,
        Some(source) if is_host_path(&source) => From::Host(source),
        Some(name) => From::Named(name),
    }
}

fn mount(value: &Value) -> Read {
    if let Value::Map(_) = value {
        let target = value.get("target").map(plain).and_then(Result::ok).map(|target| whole(&target));
        let wrong = |why: String| (target.clone(), why);
        let text = |key| value.get(key).map(plain).transpose().map_err(wrong);
        let Some(at) = target.clone() else { return Err((None, String::from("it has no target"))) };
        let kind = text("type")?.unwrap_or_default();
        if kind == "tmpfs" {
            return Ok(Mount { from: From::Memory, target: at, writable: true });
        }
        if kind != "bind" && kind != "volume" {
            return Err(wrong(format!("it is of the type {}", named(&kind))));
        }
        let writable = match value.get("read_only") {
            None | Some(Value::Bool(false)) => true,
            Some(_) => false,
        };
        return Ok(Mount { from: from(text("source")?), target: at, writable });
    }
    let text = plain(value).map_err(|why| (place(&text_of(value)), why))?;
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let Some(target) = parts.next() else {
        return Ok(Mount { from: From::Nothing, target: whole(first), writable: true });
    };
    let writable = match parts.next() {
        None => true,
        Some(options) => {
            let known =
                |it: &str| matches!(it, "ro" | "rw" | "z" | "Z" | "cached" | "delegated" | "consistent");
            if !options.split(',').all(known) {
                return Err((Some(whole(target)), format!("its options {} are not known", named(options))));
            }
            !options.split(',').any(|it| it == "ro")
        }
    };
    Ok(Mount { from: from(Some(first.to_owned())), target: whole(target), writable })
}

/// Where a mount is whose text has a variable in it: behind the last `:/`, unless that has one as well.
fn place(text: &str) -> Option<String> {
    let at = text.rfind(":/")? + 1;
    let target = text[at..].split(':').next().unwrap_or_default();
    (!target.contains(['$', '}'])).then(|| whole(target))
}

/// Which mounts are carried over: `keep` says why one is not. What hides a part of another, and is not itself carried over,
/// takes that with it.
fn kept<'m>(
    mounts: &'m [Read],
    keep: impl Fn(&'m Mount) -> Result<(), String>,
) -> Vec<Result<&'m Mount, String>> {
    let mut found: Vec<Result<&Mount, String>> = mounts
        .iter()
        .map(|mount| match mount {
            Ok(mount) => keep(mount).map(|()| mount),
            Err((_, why)) => Err(why.clone()),
        })
        .collect();
    let target = |at: usize| match &mounts[at] {
        Ok(mount) => Some(mount.target.as_str()),
        Err((target, _)) => target.as_deref(),
    };
    loop {
        let lost: Vec<usize> = (0..found.len()).filter(|at| found[*at].is_err()).collect();
        let hidden = found.iter().enumerate().find_map(|(at, mount)| {
            let outer = &mount.as_ref().ok()?.target;
            let inner =
                lost.iter().find(|inner| target(**inner).is_none_or(|inner| lies_in(inner, outer)))?;
            Some((at, target(*inner).map_or_else(|| String::from("another one"), named)))
        });
        let Some((at, inner)) = hidden else { return found };
        found[at] = Err(format!("{inner} hid a part of it, or may have, and is not carried over"));
    }
}

fn what(mount: &Read) -> String {
    match mount {
        Ok(Mount { from: From::Memory, target, .. }) => {
            format!("the directory in memory at {}", named(target))
        }
        Ok(Mount { target, .. }) | Err((Some(target), _)) => format!("the volume at {}", named(target)),
        Err((None, _)) => String::from("a volume"),
    }
}

/// Shows the machine what it was shown.
pub(super) fn of_machine(service: &Value, block: &mut Block) {
    let mounts = all(service);
    let keep = |mount: &Mount| match &mount.from {
        From::Host(source) => common::may_be_shown(source, &mount.target, mount.writable),
        From::Named(_) | From::Nothing | From::Memory => {
            Err(String::from("the machine keeps its own disk; a directory of the host is named by its path"))
        }
    };
    for (mount, kept) in mounts.iter().zip(kept(&mounts, keep)) {
        match kept {
            Ok(Mount { from: From::Host(source), target, writable }) => {
                common::volume(source, target, *writable, block);
            }
            Ok(_) => {}
            Err(why) => block.lose(&what(mount), &why),
        }
    }
}

/// The volumes and directories in memory of a sidecar; `top` are the volumes at the top of the file.
pub(super) fn of_sidecar(service: &Value, top: &[(String, Value)], block: &mut Block) {
    let mounts = all(service);
    let keep = |mount: &Mount| {
        let source = match &mount.from {
            From::Memory => return fits(ValueType::ContainerPath, &mount.target),
            From::Nothing => return Err(String::from("it has no name that a volume could have: name one")),
            From::Host(source) => {
                common::may_be_handed_over(source, Role::Volume { writable: mount.writable })?;
                source.clone()
            }
            From::Named(name) => volume(name, top)?,
        };
        fits(ValueType::VolumeSource, &source)?;
        fits(ValueType::ContainerPath, &mount.target)
    };
    let mut targets = BTreeSet::new();
    for (mount, kept) in mounts.iter().zip(kept(&mounts, keep)) {
        let Mount { from, target, writable } = match kept {
            Ok(mount) => mount,
            Err(why) => {
                block.lose(&what(mount), &why);
                continue;
            }
        };
        // Every container has one there.
        if matches!(from, From::Memory) && target == "/tmp" || !targets.insert(target) {
            continue;
        }
        let source = match from {
            From::Host(source) => source.clone(),
            From::Named(name) => volume(name, top).unwrap_or_default(),
            From::Memory | From::Nothing => {
                block.push(Node::new("tmpfs").text(target));
                continue;
            }
        };
        let node = Node::new("volume").text(&source).text(target);
        block.push(if *writable { node.property("access", "read-write") } else { node });
    }
}

/// The name of a volume, by that in the file.
fn volume(name: &str, top: &[(String, Value)]) -> Result<String, String> {
    let of = |(other, _): &&(String, Value)| other == name;
    if top.iter().find(of).is_some_and(|(_, volume)| !is_plain(volume)) {
        return Err(String::from("where it is, and what is in it, is set at the top of the file"));
    }
    let slug = suggest_name(name).ok_or("it has no name that a volume could have: name one")?;
    // Two of one name would be one.
    let alike = top.iter().filter(|(other, _)| suggest_name(other).as_deref() == Some(&slug)).count();
    if alike > 1 { Err(String::from("another volume would have its name: name one")) } else { Ok(slug) }
}

/// Whether a volume at the top is one of the engine's own, with nothing set that says where it is.
pub(super) fn is_plain(volume: &Value) -> bool {
    volume.is_nothing() || volume.entries().iter().all(|(key, _)| matches!(key.as_str(), "name" | "labels"))
}
