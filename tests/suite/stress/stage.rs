//! Writers of a stage that are killed, again and again.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use bottlec::stage::{inspect, write};

use crate::support::binary::PATIENCE;
use crate::support::stage::{helper, helping, is, names, stage};

/// What [`a_writer_killed_at_any_moment_leaves_whole_stages`] does in the process that it starts.
fn write_forever() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    let texts = ["a".repeat(300_000), "b".repeat(300_000)];
    for n in 0.. {
        let text = &texts[n % 2];
        write(&out, &[stage("x", text), stage("y", text)], false).unwrap();
    }
}

#[test]
fn a_writer_killed_at_any_moment_leaves_whole_stages() {
    if helping("stress::stage::a_writer_killed_at_any_moment_leaves_whole_stages") {
        return write_forever();
    }
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path();
    let texts = ["a".repeat(300_000), "b".repeat(300_000)];
    let mut leftovers = 0;
    for n in 0..25u64 {
        let mut child = helper(
            "stress::stage::a_writer_killed_at_any_moment_leaves_whole_stages",
            &[],
            &[("OUT", out.to_str().unwrap())],
        )
        .spawn()
        .unwrap();
        let begun = Instant::now();
        while !out.join("y").exists() && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        while !out.join(".bottlec.tmp").exists() && begun.elapsed() < PATIENCE {}
        thread::sleep(Duration::from_micros(n * 150));
        child.kill().unwrap();
        child.wait().unwrap();
        leftovers += usize::from(out.join(".bottlec.tmp").exists());
        for slug in ["x", "y"] {
            assert!(texts.iter().any(|text| is(out, &stage(slug, text))), "{slug}: {:?}", inspect(out, slug));
        }
        write(out, &[stage("x", "1")], false).unwrap();
        assert_eq!(names(out), [".bottlec.lock", "x", "y"]);
        fs::remove_dir_all(out.join("x")).unwrap();
        fs::remove_dir_all(out.join("y")).unwrap();
    }
    assert!(leftovers > 0, "no run was killed in the middle");
}
