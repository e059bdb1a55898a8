//! Tests of what the public face cannot reach: the fallback, and changes between inspection and exchange.

use std::collections::BTreeMap;

use super::*;
use crate::lower::{Artifact, Mode};

const BOTH: [Exchange; 2] = [Exchange::IfKnown, Exchange::Never];

fn stage(slug: &str, text: &str) -> Stage {
    let artifact = |text: String, mode| Artifact { bytes: text.into(), mode };
    let mut files: BTreeMap<String, Artifact> = [("a.toml", Mode::Shared), ("sub/b.env", Mode::Private)]
        .map(|(path, mode)| (path.to_owned(), artifact(format!("{path} {text}"), mode)))
        .into();
    let modes = files.iter().map(|(path, file)| (path.as_str(), file.mode));
    let modes: BTreeMap<_, _> = modes
        .chain([(plan_json::PATH, Mode::Shared), (sums::PATH, Mode::Shared)])
        .map(|(path, mode)| (path, serde_json::json!({ "mode": mode.octal() })))
        .collect();
    let plan = serde_json::json!({ "files": modes, "format": plan_json::FORMAT }).to_string();
    files.insert(plan_json::PATH.to_owned(), artifact(plan, Mode::Shared));
    let sums: String = sums::lines(&files).map(|line| line + "\n").collect();
    files.insert(sums::PATH.to_owned(), Artifact { bytes: sums.into(), mode: Mode::Shared });
    Stage { slug: slug.to_owned(), files }
}

fn names(out: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(out).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn written(result: Result<Vec<(String, Written)>, StageError>) -> Vec<Written> {
    result.unwrap().into_iter().map(|(_, written)| written).collect()
}

fn is(out: &Path, stage: &Stage) -> bool {
    compare(out, stage).unwrap().is_empty()
}

#[test]
fn with_and_without_exchange_the_same_comes_out() {
    for exchange in BOTH {
        let out = tempfile::tempdir().unwrap();
        let out = out.path();
        let (old, new) = ([stage("a", "1"), stage("b", "1")], [stage("a", "2"), stage("b", "1")]);
        assert_eq!(written(write_with(out, &old, None, false, exchange)), [Written::Created; 2]);
        assert_eq!(
            written(write_with(out, &new, None, false, exchange)),
            [Written::Replaced, Written::Unchanged]
        );
        assert!(is(out, &new[0]) && is(out, &new[1]));
        assert_eq!(names(out), [".bottlec.lock", "a", "b"]);

        std::fs::write(out.join("b/mine"), "mine").unwrap();
        assert!(matches!(write_with(out, &old, None, false, exchange), Err(StageError::Edited { .. })));
        assert!(is(out, &new[0]));
        assert_eq!(written(write_with(out, &old, None, true, exchange)), [Written::Replaced; 2]);
        assert!(is(out, &old[0]) && is(out, &old[1]));
        assert_eq!(names(out), [".bottlec.lock", "a", "b"]);
    }
}

/// What is between inspection and exchange.
fn prepared<'o>(out: &'o Dir, stages: &[Stage], exchange: Exchange) -> (Work<'o>, Vec<Job>) {
    let work = Work::new(out, exchange).unwrap();
    let job = |stage: &Stage| {
        let looked = look(out, &stage.slug, check(stage).unwrap(), false).unwrap();
        let Looked::Job(job) = looked else { panic!("{} was edited", stage.slug) };
        write_new(&work, stage, &job.expected).unwrap();
        job
    };
    let jobs = stages.iter().map(job).collect();
    (work, jobs)
}

#[test]
fn when_a_later_exchange_fails_the_earlier_are_undone() {
    for exchange in BOTH {
        let tmp = tempfile::tempdir().unwrap();
        let out = Dir::open(tmp.path()).unwrap().unwrap();
        let old = [stage("b", "1"), stage("c", "1")];
        write(tmp.path(), &old, false).unwrap();
        let new = [stage("a", "2"), stage("b", "2"), stage("c", "2")];
        let (work, jobs) = prepared(&out, &new, exchange);
        // The last stage vanishes after it was inspected.
        std::fs::rename(tmp.path().join("c"), tmp.path().join("elsewhere")).unwrap();
        let error = replace(&out, work, &jobs, None, false).unwrap_err();
        assert!(error.to_string().contains("no such file"), "{error}");
        assert!(is(tmp.path(), &old[0]));
        assert_eq!(names(tmp.path()), [".bottlec.lock", "b", "elsewhere"]);
    }
}

#[test]
fn an_edit_between_inspection_and_exchange_is_put_back() {
    for exchange in BOTH {
        let tmp = tempfile::tempdir().unwrap();
        let out = Dir::open(tmp.path()).unwrap().unwrap();
        let old = [stage("a", "1"), stage("b", "1")];
        write(tmp.path(), &old, false).unwrap();
        let new = [stage("a", "2"), stage("b", "2")];
        let (work, jobs) = prepared(&out, &new, exchange);
        std::fs::write(tmp.path().join("b/mine"), "mine").unwrap();
        assert!(matches!(replace(&out, work, &jobs, None, false), Err(StageError::Edited { .. })));
        assert!(is(tmp.path(), &old[0]));
        assert_eq!(std::fs::read_to_string(tmp.path().join("b/mine")).unwrap(), "mine");
        assert_eq!(names(tmp.path()), [".bottlec.lock", "a", "b"]);
    }
}

#[test]
fn an_old_stage_that_cannot_be_put_back_is_kept() {
    for exchange in BOTH {
        let tmp = tempfile::tempdir().unwrap();
        let out = Dir::open(tmp.path()).unwrap().unwrap();
        let (old, new) = (stage("a", "1"), stage("a", "2"));
        write(tmp.path(), std::slice::from_ref(&old), false).unwrap();
        let work = Work::new(&out, exchange).unwrap();
        write_new(&work, &new, &check(&new).unwrap()).unwrap();
        let swapped = work.swap_in("a", true).unwrap();
        assert!(is(tmp.path(), &new));
        // Somebody removes the new one meanwhile, so that there is nothing to change places with.
        std::fs::remove_dir_all(tmp.path().join("a")).unwrap();
        let cause = StageError::invalid("a", "whatever");
        let StageError::NotUndone { kept, .. } = undo(work, &[("a", swapped)], cause) else { panic!() };
        let place = if exchange == Exchange::Never { "old" } else { "new" };
        assert!(is(&kept.join(place), &old));
        write(tmp.path(), &[new], false).unwrap();
        assert_eq!(names(tmp.path()), [".bottlec.kept-1", ".bottlec.lock", "a"]);
    }
}

#[test]
fn a_run_killed_with_the_old_stage_moved_aside_is_repaired() {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path();
    let old = stage("a", "1");
    write(out, std::slice::from_ref(&old), false).unwrap();
    std::fs::create_dir_all(out.join(".bottlec.tmp/new/a")).unwrap();
    std::fs::create_dir_all(out.join(".bottlec.tmp/old")).unwrap();
    std::fs::rename(out.join("a"), out.join(".bottlec.tmp/old/a")).unwrap();
    // Whatever the next run is about.
    write(out, &[stage("z", "1")], false).unwrap();
    assert!(is(out, &old));
    assert_eq!(names(out), [".bottlec.lock", "a", "z"]);
}

#[test]
fn what_would_not_be_known_again_is_not_written() {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path().join("out");
    let artifact = || Artifact { bytes: Vec::new().into(), mode: Mode::Shared };
    let add = |path: &str| {
        let mut stage = stage("a", "1");
        stage.files.insert(path.to_owned(), artifact());
        vec![stage]
    };
    let slug = |slug: &str| vec![stage(slug, "1")];
    let mut edited = stage("a", "1");
    edited.files.get_mut("a.toml").unwrap().mode = Mode::Private;
    let mut bare = stage("a", "1");
    bare.files.remove(plan_json::PATH);
    let mut blind = stage("a", "1");
    blind.files.remove(sums::PATH);
    let mut cases = vec![vec![edited], vec![bare], vec![blind]];
    for path in [
        "/etc/x",
        "../x",
        "sub/../../x",
        "sub//x",
        "",
        ".",
        "./x",
        "x/",
        "x\0",
        "a.toml/x",
        "not-in-the-plan",
    ] {
        cases.push(add(path));
    }
    cases.push(add(&"d/".repeat(17)));
    for name in ["", ".", "..", "a/b", "/a", ".a", "a\0", "ä"] {
        cases.push(slug(name));
    }
    let refused = |case: &[Stage]| {
        let error = write(&out, case, true).unwrap_err();
        assert!(matches!(error, StageError::Invalid { .. }), "{error}");
        assert!(error.to_string().starts_with("internal error: "));
    };
    for case in cases {
        refused(&case);
    }
    assert!(!out.exists());
    // Of several, those before it were looked at and written aside.
    refused(&[stage("a", "1"), stage("a", "2")]);
    assert_eq!(names(&out), [".bottlec.lock"]);
}

#[test]
fn a_list_of_the_stages_is_written_with_them_and_one_of_somebody_else_stays() {
    for exchange in BOTH {
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path();
        let index = |text: &str| Index {
            name: "list.yaml",
            heading: "# ours\n",
            bytes: format!("# ours\n{text}").into(),
        };
        let stages = [stage("a", "1")];
        let write = |index: &Index| written(write_with(out, &stages, Some(index), false, exchange));
        assert_eq!(write(&index("1")), [Written::Created]);
        assert_eq!(std::fs::read_to_string(out.join("list.yaml")).unwrap(), "# ours\n1");
        assert!(is_listed(out, &index("1")).unwrap() && !is_listed(out, &index("2")).unwrap());
        // The stages are the same, and the list is another one.
        assert_eq!(write(&index("2")), [Written::Unchanged]);
        assert_eq!(std::fs::read_to_string(out.join("list.yaml")).unwrap(), "# ours\n2");
        assert_eq!(names(out), [".bottlec.lock", "a", "list.yaml"]);
        // What somebody else wrote stays, and so do the stages.
        std::fs::write(out.join("list.yaml"), "# mine\n").unwrap();
        let newer = [stage("a", "2")];
        let refused = write_with(out, &newer, Some(&index("3")), true, exchange);
        assert!(matches!(refused, Err(StageError::Reserved { .. })));
        assert!(is(out, &stages[0]));
        assert_eq!(std::fs::read_to_string(out.join("list.yaml")).unwrap(), "# mine\n");
        // A link is not followed.
        std::fs::remove_file(out.join("list.yaml")).unwrap();
        std::os::unix::fs::symlink("a/a.toml", out.join("list.yaml")).unwrap();
        let refused = write_with(out, &stages, Some(&index("3")), true, exchange);
        assert!(matches!(refused, Err(StageError::Reserved { .. })));
        assert!(is(out, &stages[0]));
        assert_eq!(names(out), [".bottlec.lock", "a", "list.yaml"]);
    }
}
