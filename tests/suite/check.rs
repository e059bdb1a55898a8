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
    // What is no spec, or is ignored.
    dir.write("zellij.kdl", "keybinds { normal { bind \"Ctrl a\"; }; }\nplugins { }\n");
    dir.write("notes.txt", "bottle {");
    dir.write(".gitignore", "build/\n");
    dir.write("build/x.kdl", "bottle \"a\" { egres; }\n");
    let said = "2 bottles checked, nothing found\nskipped: 1 directory that git ignores\n";
    assert_eq!(dir.run(["check", "."]).code(0).out, said);
    assert_eq!(dir.run(["check"]).code(0).out, said);
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
fn what_is_hidden_or_in_capitals_is_found_and_what_is_left_out_is_counted() {
    let dir = Dir::new();
    dir.write(".hidden/x.kdl", "bottle \"a\" { egres; }\n");
    dir.write("Y.KDL", "bottle \"b\" { netwrk; }\n");
    let run = dir.run(["check", "--format", "concise"]).code(1);
    assert_eq!(run.out.lines().filter(|line| line.contains("unknown-node")).count(), 2, "{}", run.out);
    dir.write(".gitignore", ".hidden\n*.KDL\n");
    dir.write("z.kdl", "bottle \"c\"\n");
    symlink("z.kdl", dir.at("link.kdl")).unwrap();
    let skipped = "skipped: 1 KDL file and 1 directory that git ignores, 1 link, which is not followed\n";
    let run = dir.run(["check"]).code(0).says("1 bottle checked, nothing found\n");
    assert!(run.out.ends_with(skipped), "{}", run.out);
    // A program reads its report alone, or each line of it.
    let run = dir.run(["check", "--format", "json"]).code(0);
    serde_json::from_str::<serde_json::Value>(&run.out).expect("one document");
    assert_eq!(run.err, skipped);
    for format in ["github", "concise", "github=x.txt"] {
        let run = dir.run(["check", "--format", format]).code(0);
        assert_eq!((run.out.as_str(), run.err.as_str()), ("", skipped));
    }
}

#[test]
fn one_file_with_two_names_is_one_file() {
    let dir = Dir::new();
    dir.write("a.kdl", "bottle \"api\"\n");
    symlink("a.kdl", dir.at("l.kdl")).unwrap();
    fs::hard_link(dir.at("a.kdl"), dir.at("h.kdl")).unwrap();
    dir.run(["check", "a.kdl", "l.kdl", "h.kdl", "./a.kdl"]).code(0).says("1 bottle checked");
    dir.run(["build", "l.kdl", "a.kdl"]).code(0);
}

#[test]
fn a_link_that_a_pattern_names_shows_nothing_from_elsewhere() {
    let secret = "TOP-SECRET-CONTENT";
    let outside = Dir::with(format!("{secret} {{\n"));
    let dir = Dir::new();
    dir.write(".git/config", format!("[http]\n\textraheader = {secret}\n"));
    dir.write("specs/a.kdl", "bottle \"api\"\n");
    symlink("../.git/config", dir.at("specs/x.kdl")).unwrap();
    symlink(outside.at("x.kdl"), dir.at("specs/y.kdl")).unwrap();
    symlink(outside.path(), dir.at("specs/z")).unwrap();
    symlink("a.kdl", dir.at("specs/b.kdl")).unwrap();
    for (named, why) in [
        ("specs/x.kdl", "it lies in git's own directory"),
        (".git/config", "it lies in git's own directory"),
        ("specs/y.kdl", "it is a symbolic link that leads out of the workspace"),
        ("specs/z/x.kdl", "it is a symbolic link that leads out of the workspace"),
    ] {
        for command in ["check", "build", "plan", "graph", "reach", "fmt"] {
            let run = dir.run([command, named]).never_says(secret).code(3);
            run.complains(&format!("cannot read `{named}`: {why}"));
        }
    }
    dir.write("x.kdl", "include \".git/config\"\nbottle \"a\"\n");
    dir.run(["check", "x.kdl"]).code(1).never_says(secret).says("it lies in git's own directory");
    dir.run(["check", "specs/b.kdl"]).code(0);
    // Nor does a directory that leads elsewhere.
    dir.run(["check", "specs/z"]).code(3).never_says(secret);
}

#[test]
fn every_report_says_what_could_not_be_read() {
    let dir = Dir::new();
    dir.write("specs/a.kdl", "bottle \"a\" { egres; }\n");
    fs::create_dir(dir.at("specs/not a file")).unwrap();
    let absent = "specs/a b.kdl";
    let report = |format: &str| {
        let to = format!("{format}=report");
        dir.run(["check", "--format", &to, "specs", absent]).code(3).complains("there is no such file");
        let text = dir.read("report");
        assert!(text.contains("there is no such file"), "{format}: {text}");
        // What was read is told all the same.
        assert!(text.contains("unknown-node"), "{format}: {text}");
        text
    };
    for format in ["fancy", "concise", "checkstyle"] {
        report(format);
    }
    let json = |format: &str| serde_json::from_str::<serde_json::Value>(&report(format)).expect("JSON");
    assert_eq!(json("json")["unread"][0]["path"], absent);
    let invocation = &json("sarif")["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notification = &invocation["toolExecutionNotifications"][0];
    assert_eq!(notification["level"], "error");
    let location = &notification["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(location["uri"], "specs/a%20b.kdl");
    assert!(
        report("github").contains("::error file=specs/a b.kdl,title=bottlec::cannot be read: there is no")
    );
    let issues = json("gitlab");
    let issue = issues.as_array().unwrap().iter().find(|issue| issue["location"]["path"] == absent).unwrap();
    assert_eq!(
        (issue["severity"].as_str(), issue["check_name"].as_str()),
        (Some("blocker"), Some("not-read"))
    );
    assert_eq!(json("rdjson")["diagnostics"].as_array().unwrap().len(), 2);
    let junit = report("junit");
    let junit = roxmltree::Document::parse(&junit).expect("XML");
    let suites = junit.root_element();
    let counted = |name| suites.attribute(name).unwrap().to_owned();
    assert_eq!([counted("tests"), counted("failures"), counted("errors")], ["2", "1", "1"]);
    assert_eq!(junit.descendants().filter(|node| node.has_tag_name("error")).count(), 1);
    // Also when nothing could be read, when nothing is there, and by the other commands.
    dir.run(["check", "--format", "sarif=report", absent]).code(3);
    assert!(dir.read("report").contains("\"executionSuccessful\":false"));
    dir.run(["check", "--format", "sarif=report", "specs/not a file"]).code(3);
    assert!(dir.read("report").contains("there is no spec in it"));
    dir.run(["build", "--format", "sarif=report", absent]).code(3);
    assert!(dir.read("report").contains("\"executionSuccessful\":false"));
}

#[test]
fn no_log_takes_a_text_for_a_command() {
    let dir = Dir::new();
    let name = "::error::x ##[group]y ##vso[task.z].kdl";
    let spec = "bottle \"a\" {\n::warning::b { ##[endgroup]c \"##vso[task.setvariable]d\"; }\n    \
                ::stop-commands::e   1\n}\n";
    dir.write(name, spec);
    dir.write("plain.kdl", "bottle \"a\" {\n::warning::b\n    ::stop::e   \"##[group]\"\n}\n");
    let is_command = |line: &str| {
        let begins = line.trim_start().strip_prefix("::").is_some_and(|rest| rest.contains("::"));
        begins || line.contains("##[") || line.contains("##vso[")
    };
    let quiet = |text: &str| {
        for line in text.lines() {
            assert!(!is_command(line), "{line}");
        }
    };
    for format in ["fancy", "concise", "json", "sarif", "gitlab", "junit", "checkstyle", "rdjson"] {
        let run = dir.run(["check", "--format", format, name, "gone ##[x].kdl"]);
        quiet(&run.out);
        quiet(&run.err);
        let run = dir.run(["check", "--format", format, name]).code(1);
        quiet(&run.out);
        // A program still gets every character.
        if format == "json" {
            let report: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
            assert_eq!(report["diagnostics"][0]["place"]["file"], name);
        }
        if format == "checkstyle" {
            let report = roxmltree::Document::parse(&run.out).expect("XML");
            let file = report.descendants().find(|node| node.has_tag_name("file")).unwrap();
            assert_eq!(file.attribute("name"), Some(name));
        }
    }
    let run = dir.run(["check", "--format", "github", name]).code(1);
    for line in run.out.lines() {
        assert!(line.starts_with("::error file=%3A%3Aerror") && !line.contains("##["), "{line}");
    }
    for arguments in [["fmt", "--diff"], ["fmt", "--check"], ["check", "--diff"], ["diff", "plain.kdl"]] {
        let run = dir.run(arguments.iter().chain([&name]));
        quiet(&run.out);
        quiet(&run.err);
        quiet(&dir.run(arguments.iter().chain([&"plain.kdl"])).out);
    }
    // A layout is a file, and keeps what it holds.
    let text = "a \"##[group]\"\n";
    assert_eq!(dir.call(["fmt", "-"]).stdin(text).run().code(0).out, text);
}

/// What is looked for in a log may be all that a spec holds.
#[test]
fn marks_of_commands_are_broken_up_in_linear_time() {
    for mark in ["#", "::", "## ", "##a", "\u{1b}["] {
        let dir = Dir::with(format!("bottle \"a\" {{\n   // {}\n}}\n", mark.repeat((1 << 17) / mark.len())));
        for args in [&["fmt", "--diff", "x.kdl"][..], &["check", "--format", "json", "x.kdl"]] {
            let run = dir.run(args);
            assert!(run.code < 2, "{mark:?} {args:?}: {}", run.err);
        }
    }
}

#[test]
fn many_diagnostics_on_one_long_line_take_bounded_memory() {
    // Were the line said with each of them, that would be more than a gigabyte.
    let mistakes: Vec<String> = (0..10_000).map(|n| format!("egres{n} \"x\"; ")).collect();
    let dir = Dir::with(format!("bottle \"a\" {{ {} }}\n", mistakes.concat()));
    for format in ["sarif", "gitlab", "json", "junit", "checkstyle", "rdjson", "fancy", "concise", "github"] {
        let run = dir.call(["check", "--format", format, "x.kdl"]).memory(200).run().code(1);
        assert!(run.out.len() < 4 * 1024 * 1024, "{format}: {}", run.out.len());
    }
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
    // Its name says that it is meant.
    let call = dir.call(["check", "--format", "concise", "--stdin-filename", "specs/new.kdl"]).stdin(spec);
    assert_eq!(call.run().code(1).out, run.out);
    dir.run(["check", "--stdin-filename", "specs/new.kdl", "."]).code(2).complains("name no other file");
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

/// Each round of fixes has those of a bounded number of diagnostics: there are as many rounds as it takes.
#[test]
fn all_of_many_mistakes_are_mended() {
    let bare: Vec<String> = (0..45_000).map(|n| format!("A{n} a/{n}\n")).collect();
    let dir = Dir::with(format!("bottle \"a\" {{\nenv {{\n{}}}\n}}\n", bare.concat()));
    let mended = dir.run(["check", "--fix", "x.kdl"]).code(0);
    assert!(mended.out.ends_with("applied 45000 fixes in 1 file\n"), "{}", mended.out);
    let quoted: Vec<String> = (0..45_000).map(|n| format!("A{n} \"a/{n}\"\n")).collect();
    assert!(dir.read("x.kdl") == format!("bottle \"a\" {{\nenv {{\n{}}}\n}}\n", quoted.concat()));
}

/// What fixes leave is told up to the same bound as without them.
#[test]
fn what_fixes_leave_is_bounded() {
    let dir = Dir::with(format!("bottle \"a\" {{ env {{ A a/b; }}; {} }}\n", "egres; ".repeat(1_100)));
    let run = dir.run(["check", "--fix", "--statistics", "--max-diagnostics", "0", "x.kdl"]).code(1);
    let counts = "  1000  error    unknown-node\n   100  more, in specs with over 1000 of them\n";
    assert_eq!(run.out, format!("1100 diagnostics are not shown\n{counts}applied 1 fix in 1 file\n"));
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
