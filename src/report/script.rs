//! A plan's commands as a POSIX shell script: what `up`, `stop` and `down` run, in their order, for who launches by hand.

use std::fmt::Write as _;

use crate::backend;
use crate::lower::plan_json::{Checkout, Command, Commands};
use crate::lower::{shell, sums};
use crate::plan::{Plan, Traced};
use crate::report::{cluster, vault};

/// The exit code of the script's own failures, as of those of `bottlec up`: a program's own is passed through.
pub const FAILED: u8 = 125;

/// How often the script asks whether the bundle is ready, a second apart.
const PATIENCE: u32 = 180;

/// Writes the script of a plan whose stage goes below the directory `out`.
///
/// Each step is checked by itself: `set -e` is blind in conditions and lists. Nothing of the spec is anything but a
/// quoted word.
#[must_use]
pub fn render(plan: &Plan, out: &str) -> String {
    let Some((_, commands)) = (backend::of(plan).launch)(plan).on_host() else {
        return in_cluster(plan, out);
    };
    let stage = shell::word(&format!("{}/{}", out.trim_end_matches('/'), plan.slug.value));
    let mut text = format!(
        "#!/bin/sh\n\
         # What bottlec up, stop and down run for this bottle, from the directory in which this was written.\n\
         # As an argument: up, which PROGRAM and its arguments may follow; stop; down; or purge, which is down and all\n\
         # that the bundle keeps.\n\
         set -u\n\
         CDPATH='' cd -- {stage} || exit {FAILED}\n\
         step() {{\n    \
             \"$@\" </dev/null && return\n    \
             code=$?\n    \
             printf 'failed with %s: %s\\n' \"$code\" \"$*\" >&2\n    \
             exit {FAILED}\n\
         }}\n",
    );
    for variable in &commands.unset {
        line(&mut text, &format!("unset {}", variable.value));
    }
    for (name, value) in &commands.set {
        line(&mut text, &format!("{name}={}; export {name}", shell::word(value)));
    }
    for command in vault::token(plan) {
        checked(&mut text, &command);
    }
    line(&mut text, "if [ $# -eq 0 ]; then set -- up; fi\ndo=$1; shift\ncase $do in\nup)");
    up(&mut text, plan, &commands);
    line(&mut text, ";;\nstop)");
    for command in &commands.stop {
        step(&mut text, command);
    }
    line(&mut text, ";;\ndown | purge)");
    down(&mut text, plan, &commands);
    line(
        &mut text,
        &format!(";;\n*)\n    echo 'say up, stop, down or purge' >&2\n    exit {FAILED}\n    ;;\nesac"),
    );
    text
}

/// The script of a bottle in a cluster.
fn in_cluster(plan: &Plan, out: &str) -> String {
    let Some((resources, commands)) = cluster::launch(plan) else { return String::new() };
    let stage = shell::word(&format!("{}/{}", out.trim_end_matches('/'), plan.slug.value));
    let mut text = format!(
        "#!/bin/sh\n\
         # What makes and undoes this bottle in the cluster that kubectl is set up for, from the directory in which this was\n\
         # written. As an argument: up, which PROGRAM and its arguments may follow; stop; down; or purge, which is down and\n\
         # all that the bundle keeps.\n\
         set -u\n\
         CDPATH='' cd -- {stage} || exit {FAILED}\n\
         step() {{\n    \
             \"$@\" </dev/null && return\n    \
             code=$?\n    \
             printf 'failed with %s: %s\\n' \"$code\" \"$*\" >&2\n    \
             exit {FAILED}\n\
         }}\n\
         if [ $# -eq 0 ]; then set -- up; fi\ndo=$1; shift\ncase $do in\nup)\n\
         step sha256sum --check --quiet --strict {}\n",
        sums::PATH
    );
    for command in &commands.confine {
        step(&mut text, command);
    }
    for command in cluster::token(&resources) {
        checked(&mut text, &command);
    }
    for (_, command) in cluster::inputs(&resources, &commands, shell::word) {
        checked(&mut text, &command);
    }
    let mut there = commands.status.clone();
    let kinds = there.len().saturating_sub(2);
    there.truncate(kinds);
    there.extend(["deployments", "--output=name"].map(|word| Traced::fixed(word.to_owned())));
    line(&mut text, &format!("before=$({} </dev/null) || exit {FAILED}", words(&there)));
    for command in &commands.apply {
        step(&mut text, command);
    }
    // What ran before has the Secrets of before.
    line(&mut text, "if [ -n \"$before\" ]; then");
    for command in &commands.restart {
        step(&mut text, command);
    }
    line(&mut text, "fi");
    for command in &commands.wait {
        step(&mut text, command);
    }
    line(
        &mut text,
        &format!("if [ $# -gt 0 ]; then\n    exec {} \"$@\"\nfi\n;;\nstop)", words(&commands.attach)),
    );
    for command in &commands.stop {
        step(&mut text, command);
    }
    line(&mut text, ";;\ndown | purge)");
    for command in &commands.cleanup {
        step(&mut text, command);
    }
    line(&mut text, "if [ \"$do\" = purge ]; then");
    for command in &commands.purge {
        step(&mut text, command);
    }
    line(&mut text, "fi");
    line(
        &mut text,
        &format!(";;\n*)\n    echo 'say up, stop, down or purge' >&2\n    exit {FAILED}\n    ;;\nesac"),
    );
    text
}

fn up(text: &mut String, plan: &Plan, commands: &Commands) {
    line(text, &format!("step sha256sum --check --quiet --strict {}", sums::PATH));
    for local in plan.git.repos.iter().filter_map(|repo| repo.local()) {
        let (name, path) = (&local.variable.value, shell::from_home(&local.path, shell::word));
        let ask = git_directory(path).join(" ");
        line(text, &format!("{name}=$({ask} </dev/null) || exit {FAILED}\nexport {name}"));
    }
    for command in vault::secrets(plan) {
        checked(text, &command);
    }
    for command in &commands.bundle {
        step(text, command);
    }
    let health = "{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}";
    let mut ask = commands.inspect.clone();
    ask.splice(3..3, ["--format", health].map(|word| Traced::fixed(word.to_owned())));
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "ready() {{\n    \
             states=$({}) || return\n    \
             for state in $states; do\n        \
                 case $state in healthy | running) ;; *) return 1 ;; esac\n    \
             done\n    \
             [ -n \"$states\" ]\n\
         }}\n\
         left={PATIENCE}\n\
         until ready </dev/null; do\n    \
             left=$((left - 1))\n    \
             if [ \"$left\" -eq 0 ]; then\n        \
                 printf 'the bundle is not ready: %s\\n' \"$states\" >&2\n        \
                 exit {FAILED}\n    \
             fi\n    \
             sleep 1 || exit {FAILED}\n\
         done\n",
        words(&ask)
    );
    step(text, &commands.create);
    step(text, &commands.start);
    for command in &commands.provision {
        // What is copied may lie in the home of who launches.
        let words: Vec<String> = command.iter().map(|word| shell::from_home(word, shell::word)).collect();
        line(text, &format!("step {}", words.join(" ")));
    }
    for Checkout { exists, clone, .. } in &commands.checkouts {
        line(text, &format!("{} </dev/null ||\n    step {}", words(exists), words(clone)));
    }
    line(text, &format!("if [ $# -gt 0 ]; then\n    exec {} \"$@\"\nfi", words(&commands.attach)));
}

/// A step that finds nothing to undo is no failure, so what is left is asked for in the end.
fn down(text: &mut String, plan: &Plan, commands: &Commands) {
    for command in &commands.cleanup {
        line(text, &format!("{} </dev/null", words(command)));
    }
    line(text, "if [ \"$do\" = purge ]; then\n    :");
    for command in &commands.purge {
        line(text, &format!("    {} </dev/null", words(command)));
    }
    line(text, &format!("fi\nleft=$({} </dev/null) || exit {FAILED}", words(&commands.containers)));
    if let Some(machines) = &commands.machines.value {
        // However it is laid out.
        let [wide, narrow] =
            [": ", ":"].map(|colon| shell::word(&format!("\"name\"{colon}\"{}\"", plan.slug.value)));
        line(text, &format!("machines=$({} </dev/null) || exit {FAILED}", words(machines)));
        line(text, &format!("case $machines in *{wide}* | *{narrow}*) left=\"$left machine\" ;; esac"));
    }
    if let Some(removal) = vault::removal(plan) {
        checked(text, &removal);
    }
    let said = "printf 'not removed: %s\\n' \"$left\" >&2";
    line(text, &format!("if [ -n \"$left\" ]; then\n    {said}\n    exit {FAILED}\nfi"));
}

/// A command of the shell's own language.
fn checked(text: &mut String, command: &str) {
    line(text, &format!("{{ {command}; }} </dev/null || exit {FAILED}"));
}

fn step(text: &mut String, command: &Command) {
    line(text, &format!("step {}", words(command)));
}

/// The command that prints the git directory of a repository of this host, whose path is quoted already.
pub(super) fn git_directory(path: String) -> Vec<String> {
    let ask = ["rev-parse", "--path-format=absolute", "--git-common-dir"].map(str::to_owned);
    [String::from("git"), String::from("-C"), path].into_iter().chain(ask).collect()
}

fn words(command: &Command) -> String {
    shell::words(command.iter().map(|word| word.as_str()))
}

/// Writing to a `String` cannot fail.
fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}");
}
