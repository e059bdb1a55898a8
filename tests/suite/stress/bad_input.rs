//! What no input may do to the real binary: crash it, hang it, take all memory, drive a terminal, or leave half a stage.
//!
//! Every run is bounded in memory and time (see `support/binary.rs`), must end with a documented exit code, and must
//! not have panicked.
#![allow(clippy::format_collect, reason = "texts to test with are short")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use bottlec::report::{self, Format, Style};

use super::much;
use crate::support::binary::{Dir, Run, SMALL, mkfifo, sparse, tree};
use crate::support::compile_text;

/// More than any spec takes, less than a small machine has.
const MEBIBYTES: usize = 1024;

/// The largest source that is read; without optimisation, less of it, so that the tests end soon.
const LARGE: usize = if cfg!(debug_assertions) { 64 * 1024 } else { 16 * 1024 * 1024 };

/// Checks a text and builds it: neither may end otherwise than with a diagnostic, and nothing may be written.
#[track_caller]
fn refused(spec: impl AsRef<[u8]>) -> Run {
    let dir = Dir::with(spec);
    let build = dir.call(["build", "--format", "concise", "x.kdl"]).memory(MEBIBYTES).run().code(1);
    assert_eq!(tree(dir.path()).len(), 1, "nothing is written beside an error");
    let check = dir.call(["check", "--format", "concise", "x.kdl"]).memory(MEBIBYTES).run().code(1);
    assert_eq!((check.out.as_str(), check.err.as_str()), (build.err.as_str(), build.out.as_str()));
    assert!(check.out.contains(": error["), "{}", check.out);
    assert!(check.out.len() < 256 * 1024, "{} bytes of output", check.out.len());
    check
}

/// Builds a text that compiles.
#[track_caller]
fn built(spec: impl AsRef<[u8]>) -> Dir {
    let dir = Dir::with(spec);
    dir.call(["build", "x.kdl"]).memory(MEBIBYTES).run().code(0);
    dir
}

// Depth and size.

#[test]
fn nesting_is_bounded() {
    for unit in ["a {", "{", "a /-{ ", "/- a {", "/*", "a {}; /-a {"] {
        let n = if unit == "a {" || unit == "{" { much(100_000) } else { 10_000 };
        refused(unit.repeat(n)).says("error[nesting-too-deep]");
        refused(format!("{SMALL}{}", unit.repeat(10_000))).says("error[nesting-too-deep]");
    }
    refused("a {".repeat(much(100_000)) + &"}".repeat(much(100_000))).says("error[nesting-too-deep]");
    // A hundred deep is no trouble and no error.
    let fine = "/-{ a ".repeat(100) + &"}".repeat(100);
    built(format!("bottle \"api\" {fine}\n"));
    built(format!("{}{}\n{SMALL}", "/* ".repeat(100), "*/ ".repeat(100)));
}

#[test]
fn a_file_above_the_limit_is_refused_by_its_size() {
    let dir = Dir::new();
    sparse(&dir.at("x.kdl"), 100 * 1024 * 1024);
    let run = dir.call(["check", "x.kdl"]).memory(100).run().code(1).says("error[source-too-large]");
    run.says("16 MiB");
    // What tells no size is read up to the limit only.
    let endless = dir.call(["check", "-"]).after("exec </dev/zero").memory(MEBIBYTES).run().code(1);
    endless.says("error[source-too-large]");
    let piped = dir.call(["build", "-"]).stdin(vec![b' '; 17 * 1024 * 1024]).memory(MEBIBYTES).run().code(1);
    piped.complains("error[source-too-large]");
    dir.write("y.kdl", format!("include \"x.kdl\"\n{SMALL}"));
    dir.call(["build", "y.kdl"]).memory(100).run().code(1).complains("error[source-too-large]");
    assert!(!dir.at("stage").exists());
}

#[test]
fn one_thing_over_and_over_is_no_trouble() {
    for unit in [
        "{",
        "}",
        "\"",
        "(",
        ")",
        "/*",
        "*/",
        "\\",
        "=",
        "a ",
        "a=1 ",
        "\0",
        "/-",
        "#",
        ";",
        "(a)b;",
        "\"\"\" ",
        "#\"",
        "\r",
        "a\r",
        "\u{202e}",
        "\u{feff}",
        "-",
        "0x",
        "//",
        "\t",
        "\u{10ffff}",
        "{}",
        "a {",
        "bottle a{}\n",
        "bottle a;",
        "profile a{env{A b;}}\n",
        "include a;",
    ] {
        let text = unit.repeat(LARGE / unit.len());
        let dir = Dir::with(&text);
        let run = dir.call(["check", "--format", "concise", "x.kdl"]).memory(MEBIBYTES).run().code(1);
        assert!(run.out.len() < 512 * 1024 && !run.out.is_empty(), "{unit:?}: {} bytes", run.out.len());
        run.never_says("\u{202e}").never_says("\0");
    }
}

#[test]
fn many_mistakes_are_told_up_to_a_bound() {
    let run = refused("x\n".repeat(5_000)).says("1000 errors in 1 file, and 4000 more are not shown");
    assert_eq!(run.out.lines().count(), 1_001);
    let dir = Dir::with("x\n".repeat(5_000));
    let fancy = dir.run(["check", "x.kdl"]).code(1).says("and 4000 more are not shown");
    assert!(fancy.out.len() < 1024 * 1024);
    let json = dir.run(["check", "--format", "json", "x.kdl"]).code(1).out;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["summary"]["dropped"], 4_000);
}

#[test]
fn long_names_and_lines_are_shortened_where_they_are_shown() {
    let long = "a".repeat(250_000);
    for spec in [
        format!("bottle \"{long}\"\n"),
        format!("{long}\n"),
        format!("bottle \"a\" {{ {long}; }}\n"),
        format!("bottle \"a\" {{ env {{ {long} \"x\"; }}; }}\n"),
        format!("bottle \"a\" {{ env {{ A \"{long}\"; }}; }}\n"),
        format!("bottle \"a\" {{ egress {{ allow \"{long}.com\"; }}; }}\n"),
        format!("bottle \"a\" {{ artifact \"./{long}\"; }}\n"),
        format!("bottle \"a\" {{ extends \"{long}\"; }}\n"),
        format!("bottle \"a\" {{ network octet={}; }}\n", "9".repeat(250_000)),
        format!("include \"{long}\"\nbottle \"a\"\n"),
        format!("bottle \"a\" {} wrong\n", " ".repeat(250_000)),
    ] {
        let run = refused(&spec);
        assert!(run.out.len() < 2_000, "{} bytes for {:.60}", run.out.len(), spec);
        let fancy = Dir::with(&spec).run(["check", "x.kdl"]).code(1);
        assert!(fancy.out.len() < 8_000, "{} bytes for {:.60}", fancy.out.len(), spec);
    }
}

// Bytes that are no text.

#[test]
fn what_is_not_utf8_is_said_with_its_offset() {
    let run = refused(b"bottle \"a\" {\n  env { A \"\xff\xfe\"; }\n}\n");
    run.says("x.kdl:2:12: error[invalid-utf8]").says("byte 0xff at offset 24");
    refused(b"\xff").says("at offset 0");
    refused([SMALL.as_bytes(), b"// \xc3"].concat()).says("error[invalid-utf8]");
    refused([SMALL.as_bytes(), b"// \xed\xa0\x80"].concat()).says("error[invalid-utf8]");
    refused([SMALL.as_bytes(), b"// \xc0\xaf"].concat()).says("error[invalid-utf8]");
    for big_endian in [false, true] {
        let bytes: Vec<u8> = "\u{feff}bottle \"a\"\n"
            .encode_utf16()
            .flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect();
        let run = refused(bytes).says("error[invalid-utf8]");
        assert_eq!(run.out.lines().count(), 1, "one cause, one diagnostic: {}", run.out);
    }
    refused(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0").says(": error[");
    refused((0..=255).collect::<Vec<u8>>()).says(": error[");
}

#[test]
fn what_hides_or_turns_text_around_is_never_shown_raw() {
    for c in [
        '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200e}', '\u{200f}', '\0', '\u{1b}', '\u{7f}',
        '\u{8}',
    ] {
        for spec in [
            format!("bottle \"a{c}\"\n"),
            format!("bottle \"a\" {{ env {{ A \"x{c}\"; }}; }}\n"),
            format!("bottle \"a\" {{ {c}x; }}\n"),
            format!("// {c}\nbottle \"a\"\n"),
        ] {
            refused(&spec).says("x.kdl:").never_says(&c.to_string());
            for format in ["fancy", "json"] {
                let run = Dir::with(&spec).run(["check", "--format", format, "x.kdl"]).code(1);
                run.says("disallowed-character").never_says(&c.to_string());
            }
        }
    }
    // Written as an escape it is text, and it is not shown raw then, either.
    for slug in ["\\u{202e}", "\\u{1b}", "\\u{0}"] {
        let run = refused(format!("bottle \"{slug}\"\n"));
        assert!(run.out.is_ascii() && !run.out.contains('\u{1b}'), "{}", run.out);
    }
}

#[test]
fn line_ends_of_every_kind_count() {
    for end in ["\n", "\r\n", "\r"] {
        let run = refused(["bottle \"a\" {", "  foo 1", "}", ""].join(end));
        assert!(run.out.starts_with("x.kdl:2:3: error[unknown-node]: "), "{end:?}: {}", run.out);
        let ok = ["bottle \"a\" {", "  env {", "    A \"1\"", "  }", "}", ""].join(end);
        let dir = built(ok);
        assert!(dir.read("stage/a/plan.json").contains("\"x.kdl:3\""));
    }
    built("\u{feff}bottle \"a\"");
    refused(format!("bottle \"a\"\n\u{feff}{SMALL}")).never_says("\u{feff}");
}

#[test]
fn a_file_without_a_bottle_says_so() {
    for text in ["", "\n", " \t\r\n", "// words\n/* more */\n", "\u{feff}", "/- bottle \"a\"\n"] {
        let run = refused(text).says("x.kdl:1:1: error[empty-spec]");
        assert_eq!(run.out.lines().count(), 1);
    }
}

// Places that are no files.

#[test]
fn what_cannot_be_read_is_a_failure_that_says_so() {
    let dir = Dir::new();
    fs::create_dir(dir.at("folder")).unwrap();
    symlink("loop.kdl", dir.at("loop.kdl")).unwrap();
    dir.write("file", "");
    for (path, why) in [
        ("folder", "it is a directory: name the specs in it"),
        ("absent.kdl", "there is no such file"),
        ("loop.kdl", "too many levels of symbolic links"),
        ("file/x.kdl", "a part of its path is no directory"),
        ("absent\u{1b}[2J", "there is no such file"),
    ] {
        for command in ["build", "check", "plan", "preflight"] {
            // `check` looks for specs in it.
            let why = if (command, path) == ("check", "folder") { "there is no spec in it" } else { why };
            let run = dir.run([command, path]).code(3).complains(&format!(": {why}\n")).never_says("\u{1b}");
            assert!(run.err.starts_with("error: cannot read `") && run.out.is_empty(), "{}", run.err);
        }
    }
    dir.run(["check", &"a".repeat(5_000)]).code(3).complains("too long");
    dir.run(["check", "/dev/null"]).code(3).complains("it is no regular file");
    dir.run(["check", "-"]).code(1).says("error[empty-spec]");
    // There when the command line was written, and gone since.
    let moved = dir.write("moved.kdl", SMALL);
    dir.call(["check", "moved.kdl"]).after("rm moved.kdl").run().code(3).complains("there is no such file");
    assert!(!moved.exists());
    mkfifo(&dir.at("fifo"));
    for command in ["build", "check", "fmt", "plan", "preflight"] {
        dir.run([command, "fifo"]).code(3).complains("it is no regular file");
    }
}

#[test]
fn an_out_that_cannot_be_written_is_a_failure_that_says_so() {
    let dir = Dir::with(SMALL);
    fs::create_dir(dir.at("real")).unwrap();
    symlink(dir.at("real"), dir.at("link")).unwrap();
    symlink("nowhere", dir.at("dangling")).unwrap();
    dir.write("file", "mine");
    dir.write("foreign/api/file", "mine");
    dir.write("reserved/.bottlec.tmp/file", "mine");
    mkfifo(&dir.at("fifo"));
    let before = tree(dir.path());
    for (out, why) in [
        ("link", "is a symbolic link"),
        ("dangling", "is a symbolic link"),
        ("file", "is not a directory"),
        ("file/below", "is not a directory"),
        ("fifo", "is not a directory"),
        ("foreign", "is not a stage that bottlec wrote"),
        ("reserved", "is not what bottlec keeps under that name"),
        ("/proc/none", ""),
    ] {
        for force in [&[][..], &["--force"]] {
            let args = ["build", "--out", out, "x.kdl"].into_iter().chain(force.iter().copied());
            let run = dir.run(args).code(3).complains(why).never_says("\u{1b}");
            assert!(run.err.starts_with("error: ") && run.out.is_empty(), "{out}: {}", run.err);
        }
        let mut after = tree(dir.path());
        after.retain(|path, _| !path.ends_with(".bottlec.lock"));
        assert_eq!(after, before, "{out}");
    }
}

// Specs that multiply.

#[test]
fn chains_of_profiles_have_no_bottom_to_fall_through() {
    let n = 10_000;
    let chain: String =
        (0..n).map(|at| format!("profile \"p{at}\" {{ extends \"p{}\"; }}\n", at + 1)).collect();
    let bottle = "bottle \"a\" { extends \"p0\"; }\n";
    let dir = built(format!("{chain}profile \"p{n}\" {{ env {{ DEEP \"1\"; }}; }}\n{bottle}"));
    assert!(dir.read("stage/a/agent.env").contains("DEEP=1\n"));
    let run = refused(format!("{chain}profile \"p{n}\" {{ extends \"p0\"; }}\n{bottle}"));
    run.says("error[profile-cycle]");
    refused(format!("{chain}{bottle}")).says("error[unknown-profile]");
    // The same of sidecars.
    let image = format!("docker.io/library/x@sha256:{}", "a".repeat(64));
    let sidecar = |at: usize, needs: &str| format!(" sidecar \"s{at}\" image=\"{image}\" {{ {needs}; }}\n");
    let chain: String = (0..500).map(|at| sidecar(at, &format!("needs \"s{}\"", at + 1))).collect();
    let spec = |last: &str| format!("bottle \"a\" {{\n{chain}{}}}\n", sidecar(500, last));
    let text = spec("port 1");
    let run =
        Dir::with(&text).call(["check", "--format", "concise", "x.kdl"]).memory(MEBIBYTES).run().code(0);
    assert_eq!(run.out, "");
    refused(spec("needs \"s0\"")).says("error[dependency-cycle]");
}

#[test]
fn bottles_that_want_one_subnet_are_all_told() {
    let run =
        refused((0..300).map(|n| format!("bottle \"b{n}\" {{ network octet=42; }}\n")).collect::<String>());
    assert_eq!(run.out.matches("error[subnet-collision]").count(), 299);
    let run = refused((0..300).map(|n| format!("bottle \"b{n}\"\n")).collect::<String>());
    run.says("error[subnet-collision]");
}

#[test]
fn what_multiplies_past_the_bound_is_refused() {
    let mut spec = String::from("profile \"p\" {\n env {\n");
    for n in 0..5_000 {
        writeln!(spec, "  V{n} \"x\"").unwrap();
    }
    spec.push_str(" }\n}\n");
    for n in 1..=101 {
        writeln!(spec, "bottle \"b{n}\" {{ extends \"p\"; network octet={}; }}", n + 20).unwrap();
    }
    let check = Dir::with(&spec).call(["check", "x.kdl"]).memory(MEBIBYTES).run().code(1);
    check.says("error[expansion-too-large]").says("500000 nodes");
    // Profiles that each extend two below them: the paths double, the profiles do not.
    let mut spec = String::new();
    for n in 0..60 {
        writeln!(spec, "profile \"l{n}\" {{ extends \"l{m}\" \"r{m}\"; }}", m = n + 1).unwrap();
        writeln!(spec, "profile \"r{n}\" {{ extends \"l{m}\" \"r{m}\"; }}", m = n + 1).unwrap();
    }
    spec.push_str(
        "profile \"l60\"\nprofile \"r60\" { env { DEEP \"1\"; }; }\nbottle \"a\" { extends \"l0\"; }\n",
    );
    let dir = Dir::with(&spec);
    let run = dir.call(["build", "x.kdl"]).memory(MEBIBYTES).run();
    if run.code == 0 {
        assert!(dir.read("stage/a/agent.env").contains("DEEP=1\n"));
    } else {
        run.code(1).complains("error[expansion-too-large]");
        assert!(!dir.at("stage").exists());
    }
}

// Names.

/// A spec with a hole for the text under test.
struct Hole {
    what: &'static str,
    spec: &'static str,
    /// Of [`HOSTILE`], what may stand there after all.
    taken: &'static [&'static str],
}

/// Texts, as they stand between quotes in a spec, that mean something to a path, a TOML string, a line of an
/// environment file, a shell or an argument vector.
const HOSTILE: &[&str] = &[
    "",
    " a",
    "a ",
    "a b",
    "-a",
    "--a=b",
    "..",
    "../a",
    "a/../../b",
    "/etc/passwd",
    "a=b",
    "a\\\"b",
    "a'b",
    "a\\\\b",
    "a\\nb",
    "a\\rb",
    "a\\tb",
    "a\\u{0}b",
    "a\\u{1b}[2Jb",
    "a\\u{202e}b",
    "$(id)",
    "`id`",
    "${A}",
    "a;b",
    "a|b",
    "a,b",
    "a#b",
    "*",
    "ä",
    "a\\u{7f}b",
];

const IMAGE: &str = "docker.io/x@sha256:a942b37ccfaf5a813b1432caa209a43b9d144e47ad0de1549c289c253e556cd5";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/// Texts without a line end, a NUL, or what drives a terminal: they reach files and arguments, quoted.
const TEXT: &[&str] = &[
    "",
    " a",
    "a ",
    "a b",
    "-a",
    "--a=b",
    "..",
    "../a",
    "a/../../b",
    "/etc/passwd",
    "a=b",
    "a\\\"b",
    "a'b",
    "a\\\\b",
    "$(id)",
    "`id`",
    "${A}",
    "a;b",
    "a|b",
    "a,b",
    "a#b",
    "*",
    "ä",
    "a\\u{202e}b",
];

const HOLES: &[Hole] = &[
    Hole { what: "slug", spec: "bottle \"%\"", taken: &[] },
    Hole { what: "profile", spec: "profile \"%\"\nbottle \"a\"", taken: &[] },
    Hole { what: "extends", spec: "bottle \"a\" { extends \"%\"; }", taken: &[] },
    Hole { what: "sidecar", spec: "bottle \"a\" { sidecar \"%\" image=\"IMAGE\"; }", taken: &[] },
    Hole { what: "needs", spec: "bottle \"a\" { pipelock { needs \"%\"; }; }", taken: &[] },
    Hole { what: "sidecar image", spec: "bottle \"a\" { sidecar \"s\" image=\"%\"; }", taken: &[] },
    Hole {
        what: "scheme",
        spec: "bottle \"a\" { sidecar \"s\" image=\"IMAGE\" { port 1 scheme=\"%\"; }; }",
        taken: &[],
    },
    Hole {
        what: "exposed name",
        spec: "bottle \"a\" { sidecar \"s\" image=\"IMAGE\" { port 1 scheme=\"http\"; expose \"%\"; }; }",
        taken: &[],
    },
    Hole {
        what: "exposed path",
        spec: "bottle \"a\" { sidecar \"s\" image=\"IMAGE\" { port 1 scheme=\"http\"; expose \"X\" path=\"%\"; }; }",
        taken: &["/etc/passwd", ""],
    },
    Hole {
        what: "repository",
        spec: "bottle \"a\" { git { repo \"%\" { url \"ssh://git@github.com/a/b.git\"; identity \"~/.ssh/id\"; host-key \"KEY\"; }; }; }",
        taken: &[],
    },
    Hole {
        what: "repository's url",
        spec: "bottle \"a\" { git { repo \"r\" { url \"%\"; identity \"~/.ssh/id\"; host-key \"KEY\"; }; }; }",
        taken: &[],
    },
    Hole {
        what: "host key",
        spec: "bottle \"a\" { git { repo \"r\" { url \"ssh://git@github.com/a/b.git\"; identity \"~/.ssh/id\"; host-key \"%\"; }; }; }",
        taken: &[],
    },
    Hole {
        what: "identity",
        spec: "bottle \"a\" { git { repo \"r\" { url \"ssh://git@github.com/a/b.git\"; identity \"%\"; host-key \"KEY\"; }; }; }",
        taken: TEXT,
    },
    Hole {
        what: "git user",
        spec: "bottle \"a\" { git { user name=\"%\" email=\"a@b.c\"; repo \"r\" { url \"ssh://git@github.com/a/b.git\"; identity \"~/.ssh/id\"; host-key \"KEY\"; }; }; }",
        taken: TEXT,
    },
    Hole { what: "artifact", spec: "bottle \"a\" { artifact \"%\"; }", taken: &[] },
    Hole {
        what: "artifact's directory",
        spec: "bottle \"a\" { artifact \"%/agent.smolmachine\"; }",
        taken: TEXT,
    },
    Hole { what: "rootfs", spec: "bottle \"a\" { rootfs \"%\"; }", taken: TEXT },
    Hole { what: "image", spec: "bottle \"a\" { image \"%\"; }", taken: &[] },
    Hole { what: "allowed host", spec: "bottle \"a\" { egress { allow \"%\"; }; }", taken: &["*"] },
    Hole { what: "denied host", spec: "bottle \"a\" { egress { deny \"%\"; }; }", taken: &["*"] },
    Hole { what: "variable", spec: "bottle \"a\" { env { \"%\" \"x\"; }; }", taken: &[] },
    Hole { what: "host's variable", spec: "bottle \"a\" { env { A from-env=\"%\"; }; }", taken: &[] },
    Hole {
        what: "host's file",
        spec: "bottle \"a\" { env { A from-file=\"%\"; }; }",
        taken: &["/etc/passwd"],
    },
    Hole { what: "value", spec: "bottle \"a\" { env { A \"%\"; }; }", taken: TEXT },
    Hole { what: "engine", spec: "bottle \"a\" { engine \"%\"; }", taken: &[] },
    Hole { what: "version", spec: "bottle \"a\" { engine \"smolvm\" version=\"%\"; }", taken: &[] },
    Hole { what: "backend", spec: "bottle \"a\" { backend \"%\"; }", taken: &[] },
    Hole { what: "include", spec: "include \"%\"\nbottle \"a\"", taken: &[] },
];

/// What a text between quotes stands for.
fn meant(written: &str) -> String {
    written.replace("\\\"", "\"").replace("\\\\", "\\").replace("\\u{202e}", "\u{202e}").replace("\\t", "\t")
}

#[test]
fn no_name_reaches_a_path_a_file_or_an_argument_unescaped() {
    for hole in HOLES {
        for written in HOSTILE {
            let spec = hole.spec.replace('%', written).replace("IMAGE", IMAGE).replace("KEY", KEY);
            // What the compiler refuses is a program's start less.
            let (sources, compilation) = compile_text("x.kdl", &format!("{spec}\n"));
            if compilation.diagnostics.has_errors() {
                let mut told = Vec::new();
                let (found, style) = (&compilation.diagnostics, Style::default());
                report::render(Format::Concise, found, &[], &sources, &style, &mut told).unwrap();
                let told = String::from_utf8(told).unwrap();
                assert!(!told.contains(['\u{1b}', '\0', '\u{202e}']), "{} {written:?}: {told}", hole.what);
                assert!(
                    told.starts_with("x.kdl:") && told.contains(": error["),
                    "{} {written:?}: {told}",
                    hole.what
                );
                continue;
            }
            let dir = Dir::with(format!("{spec}\n"));
            let run = dir.run(["build", "--format", "concise", "x.kdl"]);
            let told = format!("{} {written:?}: {}{}", hole.what, run.out, run.err);
            assert!(!run.err.contains(['\u{1b}', '\0', '\u{202e}']), "{told}");
            if run.code == 0 {
                // A tab is as much a value's as a blank is, and no name's.
                let tab = hole.what == "value" && *written == "a\\tb";
                assert!(tab || hole.taken.contains(written), "{told}");
                survives(&dir.at("stage/a"), hole.what, &meant(written));
                dir.run(["plan", "x.kdl"]).code(0).never_says("\u{202e}");
            } else {
                assert_eq!(run.code, 1, "{told}");
                assert!(run.err.starts_with("x.kdl:") && run.err.contains(": error["), "{told}");
                let names: Vec<_> = tree(dir.path()).into_keys().collect();
                assert_eq!(names, [PathBuf::from("x.kdl")], "{told}");
            }
        }
    }
}

/// Holds a stage with a strange text in it against what its readers make of it.
fn survives(stage: &Path, what: &str, text: &str) {
    let read = |name: &str| fs::read_to_string(stage.join(name)).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&read("plan.json")).unwrap();
    let smolfile: toml::Table = toml::from_str(&read("smolfile.toml")).unwrap();
    let keys: Vec<&str> = smolfile.keys().map(String::as_str).collect();
    assert!(keys.iter().all(|key| ["env", "network", "secrets"].contains(key)), "{keys:?}");
    let words = plan["commands"]["create"].as_array().unwrap();
    assert_eq!((words[0].as_str(), words[1].as_str()), (Some("smolvm"), Some("machine")));
    // Nothing of the spec's is taken for an option: what stands in an option's place is one that we write.
    let options = [
        "--name",
        "--from",
        "--image",
        "--smolfile",
        "--allow-cidr",
        "--env",
        "--dns",
        "--secret-env",
        "--secret-file",
    ];
    let mut rest = words[3..].iter().map(|word| word.as_str().unwrap());
    while let Some(option) = rest.next() {
        assert!(options.contains(&option), "{what} {text:?}: {option}");
        assert!(rest.next().is_some_and(|value| !value.starts_with('-')), "{what} {text:?}: {option}");
    }
    if what == "value" {
        assert_eq!(plan["agent_env"]["A"]["value"], text);
        let pairs = smolfile["env"].as_array().unwrap();
        assert!(pairs.iter().any(|pair| pair.as_str() == Some(&format!("A={text}"))), "{pairs:?}");
        // A shell reads the value that was written, and runs nothing.
        let script = "set -eu; . \"$1/agent.env\"; printf '%s' \"$A\"";
        let output = std::process::Command::new("sh").args(["-c", script, "sh"]).arg(stage).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), text, "{output:?}");
    }
}
