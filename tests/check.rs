//! `bottlec check` over what people have: directories, changed files, standard input, and mending it.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests touch files and run programs")]
#![allow(clippy::unwrap_used, reason = "clippy knows `#[test]` functions only, not what they share")]

#[path = "support/binary.rs"]
mod binary;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use binary::{Dir, SMALL, skip, works};

/// A spec with one mistake that can be mended unseen: a comma between arguments.
const COMMA: &str =
    "bottle \"api\" {\n    // hosts\n    egress { allow \"a.test\", \"b.test\"; }   // two\n}\n";

#[test]
fn a_directory_is_walked_and_each_spec_is_for_itself() {
    let dir = Dir::new();
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
fn only_what_changed_is_checked() {
    if !works(&["git", "--version"]) {
        return skip("only_what_changed_is_checked", "there is no git here");
    }
    let dir = Dir::new();
    let git = |args: &[&str]| {
        let identity =
            ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        command.args(identity).args(args).current_dir(dir.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        assert!(command.output().unwrap().status.success(), "{args:?}");
    };
    dir.write("old.kdl", "bottle \"a\" { egres; }\n");
    dir.write("sub/x.kdl", "include \"../team.kdl\"\nbottle \"b\" { extends \"team\"; }\n");
    dir.write("team.kdl", "profile \"team\" {}\n");
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    dir.run(["check", "--changed", "."]).code(0).says("nothing that changed checked");
    dir.run(["check", "."]).code(1);
    // A spec changes with what it includes, and a new file counts.
    dir.write("team.kdl", "profile \"team\" { egress { allow \"a.test\"; }; }\n");
    dir.write("new.kdl", SMALL);
    dir.run(["check", "--changed", "."]).code(0).says("2 bottles checked");
    dir.run(["check", "--changed=main", "."]).code(0).says("2 bottles checked");
    let below = binary::Call::new(&dir.at("sub"), ["check", "--changed", "."]).run();
    below.code(0).says("nothing that changed");
    git(&["add", "."]);
    git(&["commit", "-qm", "second"]);
    dir.run(["check", "--changed=HEAD~1", "."]).code(0).says("2 bottles checked");
    for revision in ["nobody", "--output=x", ""] {
        dir.run(["check", &format!("--changed={revision}"), "."]).code(3);
    }
    assert!(!dir.at("x").exists());
}

#[test]
fn a_fleet_is_counted_as_a_whole() {
    let dir = Dir::new();
    for n in 0..1_500 {
        let broken = n % 3 == 0;
        let what = if broken { "egres; netwrk; image \"debian\";" } else { "egress { allow \"a.test\"; };" };
        dir.write(&format!("{:02}/{n:04}.kdl", n / 100), format!("bottle \"b-{n}\" {{ {what} }}\n"));
    }
    // 500 specs have three each: more than are shown. The first ones are, in the order of their paths.
    let run = dir.run(["check", "--format", "concise"]).code(1);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines.len(), 1_001);
    assert!(
        lines[0].starts_with("00/0000.kdl:1:") && lines[999].starts_with("09/0999.kdl:1:"),
        "{}",
        lines[999]
    );
    assert_eq!(lines[1_000], "667 errors, 333 warnings in 334 files, and 500 more are not shown");
    let counted = "  1000  error    unknown-node\n   500  warning  image-not-pinned\n";
    dir.run(["check", "--statistics"]).code(1).says(counted);
    let few = ["check", "--format", "concise", "--statistics", "--max-diagnostics", "10"];
    let run = dir.run(few).code(1);
    assert_eq!(run.out.lines().count(), 13, "{}", run.out);
    let rest = "7 errors, 3 warnings in 4 files, and 1490 more are not shown\n";
    assert!(run.out.ends_with(&format!("{rest}{counted}")), "{}", run.out);
    let none = dir.run(["check", "--statistics", "--max-diagnostics", "0"]).code(1);
    assert_eq!(none.out, format!("1500 diagnostics are not shown\n{counted}"));
}

#[test]
fn what_a_fleet_includes_is_counted_once() {
    let dir = Dir::new();
    dir.write("team.kdl", "profile \"team\" { image \"debian\"; egres; }\n");
    for n in 0..1_200 {
        let spec = format!("include \"team.kdl\"\nbottle \"b-{n}\" {{ extends \"team\"; }}\n");
        dir.write(&format!("{n}.kdl"), spec);
    }
    // It sorts behind them, and what is found in it is not pushed out of the report.
    dir.write("z.kdl", "bottle \"z\" { netwrk; }\n");
    let run = dir.run(["check", "--format", "concise", "--statistics"]).code(1);
    assert_eq!(run.out.lines().count(), 5, "{}", run.out);
    let counted = "     2  error    unknown-node\n     1  warning  image-not-pinned\n";
    assert!(run.out.contains("z.kdl:1:14: error") && run.out.ends_with(counted), "{}", run.out);
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
