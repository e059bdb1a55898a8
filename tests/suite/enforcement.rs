//! The lists that we emit, asked of the engine's own enforcement code: a machine lets through what `reach` says that the
//! agent dials by itself, and nothing else.
//!
//! That code runs outside of the machine, behind its network card, and needs no virtualisation. What it answers here is by
//! address, port and protocol. **Not judged here**, since it is decided past the list: names, and whatever is sent to port
//! 53, which go to the resolver of `--dns`; a service of the host's loopback, by `SMOLVM_GUEST_HOST_SERVICE`; named
//! networks. Of these, `docs/engine.md` has what was read and run.
#![allow(clippy::format_push_string, reason = "specs are put together from few parts")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::{env, fmt, slice};

use bottlec::backend::lower;
use bottlec::lower::plan_json::HostPlan;
use bottlec::plan::Plan;
use bottlec::reach::DNS_PORT;
use bottlec::report::reach::{self, Outcome};
use bottlec::world::builtin;
use bottlec::world::engine::{Capability, Ledger};
use bottlec::world::host::{Target, TargetHost};
use proptest::prelude::*;
use smolvm_network::{EgressPolicy, icmp_relay, udp_relay};
use smolvm_protocol::FlowTransport;

use crate::support::{compile_file, compile_text, root, specs};

const PROTOCOLS: [FlowTransport; 3] = [FlowTransport::Tcp, FlowTransport::Udp, FlowTransport::Icmp];

/// What the enforcement code does with a flow of a machine that has this list; it takes an empty list for none.
fn lets_through(list: &[String], protocol: FlowTransport, to: SocketAddr) -> bool {
    let policy = EgressPolicy::new((!list.is_empty()).then_some(list), None);
    match protocol {
        FlowTransport::Tcp => policy.allows_flow(protocol, to.ip(), Some(to.port())),
        FlowTransport::Udp => udp_relay::should_relay_udp(to, &policy),
        FlowTransport::Icmp => icmp_relay::should_relay_icmp(to.ip(), &policy),
    }
}

/// Every list of a plan's stage, read back as the engine reads it, and where it stands.
fn emitted(plan: &Plan) -> Vec<(&'static str, Vec<String>)> {
    let stage = lower(plan);
    let smolfile = std::str::from_utf8(&stage.files["smolfile.toml"].bytes).expect("text");
    let network = smolfile::parse(smolfile).expect("the engine's parser takes it").network.expect("a policy");
    let mut all = vec![("the Smolfile", network.allow_cidrs)];
    let create = HostPlan::read(stage.plan()).expect("a plan").commands.create;
    let flags = create.windows(2).filter(|pair| *pair[0] == "--allow-cidr");
    let flags: Vec<String> = flags.map(|pair| pair[1].to_string()).collect();
    assert_eq!(
        flags.is_empty(),
        create.iter().any(|word| **word == "--smolfile"),
        "one is in force: {create:?}"
    );
    if !flags.is_empty() {
        all.push(("the vector", flags));
    }
    all
}

/// A target, as somebody writes it.
#[derive(Clone)]
struct Asked {
    /// What `reach` is asked for.
    text: String,
    /// What a guest's kernel makes packets for: an address of version 4 stays one, however it is written.
    to: SocketAddr,
    /// What packets could hold that somebody makes himself.
    raw: SocketAddr,
}

/// How an address is written.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    /// `192.168.42.2`
    Plain,
    /// `::ffff:192.168.42.2`
    Mapped,
    /// `0:0:0:0:0:FFFF:C0A8:2A02`
    Whole,
}

impl Asked {
    fn new(address: IpAddr, port: u16, spelling: Spelling) -> Self {
        let mapped = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let text = match spelling {
            Spelling::Plain => address.to_string(),
            Spelling::Mapped => mapped.to_string(),
            Spelling::Whole => mapped.segments().map(|group| format!("{group:X}")).join(":"),
        };
        Self {
            text: if text.contains(':') { format!("[{text}]:{port}") } else { format!("{text}:{port}") },
            to: SocketAddr::new(address.to_canonical(), port),
            raw: SocketAddr::new(text.parse().expect("an address"), port),
        }
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether `reach` says that the agent dials a target by itself.
fn dials(plan: &Plan, target: &str) -> bool {
    let targets = [target.parse().expect("a target")];
    let report = reach::report(slice::from_ref(plan), &targets, None);
    let [answer] = report.answers.as_slice() else { panic!("one bottle, one answer") };
    answer.verdict == Outcome::Allowed && answer.path == [builtin::AGENT, &targets[0].to_string()]
}

/// Where the enforcement code and `reach` differ about a machine with this list.
fn differences(plan: &Plan, list: &[String], targets: &[Asked]) -> Vec<String> {
    let mut found = Vec::new();
    for asked in targets {
        let dials = dials(plan, &asked.text);
        for protocol in PROTOCOLS {
            let through = lets_through(list, protocol, asked.to);
            if through != dials || (lets_through(list, protocol, asked.raw) && !dials) {
                found.push(format!("{protocol:?} to {asked:?}: reach says {dials}, the engine {through}"));
            }
        }
    }
    found
}

/// Targets near the bundle, and such as an engine or a client may take for something else.
fn corners(bundle: Ipv4Addr) -> Vec<Asked> {
    let near = (0..32).map(|bit| Ipv4Addr::from(u32::from(bundle) ^ (1 << bit)));
    let [a, b, c, d] = bundle.octets();
    let pairs = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    let mut all: Vec<IpAddr> = near.chain([bundle]).map(IpAddr::from).collect();
    all.extend(
        [
            // The engine's gateway, which leads to the host's loopback, and the machine itself.
            "100.96.0.1",
            "100.96.0.2",
            "fd53:4d00::1",
            "fd53:4d00::2",
            "127.0.0.1",
            "127.1.2.3",
            "::1",
            "0.0.0.0",
            "::",
            "255.255.255.255",
            // The cloud's metadata, and what a resolver could be.
            "169.254.169.254",
            "fd00:ec2::254",
            "fe80::1",
            "1.1.1.1",
            "8.8.8.8",
            "2606:4700::1111",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "192.168.17.2",
            "224.0.0.1",
            "ff02::1",
            "93.184.215.14",
        ]
        .map(|address| address.parse::<IpAddr>().expect("an address")),
    );
    // The bundle, as something in between would write it.
    all.extend(
        [
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, pairs[0], pairs[1]),
            Ipv6Addr::new(0x2002, pairs[0], pairs[1], 0, 0, 0, 0, 1),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, pairs[0], pairs[1]),
        ]
        .map(IpAddr::from),
    );
    let spellings = [Spelling::Plain, Spelling::Mapped, Spelling::Whole];
    all.iter()
        .flat_map(|address| spellings.map(|spelling| (address, spelling)))
        .flat_map(|(address, spelling)| {
            [1, 22, 443, 8888, 65535].map(|port| Asked::new(*address, port, spelling))
        })
        .collect()
}

/// Whether that code stands for the engine that a plan is compiled for: it has a list, and enforces it.
fn is_judged(plan: &Plan) -> bool {
    plan.cluster.is_none()
        && Ledger::smolvm().has(Capability::EnforcesCidrPolicy, *plan.engine.version)
        && !plan.gaps().iter().any(|gap| gap.is_total())
}

#[test]
fn every_list_of_the_project_lets_through_what_reach_says() {
    let mut judged = [0, 0];
    for directory in ["examples", "tests/cases/ok", "tests/cases/build", "tests/cases/reach"] {
        for path in specs(&root().join(directory)) {
            for plan in compile_file(&path).1.plans.iter().filter(|plan| is_judged(plan)) {
                let targets = corners(plan.addresses.bundle());
                for (at, (place, list)) in emitted(plan).into_iter().enumerate() {
                    judged[at] += 1;
                    let differences = differences(plan, &list, &targets);
                    assert!(differences.is_empty(), "{}, {place}: {differences:#?}", path.display());
                }
            }
        }
    }
    // Both kinds of lists were there.
    assert!(judged[0] > 10 && judged[1] > 2, "{judged:?}");
}

/// A C library takes each of these for the bundle's address, so a client dials it: `reach` reads them as it does.
#[test]
fn what_a_c_library_takes_for_an_address_is_that_address() {
    for text in ["3232246274", "0xc0a82a02", "192.168.10754", "192.168.052.2", "0300.0250.052.02"] {
        let target: Target = text.parse().expect(text);
        assert_eq!(target.host, TargetHost::Address([192, 168, 42, 2].into()), "{text}");
    }
}

/// The control: what is wider than the bundle is seen, and so is what is narrower.
#[test]
fn another_list_is_seen_as_another_one() {
    let (_, compilation) = compile_text("a.kdl", "bottle \"a\" { network octet=42; }\n");
    let plan = &compilation.plans[0];
    let targets = corners(plan.addresses.bundle());
    let lists: [&[&str]; 10] = [
        &[],
        &["192.168.42.2/31"],
        &["192.168.42.0/24"],
        &["192.168.0.0/16"],
        &["0.0.0.0/0"],
        &["192.168.42.2/32", "1.1.1.1/32"],
        &["192.168.42.2/32", "::1/128"],
        &["192.168.42.2/32", "::ffff:0:0/96"],
        &["192.168.42.3/32"],
        &["not a list"],
    ];
    for list in lists {
        let list: Vec<String> = list.iter().map(|entry| (*entry).to_owned()).collect();
        assert!(!differences(plan, &list, &targets).is_empty(), "{list:?}");
    }
    assert!(differences(plan, &[String::from("192.168.42.2/32")], &targets).is_empty());
}

/// What may be on the lists of a spec, for the proxy: no machine dials it by itself.
const HOSTS: [&str; 7] =
    ["a.test", "*.a.test", "1.1.1.1", "10.1.2.3", "100.96.0.1", "fd00::1", "192.168.42.3"];

/// A spec with something of everything that a list could be made wider by, or `reach` led astray.
fn spec() -> impl Strategy<Value = String> {
    let versions =
        prop::sample::select(vec!["1.1.3", "1.2.5", "1.4.0", "1.8.0", "1.9.3", "1.27.2", "1.33.0"]);
    let boots = prop::sample::select(vec!["", "artifact \"./a.smolmachine\"", "rootfs \"./rootfs\"", IMAGE]);
    let hosts = prop::sample::subsequence(HOSTS.to_vec(), 0..=HOSTS.len());
    let sidecars = prop::sample::subsequence(vec![53, 5432, 8080], 0..=3);
    (versions, boots, 1_u8..=254, hosts, sidecars).prop_map(|(version, boot, octet, hosts, sidecars)| {
        let octet = if octet == 17 { 18 } else { octet };
        let mut text = format!(
            "bottle \"a\" {{\n    engine \"smolvm\" version=\"{version}\"\n    {boot}\n    network octet={octet}\n"
        );
        for rule in bottlec::rule::acceptable() {
            text += &format!("    accept \"{rule}\" reason=\"a test\"\n");
        }
        for port in sidecars {
            text += &format!("    sidecar \"s{port}\" image=\"{SIDECAR}\" {{ port {port}; }}\n");
        }
        text += "    egress {\n";
        for host in hosts {
            text += &format!("        allow \"{host}\"\n");
            match host {
                "1.1.1.1" => {}
                // A name stands before the addresses that it may have.
                "a.test" | "*.a.test" => text += &format!("        private \"{host}\" \"10.9.0.0/16\"\n"),
                address => text += &format!("        private \"{address}\"\n"),
            }
        }
        text + "    }\n}\n"
    })
}

const IMAGE: &str =
    "image \"ghcr.io/acme/agent:2@sha256:0000000000000000000000000000000000000000000000000000000000000000\"";
const SIDECAR: &str =
    "ghcr.io/acme/db:2@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Any address, with the bundle of any bottle among them, written in any way.
fn asked() -> impl Strategy<Value = Asked> {
    let address = prop_oneof![
        any::<Ipv4Addr>().prop_map(IpAddr::from),
        (any::<u8>(), 0_u8..4).prop_map(|(octet, last)| IpAddr::from([192, 168, octet, last])),
        any::<Ipv6Addr>().prop_map(IpAddr::from),
        prop::sample::select(vec![
            "10.1.2.3",
            "192.0.2.7",
            "1.1.1.1",
            "100.96.0.1",
            "fd00::1",
            "192.168.42.3"
        ])
        .prop_map(|address| address.parse().expect("an address")),
    ];
    let port = prop_oneof![1_u16.., prop::sample::select(vec![22, 80, 443, 5432, 8888])];
    let spelling = prop::sample::select(vec![Spelling::Plain, Spelling::Mapped, Spelling::Whole]);
    (address, port.prop_filter("not judged here", |port| *port != DNS_PORT), spelling)
        .prop_map(|(address, port, spelling)| Asked::new(address, port, spelling))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_list_lets_through_what_reach_says(spec in spec(), asked in prop::collection::vec(asked(), 32)) {
        let (_, compilation) = compile_text("a.kdl", &spec);
        prop_assert!(!compilation.plans.is_empty(), "{:?}\n{}", compilation.diagnostics, spec);
        for plan in compilation.plans.iter().filter(|plan| is_judged(plan)) {
            // All corners are asked for of the specs of the project.
            let corners = corners(plan.addresses.bundle());
            let mut targets: Vec<Asked> = corners.into_iter().step_by(7).collect();
            targets.extend(asked.iter().cloned());
            for (place, list) in emitted(plan) {
                let differences = differences(plan, &list, &targets);
                prop_assert!(differences.is_empty(), "{}: {:#?}\n{}", place, differences, spec);
            }
        }
    }
}

/// What tells the child what is expected of it.
const EXPECTED: &str = "BOTTLEC_BUNDLE_REACHED";

/// The code reads the environment of its process, so each environment is a process: this test, once more.
#[test]
fn the_bundle_is_refused_in_no_environment_but_those_of_the_ledger() {
    let (_, compilation) = compile_text("a.kdl", "bottle \"a\" { network octet=42; }\n");
    let plan = &compilation.plans[0];
    let bundle = plan.addresses.bundle();
    if let Ok(expected) = env::var(EXPECTED) {
        let [(_, list)] = emitted(plan).try_into().expect("the Smolfile's");
        let itself = |asked: &Asked| asked.to.ip() == IpAddr::from(bundle);
        let all = corners(bundle);
        // The bundle in every spelling and on every port, and some of what is not it.
        for asked in all.iter().filter(|it| itself(it)).chain(all.iter().step_by(11)) {
            for protocol in PROTOCOLS {
                let through = lets_through(&list, protocol, asked.to);
                let reached = expected == "yes" && dials(plan, &asked.text);
                assert_eq!(through, reached, "{protocol:?} to {asked:?}");
            }
        }
        return;
    }
    let publish = ("SMOLVM_PUBLISH_ADDR", "10.0.0.1");
    let private = ("SMOLVM_EGRESS_ALLOW_PRIVATE", "1");
    let floor = |value| ("SMOLVM_EGRESS_FLOOR", value);
    let environments: &[(&[(&str, &str)], bool)] = &[
        (&[], true),
        (&[publish], false),
        (&[("SMOLVM_PUBLISH_ADDR", "")], false),
        (&[publish, private], true),
        (&[publish, ("SMOLVM_EGRESS_ALLOW_PRIVATE", "True")], true),
        (&[publish, ("SMOLVM_EGRESS_ALLOW_PRIVATE", "yes")], false),
        (&[private], true),
        (&[floor("strict")], false),
        (&[floor(" STRICT ")], false),
        (&[floor("strict"), private], false),
        (&[floor("strict"), publish, private], false),
        (&[floor("metadata"), publish], true),
        (&[floor("off"), publish], true),
        (&[floor("none"), publish], true),
        (&[floor("Off")], true),
        (&[floor("")], true),
        (&[floor("on")], true),
        (&[floor("on"), publish], false),
        (&[floor("on"), publish, private], true),
        (&[("SMOLVM_ALLOW_HOST_LOOPBACK", "1")], true),
    ];
    let unset: Vec<&str> = Ledger::smolvm()
        .rows(*plan.engine.version)
        .filter_map(|row| row.unset.as_ref())
        .map(|variable| variable.name.as_str())
        .collect();
    let child = |environment: &[(&str, &str)], reached: bool| {
        let name = "enforcement::the_bundle_is_refused_in_no_environment_but_those_of_the_ledger";
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args(["--exact", name]).env(EXPECTED, if reached { "yes" } else { "no" });
        for name in ["PUBLISH_ADDR", "EGRESS_FLOOR", "EGRESS_ALLOW_PRIVATE", "ALLOW_HOST_LOOPBACK"] {
            command.env_remove(format!("SMOLVM_{name}"));
        }
        let output = command.envs(environment.iter().copied()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{environment:?}: {said}");
    };
    for (environment, reached) in environments {
        child(environment, *reached);
        // The plan's commands are run without what refuses it.
        let left: Vec<_> = environment.iter().filter(|(name, _)| !unset.contains(name)).copied().collect();
        if !reached {
            child(&left, true);
        }
    }
}
