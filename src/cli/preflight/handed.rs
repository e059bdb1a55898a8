//! What is handed over of the host, by what is on the disk: where links lead, and what lies in a directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use bottlec::lower::plan_json;
use bottlec::lower::shell::word;
use bottlec::model::VolumeSource;
use bottlec::plan::Plan;
use bottlec::rule::catalogue::HOST_PATH_EXPOSED;
use bottlec::text::{quote, quote_path};
use bottlec::world::engine::BootKind;
use bottlec::world::handed_over::{self, Role, Why};

use super::{Finding, on_host};
use crate::cli::workspace::GIT;

/// Whether the spec says that its author knows, and why.
pub(super) fn is_accepted(plan: &Plan) -> bool {
    plan.accepted.iter().any(|accepted| accepted.rule == HOST_PATH_EXPOSED.id)
}

/// Why the file that a path leads to, over whatever links, is not handed over.
pub(super) fn refused(path: &Path, role: Role) -> Option<Why> {
    let real = fs::canonicalize(path).ok()?;
    let home = env::var_os("HOME").and_then(|home| fs::canonicalize(home).ok());
    let below = home.and_then(|home| Some(real.strip_prefix(home).ok()?.to_owned()));
    let seen = match below {
        Some(below) => format!("~/{}", below.to_string_lossy()),
        None => real.to_string_lossy().into_owned(),
    };
    handed_over::refused(&seen, "", role)
}

/// Looks at what the machine boots from, and at what it and sidecars are shown; speaks of what is wrong only. Specs are
/// named from `workspace` on.
pub(super) fn check(plan: &Plan, workspace: &Path) -> Vec<Finding> {
    let slug = quote(&plan.slug);
    let mut found: Vec<Finding> = missing(plan, &slug).collect();
    if is_accepted(plan) {
        return found;
    }
    let boot = plan.boot.iter().filter(|boot| boot.kind != BootKind::Image);
    let boot = boot.map(|boot| (&*boot.source, Role::Boot, String::from("the machine")));
    let machine = plan.machine.volumes.iter().map(|volume| {
        (volume.path.as_str(), Role::Machine { writable: *volume.writable }, String::from("the agent"))
    });
    let volumes = plan.sidecars.iter().flat_map(|sidecar| {
        let volumes = sidecar.container.iter().flat_map(|container| &container.volumes);
        volumes.filter_map(|volume| match &volume.source {
            VolumeSource::Host(path) => {
                Some((path.as_str(), Role::Volume { writable: *volume.writable }, quote(&sidecar.name)))
            }
            VolumeSource::Named(_) => None,
        })
    });
    found.extend(boot.chain(machine).chain(volumes).filter_map(|(path, role, receiver)| {
        let path = on_host(path)?;
        let (what, help) = match (refused(&path, role), role) {
            (Some(why), _) => (format!("it leads to what is not handed over: {}", why.reason), why.help),
            (None, Role::Volume { writable: true } | Role::Machine { writable: true }) => {
                match (run_by_the_host(&path), role) {
                    (Some(inside), _) => (
                        format!("it may be written to, and has {} in it", quote_path(&inside)),
                        "name a directory below it",
                    ),
                    (None, Role::Machine { .. }) => (lies_wrong(plan, &path, workspace)?, CODE),
                    (None, _) => return None,
                }
            }
            (None, _) => return None,
        };
        Some(Finding::missing(
            format!("{} is not for {receiver} of {slug}: {what}", quote_path(&path)),
            help.to_owned(),
        ))
    }));
    found
}

const CODE: &str = "name a directory outside of it, or take `access=\"read-write\"` out; code goes to the agent and back by a \
                    `repo` of `git`";

/// What the machine is to be shown, and is not there: the engine makes no machine then.
fn missing<'a>(plan: &'a Plan, slug: &'a str) -> impl Iterator<Item = Finding> + 'a {
    plan.machine.volumes.iter().filter_map(move |volume| {
        let path = on_host(&volume.path).filter(|path| !path.is_dir())?;
        let (shown, target) = (quote_path(&path), quote(&volume.target));
        let help = format!("make it, `mkdir -p {}`, or take the `volume` out", word(&path.to_string_lossy()));
        Some(Finding::missing(
            format!("{shown}, which {slug} is to see at {target}, is no directory on this host"),
            help,
        ))
    })
}

/// Why a directory must not be written to by an agent, by what is above or below it: the work tree of a repository, whose
/// hooks and settings the next `git` on the host runs, or the spec itself.
fn lies_wrong(plan: &Plan, directory: &Path, workspace: &Path) -> Option<String> {
    let real = fs::canonicalize(directory).ok()?;
    let tree = real.ancestors().skip(1).find(|above| fs::symlink_metadata(above.join(GIT)).is_ok());
    if let Some(tree) = tree {
        return Some(format!(
            "it may be written to, and lies in the repository of {}, where the next `git` on the host may look into it",
            quote_path(tree)
        ));
    }
    let spec = plan
        .sources
        .keys()
        .find(|name| fs::canonicalize(workspace.join(name)).is_ok_and(|spec| spec.starts_with(&real)))?;
    Some(format!("it may be written to, and the spec {} lies in it", quote(spec)))
}

/// What lies in a directory, or one below it, that the host runs or believes: a repository, or a stage.
fn run_by_the_host(directory: &Path) -> Option<PathBuf> {
    /// More entries than that are not looked through.
    const MOST: usize = 10_000;
    let telling = |directory: &Path| {
        let marks = [GIT, "HEAD", plan_json::PATH];
        let mark = marks.into_iter().find(|mark| match *mark {
            // A repository without a work tree.
            "HEAD" => directory.join("HEAD").is_file() && directory.join("hooks").is_dir(),
            mark => fs::symlink_metadata(directory.join(mark)).is_ok(),
        })?;
        Some(directory.join(mark))
    };
    telling(directory).or_else(|| {
        let below = fs::read_dir(directory).ok()?.take(MOST).flatten();
        below
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .find_map(|entry| telling(&entry.path()))
    })
}
