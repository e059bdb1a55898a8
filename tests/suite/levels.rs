//! The levels of rules: what a spec's `lint` sets, what a run sets, and who has the last word.
#![cfg(unix)]

use std::fmt::Write as _;

use bottlec::lower::plan_json::PlanJson;
use serde_json::{Value, json};

use crate::support::binary::{Dir, Run};

/// A bottle with an image by its tag, a warning; an advice about a path; and what else is written into it.
fn spec(more: &str) -> String {
    format!(
        "bottle \"api\" {{\n    image \"debian\"\n    supervise {{ queue \"/home/ada/q\"; }}\n    network octet=2\n{more}\n}}\n"
    )
}

/// What a run says, without the places: `warning[rule]`.
fn said(run: &Run) -> Vec<String> {
    let of = |line: &str| line.split(": ").nth(1).map(str::to_owned);
    let mut said: Vec<String> = run.out.lines().filter_map(of).filter(|word| word.contains('[')).collect();
    said.sort();
    said
}

/// What `check` says of a spec under these flags.
fn check(spec: &str, flags: &[&str]) -> (i32, Vec<String>) {
    let dir = Dir::with(spec);
    let args = ["check", "--format", "concise"].iter().chain(flags).chain(&["x.kdl"]);
    let run = dir.run(args);
    let code = i32::from(run.out.contains(": error["));
    (code, said(&run.code(code)))
}

fn words<const N: usize>(code: i32, words: [&str; N]) -> (i32, Vec<String>) {
    (code, words.map(str::to_owned).to_vec())
}

#[test]
fn a_run_sets_levels_and_the_last_one_counts() {
    let spec = spec("");
    let plain = words(0, ["advice[personal-path]", "warning[image-not-pinned]"]);
    assert_eq!(check(&spec, &[]), plain);
    let cases: &[(&[&str], _)] = &[
        (&["--allow", "image-not-pinned"], words(0, ["advice[personal-path]"])),
        (&["--allow", "warnings"], words(0, ["advice[personal-path]"])),
        (&["--allow", "all"], words(0, [])),
        (&["--warn", "all"], words(0, ["warning[image-not-pinned]", "warning[personal-path]"])),
        (&["--deny", "warnings"], words(1, ["advice[personal-path]", "error[image-not-pinned]"])),
        (&["--deny", "all"], words(1, ["error[image-not-pinned]", "error[personal-path]"])),
        (&["--deny=all", "--allow=personal-path"], words(1, ["error[image-not-pinned]"])),
        (
            &["--allow=personal-path", "--deny=all"],
            words(1, ["error[image-not-pinned]", "error[personal-path]"]),
        ),
        // What was made a warning is one.
        (
            &["--warn=personal-path", "--deny=warnings"],
            words(1, ["error[image-not-pinned]", "error[personal-path]"]),
        ),
        (
            &["--deny=warnings", "--warn=personal-path"],
            words(1, ["error[image-not-pinned]", "warning[personal-path]"]),
        ),
        (&["--deny=warnings", "--warn=warnings"], plain),
        (&["--deny", "unknown-node", "--allow=all"], words(0, [])),
    ];
    for (flags, expected) in cases {
        assert_eq!(check(&spec, flags), *expected, "{flags:?}");
    }
}

#[test]
fn a_spec_counts_before_a_run_unless_the_run_denies() {
    let allows = "lint { allow \"image-not-pinned\" reason=\"ours\"; deny \"personal-path\"; }";
    let spec = spec(allows);
    assert_eq!(check(&spec, &[]), words(1, ["error[personal-path]"]));
    // A run that allows or warns says what holds where no spec says anything.
    for flags in [["--allow", "all"], ["--warn", "all"], ["--allow", "personal-path"]] {
        assert_eq!(check(&spec, &flags), words(1, ["error[personal-path]"]), "{flags:?}");
    }
    let both = words(1, ["error[image-not-pinned]", "error[personal-path]"]);
    for flags in [["--deny", "warnings"], ["--deny", "all"], ["--deny", "image-not-pinned"]] {
        assert_eq!(check(&spec, &flags), both, "{flags:?}");
    }
    // And what was denied can be given back to the spec.
    assert_eq!(
        check(&spec, &["--deny=warnings", "--warn=image-not-pinned"]),
        words(1, ["error[personal-path]"])
    );
    assert_eq!(
        check(&spec, &["--ignore-lint"]),
        words(0, ["advice[personal-path]", "warning[image-not-pinned]"])
    );
    assert_eq!(check(&spec, &["--ignore-lint", "--allow=all"]), words(0, []));
    let warns = self::spec("lint { warn \"personal-path\"; }");
    assert_eq!(
        check(&warns, &["--deny=warnings"]),
        words(1, ["error[image-not-pinned]", "error[personal-path]"])
    );
}

#[test]
fn errors_are_never_lowered_and_what_is_accepted_is_never_silenced() {
    let old = |more: &str| format!("bottle \"a\" {{ engine \"smolvm\" version=\"1.2.4\"; {more} }}\n");
    let open = words(1, ["error[dns-open]"]);
    for flags in [["--allow", "all"], ["--warn", "all"], ["--allow", "warnings"], ["--warn", "warnings"]] {
        assert_eq!(check(&old(""), &flags), open, "{flags:?}");
        assert_eq!(
            check(&old("accept \"dns-open\" reason=\"old\";"), &flags),
            words(0, ["warning[dns-open]"]),
            "{flags:?}"
        );
    }
    // A spec answers for it by name, so that warnings may be denied beside it; its name and `all` deny it, too.
    let accepted = old("accept \"dns-open\" reason=\"old\";");
    assert_eq!(check(&accepted, &["--deny", "warnings"]), words(0, ["warning[dns-open]"]));
    assert_eq!(check(&accepted, &["--deny", "dns-open"]), open);
    assert_eq!(check(&accepted, &["--deny", "all"]), open);
    let denied = format!("lint {{ deny \"dns-open\"; }}\n{accepted}");
    assert_eq!(check(&denied, &[]), open);
    let again = format!(
        "lint {{ deny \"dns-open\"; }}\n{}",
        old("accept \"dns-open\" reason=\"old\"; lint { warn \"dns-open\"; };")
    );
    assert_eq!(check(&again, &[]), words(0, ["warning[dns-open]"]));
    // `warn` accepts nothing.
    assert_eq!(check(&old("lint { warn \"dns-open\"; };"), &[]), open);
    // A warning of a rule that is an error otherwise was not accepted by anybody.
    let likely = "bottle \"a\" { egress { allow \"db.internal\"; }; network octet=2; }\n";
    assert_eq!(check(likely, &[]), words(0, ["warning[private-not-trusted]"]));
    assert_eq!(check(likely, &["--allow=all"]), words(0, ["warning[private-not-trusted]"]));
    assert_eq!(check(likely, &["--deny=warnings"]), words(1, ["error[private-not-trusted]"]));
    // `--strict` is a `--deny`, too.
    let wide = "bottle \"a\" { egress { allow \"a.example.com:443\"; }; lint { allow \"wider-than-written\" reason=\"known\"; }; }\n";
    assert_eq!(check(wide, &[]), words(0, []));
    assert_eq!(check(wide, &["--strict"]), words(1, ["error[wider-than-written]"]));
}

#[test]
fn a_level_that_cannot_be_is_a_call_that_makes_no_sense() {
    let dir = Dir::with(spec(""));
    let fails = |flags: [&str; 2], says: &str| {
        for command in ["check", "build", "plan"] {
            dir.run([command, flags[0], flags[1], "x.kdl"]).code(2).complains(says);
        }
    };
    fails(["--allow", "dns-open"], "a spec answers for it with `accept \"dns-open\" reason=\"…\"`");
    fails(["--warn", "dns-open"], "`dns-open` is an error, and cannot be lowered to a warning");
    fails(
        ["--allow", "unknown-node"],
        "`unknown-node` is an error, and cannot be allowed: fix what it reports",
    );
    fails(
        ["--deny", "image-not-pined"],
        "there is no rule `image-not-pined`: did you mean `image-not-pinned`?",
    );
    fails(
        ["--deny", "nonsense\u{1b}[31m"],
        "there is no rule `nonsense\\u{1b}[31m`: `bottlec rules` lists them",
    );
    // A shell completes the rules, and the help does not list them all.
    let script = dir.run(["completions", "bash"]).code(0);
    assert!(script.out.contains("image-not-pinned"));
    assert!(!dir.run(["check", "--help"]).code(0).out.contains("image-not-pinned"));
}

/// A profile that two bottles extend, one of which allows what is found in it.
fn shared(first: &str, second: &str, profile: &str, file: &str) -> String {
    format!(
        "{file}\nprofile \"team\" {{ egress {{ allow \"*.github.io\"; }}; {profile} }}\nbottle \"a\" {{ extends \"team\"; network octet=2; {first} }}\nbottle \"b\" {{ extends \"team\"; network octet=3; {second} }}\n"
    )
}

#[test]
fn the_innermost_counts_and_what_one_bottle_does_not_allow_stays() {
    let lint = |what: &str| match what {
        "" => String::new(),
        "allow" => String::from("lint { allow \"allow-shared\" reason=\"ours\"; };"),
        other => format!("lint {{ {other} \"allow-shared\"; }};"),
    };
    let top = |first: &str, second: &str, profile: &str, file: &str| {
        let text = shared(&lint(first), &lint(second), &lint(profile), lint(file).trim_end_matches(';'));
        let (_, mut said) = check(&text, &[]);
        said.retain(|word| !word.contains("lint-unused"));
        said.first().map(|word| word.split('[').next().unwrap().to_owned()).unwrap_or_default()
    };
    let cases = [
        (["", "", "", ""], "warning"),
        (["", "", "", "allow"], ""),
        (["", "", "deny", "allow"], "error"),
        // What a profile denies binds who extends it.
        (["allow", "allow", "deny", "deny"], "error"),
        (["allow", "", "", ""], "warning"),
        (["allow", "", "deny", ""], "error"),
        (["allow", "warn", "allow", "allow"], "warning"),
        (["deny", "allow", "", ""], "error"),
        (["allow", "deny", "allow", ""], "error"),
        (["", "", "allow", "deny"], ""),
        (["warn", "warn", "deny", ""], "error"),
        (["warn", "warn", "", "deny"], "warning"),
    ];
    for ([first, second, profile, file], expected) in cases {
        assert_eq!(top(first, second, profile, file), expected, "{first:?} {second:?} {profile:?} {file:?}");
    }
    // A bottle's levels are not handed on, and neither is what a profile allows: what is found in another block is not meant.
    let text = shared("image \"debian\";", "", "lint { allow \"image-not-pinned\" reason=\"ours\"; };", "");
    assert_eq!(
        check(&text, &[]),
        words(0, ["warning[allow-shared]", "warning[image-not-pinned]", "warning[lint-unused]"])
    );
}

#[test]
fn what_a_profile_denies_binds_who_extends_it() {
    let dir = Dir::new();
    dir.write(
        "guard.kdl",
        "lint { deny \"allow-shared\"; }\nprofile \"guard\" { lint { deny \"allow-shared\"; }; }\n",
    );
    dir.write(
        "team.kdl",
        "include \"guard.kdl\"\nprofile \"team\" { extends \"guard\"; egress { allow \"*.github.io\"; }; }\n",
    );
    let bottle = "bottle \"a\" { extends \"team\"; egress { allow \"*.web.app\"; }; lint { allow \"allow-shared\" reason=\"ours\"; }; }\n";
    dir.write("a.kdl", format!("include \"team.kdl\"\nlint {{ warn \"allow-shared\"; }}\n{bottle}"));
    // Neither the bottle, nor the file, nor what a run allows: only who asks for no level of specs at all.
    for arguments in [&[][..], &["--allow", "allow-shared"]] {
        let run = dir.run([&["check", "--format", "concise", "a.kdl"], arguments].concat()).code(1);
        let expected =
            ["error[allow-shared]", "error[allow-shared]", "warning[lint-unused]", "warning[lint-unused]"];
        assert_eq!(said(&run), expected, "{}", run.out);
        assert!(
            run.out.contains("`allow-shared` is denied by a profile that is extended here"),
            "{}",
            run.out
        );
    }
    let run = dir.run(["check", "--format", "concise", "--ignore-lint", "a.kdl"]).code(0);
    let found: Vec<String> = said(&run).into_iter().filter(|word| word.contains("allow-shared")).collect();
    assert_eq!(found, ["warning[allow-shared]", "warning[allow-shared]"], "{}", run.out);
}

#[test]
fn a_file_speaks_for_itself_and_not_for_what_it_includes() {
    let dir = Dir::new();
    dir.write("team.kdl", "profile \"team\" { egress { allow \"*.github.io\"; }; }\n");
    let main = |lint: &str| {
        format!("include \"team.kdl\"\n{lint}\nbottle \"a\" {{ extends \"team\"; image \"debian\"; }}\n")
    };
    dir.write("x.kdl", main("lint { allow \"image-not-pinned\" reason=\"ours\"; }"));
    let run = dir.run(["check", "--format", "concise", "x.kdl"]).code(0);
    assert_eq!(said(&run), ["warning[allow-shared]"]);
    dir.write("x.kdl", main("lint { allow \"allow-shared\" reason=\"ours\"; }"));
    let run = dir.run(["check", "--format", "concise", "x.kdl"]).code(0);
    assert_eq!(said(&run), ["warning[allow-shared]", "warning[image-not-pinned]", "warning[lint-unused]"]);
    run.says("`allow-shared` is allowed, and nothing here breaks that rule");
}

#[test]
fn what_is_allowed_is_counted_and_told() {
    let dir = Dir::with(spec(
        "    lint {\n        allow \"image-not-pinned\" reason=\"ours \\u{202e}and theirs\"\n    }",
    ));
    // What cannot be seen cannot be reviewed.
    dir.run(["check", "x.kdl"]).code(1).says("invalid-value");
    dir.write("x.kdl", spec("    lint {\n        allow \"image-not-pinned\" reason=\"ours\"\n    }"));
    let run = dir.run(["check", "--allow", "personal-path", "x.kdl"]).code(0);
    assert_eq!(run.out, "1 bottle checked, nothing found; 2 allowed\n");
    let run = dir.run(["check", "--statistics", "x.kdl"]).code(0);
    assert!(run.out.contains("\n1 piece of advice in 1 file; 1 allowed\n"), "{}", run.out);
    assert!(
        run.out.ends_with("     1  allowed  image-not-pinned\n     1  advice   personal-path\n"),
        "{}",
        run.out
    );
    let run = dir.run(["check", "--allow=personal-path", "--format", "json", "x.kdl"]).code(0);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["diagnostics"], json!([]));
    assert_eq!(report["summary"]["allowed"], 2);
    let allowed: Vec<_> =
        report["allowed"].as_array().unwrap().iter().map(|it| (&it["rule"], &it["by"]["reason"])).collect();
    assert_eq!(
        allowed,
        [(&json!("image-not-pinned"), &json!("ours")), (&json!("personal-path"), &Value::Null)]
    );
    assert_eq!(report["allowed"][0]["by"]["place"]["start"]["line"], 6);
    // Nothing else shows it: code scanning takes what is marked as suppressed for open.
    for format in ["sarif", "github", "gitlab", "junit", "checkstyle", "rdjson"] {
        let run = dir.run(["check", "--format", format, "x.kdl"]).code(0);
        assert!(run.out.contains("personal-path"), "{format}");
        assert!(!run.out.contains("image-not-pinned"), "{format}");
    }
}

#[test]
fn every_format_has_the_level_that_was_set() {
    let dir = Dir::with(spec("    lint { deny \"image-not-pinned\" reason=\"what runs is decided here\"; }"));
    for (format, word) in [
        ("concise", "error[image-not-pinned]"),
        ("json", "\"rule\":\"image-not-pinned\",\"level\":\"error\""),
        ("sarif", "\"ruleId\":\"image-not-pinned\",\"ruleIndex\":0,\"level\":\"error\""),
        ("github", "::error file=x.kdl,line=2"),
        ("gitlab", "\"severity\":\"major\""),
        ("junit", "failures=\"1\""),
        ("checkstyle", "severity=\"error\""),
        ("rdjson", "\"severity\":\"ERROR\""),
        ("fancy", "denied here, because: `what runs is decided here`"),
    ] {
        dir.run(["check", "--format", format, "x.kdl"]).code(1).says(word);
    }
    dir.run(["build", "x.kdl"]).code(1).complains("error[image-not-pinned]");
    dir.run(["plan", "x.kdl"]).code(1).complains("error[image-not-pinned]");
    assert!(!dir.at("stage").exists());
    let allowed = Dir::with(spec("    lint { allow \"image-not-pinned\" reason=\"ours\"; }"));
    let run = allowed.run(["check", "--deny", "warnings", "x.kdl"]).code(1);
    run.says("an error because this run denies `warnings`").says("allowed here, because: `ours`");
    allowed.run(["build", "--deny", "image-not-pinned", "x.kdl"]).code(1);
    assert!(!allowed.at("stage").exists());
    allowed.run(["build", "x.kdl"]).code(0);
}

#[test]
fn a_plan_holds_what_is_allowed_whatever_a_run_says() {
    let dir = Dir::with(format!(
        "lint {{ allow \"personal-path\" reason=\"alike\"; deny \"allow-drop\"; }}\ninclude \"team.kdl\"\n{}",
        spec("extends \"team\"\nlint { allow \"image-not-pinned\" reason=\"ours\"; }")
    ));
    dir.write(
        "team.kdl",
        "profile \"team\" { egress { allow \"*.github.io\"; }; lint { allow \"allow-shared\" reason=\"pages\"; }; }\n",
    );
    dir.run(["build", "x.kdl"]).code(0);
    let plan = dir.read("stage/api/plan.json");
    let held: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(
        held["lint_allowed"],
        json!([
            { "rule": "allow-shared", "reason": "pages", "origin": "team.kdl:1" },
            { "rule": "image-not-pinned", "reason": "ours", "origin": "x.kdl:8" },
            { "rule": "personal-path", "reason": "alike", "origin": "x.kdl:1" },
        ])
    );
    assert_eq!(held["lint_denied"], json!([{ "rule": "allow-drop", "reason": "", "origin": "x.kdl:1" }]));
    let shown = dir.run(["plan", "x.kdl"]).code(0);
    let shown = shown.says("Guards\n  allow-drop  is an error  x.kdl:1\n");
    shown.says("Findings that the spec allows\n  allow-shared is allowed, team.kdl:1: pages\n");
    dir.run(["build", "--ignore-lint", "--check", "x.kdl"]).code(0).says("is what the spec says");
    // Who reviews a change is told, and nothing is wider for it.
    let before = dir.read("x.kdl").replace("lint { allow \"image-not-pinned\" reason=\"ours\"; }", "");
    dir.write("old.kdl", before);
    let diff = dir.run(["diff", "--deny-widening", "old.kdl", "x.kdl"]).code(0);
    diff.says("`image-not-pinned` is not shown any more, because: `ours`");
    // A plan from before there was such a thing allows nothing.
    let mut older = held;
    older.as_object_mut().unwrap().remove("lint_allowed");
    assert!(PlanJson::read(older.to_string().as_bytes()).unwrap().lint_allowed.is_empty());
}

/// What `--fix` makes of a spec.
fn fixed(text: &str) -> String {
    let dir = Dir::with(text);
    let run = dir.run(["check", "--fix", "x.kdl"]).code(0);
    let text = dir.read("x.kdl");
    assert!(!run.out.contains("lint-unused"), "{}\n{text}", run.out);
    text
}

#[test]
fn a_fix_takes_out_what_is_not_needed_and_leaves_no_trace() {
    let head = "bottle \"api\" {\n    network octet=2\n";
    let cases = [
        // The only one, among blank lines, at the end, and in one line with others.
        (
            "\n    lint {\n        allow \"allow-drop\" reason=\"x\"\n    }\n\n    egress {}\n}\n",
            "\n    egress {}\n}\n",
        ),
        (
            "\n    lint {\n        // why\n        allow \"allow-drop\" reason=\"x\" // now\n    }\n}\n",
            "\n}\n",
        ),
        ("    lint { allow \"allow-drop\" reason=\"x\"; }; egress {}\n}\n", "    egress {}\n}\n"),
        ("    egress {}; lint { allow \"allow-drop\" reason=\"x\"; }\n}\n", "    egress {};\n}\n"),
        ("    lint { allow \"allow-drop\" reason=\"x\"; allow \"allow-shared\" reason=\"y\" }\n}\n", "}\n"),
        (
            "    lint { allow \"allow-drop\" reason=\"x\"; deny \"allow-shared\" }\n}\n",
            "    lint { deny \"allow-shared\" }\n}\n",
        ),
        (
            "    lint { deny \"allow-shared\"; allow \"allow-drop\" reason=\"x\" }\n}\n",
            "    lint { deny \"allow-shared\"; }\n}\n",
        ),
        // One of several, with its line and the comment on it.
        (
            "    lint {\n        // drop\n        allow \"allow-drop\" reason=\"x\" // now\n        deny \"allow-shared\"\n        warn \"image-not-pinned\"; deny \"dns-open\"\n    }\n}\n",
            "    lint {\n        // drop\n        deny \"allow-shared\"\n        deny \"dns-open\"\n    }\n}\n",
        ),
        // What is commented out stays.
        (
            "    lint {\n        allow \"allow-drop\" reason=\"x\"\n        /- allow \"allow-shared\" reason=\"y\"\n    }\n}\n",
            "    lint {\n        /- allow \"allow-shared\" reason=\"y\"\n    }\n}\n",
        ),
        // Over several lines.
        ("    lint { allow \"allow-drop\" \\\n        reason=\"x\"\n    }\n}\n", "}\n"),
    ];
    for (before, after) in cases {
        assert_eq!(fixed(&format!("{head}{before}")), format!("{head}{after}"), "{before}");
        // Lines of another system.
        let (before, after) = (before.replace('\n', "\r\n"), after.replace('\n', "\r\n"));
        assert_eq!(fixed(&format!("{head}{before}")), format!("{head}{after}"), "{before}");
    }
    assert_eq!(fixed("lint {\n    warn \"allow-drop\"\n}\n\nbottle \"api\" {}\n"), "bottle \"api\" {}\n");
    assert_eq!(fixed("bottle \"api\" {}\nlint { warn \"allow-drop\"; }"), "bottle \"api\" {}\n");
    // What is not understood whole is left to its author.
    let odd = "bottle \"api\" {\n    lint { allow \"allow-drop\" reason=\"x\" /* or\n */; deny \"allow-shared\"; }\n}\n";
    let dir = Dir::with(odd);
    dir.run(["check", "--fix", "x.kdl"]).code(0).says("lint-unused");
    assert_eq!(dir.read("x.kdl"), odd);
}

#[test]
fn nothing_is_said_of_what_is_not_needed_beside_an_error_and_it_has_a_level_itself() {
    let unused = "lint { allow \"allow-drop\" reason=\"x\"; }\nbottle \"api\" { network octet=2; }\n";
    assert_eq!(check(unused, &[]), words(0, ["warning[lint-unused]"]));
    assert_eq!(check(unused, &["--deny=warnings"]), words(1, ["error[lint-unused]"]));
    assert_eq!(check(unused, &["--allow=lint-unused"]), words(0, []));
    assert_eq!(check(unused, &["--ignore-lint"]), words(0, ["warning[lint-unused]"]));
    let allowed = unused.replace("lint {", "lint { allow \"lint-unused\" reason=\"a template\";");
    assert_eq!(check(&allowed, &[]), words(0, []));
    assert_eq!(check(&allowed, &["--deny=lint-unused"]), words(1, ["error[lint-unused]"]));
    let broken = format!("{unused}bottle \"b\" {{ egres; network octet=3; }}\n");
    assert_eq!(check(&broken, &[]), words(1, ["error[unknown-node]"]));
    // A profile of which no bottle is made is not judged, and so its file is not.
    let profile = "lint { allow \"allow-drop\" reason=\"x\"; }\nprofile \"p\" { lint { allow \"allow-shared\" reason=\"y\"; }; }\nbottle \"api\" { network octet=2; }\n";
    assert_eq!(check(profile, &[]), words(0, ["advice[unused-profile]"]));
    // What a bottle denies beats its profile before there is anything to deny.
    let policy = "lint { deny \"allow-drop\"; }\nprofile \"p\" { lint { warn \"allow-drop\"; }; }\nbottle \"api\" { extends \"p\"; network octet=2; lint { deny \"allow-drop\"; }; }\n";
    assert_eq!(check(policy, &[]), words(0, []));
    assert_eq!(check(&policy.replace("warn", "deny"), &[]), words(0, ["warning[lint-unused]"; 2]));
    // Of two that agree the outer one is needed, and taking out what is not changes nothing else.
    let twice = "lint { allow \"image-not-pinned\" reason=\"x\"; }\nbottle \"api\" { image \"debian\"; network octet=2; lint { allow \"image-not-pinned\" reason=\"y\"; }; }\n";
    assert_eq!(check(twice, &[]), words(0, ["warning[lint-unused]"]));
    assert_eq!(check(&fixed(twice), &[]), words(0, []));
}

#[test]
fn too_many_to_be_kept_do_not_hide_one_that_is_denied() {
    let mut text = String::from(
        "bottle \"api\" {\n    egress { allow \"*.github.io\"; }\n    network octet=2\n    env {\n",
    );
    for n in 0..1_200 {
        writeln!(text, "        V{n} from-file=\"/home/ada/{n}\"").unwrap();
    }
    text += "    }\n    lint { allow \"personal-path\" reason=\"alike\"; }\n}\n";
    let dir = Dir::with(&text);
    dir.run(["check", "x.kdl"]).code(0).says("not shown; 1000 allowed");
    dir.run(["check", "--deny", "allow-shared", "x.kdl"]).code(1);
    dir.run(["check", "--deny", "warnings", "x.kdl"]).code(1);
    dir.run(["check", "--deny", "lint-unused", "x.kdl"]).code(0);
    dir.write("x.kdl", text.replace("lint {", "lint { deny \"allow-shared\";"));
    dir.run(["check", "x.kdl"]).code(1);
    dir.run(["build", "x.kdl"]).code(1);
    assert!(!dir.at("stage").exists());
}

#[test]
fn a_directory_keeps_what_one_of_its_specs_does_not_allow() {
    let dir = Dir::new();
    dir.write("team.kdl", "profile \"team\" { egress { allow \"*.github.io\"; }; }\n");
    let bottle = |slug: &str, more: &str| {
        format!("include \"team.kdl\"\nbottle \"{slug}\" {{ extends \"team\"; {more} }}\n")
    };
    let lint = "lint { allow \"allow-shared\" reason=\"ours\"; };";
    dir.write("a.kdl", bottle("a", lint));
    dir.write("b.kdl", bottle("b", ""));
    let run = dir.run(["check", "."]).code(0);
    run.says("warning[allow-shared]").says("1 warning in 1 file\n");
    dir.write("b.kdl", bottle("b", lint));
    dir.run(["check", "."]).code(0).says("2 bottles checked, nothing found; 1 allowed");
}
