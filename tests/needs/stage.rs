//! A stage on disk, where the system does not play along.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use bottlec::stage::{StageError, State, inspect, write};

use super::{Outcome, needs_another_user, needs_mounts};
use crate::support::stage::{chmod, helper, helping, is, names, passed, stage, write_one};

/// Runs the inner part of a test in a mount namespace of its own, after `script`.
fn in_a_mount_namespace(test: &str, script: &str, env: &[(&str, &str)]) -> Outcome {
    needs_mounts()?;
    let script = format!("set -e; {script}; exec \"$@\"");
    passed(&helper(test, &["unshare", "-m", "sh", "-c", &script, "sh"], env).output().unwrap());
    Ok(())
}

/// What [`a_full_disk_leaves_the_old_stages`] does in the process that it starts.
fn fill_a_disk() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    let old = [stage("a", "1"), stage("b", "1")];
    write(&out, &old, false).unwrap();
    for text in ["2".repeat(20_000), "2".repeat(50_000), "2".repeat(500_000)] {
        let new = [stage("0", "2"), stage("a", "2"), stage("b", &text)];
        let error = write(&out, &new, true).unwrap_err();
        assert!(error.to_string().contains("free some space"), "{error}");
        assert!(old.iter().all(|stage| is(&out, stage)));
        assert_eq!(names(&out), [".bottlec.lock", "a", "b"]);
    }
    // No room even for a directory.
    let mut filler = File::create(out.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    drop(filler);
    let error = write(&out, &[stage("a", "2")], false).unwrap_err();
    assert!(error.to_string().contains("free some space"), "{error}");
    assert_eq!(names(&out), [".bottlec.lock", "a", "b", "filler"]);
    fs::remove_file(out.join("filler")).unwrap();
    write(&out, &[stage("a", "2")], false).unwrap();
    assert!(is(&out, &stage("a", "2")));
}

pub(crate) fn a_full_disk_leaves_the_old_stages() -> Outcome {
    if helping("stage::a_full_disk_leaves_the_old_stages") {
        fill_a_disk();
        return Ok(());
    }
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path().to_str().unwrap();
    in_a_mount_namespace(
        "stage::a_full_disk_leaves_the_old_stages",
        "mount -t tmpfs -o size=64k none \"$OUT\"",
        &[("OUT", out)],
    )
}

/// What [`a_read_only_file_system_is_an_error_that_says_so`] does in the process that it starts.
fn meet_a_read_only_file_system() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    for out in [out.clone(), out.join("absent/out")] {
        let text = write(&out, &[stage("a", "2")], true).unwrap_err().to_string();
        assert!(text.contains(": read-only file system: choose an output directory"), "{text}");
        assert!(
            text.contains(out.file_name().unwrap().to_str().unwrap()) || text.contains("absent"),
            "{text}"
        );
    }
    assert!(is(&out, &stage("a", "1")), "what is there can be looked at");
    assert_eq!(names(&out), [".bottlec.lock", "a"]);
}

pub(crate) fn a_read_only_file_system_is_an_error_that_says_so() -> Outcome {
    if helping("stage::a_read_only_file_system_is_an_error_that_says_so") {
        meet_a_read_only_file_system();
        return Ok(());
    }
    let tmp = tempfile::tempdir().unwrap();
    write_one(tmp.path(), &stage("a", "1")).unwrap();
    in_a_mount_namespace(
        "stage::a_read_only_file_system_is_an_error_that_says_so",
        "mount --bind \"$OUT\" \"$OUT\"; mount -o remount,bind,ro \"$OUT\"",
        &[("OUT", tmp.path().to_str().unwrap())],
    )
}

/// What [`a_directory_of_another_user_is_an_error_that_says_so`] does in the process that it starts.
fn be_not_permitted() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    for out in [out.clone(), out.join("absent/out")] {
        let text = write(&out, &[stage("a", "2")], true).unwrap_err().to_string();
        assert!(text.contains(": permission denied: make it accessible to you, or choose another"), "{text}");
    }
    // Private files cannot be read: differences, not a failure.
    assert!(matches!(inspect(&out, "a").unwrap(), State::Foreign | State::Edited(_)));
    // Another's stage in a directory that all may write to cannot be replaced.
    let text = write(&out.join("shared"), &[stage("a", "2")], true).unwrap_err().to_string();
    assert!(text.contains("permission denied"), "{text}");
}

pub(crate) fn a_directory_of_another_user_is_an_error_that_says_so() -> Outcome {
    if helping("stage::a_directory_of_another_user_is_an_error_that_says_so") {
        be_not_permitted();
        return Ok(());
    }
    needs_another_user()?;
    let exe = std::env::current_exe().unwrap();
    let tmp = tempfile::tempdir().unwrap();
    chmod(tmp.path(), 0o755);
    let out = tmp.path().join("out");
    write_one(&out, &stage("a", "1")).unwrap();
    write_one(&out.join("shared"), &stage("a", "1")).unwrap();
    chmod(&out.join("shared"), 0o777);
    // The test binary may lie where another user cannot reach it.
    let copy = tmp.path().join("test-binary");
    fs::copy(&exe, &copy).unwrap();
    let script =
        "shift_exe=$1; shift; exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$COPY\" \"$@\"";
    let env = [("OUT", out.to_str().unwrap()), ("COPY", copy.to_str().unwrap())];
    passed(
        &helper(
            "stage::a_directory_of_another_user_is_an_error_that_says_so",
            &["sh", "-c", script, "sh"],
            &env,
        )
        .output()
        .unwrap(),
    );
    assert!(is(&out, &stage("a", "1")));
    assert!(is(&out.join("shared"), &stage("a", "1")));
    Ok(())
}

/// What [`an_exchange_that_the_system_refuses_undoes_those_before_it`] does in the process that it starts.
fn meet_a_mount_in_its_place() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    let new = [stage("a", "2"), stage("b", "2")];
    let error = write(&out, &new, true).unwrap_err();
    assert!(matches!(error, StageError::Io { action: "replace", .. }), "{error}");
    assert!(is(&out, &stage("a", "1")) && is(&out, &stage("b", "1")));
    assert_eq!(names(&out), [".bottlec.lock", "a", "b"]);
}

/// A mount point cannot be exchanged, which no inspection sees: what was exchanged before it must be undone.
pub(crate) fn an_exchange_that_the_system_refuses_undoes_those_before_it() -> Outcome {
    if helping("stage::an_exchange_that_the_system_refuses_undoes_those_before_it") {
        meet_a_mount_in_its_place();
        return Ok(());
    }
    let tmp = tempfile::tempdir().unwrap();
    write(tmp.path(), &[stage("a", "1"), stage("b", "1")], false).unwrap();
    in_a_mount_namespace(
        "stage::an_exchange_that_the_system_refuses_undoes_those_before_it",
        "mount --bind \"$OUT/b\" \"$OUT/b\"",
        &[("OUT", tmp.path().to_str().unwrap())],
    )
}
