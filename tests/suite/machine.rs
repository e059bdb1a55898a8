//! The machine's own settings: flags of `create`, what is shown of them, and what they open.
#![cfg(unix)]

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;

use bottlec::backend::lower;
use bottlec::diff::{Direction, Plans, diff};
use bottlec::lower::plan_json::{HostPlan, PlanJson};
use bottlec::plan::Plan;
use bottlec::report::graph::Format;
use bottlec::report::{Style, plan, reach};
use bottlec::schema::ValueType;
use bottlec::syntax::Value;
use smolvm_network::{BoundPublishedPorts, PortMapping};

use crate::cli::packed;
use crate::support::binary::Dir;
use crate::support::pictures::draw_with;
use crate::support::{assert_snapshot, compile_file, compile_text, root, specs};

fn compiled(settings: &str) -> Plan {
    let text = format!("bottle \"demo\" {{\n    network octet=42\n    {settings}\n}}\n");
    let (_, compilation) = compile_text("demo.kdl", &text);
    assert!(!compilation.diagnostics.has_errors(), "{:?}", compilation.diagnostics);
    compilation.plans.into_iter().next().expect("a plan")
}

const ALL: &str = "resources cpus=2 memory=\"3GiB\" storage=\"40GiB\"; volume \"./data\" \"/work/data\"; \
                   volume \"/srv/out\" \"/out\" access=\"read-write\"; publish 3000 host=8080; publish 9229; gpu; \
                   accept \"gpu-shared\" reason=\"renders\"";

fn create(plan: &Plan) -> Vec<String> {
    let json = lower(plan);
    let create = HostPlan::read(json.plan()).expect("a plan").commands.create;
    create.iter().map(|word| word.value.clone()).collect()
}

/// Each is a flag of `create`, and of the Smolfile not one byte.
#[test]
fn every_setting_is_a_flag_and_none_is_in_the_smolfile() {
    let (plain, all) = (compiled(""), compiled(ALL));
    let smolfile = |plan: &Plan| lower(plan).files["smolfile.toml"].bytes.to_vec();
    assert_eq!(smolfile(&plain), smolfile(&all));
    let (before, after) = (create(&plain), create(&all));
    let added = after.strip_prefix(before.as_slice()).expect("flags are added at the end");
    let flags = [
        ["--cpus", "2"],
        ["--mem", "3072"],
        ["--storage", "40"],
        ["--volume", "/srv/out:/out"],
        ["--volume", "../../data:/work/data:ro"],
        ["--port", "8080:3000"],
        ["--port", "9229:9229"],
    ];
    let flags: Vec<&str> = flags.iter().flatten().copied().chain(["--gpu"]).collect();
    assert_eq!(added, flags);
    // A bottle that asks for nothing has no word of it in its plan.
    let json = |plan: &Plan| String::from_utf8(lower(plan).plan().to_vec()).expect("text");
    assert!(!json(&plain).contains("\"gpu\"") && json(&all).contains("\"gpu\": true"));
}

/// What a launcher copies into a machine is hidden by no volume, whatever a spec asks for.
#[test]
fn nothing_is_shown_where_a_launcher_copies_to() {
    let mut seen = 0;
    for path in specs(&root().join("examples")) {
        for plan in compile_file(&path).1.plans {
            for file in PlanJson::read(lower(&plan).plan()).expect("a plan").provision {
                for (at, _) in file.target.match_indices('/').skip(1).chain([(file.target.len(), "")]) {
                    seen += 1;
                    let place = &file.target[..at];
                    assert!(ValueType::MachinePlace.check(Value::String(place)).is_err(), "{place}");
                }
            }
        }
    }
    assert!(seen > 0, "no file is copied into any machine");
}

/// The engine's own code (1.33.0) for the ports that a plan publishes: 127.0.0.1 is listened on, and no other address.
/// Earlier engines are asked by `tests/engine/judge.py`.
#[test]
fn a_published_port_is_bound_on_loopback_alone() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let words = create(&compiled(&format!("publish 3000 host={free}")));
    let port = words.iter().position(|word| word == "--port").expect("it is published");
    let (host, guest) = words[port + 1].split_once(':').expect("two ports");
    let mapping = PortMapping::new(host.parse().unwrap(), guest.parse().unwrap());
    assert_eq!((mapping.host, mapping.guest), (free, 3000));
    let bound = BoundPublishedPorts::bind(&[mapping]).expect("it is free");
    TcpStream::connect((Ipv4Addr::LOCALHOST, free)).expect("something listens there");
    // A listener on every address would have this one as well.
    TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), free)).expect("nothing listens on another address");
    drop(bound);
    let _everywhere = TcpListener::bind((Ipv4Addr::UNSPECIFIED, free)).unwrap();
    TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), free)).expect_err("the control: every address is taken");
}

#[test]
fn plan_reach_and_graph_show_what_the_machine_has_of_its_host() {
    let plan = compiled(ALL);
    let style = Style { unicode: true, ..Style::default() };
    let narrow = Style { width: 80, ..style };
    let whole = plan::render(&plan, &lower(&plan), "stage", plan::Detail::Usual, &style);
    // What the rest of a plan looks like is held elsewhere.
    let part = |from: &str, to: &str| {
        let start = whole.find(from).expect("a section");
        whole[start..start + whole[start..].find(to).expect("the next one")].to_owned()
    };
    let overview = reach::report(std::slice::from_ref(&plan), &[], None);
    let target = "evil.example.com:443".parse().expect("a target");
    let answer = reach::report(std::slice::from_ref(&plan), &[target], None);
    assert_eq!(answer.answers[0].verdict, reach::Outcome::Refused);
    let mut text = part("The machine, of its host", "Who reaches what");
    text += &part("Who reaches what", "Secrets (");
    let overview = reach::render(&overview, &narrow);
    text += overview.split("How that is known").next().unwrap_or_default();
    text += &reach::render(&answer, &narrow);
    text += "\n";
    for format in [Format::Text, Format::Mermaid] {
        text += &draw_with(std::slice::from_ref(&plan), format, &narrow);
        text += "\n";
    }
    assert_snapshot("machine__shown", &text);
}

/// A change, and which way it goes; backwards it goes the other way.
#[test]
fn what_opens_more_of_the_host_is_wider_and_what_is_larger_is_not() {
    let (wider, neutral) = (Direction::Wider, Direction::Neutral);
    let plans = |settings: &str| -> Plans {
        let plan = compiled(settings);
        [(plan.slug.to_string(), PlanJson::read(lower(&plan).plan()).expect("a plan"))].into()
    };
    let gpu = "gpu; accept \"gpu-shared\" reason=\"x\"";
    let read = "volume \"./a\" \"/a\"";
    let write = "volume \"./a\" \"/a\" access=\"read-write\"";
    for (old, new, direction, text) in [
        ("", "resources cpus=2", neutral, "the machine's processors: 2 instead of the engine's default"),
        ("resources cpus=2", "resources cpus=1", neutral, "the machine's processors: 1 instead of 2"),
        (
            "",
            "resources memory=\"16GiB\"",
            neutral,
            "the machine's memory: 16GiB instead of the engine's default",
        ),
        (
            "resources storage=\"1GiB\"",
            "",
            neutral,
            "the machine's storage: the engine's default instead of 1GiB",
        ),
        ("", read, wider, "the agent is shown the host's `../../a` at `/a`, to read"),
        (read, write, wider, "the agent may write to the host's `../../a`"),
        ("", write, wider, "the agent is shown the host's `../../a` at `/a`, and may write to it"),
        (
            "",
            "publish 3000",
            wider,
            "port 3000 of the machine is published on port 3000 of the host's loopback",
        ),
        ("", gpu, wider, "the agent drives the host's graphics processor"),
    ] {
        let there = diff(&plans(old), &plans(new));
        let found = there.iter().find(|change| change.text == text);
        assert_eq!(found.map(|change| change.direction), Some(direction), "{old} to {new}: {there:?}");
        let back = diff(&plans(new), &plans(old));
        assert!(
            back.iter().any(|change| change.direction == direction.reversed()),
            "{new} to {old}: {back:?}"
        );
        assert!(diff(&plans(new), &plans(new)).is_empty());
    }
    // Another directory, or another port of the host, is wider both ways: who trusts it is another one.
    for (old, new) in [(read, "volume \"./b\" \"/a\""), ("publish 3000", "publish 3000 host=8080")] {
        for (old, new) in [(old, new), (new, old)] {
            let changes = diff(&plans(old), &plans(new));
            assert!(changes.iter().any(|change| change.direction == wider), "{old} to {new}: {changes:?}");
        }
    }
}

#[test]
fn settings_of_profiles_are_laid_under_those_of_a_bottle() {
    let (_, compilation) = compile_file(&root().join("tests/cases/build/machine/main.kdl"));
    let plain = compilation.plans.iter().find(|plan| *plan.slug == *"plain").expect("a bottle");
    let machine = &plain.machine;
    assert_eq!((*machine.cpus, machine.memory_mib.value.map(|size| size.0)), (Some(8), Some(1536)));
    let places: Vec<_> = machine.volumes.iter().map(|volume| (&*volume.target, *volume.writable)).collect();
    assert_eq!(places, [("/work/data", true), ("/work/team", false)]);
    let ports: Vec<_> = machine.published.iter().map(|port| (port.guest, *port.host)).collect();
    assert_eq!(ports, [(3000, 8080), (9229, 9229)]);
}

#[test]
fn preflight_sees_what_an_agent_could_write_to() {
    let spec = |accept: &str| {
        format!(
            "bottle \"api\" {{ engine \"smolvm\" version=\"1.33.0\"; {accept}\n    volume \"./data\" \"/a\"\n    \
             volume \"./out\" \"/b\" access=\"read-write\"\n}}\n"
        )
    };
    let dir = Dir::with(spec(""));
    dir.write("data/app/.git/HEAD", "");
    let run = || dir.run(["preflight", "x.kdl"]);
    run()
        .code(1)
        .says("`./out`, which `api` is to see at `/b`, is no directory on this host")
        .says("mkdir -p ./out");
    fs::create_dir(dir.at("out")).unwrap();
    // A repository in what is only read is nothing to say.
    run().never_says("is not for").never_says("no directory");
    dir.write("out/app/.git/HEAD", "");
    run()
        .code(1)
        .says("`./out` is not for the agent of `api`: it may be written to, and has `./out/app/.git` in it");
    fs::remove_dir_all(dir.at("out/app")).unwrap();
    // A work tree is one by a directory, and by a file, as those of `git worktree` are.
    for mark in [".git/HEAD", ".git"] {
        let file = dir.write(mark, "gitdir: elsewhere\n");
        run().code(1).says("it may be written to, and lies in the repository of").says("a `repo` of `git`");
        dir.write("x.kdl", spec("accept \"host-path-exposed\" reason=\"a scratch checkout\""));
        run().never_says("is not for");
        dir.write("x.kdl", spec(""));
        fs::remove_file(file).unwrap();
        let _ = fs::remove_dir_all(dir.at(".git"));
    }
    run().never_says("is not for");
    // A name says nothing when it is a link's.
    fs::remove_dir(dir.at("out")).unwrap();
    symlink(".", dir.at("out")).unwrap();
    fs::remove_dir_all(dir.at("data")).unwrap();
    fs::create_dir(dir.at("data")).unwrap();
    run().code(1).says("it may be written to, and the spec `x.kdl` lies in it");
    fs::remove_file(dir.at("out")).unwrap();
    symlink("/etc", dir.at("out")).unwrap();
    run().code(1).says("`./out` is not for the agent of `api`: it leads to what is not handed over");
}

#[test]
fn preflight_sees_a_port_that_something_listens_on() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let dir = Dir::with(format!("bottle \"api\" {{ publish 3000 host={port}; }}\n"));
    let says = format!("`api` publishes on port {port} of the host's loopback, where something else listens");
    dir.run(["preflight", "x.kdl"]).says(&says);
    drop(listener);
    dir.run(["preflight", "x.kdl"]).never_says("publishes on port");
}

/// Of a graphics processor a packed machine's own word counts, whatever flag is given.
#[test]
fn preflight_compares_a_packed_machines_graphics_processor_with_the_spec() {
    let spec = |gpu: &str| format!("bottle \"api\" {{ artifact \"./a.smolmachine\"; {gpu} }}\n");
    let asked = "gpu; accept \"gpu-shared\" reason=\"renders\";";
    let dir = Dir::with("");
    for (manifest, gpu, says) in [
        (r#"{"gpu": true}"#, "", Some("has the host's graphics processor, of which the spec says nothing")),
        (r#"{"gpu": true}"#, asked, None),
        ("{}", asked, Some("has no graphics processor, and smolvm gives it none")),
        (r#"{"gpu": null}"#, asked, Some("has no graphics processor, and smolvm gives it none")),
        ("{}", "", None),
        (r#"{"gpu": false}"#, "", None),
    ] {
        dir.write("x.kdl", spec(gpu));
        fs::write(dir.at("a.smolmachine"), packed(manifest)).unwrap();
        let run = dir.run(["preflight", "x.kdl"]);
        match says {
            Some(says) => drop(run.code(1).says(says)),
            None => drop(run.never_says("the packed machine")),
        }
    }
}
