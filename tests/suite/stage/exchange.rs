//! What a run meets between looking and exchanging, with the file system's exchange and without.

use std::path::Path;

use bottlec::lower::{Artifact, Mode, Stage, plan_json, sums};
use bottlec::stage::{Exchange, Index, StageError, Written, is_listed, write, write_with};

use crate::support::stage::{is, names, stage};

const BOTH: [Exchange; 2] = [Exchange::IfKnown, Exchange::Never];

fn written(result: Result<Vec<(String, Written)>, StageError>) -> Vec<Written> {
    result.unwrap().into_iter().map(|(_, written)| written).collect()
}

fn write_by(
    exchange: Exchange,
    out: &Path,
    stages: &[Stage],
    force: bool,
) -> Result<Vec<(String, Written)>, StageError> {
    write_with(out, stages, None, force, exchange, &mut |_| {})
}

/// Stages, and what happens once the last of them was looked at and is about to be exchanged.
fn and_then(stages: &[Stage], happens: impl FnOnce()) -> impl Iterator<Item = &Stage> {
    let mut happens = Some(happens);
    stages.iter().chain(std::iter::from_fn(move || {
        if let Some(happens) = happens.take() {
            happens();
        }
        None
    }))
}

#[test]
fn with_and_without_exchange_the_same_comes_out() {
    for exchange in BOTH {
        let out = tempfile::tempdir().unwrap();
        let out = out.path();
        let (old, new) = ([stage("a", "1"), stage("b", "1")], [stage("a", "2"), stage("b", "1")]);
        assert_eq!(written(write_by(exchange, out, &old, false)), [Written::Created; 2]);
        assert_eq!(written(write_by(exchange, out, &new, false)), [Written::Replaced, Written::Unchanged]);
        assert!(is(out, &new[0]) && is(out, &new[1]));
        assert_eq!(names(out), [".bottlec.lock", "a", "b"]);

        std::fs::write(out.join("b/mine"), "mine").unwrap();
        assert!(matches!(write_by(exchange, out, &old, false), Err(StageError::Edited { .. })));
        assert!(is(out, &new[0]));
        assert_eq!(written(write_by(exchange, out, &old, true)), [Written::Replaced; 2]);
        assert!(is(out, &old[0]) && is(out, &old[1]));
        assert_eq!(names(out), [".bottlec.lock", "a", "b"]);
    }
}

#[test]
fn when_a_later_exchange_fails_the_earlier_are_undone() {
    for exchange in BOTH {
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path();
        let old = [stage("b", "1"), stage("c", "1")];
        write(out, &old, false).unwrap();
        let new = [stage("a", "2"), stage("b", "2"), stage("c", "2")];
        // The last stage vanishes after it was inspected.
        let stages = and_then(&new, || std::fs::rename(out.join("c"), out.join("elsewhere")).unwrap());
        let mut placed = Vec::new();
        let error = write_with(out, stages, None, false, exchange, &mut |slug| placed.push(slug.to_owned()));
        let error = error.unwrap_err();
        assert!(error.to_string().contains("no such file"), "{error}");
        assert_eq!(placed, ["a", "b"]);
        assert!(is(out, &old[0]));
        assert_eq!(names(out), [".bottlec.lock", "b", "elsewhere"]);
    }
}

#[test]
fn an_edit_between_inspection_and_exchange_is_put_back() {
    for exchange in BOTH {
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path();
        let old = [stage("a", "1"), stage("b", "1")];
        write(out, &old, false).unwrap();
        let new = [stage("a", "2"), stage("b", "2")];
        let stages = and_then(&new, || std::fs::write(out.join("b/mine"), "mine").unwrap());
        let refused = write_with(out, stages, None, false, exchange, &mut |_| {});
        assert!(matches!(refused, Err(StageError::Edited { .. })));
        assert!(is(out, &old[0]));
        assert_eq!(std::fs::read_to_string(out.join("b/mine")).unwrap(), "mine");
        assert_eq!(names(out), [".bottlec.lock", "a", "b"]);
    }
}

#[test]
fn an_old_stage_that_cannot_be_put_back_is_kept() {
    for exchange in BOTH {
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path();
        let (old, new) = ([stage("a", "1"), stage("b", "1")], [stage("a", "2"), stage("b", "2")]);
        write(out, &old, false).unwrap();
        let stages = and_then(&new, || std::fs::rename(out.join("b"), out.join("elsewhere")).unwrap());
        // Somebody removes the new one meanwhile, so that there is nothing to change places with.
        let mut remove = |slug: &str| {
            assert_eq!(
                (slug, std::fs::read_to_string(out.join("a/smolfile.toml")).unwrap().as_str()),
                ("a", "2")
            );
            std::fs::remove_dir_all(out.join("a")).unwrap();
        };
        let failed = write_with(out, stages, None, false, exchange, &mut remove);
        let Err(StageError::NotUndone { kept, cause }) = failed else { panic!("{failed:?}") };
        assert!(cause.to_string().contains("no such file"), "{cause}");
        let place = if exchange == Exchange::Never { "old" } else { "new" };
        assert!(is(&kept.join(place), &old[0]));
        write(out, &new[..1], false).unwrap();
        assert_eq!(names(out), [".bottlec.kept-1", ".bottlec.lock", "a", "elsewhere"]);
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
    edited.files.get_mut("smolfile.toml").unwrap().mode = Mode::Private;
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
        "smolfile.toml/x",
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
        let write =
            |index: &Index| written(write_with(out, &stages, Some(index), false, exchange, &mut |_| {}));
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
        let refused = write_with(out, &newer, Some(&index("3")), true, exchange, &mut |_| {});
        assert!(matches!(refused, Err(StageError::Reserved { .. })));
        assert!(is(out, &stages[0]));
        assert_eq!(std::fs::read_to_string(out.join("list.yaml")).unwrap(), "# mine\n");
        // A link is not followed.
        std::fs::remove_file(out.join("list.yaml")).unwrap();
        std::os::unix::fs::symlink("a/smolfile.toml", out.join("list.yaml")).unwrap();
        let refused = write_with(out, &stages, Some(&index("3")), true, exchange, &mut |_| {});
        assert!(matches!(refused, Err(StageError::Reserved { .. })));
        assert!(is(out, &stages[0]));
        assert_eq!(names(out), [".bottlec.lock", "a", "list.yaml"]);
    }
}
