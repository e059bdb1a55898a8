//! A plan's commands as a POSIX shell script: what `up`, `stop` and `down` run, in their order, for who launches by hand.

use std::fmt::Write as _;

use crate::backend;
use crate::lower::plan_json::{Checkout, Command, Commands, Launch};
use crate::lower::{shell, sums};
use crate::plan::Plan;

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
    let Launch { commands, .. } = (backend::of(plan).launch)(plan);
    let Commands {
        bundle,
        inspect,
        containers,
        network: _,
        volumes: _,
        machines,
        create,
        start,
        provision,
        checkouts,
        exec: _,
        attach,
        denials: _,
        unset,
        set,
        stop,
        cleanup,
        purge,
    } = commands;
    let stage = shell::word(&format!("{}/{}", out.trim_end_matches('/'), plan.slug.value));
    // A path that begins with `-` is no option, and `cd` prints and searches nothing.
    let stage = if stage.starts_with(['/', '.', '\'']) { stage } else { format!("./{stage}") };
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
    for variable in &unset {
        line(&mut text, &format!("unset {}", variable.value));
    }
    for (name, value) in &set {
        line(&mut text, &format!("{name}={}; export {name}", shell::word(value)));
    }
    line(&mut text, "if [ $# -eq 0 ]; then set -- up; fi\ndo=$1; shift");
    line(&mut text, "case $do in\nup)");
    line(&mut text, &format!("step sha256sum --check --quiet --strict {}", sums::PATH));
    for command in &bundle {
        step(&mut text, command);
    }
    let health = "{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}";
    let mut ask = inspect;
    ask.splice(3..3, ["--format", health].map(|word| crate::plan::Traced::fixed(word.to_owned())));
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
    for command in [&create, &start] {
        step(&mut text, command);
    }
    for command in &provision {
        // What is copied may lie in the home of who launches.
        let words: Vec<String> = command.iter().map(|word| from_home(word)).collect();
        line(&mut text, &format!("step {}", words.join(" ")));
    }
    for Checkout { exists, clone, .. } in &checkouts {
        line(&mut text, &format!("{} </dev/null ||\n    step {}", words(exists), words(clone)));
    }
    line(&mut text, &format!("if [ $# -gt 0 ]; then\n    exec {} \"$@\"\nfi\n;;", words(&attach)));
    line(&mut text, "stop)");
    for command in &stop {
        step(&mut text, command);
    }
    line(&mut text, ";;\ndown | purge)");
    // A step that finds nothing to undo is no failure, so what is left is asked for in the end.
    for command in &cleanup {
        line(&mut text, &format!("{} </dev/null", words(command)));
    }
    line(&mut text, "if [ \"$do\" = purge ]; then\n    :");
    for command in &purge {
        line(&mut text, &format!("    {} </dev/null", words(command)));
    }
    line(&mut text, "fi");
    line(&mut text, &format!("left=$({} </dev/null) || exit {FAILED}", words(&containers)));
    if let Some(machines) = &machines.value {
        let name = shell::word(&format!("\"name\": \"{}\"", plan.slug.value));
        line(&mut text, &format!("machines=$({} </dev/null) || exit {FAILED}", words(machines)));
        line(&mut text, &format!("case $machines in *{name}*) left=\"$left machine\" ;; esac"));
    }
    line(
        &mut text,
        &format!(
            "if [ -n \"$left\" ]; then\n    printf 'not removed: %s\\n' \"$left\" >&2\n    exit {FAILED}\nfi\n;;"
        ),
    );
    line(
        &mut text,
        &format!("*)\n    echo 'say up, stop, down or purge' >&2\n    exit {FAILED}\n    ;;\nesac"),
    );
    text
}

fn step(text: &mut String, command: &Command) {
    line(text, &format!("step {}", words(command)));
}

/// A word of a command that copies files.
fn from_home(word: &str) -> String {
    match word.strip_prefix("~/") {
        Some(rest) => format!("\"${{HOME:?}}\"/{}", shell::word(rest)),
        None => shell::word(word),
    }
}

fn words(command: &Command) -> String {
    command.iter().map(|word| shell::word(word)).collect::<Vec<_>>().join(" ")
}

/// Writing to a `String` cannot fail.
fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}");
}
