//! Each program that the gate runs fails at each of its calls, in four ways; no secret arrives upstream for that.

use std::fs;
use std::path::Path;

use super::gate::{Gate, SPEC};
use super::scanner::{SYSTEM_PATH, name, program, scanner};
use super::secrets::{line, secret};

/// What stands before a program: it writes down that it was called, and at the call in question goes wrong.
const WRAPPER: &str = r#"#!/bin/sh
exec 8>>'ROOT/calls'
/usr/bin/flock 8
echo NAME >&8
number=$(/usr/bin/wc -l <'ROOT/calls')
exec 8>&-
[ "$number" = "$(/bin/cat 'ROOT/call')" ] || exec PROGRAM "$@"
echo NAME >'ROOT/fault'
case $(/bin/cat 'ROOT/way') in
fails) exit 1 ;;
killed) kill -KILL $$ ;;
half)
    PROGRAM "$@" >'ROOT/half'
    status=$?
    /usr/bin/head -c "$(($(/usr/bin/wc -c <'ROOT/half') / 2))" 'ROOT/half'
    exit "$status"
    ;;
late)
    PROGRAM "$@"
    exit 1
    ;;
esac
"#;

/// Everything that the gate may run, or that a gate written in another language would. What is not there is left out.
const PROGRAMS: &[&str] = &[
    "git", "ssh", "python3", "awk", "basename", "cat", "cmp", "cp", "dirname", "env", "flock", "grep",
    "head", "ls", "mkdir", "mktemp", "mv", "printf", "rm", "sed", "sh", "sleep", "sort", "tail", "timeout",
    "tr", "wc",
];

/// The seconds that a step of a push may take; one where nothing goes wrong takes less than one.
const PATIENCE: &str = "8";

const WAYS: [&str; 4] = ["fails", "killed", "half", "late"];

/// A push of a commit, a tag and a merge, one of which has the secret.
struct Case {
    commit: fn() -> String,
    tag: fn() -> String,
    merge: fn() -> String,
}

fn clean() -> String {
    "x = 1\n".to_owned()
}

fn push_with_faults(case: &Case) {
    let mut gate = Gate::prepare(SPEC);
    let root = gate.at("faults");
    fs::create_dir(&root).unwrap();
    let bin = root.join("bin");
    fs::create_dir(&bin).unwrap();
    let found = |name: &str| {
        let mut places = vec![gate.at("bin"), scanner().directory.clone()];
        places.extend(std::env::split_paths(SYSTEM_PATH));
        places.into_iter().map(|place| place.join(name)).find(|path| path.is_file())
    };
    for name in PROGRAMS.iter().copied().chain([name()]) {
        let Some(path) = found(name) else { continue };
        let text = WRAPPER.replace("ROOT", root.to_str().unwrap()).replace("NAME", name);
        program(&bin.join(name), &text.replace("PROGRAM", path.to_str().unwrap()));
    }
    let set = |call: usize, way: &str| {
        fs::write(root.join("call"), call.to_string()).unwrap();
        fs::write(root.join("way"), way).unwrap();
        let _ = fs::remove_file(root.join("calls"));
        let _ = fs::remove_file(root.join("fault"));
    };
    let calls = || fs::read_to_string(root.join("calls")).unwrap_or_default().lines().count();
    set(0, "");
    let mut serve = gate.program("serve");
    serve.env("PATH", format!("{}:{}:{SYSTEM_PATH}", bin.display(), scanner().directory.display()));
    // Of a program that talks with another one, half is not enough for either: both wait until they are ended.
    serve.env("GIT_GATE_TIMEOUT", PATIENCE);
    gate.serve_as(serve);

    let work = gate.clone("work");
    gate.git(&work, &["checkout", "--quiet", "-b", "side"]).well();
    gate.commit(&work, "side.py", clean(), "side");
    gate.git(&work, &["checkout", "--quiet", "trunk"]).well();
    gate.commit(&work, "trunk.py", (case.commit)(), "trunk");
    gate.git(&work, &["tag", "-a", "-m", &(case.tag)(), "v1"]).well();
    gate.git(&work, &["merge", "--quiet", "--no-commit", "--no-ff", "side"]).well();
    gate.commit(&work, "merged.py", (case.merge)(), "merge");
    let before = gate.state();
    let head = gate.git(&work, &["rev-parse", "HEAD"]).well();
    let push = |gate: &Gate, work: &Path| gate.git(work, &["push", "--quiet", "origin", "trunk", "v1"]);

    // How often the push of each kind calls a program when nothing goes wrong; one that is refused for its secret, too.
    set(0, "");
    let said = push(&gate, &work).badly();
    assert!(said.contains("found secrets in this push"), "{said}");
    let number = calls();
    assert!(number > 6, "{number} calls");
    let mut arrived = Vec::new();
    for way in WAYS {
        for call in 1..=number {
            set(call, way);
            let said = push(&gate, &work);
            let fault = fs::read_to_string(root.join("fault")).unwrap_or_default();
            assert!(!fault.is_empty(), "call {call} of {number} was not made: {said:?}");
            if said.ok || gate.state() != before || gate.upstream_has(head.trim()) {
                arrived.push(format!("{} at call {call}: {way}\n{}", fault.trim(), said.text));
                break;
            }
            assert!(!gate.log().contains(&secret()));
        }
    }
    assert!(arrived.is_empty(), "{}", arrived.join("\n"));
    // The gate is open all the same for what has no secret.
    set(0, "");
    gate.git(&work, &["checkout", "--quiet", "-b", "clean", "side"]).well();
    gate.git(&work, &["push", "--quiet", "origin", "clean"]).well();
}

pub(super) fn no_secret_of_a_commit_arrives_whatever_fails() {
    push_with_faults(&Case { commit: line, tag: clean, merge: clean });
}

pub(super) fn no_secret_of_a_tag_arrives_whatever_fails() {
    push_with_faults(&Case { commit: clean, tag: line, merge: clean });
}

pub(super) fn no_secret_of_a_merge_arrives_whatever_fails() {
    push_with_faults(&Case { commit: clean, tag: clean, merge: line });
}

/// What an agent's push may take of the host.
pub(super) fn what_a_push_unpacks_to_is_bounded() {
    let gate = Gate::start();
    let work = gate.clone("work");
    let before = gate.state();
    // A merge with one line of 101 MiB, in a pack of some 100 kB.
    gate.git(&work, &["checkout", "--quiet", "-b", "side"]).well();
    gate.commit(&work, "side.py", clean(), "side");
    gate.git(&work, &["checkout", "--quiet", "trunk"]).well();
    gate.commit(&work, "trunk.py", clean(), "trunk");
    gate.git(&work, &["merge", "--quiet", "--no-commit", "--no-ff", "side"]).well();
    gate.commit(&work, "merged.txt", "x".repeat(101 << 20), "merge");
    let said = gate.git(&work, &["push", "--quiet", "origin", "trunk"]).badly();
    assert!(
        said.contains("git-gate: this push holds a file or message of 101 MiB, and 100 MiB are the most"),
        "{said}"
    );
    assert_eq!(gate.state(), before);

    // Many small ones, or one of them in many places: what is scanned counts.
    let mut gate = Gate::prepare(SPEC);
    let mut serve = gate.program("serve");
    serve.env("GIT_GATE_MAX_PUSH", (4 << 20).to_string());
    gate.serve_as(serve);
    let said = "git-gate: this push unpacks to more than 4 MiB, which are the most: push it in parts";
    let many = gate.clone("many");
    for number in 0..5 {
        let line = format!("{number} and so on\n");
        fs::write(many.join(format!("{number}.txt")), line.repeat((1 << 20) / line.len() + 1)).unwrap();
    }
    gate.commit(&many, "a.txt", "x\n", "many");
    let text = gate.git(&many, &["push", "--quiet", "origin", "trunk"]).badly();
    assert!(text.contains(said), "{text}");
    let copies = gate.clone("copies");
    for number in 0..50 {
        fs::write(copies.join(format!("{number}.txt")), "and so on\n".repeat(10_000)).unwrap();
    }
    gate.commit(&copies, "a.txt", "x\n", "copies");
    let text = gate.git(&copies, &["push", "--quiet", "origin", "trunk"]).badly();
    assert!(text.contains(said), "{text}");
    // Directories that hold the same ten, ten levels deep: ten thousand million paths in a dozen objects.
    let bomb = gate.clone("bomb");
    let mut entry = {
        let blob = gate.made(&bomb, &["hash-object", "-w", "--stdin"], b"x\n");
        format!("100644 blob {blob}")
    };
    for _ in 0..10 {
        let entries =
            (0..10).fold(String::new(), |entries, number| entries + &entry + &format!("\t{number}\n"));
        entry = format!("040000 tree {}", gate.made(&bomb, &["mktree"], entries.as_bytes()));
    }
    let tree = entry.rsplit(' ').next().unwrap().to_owned();
    let commit = gate.made(&bomb, &["commit-tree", "-m", "x", "-p", "HEAD", &tree], b"");
    let text = gate.git(&bomb, &["push", "--quiet", "origin", &format!("{commit}:refs/heads/bomb")]).badly();
    assert!(text.contains("git-gate: "), "{text}");
    assert_eq!(gate.state(), before_of(&gate));
}

/// The upstream's references on both sides.
fn before_of(gate: &Gate) -> (String, String) {
    let (upstream, _) = gate.state();
    (upstream.clone(), upstream)
}

/// Whatever a push starts has bounds of its own, what git unpacks before any hook runs among it.
pub(super) fn each_process_of_a_push_is_bounded() {
    let gate = Gate::start();
    let work = gate.clone("work");
    let before = gate.state();
    // A message of 3 GiB in a pack of 3 MB: git reads messages whole.
    let limits = gate.at("limits");
    let text = format!("#!/bin/sh\ncat /proc/self/limits >'{}'\nexit 1\n", limits.display());
    program(&gate.at("bin").join(name()), &text);
    gate.commit(&work, "a.py", clean(), "add");
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).badly();
    let limits = fs::read_to_string(limits).unwrap();
    for (what, bound) in [("Max data size", 1 << 30), ("Max file size", 1 << 30), ("Max cpu time", 60)] {
        let line = limits.lines().find(|line| line.starts_with(what)).unwrap();
        let bounds: Vec<&str> = line[what.len()..].split_whitespace().take(2).collect();
        assert_eq!(bounds, [bound.to_string(), bound.to_string()], "{line}");
    }
    let pack = huge_commit(3 << 30);
    let none = "0".repeat(40);
    let command = format!("{none} {} refs/heads/huge\0report-status\n", "1".repeat(40));
    let said = gate.send_with("git-receive-pack /api", &command, &pack);
    assert!(!said.contains("ok refs/heads/huge"), "{said}");
    assert_eq!(gate.state(), before);
    // The daemon goes on.
    gate.agent(&["ls-remote", &gate.url("api")]).well();
}

/// A pack with one commit of so many bytes, all of them zero. It is wrong in more than one way, and read before that is
/// seen.
fn huge_commit(size: u64) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
    let mut rest = size >> 4;
    pack.push(0x80 | 1 << 4 | u8::try_from(size & 15).unwrap());
    while rest > 0x7f {
        pack.push(0x80 | u8::try_from(rest & 0x7f).unwrap());
        rest >>= 7;
    }
    pack.push(u8::try_from(rest).unwrap());
    // As `zlib` makes it of one MiB, over and over, and the sum of that.
    let script = "import sys, zlib\nsize = int(sys.argv[1])\npack = zlib.compressobj(9, wbits=-15)\n\
                  mebibyte = pack.compress(bytes(1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)\n\
                  sum = (size % 65521 << 16 | 1).to_bytes(4, 'big')\n\
                  sys.stdout.buffer.write(b'\\x78\\x01' + mebibyte * (size >> 20) + b'\\x03\\x00' + sum)";
    let output =
        std::process::Command::new("python3").args(["-c", script, &size.to_string()]).output().unwrap();
    assert!(output.status.success());
    pack.extend(output.stdout);
    pack.extend([0; 20]);
    pack
}
