//! `bottlec check` over what people have: directories, changed files, standard input, and mending it.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::support::binary::Dir;

/// A spec with one mistake that can be mended unseen: a comma between arguments.
const COMMA: &str =
    "bottle \"api\" {\n    // hosts\n    egress { allow \"a.test\", \"b.test\"; }   // two\n}\n";

#[test]
fn a_directory_is_walked_and_each_spec_is_for_itself() {
    let dir = Dir::new();
    dir.write(".bottlec", "");
    // The same bottle for two hosts, and a profile that both include.
    dir.write(
        "one/x.kdl",
        "include \"../team.kdl\"\nbottle \"api\" { extends \"team\"; network octet=42; }\n",
    );
    dir.write(
        "two/x.kdl",
        "include \"../team.kdl\"\nbottle \"api\" { extends \"team\"; network octet=42; }\n",
    );
    dir.write("team.kdl", "profile \"team\" { egress { allow \"a.test\"; }; }\n");
    // What is no spec, is ignored, or is hidden.
    dir.write("zellij.kdl", "keybinds { normal { bind \"Ctrl a\"; }; }\nplugins { }\n");
    dir.write("notes.txt", "bottle {");
    dir.write(".gitignore", "build/\n");
    dir.write("build/x.kdl", "bottle \"a\" { egres; }\n");
    dir.write(".hidden/x.kdl", "bottle \"a\" { egres; }\n");
    dir.run(["check", "."]).code(0).says("2 bottles checked, nothing found");
    dir.run(["check"]).code(0).says("2 bottles checked, nothing found");
    // Named together they are for one host.
    dir.run(["check", "one/x.kdl", "two/x.kdl"]).code(1).says("duplicate-name");
    // A mistake in what both include is said once.
    dir.write("team.kdl", "profile \"team\" { egres { allow \"a.test\"; }; }\n");
    let run = dir.run(["check", "--format", "concise", "one", "two"]).code(1);
    assert_eq!(run.out.lines().count(), 1, "{}", run.out);
    assert!(run.out.starts_with("team.kdl:1:"), "{}", run.out);
}

#[test]
fn a_report_lists_files_in_the_order_in_which_they_were_found() {
    let dir = Dir::new();
    for (name, more) in [("a", ""), ("b", " egres;"), ("c", "")] {
        let spec = format!("include \"team.kdl\"\nbottle \"{name}\" {{ extends \"team\";{more} }}\n");
        dir.write(&format!("{name}.kdl"), spec);
    }
    dir.write("d.kdl", "keybinds {}\n");
    dir.write("team.kdl", "profile \"team\" { egress { allow \"a.test\"; }; }\n");
    let junit = dir.run(["check", "--format", "junit"]).code(1).out;
    let suites = junit.match_indices("<testsuite name=\"").map(|(at, head)| &junit[at + head.len()..]);
    let names: Vec<&str> = suites.filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(names, ["a.kdl", "team.kdl", "b.kdl", "c.kdl"]);
}

#[test]
fn a_spec_with_a_slip_in_its_first_word_is_still_one() {
    let dir = Dir::new();
    dir.write("a.kdl", "botle \"api\" {}\n");
    dir.run(["check", "."]).code(1).says("unknown-node");
    dir.write("a.kdl", "bottle \"api {\n");
    dir.run(["check", "."]).code(1).says("unclosed-string");
}

#[test]
fn nothing_to_check_is_no_success() {
    let dir = Dir::new();
    dir.write("zellij.kdl", "keybinds {}\n");
    dir.run(["check", "."]).code(3).complains("there is no spec in it");
    dir.run(["check", "nowhere"]).code(3).complains("there is no such file");
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    let dir = Dir::new();
    dir.write("a.kdl", "bottle \"a\" { egres; }\n");
    symlink("nowhere", dir.at("b.kdl")).unwrap();
    // A link is no file of its own: git keeps it as a link, too.
    dir.run(["check", "."]).code(1).says("unknown-node");
    let run = dir.run(["check", "--format", "concise", "b.kdl"]).code(3);
    assert!(run.err.contains("there is no such file"), "{}", run.err);
}

#[test]
fn standard_input_has_the_name_that_it_is_given() {
    let dir = Dir::new();
    dir.write("specs/team.kdl", "profile \"team\" { egress { allow \"a.test\"; }; }\n");
    let spec = "include \"team.kdl\"\nbottle \"api\" { extends \"team\"; egres; }\n";
    let call =
        dir.call(["check", "--format", "concise", "--stdin-filename", "specs/new.kdl", "-"]).stdin(spec);
    let run = call.run().code(1);
    assert!(run.out.starts_with("specs/new.kdl:2:32: error[unknown-node]"), "{}", run.out);
}

#[test]
fn counts_and_bounds() {
    let dir = Dir::with("bottle \"a\" { egres; netwrk; image \"debian\"; }\n");
    let run = dir.run(["check", "--format", "concise", "--statistics", "x.kdl"]).code(1);
    assert!(
        run.out.ends_with("     2  error    unknown-node\n     1  warning  image-not-pinned\n"),
        "{}",
        run.out
    );
    let run = dir.run(["check", "--format", "concise", "--max-diagnostics", "1", "x.kdl"]).code(1);
    assert_eq!(run.out.lines().count(), 2, "{}", run.out);
    assert!(run.out.ends_with("and 2 more are not shown\n"), "{}", run.out);
    // What is not shown still counts.
    let none = dir.run(["check", "--max-diagnostics", "0", "--statistics", "x.kdl"]).code(1);
    let counts = "     2  error    unknown-node\n     1  warning  image-not-pinned\n";
    assert_eq!(none.out, format!("3 diagnostics are not shown\n{counts}"));
    // Of a spec with very many the rest is counted, whatever it breaks.
    dir.write("x.kdl", format!("bottle \"a\" {{ {} }}\n", "egres; ".repeat(1_100)));
    let many = dir.run(["check", "--statistics", "--max-diagnostics", "0", "x.kdl"]).code(1);
    let counts = "  1000  error    unknown-node\n   100  more, in specs with over 1000 of them\n";
    assert_eq!(many.out, format!("1100 diagnostics are not shown\n{counts}"));
}

#[test]
fn fixes_touch_nothing_but_what_they_fix() {
    let dir = Dir::with(COMMA);
    fs::set_permissions(dir.at("x.kdl"), fs::Permissions::from_mode(0o640)).unwrap();
    let shown = dir.run(["check", "--diff", "x.kdl"]).code(1);
    assert!(shown.out.starts_with("--- x.kdl\n+++ x.kdl\n@@"), "{}", shown.out);
    assert!(shown.out.contains("-    egress { allow \"a.test\", \"b.test\"; }   // two\n"), "{}", shown.out);
    assert_eq!(dir.read("x.kdl"), COMMA);
    let mended = dir.run(["check", "--fix", "x.kdl"]).code(0);
    assert!(mended.out.ends_with("applied 1 fix in 1 file\n"), "{}", mended.out);
    assert_eq!(dir.read("x.kdl"), COMMA.replace(',', ""));
    assert_eq!(fs::metadata(dir.at("x.kdl")).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(dir.run(["check", "--fix", "x.kdl"]).code(0).out, "1 bottle checked, nothing found\n");
    assert_eq!(dir.run(["check", "--diff", "x.kdl"]).code(0).out, "");
    // What may change the meaning is left to somebody who looks.
    dir.write("y.kdl", "bottle \"api\" { egres { allow \"a.test\"; }; }\n");
    let before = dir.read("y.kdl");
    dir.run(["check", "--fix", "y.kdl"]).code(1);
    assert_eq!(dir.read("y.kdl"), before);
    dir.run(["check", "--fix", "--unsafe-fixes", "y.kdl"]).code(0);
    assert_eq!(dir.read("y.kdl"), before.replace("egres", "egress"));
}

#[test]
fn what_a_program_reads_stands_alone() {
    let dir = Dir::with(COMMA);
    for format in ["json", "sarif", "gitlab", "rdjson"] {
        dir.write("x.kdl", COMMA);
        let run = dir.run(["check", "--fix", "--statistics", "--format", format, "x.kdl"]).code(0);
        serde_json::from_str::<serde_json::Value>(&run.out).expect("one document");
        run.complains("applied 1 fix in 1 file");
    }
    for format in ["junit", "checkstyle"] {
        dir.write("x.kdl", COMMA);
        let run = dir.run(["check", "--fix", "--statistics", "--format", format, "x.kdl"]).code(0);
        roxmltree::Document::parse(&run.out).expect("one document");
    }
    dir.write("x.kdl", COMMA);
    let patch = dir.run(["check", "--diff", "x.kdl"]).code(1);
    assert_eq!(dir.run(["check", "--diff", "--statistics", "x.kdl"]).code(1).out, patch.out);
    // A file of its own leaves standard output to people.
    dir.run(["check", "--fix", "--format", "json=x.json", "x.kdl"]).code(0).says("applied 1 fix in 1 file");
}

#[test]
fn a_fix_goes_through_a_link_and_into_what_is_included_and_not_into_standard_input() {
    let dir = Dir::new();
    dir.write("real/x.kdl", COMMA);
    symlink("real/x.kdl", dir.at("link.kdl")).unwrap();
    dir.run(["check", "--fix", "link.kdl"]).code(0);
    assert!(fs::symlink_metadata(dir.at("link.kdl")).unwrap().is_symlink());
    assert_eq!(dir.read("real/x.kdl"), COMMA.replace(',', ""));
    dir.write("team.kdl", "profile \"team\" { egress { allow \"a.test\", \"b.test\"; }; }\n");
    dir.write("a.kdl", "include \"team.kdl\"\nbottle \"a\" { extends \"team\"; }\n");
    dir.write("b.kdl", "include \"team.kdl\"\nbottle \"b\" { extends \"team\"; }\n");
    dir.run(["check", "--fix", "."]).code(0).says("applied 1 fix in 1 file");
    let call = || dir.call(["check", "--fix", "-"]).stdin(COMMA).run();
    call().code(2).complains("`--fix` cannot write to standard input");
    let call = || dir.call(["check", "--diff", "-"]).stdin(COMMA).run();
    call().code(1).says("--- <stdin>");
}

#[test]
fn a_patch_shows_no_credential_and_mending_keeps_it() {
    let secret = format!("ghp_{}", "0a1B2c3D4e5F".repeat(3));
    let text = |hosts: &str, token: &str| {
        format!("bottle \"api\" {{\n    env {{ TOKEN {token}; }}\n    egress {{ allow {hosts}; }}\n}}\n")
    };
    let literal = format!("\"{secret}\"");
    let dir = Dir::new();
    dir.write("x.kdl", text("\"a.test\", \"b.test\"", &literal));
    for arguments in [["check", "--diff"], ["fmt", "--diff"], ["check", "--format=json"]] {
        let run = dir.run(arguments.iter().copied().chain(["x.kdl"]));
        assert!(
            !run.out.contains(&secret[4..16]) && !run.err.contains(&secret[4..16]),
            "{}{}",
            run.out,
            run.err
        );
    }
    dir.run(["check", "--fix", "x.kdl"]).code(1);
    assert_eq!(fs::read_to_string(dir.at("x.kdl")).unwrap(), text("\"a.test\" \"b.test\"", &literal));
    dir.run(["check", "--fix", "--unsafe-fixes", "x.kdl"]).code(0);
    let reference = "from-env=\"TOKEN\"";
    assert_eq!(fs::read_to_string(dir.at("x.kdl")).unwrap(), text("\"a.test\" \"b.test\"", reference));
}
