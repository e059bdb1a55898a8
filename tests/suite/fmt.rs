//! `bottlec fmt`, as it is called.
#![cfg(unix)]

use std::fs;

use crate::support::binary::{Call, Dir};
use crate::support::root;

const MESSY: &str =
    "bottle \"a\"{engine \"smolvm\" version=\"1.33.0\"  // why\n\n\n artifact \"./a.smolmachine\"}";
const TIDY: &str = "bottle \"a\" {\n    engine \"smolvm\" version=\"1.33.0\" // why\n\n    artifact \"./a.smolmachine\"\n}\n";

#[test]
fn files_are_laid_out_in_place_once() {
    let dir = Dir::new();
    let spec = dir.write("a.kdl", MESSY);
    dir.write("sub/b.kdl", TIDY);
    dir.write("sub/zellij.kdl", "keybinds   {  }");
    dir.run(["fmt"]).code(0).says("1 file laid out, 1 left as they are\n");
    assert_eq!(fs::read_to_string(&spec).unwrap(), TIDY);
    assert_eq!(dir.read("sub/zellij.kdl"), "keybinds   {  }", "no spec, and nobody named it");
    dir.run(["fmt", "."]).code(0).says("0 files laid out, 2 left as they are\n");
    // One that is named may be anything.
    dir.run(["fmt", "sub/zellij.kdl"]).code(0);
    assert_eq!(dir.read("sub/zellij.kdl"), "keybinds {}\n");
}

#[test]
fn nothing_is_written_when_asked_only() {
    let dir = Dir::new();
    dir.write("a.kdl", MESSY);
    dir.run(["fmt", "--check"])
        .code(1)
        .says("would lay out `a.kdl`\n1 file to lay out, 0 left as they are\n");
    dir.run(["fmt", "--diff", "a.kdl"])
        .code(1)
        .says("--- a.kdl\n+++ a.kdl\n")
        .says("+    artifact \"./a.smolmachine\"\n");
    assert_eq!(dir.read("a.kdl"), MESSY);
    dir.run(["fmt", "--check", "--diff"]).code(2);
    dir.write("a.kdl", TIDY);
    dir.run(["fmt", "--check"]).code(0);
    assert_eq!(dir.run(["fmt", "--diff"]).code(0).out, "");
}

#[test]
fn standard_input_goes_to_standard_output() {
    let dir = Dir::new();
    assert_eq!(dir.call(["fmt", "-"]).stdin(MESSY).run().code(0).out, TIDY);
    assert_eq!(dir.call(["fmt", "-", "--check"]).stdin(MESSY).run().code(1).out, "would lay out `<stdin>`\n");
    assert_eq!(dir.call(["fmt", "-", "--check"]).stdin(TIDY).run().code(0).out, "");
    dir.call(["fmt", "-", "--diff", "--stdin-filename", "x.kdl"])
        .stdin(MESSY)
        .run()
        .code(1)
        .says("--- x.kdl\n");
    dir.run(["fmt", "-", "a.kdl"]).code(2).complains("alone");
    // Its name says that it is meant, and what is beside it is left alone.
    dir.write("z.kdl", MESSY);
    assert_eq!(dir.call(["fmt", "--stdin-filename", "z.kdl"]).stdin(MESSY).run().code(0).out, TIDY);
    dir.run(["fmt", "--stdin-filename", "z.kdl", "z.kdl"]).code(2).complains("name no other file");
    assert_eq!(dir.read("z.kdl"), MESSY);
    // Line ends stay as they are; a mark of the encoding goes.
    let windows = format!("\u{feff}{}", MESSY.replace('\n', "\r\n") + "\r\n");
    assert_eq!(dir.call(["fmt", "-"]).stdin(windows).run().code(0).out, TIDY.replace('\n', "\r\n"));
    assert_eq!(dir.call(["fmt", "-"]).stdin("").run().code(0).out, "");
}

#[test]
fn what_cannot_be_read_is_left_alone() {
    let dir = Dir::new();
    dir.write("a.kdl", MESSY);
    dir.write("bad.kdl", "bottle   \"a\" {");
    dir.write("binary.kdl", b"bottle   \"a\xff\"");
    dir.run(["fmt"]).code(1).complains("unclosed-brace").complains("invalid-utf8").says("1 file laid out");
    assert_eq!((dir.read("a.kdl").as_str(), dir.read("bad.kdl").as_str()), (TIDY, "bottle   \"a\" {"));
    assert_eq!(fs::read(dir.at("binary.kdl")).unwrap(), b"bottle   \"a\xff\"");
    assert_eq!(
        dir.call(["fmt", "-"]).stdin("bottle \"a\" {").run().code(1).out,
        "",
        "half a text is worse than none"
    );
    dir.run(["fmt", "gone.kdl", "a.kdl"]).code(3).complains("there is no such file");
}

#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = Dir::new();
    let spec = dir.write("real.kdl", MESSY);
    fs::set_permissions(&spec, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.kdl", dir.at("link.kdl")).unwrap();
    dir.run(["fmt", "link.kdl"]).code(0);
    assert!(fs::symlink_metadata(dir.at("link.kdl")).unwrap().is_symlink());
    assert_eq!(
        (dir.read("real.kdl").as_str(), fs::metadata(&spec).unwrap().permissions().mode() & 0o777),
        (TIDY, 0o640)
    );
}

#[test]
fn what_we_show_is_laid_out() {
    let starter = Dir::new();
    starter.run(["init"]).code(0);
    starter.run(["fmt", "--check"]).code(0);
    Call::new(&root(), ["fmt", "--check", "examples"]).run().code(0);
}

#[test]
fn a_patch_of_many_lines_is_made_in_bounded_time() {
    let lines = 49_152;
    let text: Vec<String> = (0..lines).map(|n| format!("   K{n}    \"v{n}\"\n")).collect();
    let text = text.concat();
    let dir = Dir::new();
    dir.write("x.kdl", format!("bottle \"a\" {{\n  env {{\n{text}  }}\n}}\n"));
    // Each run has its limit of CPU time; comparing each line with each other one takes twenty times as long.
    let patch = dir.run(["fmt", "--diff", "x.kdl"]).code(1).out;
    assert_eq!(patch.lines().filter(|line| line.starts_with('+')).count(), lines + 3);
    assert_eq!(dir.run(["fmt", "--diff", "x.kdl"]).code(1).out, patch);
}

#[test]
fn hostile_texts_take_bounded_memory() {
    let dir = Dir::new();
    let texts = [
        "a {".repeat(1_000) + &"}".repeat(1_000),
        "/*".repeat(100_000),
        "/* */ ".repeat(300_000),
        "a \\\n".repeat(200_000),
        "a;".repeat(500_000),
        "a {b;".repeat(500) + &"}".repeat(500),
        "a // b\n".repeat(200_000),
        format!("a {}\n", "\"x\" ".repeat(300_000)),
        format!("{}a\n", "/-".repeat(100_000)),
    ];
    for text in texts {
        dir.call(["fmt", "-"]).memory(1_024).stdin(text).run();
    }
}
