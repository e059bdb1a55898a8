//! What a launcher brings into the running machine before the agent starts: files, and the repositories.

use std::collections::BTreeSet;

use super::names;
use crate::backend::common::{GITCONFIG, WORK, directory, ours, workdir};
use crate::lower::plan_json::{Checkout, Command, Provision};
use crate::lower::{git_gate, mcp, trust};
use crate::plan::{Plan, PlannedRepo, Traced};
use crate::world::builtin;

/// The files of a plan, by where they go.
#[must_use]
pub fn files(plan: &Plan) -> Vec<Traced<Provision>> {
    let file = |source: &str, target: &str| Provision {
        source: source.to_owned(),
        target: target.to_owned(),
        mode: String::from("0644"),
    };
    let ca = plan.egress.tls.as_ref().map(|tls| tls.trust.with(file(&tls.trust, builtin::CA)));
    let own = trust::files(plan).map(|it| it.with(file(it.path, it.target)));
    let mcp = mcp::files(plan);
    let mcp = mcp.into_iter().map(|it| it.with(file(mcp::path(it.form), it.target)));
    let git = git_gate::asks_for_gitconfig(plan)
        .map(|asked| Traced::new(file(git_gate::GITCONFIG_PATH, GITCONFIG), asked));
    ca.into_iter().chain(own).chain(mcp).chain(git).collect()
}

/// A directory that every machine has.
const ETC: &str = "/etc";

/// A command of the engine's for the machine, from its verb and its flags.
type OfMachine<'a> = dyn Fn(&str, &[Traced<String>]) -> Command + 'a;

/// The commands that copy the files: their directories are made, each is copied, and their modes are set, since what the
/// engine gives a new file is not known of every version. As root, where the engine would take the image's user; into the
/// directory of the repositories that user clones, who may not have been given it by the image.
pub(super) fn commands(plan: &Plan, as_user: bool, of_machine: &OfMachine<'_>) -> Vec<Command> {
    let files = files(plan);
    if files.is_empty() && plan.git.repos.is_empty() {
        return Vec::new();
    }
    let user: &[&str] = if as_user { &["--user", "0"] } else { &[] };
    let flags: Command = user.iter().map(|word| plan.engine.version.with((*word).to_owned())).collect();
    let exec = |words: &[&str]| -> Command {
        of_machine("exec", &flags).into_iter().chain(words.iter().map(|word| ours(word))).collect()
    };
    let directories = files.iter().filter_map(|file| Some(file.target.rsplit_once('/')?.0));
    let work = workdir(plan).map(|dir| dir.with(WORK.to_owned()));
    let directories = directories.filter(|directory| *directory != ETC);
    let directories: BTreeSet<&str> = directories.chain(work.iter().map(|_| WORK)).collect();
    let make = (!directories.is_empty()).then(|| {
        let mut make = exec(&["--", "mkdir", "-p", "--"]);
        make.extend(directories.into_iter().map(ours));
        make
    });
    let copies = files.iter().map(|file| {
        let machine = names::machine(plan);
        let target = file.with(format!("{machine}:{}", file.target));
        vec![plan.engine.name.clone(), ours("machine"), ours("cp"), file.with(file.source.clone()), target]
    });
    let modes: BTreeSet<&str> = files.iter().map(|file| file.mode.as_str()).collect();
    let modes = modes.into_iter().map(|mode| {
        let mut command = exec(&["--", "chmod", mode, "--"]);
        let of_mode = files.iter().filter(|file| file.mode == mode);
        command.extend(of_mode.map(|file| file.with(file.target.clone())));
        command
    });
    let open = work.map(|work| {
        let mut command = exec(&["--", "chmod", "1777", "--"]);
        command.push(work);
        command
    });
    make.into_iter().chain(copies).chain(modes).chain(open).collect()
}

/// How each repository gets into the machine: as the agent's own, since the agent works on it.
pub(super) fn checkouts(plan: &Plan, of_machine: &OfMachine<'_>) -> Vec<Checkout> {
    let gate = plan.sidecars.iter().find(|sidecar| *sidecar.name == builtin::GIT_GATE);
    // There is a gate wherever there is a repository.
    let Some(gate) = gate.and_then(|gate| gate.url.given()) else { return Vec::new() };
    let repos = plan.git.repos.iter();
    let checkout = |repo: &Traced<PlannedRepo>| {
        let path = directory(&repo.name);
        let exec = |words: &[&str], last: &[Traced<String>]| -> Command {
            let words = words.iter().map(|word| ours(word));
            of_machine("exec", &[]).into_iter().chain(words).chain(last.iter().cloned()).collect()
        };
        let here = repo.name.with(path.clone());
        let url = format!("{}/{}", *gate, *repo.name);
        Checkout {
            repo: repo.name.clone(),
            path,
            exists: exec(&["--", "test", "-e"], std::slice::from_ref(&here)),
            clone: exec(&["--", "git", "clone", "--quiet", "--"], &[repo.name.with(url), here]),
        }
    };
    repos.map(checkout).collect()
}
