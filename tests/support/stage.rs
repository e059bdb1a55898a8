//! Stages that are written, and tests that start themselves again.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use bottlec::lower::{Artifact, Mode, Stage, plan_json, sums};
use bottlec::stage::{StageError, State, Written, compare, inspect, write};

/// A stage whose every file holds `text`.
pub(crate) fn stage(slug: &str, text: &str) -> Stage {
    stage_of(slug, &[("smolfile.toml", text, Mode::Shared), ("sub/deep/hosts", text, Mode::Private)])
}

pub(crate) fn stage_of(slug: &str, files: &[(&str, &str, Mode)]) -> Stage {
    let artifact = |text: &str, mode| Artifact { bytes: text.to_owned().into(), mode };
    let mut files: BTreeMap<String, Artifact> =
        files.iter().map(|(path, text, mode)| ((*path).to_owned(), artifact(text, *mode))).collect();
    let modes = files.iter().map(|(path, file)| (path.as_str(), file.mode));
    let modes: BTreeMap<_, _> = modes
        .chain([(plan_json::PATH, Mode::Private), (sums::PATH, Mode::Shared)])
        .map(|(path, mode)| (path, serde_json::json!({ "mode": mode.octal() })))
        .collect();
    let plan = serde_json::json!({ "files": modes, "format": plan_json::FORMAT });
    let plan = serde_json::to_string_pretty(&plan).unwrap() + "\n";
    files.insert(plan_json::PATH.to_owned(), artifact(&plan, Mode::Private));
    let sums: String = sums::lines(&files).map(|line| line + "\n").collect();
    files.insert(sums::PATH.to_owned(), artifact(&sums, Mode::Shared));
    Stage { slug: slug.to_owned(), files }
}

pub(crate) fn write_one(out: &Path, stage: &Stage) -> Result<Written, StageError> {
    write(out, std::slice::from_ref(stage), false).map(|written| written[0].1)
}

pub(crate) fn is(out: &Path, stage: &Stage) -> bool {
    compare(out, stage).unwrap().is_empty() && inspect(out, &stage.slug).unwrap() == State::Intact
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs a test again in a process of its own, `wrapper` around it: there it does its inner part.
pub(crate) fn helper(name: &str, wrapper: &[&str], env: &[(&str, &str)]) -> Command {
    let exe = std::env::current_exe().unwrap();
    let mut words: Vec<String> = wrapper.iter().map(|&w| w.to_owned()).collect();
    words.push(exe.into_os_string().into_string().unwrap());
    words.extend(["--exact", name, "--nocapture", "--test-threads=1"].map(str::to_owned));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).envs(env.iter().copied()).env("STAGE_HELPER", name);
    command
}

/// Whether this process was started by [`helper`] for the test `name`, which then does its inner part.
pub(crate) fn helping(name: &str) -> bool {
    std::env::var("STAGE_HELPER").is_ok_and(|helper| helper == name)
}

pub(crate) fn passed(output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
}
