//! A second reader of YAML, and pipelock's configuration.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use bottlec::backend::lower;
use proptest::strategy::{Strategy as _, ValueTree as _};
use serde_json::Value;

use super::{Outcome, needs};
use crate::support::binary::works;
use crate::support::pipelock::{read, spec, yaml};
use crate::support::{compile_file, compile_text, root, specs};

/// Python's reader follows YAML 1.1 to the letter: what it takes for text, every reader does.
pub(crate) fn a_reader_of_yaml_1_1_reads_the_same() -> Outcome {
    needs(works(&["python3", "-c", "import yaml"]), "there is no `python3` with PyYAML here")?;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut documents: BTreeSet<String> = BTreeSet::new();
    for path in specs(&root()) {
        for plan in compile_file(&path).1.plans {
            documents.insert(yaml(&lower(&plan)).to_owned());
        }
    }
    for _ in 0..300 {
        let spec = spec().new_tree(&mut runner).expect("a spec").current();
        for plan in compile_text("generated.kdl", &spec).1.plans {
            documents.insert(yaml(&lower(&plan)).to_owned());
        }
    }
    assert!(documents.len() > 60, "{}", documents.len());
    let documents: Vec<String> = documents.into_iter().collect();
    let program =
        "import json,sys,yaml\nfor text in json.load(sys.stdin): print(json.dumps(yaml.safe_load(text)))";
    let mut child = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut input = child.stdin.take().expect("a pipe");
    let sent = serde_json::to_vec(&documents).expect("JSON");
    let writer = std::thread::spawn(move || input.write_all(&sent));
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("no panic").expect("written");
    assert!(output.status.success());
    let lines: Vec<&str> = std::str::from_utf8(&output.stdout).expect("text").lines().collect();
    assert_eq!(lines.len(), documents.len());
    for (line, document) in lines.iter().zip(&documents) {
        let theirs: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(theirs, read(document), "{document}");
    }
    Ok(())
}
