//! Bottles of a cluster: names, addresses, what `verify` says of a stage that somebody changed, what is told instead of a
//! launch. What the objects mean is judged by tests/kubernetes.

#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "specs are put together from few parts"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use bottlec::backend::lower;
use bottlec::lower::plan_json::{Made, PlanJson, Steps};
use bottlec::lower::{Stage, sums};
use bottlec::plan::Plan;
use bottlec::stage::{self, Difference, State};
use proptest::prelude::*;

use crate::support::binary::{BOTTLEC, Dir};
use crate::support::nasty::{kdl, nasty};
use crate::support::{compile_file, compile_text, root};

/// What every spec here has.
const HEAD: &str = "backend \"kubernetes\" runtime-class=\"kata\" run-as=1000\n    image \
    \"registry.example.com/agent@sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n";

fn plans(text: &str) -> Vec<Plan> {
    let (_, compilation) = compile_text("x.kdl", text);
    let messages: Vec<_> = compilation.diagnostics.as_slice().iter().map(|it| it.message.clone()).collect();
    assert!(!compilation.plans.is_empty(), "{messages:?}");
    compilation.plans
}

fn whole() -> Plan {
    compile_file(&root().join("tests/cases/build/kubernetes/main.kdl")).1.plans.remove(0)
}

/// Whether a text is a label, as RFC 1123 has it and Kubernetes wants it.
fn is_label(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The names of a stage's objects, of their parts, and of what is made by hand.
fn names(plan: &Plan) -> (String, Vec<String>, Vec<String>) {
    let stage = lower(plan);
    let mut inner = Vec::new();
    for (path, file) in
        stage.files.iter().filter(|(path, _)| path.strip_suffix(".yaml").is_some() && !path.contains('/'))
    {
        let text = std::str::from_utf8(&file.bytes).expect("text");
        // A variable's name is no object's.
        let in_env =
            |at: usize| text.lines().nth(at + 1).is_some_and(|next| next.trim_start().starts_with("value"));
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_start().trim_start_matches("- ");
            let keys = ["name: '", "secretName: '"];
            if let Some(name) = keys.iter().find_map(|key| line.strip_prefix(key)?.strip_suffix('\''))
                && !in_env(at)
                && path != "kustomization.yaml"
            {
                inner.push(name.to_owned());
            }
        }
    }
    let Made::Cluster(made) = PlanJson::read(stage.plan()).expect("a plan").resources else {
        panic!("no cluster")
    };
    let inputs = made.inputs.iter().map(|input| input.name.clone()).collect();
    (made.namespace.to_string(), inner, inputs)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_name_is_a_label_and_no_two_inputs_have_one(
        slug in "[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,15}){0,2}[a-z0-9]{0,3}",
        sidecar in "[a-z][a-z0-9]{0,38}[a-z]",
        variables in prop::collection::btree_set("[A-Za-z_][A-Za-z0-9_]{0,80}", 1..12),
        repos in prop::collection::btree_set("[A-Za-z0-9][A-Za-z0-9._-]{0,30}[a-z]", 1..4),
        secrets in prop::collection::btree_set("[a-z][a-z0-9]{0,30}", 0..4),
    ) {
        let mut text = format!("bottle \"{slug}\" {{\n    {HEAD}");
        let list = |variables: &BTreeSet<String>| -> String {
            variables.iter().map(|name| format!("{} from-env=\"FROM\"; ", kdl(name))).collect()
        };
        text += &format!("    env {{ {} }}\n    git {{\n", list(&variables));
        for repo in &repos {
            text += &format!(
                "        repo {} {{ url \"ssh://git@git.example.com/acme/{repo}.git\"; identity \"~/.ssh/{repo}\"; host-key \
                 \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"; }}\n",
                kdl(repo)
            );
        }
        text += "    }\n    git-gate image=\"registry.example.com/g@sha256:\
                 0000000000000000000000000000000000000000000000000000000000000000\"\n";
        text += &format!(
            "    sidecar \"{sidecar}\" image=\"registry.example.com/s@sha256:\
             0000000000000000000000000000000000000000000000000000000000000000\" {{\n        run-as \"1000\"\n        env {{ {} }}\n",
            list(&variables)
        );
        for secret in &secrets {
            text += &format!("        secret \"{secret}\" from-file=\"~/{secret}\"\n");
        }
        text += "    }\n}\n";
        let (_, compilation) = compile_text("x.kdl", &text);
        // A name that is the compiler's own, or a word that a sidecar may not have.
        prop_assume!(!compilation.plans.is_empty());
        let (namespace, inner, inputs) = names(&compilation.plans[0]);
        prop_assert!(is_label(&namespace), "{namespace}");
        for name in inner.iter().chain(&inputs) {
            prop_assert!(name == "git-gate.mirrors" || name.starts_with("ndots") || is_label(name), "{name}");
        }
        let once: BTreeSet<&String> = inputs.iter().collect();
        prop_assert_eq!(once.len(), inputs.len(), "{:?}", inputs);
        prop_assert_eq!(inputs.len(), 2 * variables.len() + repos.len() + secrets.len());
    }

    #[test]
    fn a_bundle_has_an_address_that_clusters_leave_free(
        slug in "[a-z][a-z0-9]{0,20}",
        (second, length) in (0_u8..=255, 12_u8..=20),
    ) {
        let range = ipnet::Ipv4Net::new([10, second, 0, 0].into(), length).expect("a range").trunc();
        let text = format!("bottle \"{slug}\" {{\n    {HEAD}}}\n").replace("run-as", &format!("service-cidr=\"{range}\" run-as"));
        let plan = &plans(&text)[0];
        let bundle = plan.addresses.bundle();
        prop_assert!(range.contains(&bundle));
        let at = bundle.to_bits() - range.network().to_bits();
        // The band is the lowest 256; the first is the API server's, the tenth the name server's.
        prop_assert!((2..=254).contains(&at) && at != 10, "{bundle} in {range}");
    }

    #[test]
    fn no_text_of_a_spec_becomes_syntax(value in nasty(), word in nasty()) {
        let text = format!(
            "bottle \"a\" {{\n    {HEAD}    env {{ A {}; }}\n    sidecar \"s\" image=\"registry.example.com/s@sha256:\
             0000000000000000000000000000000000000000000000000000000000000000\" {{ run-as \"1000\"; command {}; env {{ B {}; }}; }}\n}}\n",
            kdl(&value), kdl(&word), kdl(&value)
        );
        let (_, compilation) = compile_text("x.kdl", &text);
        for plan in &compilation.plans {
            let stage = lower(plan);
            let dir = tempfile::tempdir().expect("a directory");
            stage::write(dir.path(), [&stage], false).expect("it is written");
            // Each line is one that is written, of a text as of any other.
            prop_assert_eq!(stage::verify(&dir.path().join("a")).expect("it is read"), State::Intact);
            let yaml = std::str::from_utf8(&stage.files["agent.yaml"].bytes).expect("text");
            let read: yaml_serde::Value = yaml_serde::from_str(yaml).expect("YAML");
            let env = read["spec"]["template"]["spec"]["containers"][0]["env"].as_sequence().expect("a list");
            let a = env.iter().find(|it| it["name"] == "A").expect("a variable");
            prop_assert_eq!(a["value"].as_str().map(|text| text.replace("$$", "$")), Some(value.clone()));
        }
    }
}

/// What somebody does to a file.
type Change = Box<dyn Fn(&str) -> String>;

/// A stage whose one file was changed, with digests that say so.
fn changed(stage: &Stage, path: &str, change: impl Fn(&str) -> String) -> Stage {
    let mut stage = stage.clone();
    let file = stage.files.get_mut(path).expect("a file");
    let text = change(std::str::from_utf8(&file.bytes).expect("text"));
    file.bytes = text.into();
    stage.files.remove(sums::PATH);
    let digests: String = sums::lines(&stage.files).map(|line| line + "\n").collect();
    let artifact = bottlec::lower::Artifact { bytes: digests.into(), mode: bottlec::lower::Mode::Shared };
    stage.files.insert(sums::PATH.to_owned(), artifact);
    stage
}

/// Sets the mode of a stage's directories.
fn directories(at: &std::path::Path) {
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).expect("a mode");
    for entry in fs::read_dir(at).expect("a directory").flatten() {
        if entry.path().is_dir() {
            directories(&entry.path());
        }
    }
}

/// What `verify` says of a stage on disk.
fn verified(stage: &Stage) -> State {
    let dir = tempfile::tempdir().expect("a directory");
    let place = dir.path().join(&stage.slug);
    for (path, file) in &stage.files {
        let path = place.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, &*file.bytes).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode.bits())).expect("a mode");
    }
    directories(&place);
    stage::verify(&place).expect("it is read")
}

fn is_told(state: &State, path: &str) -> bool {
    let State::Edited(differences) = state else { return false };
    differences.iter().any(|it| matches!(it, Difference::Confinement { path: of, .. } if *of == path))
}

#[test]
fn a_stage_that_confines_less_is_told_whatever_its_digests_are() {
    let stage = lower(&whole());
    assert_eq!(verified(&stage), State::Intact);
    let add = |line: &'static str, behind: &'static str| {
        move |text: &str| text.replacen(behind, &format!("{behind}\n{line}"), 1)
    };
    let swap = |from: &'static str, to: &'static str| move |text: &str| text.replacen(from, to, 1);
    let changes: Vec<(&str, Change)> = vec![
        ("policy-agent.yaml", Box::new(swap("port: 8888", "port: 22"))),
        ("policy-agent.yaml", Box::new(swap("  - 'Egress'\n", ""))),
        ("policy-bundle.yaml", Box::new(swap("        - '169.254.0.0/16'\n", ""))),
        ("policy-bundle.yaml", Box::new(swap("'10.20.0.0/16'", "'10.0.0.0/8'"))),
        (
            "policy-default.yaml",
            Box::new(swap("podSelector: {}", "podSelector:\n    matchLabels:\n      a: 'b'")),
        ),
        ("namespace.yaml", Box::new(swap("enforce: 'restricted'", "enforce: 'privileged'"))),
        ("service.yaml", Box::new(swap("'bundle'\n  ports", "'agent'\n  ports"))),
        ("service.yaml", Box::new(swap("clusterIP: '172.20.0.", "clusterIP: '172.20.9."))),
        ("agent.yaml", Box::new(add("      hostNetwork: true", "    spec:"))),
        ("agent.yaml", Box::new(add("      serviceAccountName: 'admin'", "    spec:"))),
        (
            "agent.yaml",
            Box::new(swap("automountServiceAccountToken: false", "automountServiceAccountToken: true")),
        ),
        ("agent.yaml", Box::new(swap("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"))),
        ("agent.yaml", Box::new(swap("runtimeClassName: 'kata'", "runtimeClassName: 'runc'"))),
        ("agent.yaml", Box::new(swap("      runtimeClassName: 'kata'\n", ""))),
        ("agent.yaml", Box::new(swap("dnsPolicy: 'None'", "dnsPolicy: 'Default'"))),
        ("agent.yaml", Box::new(swap("        - '172.20.0.", "        - '8.8.8."))),
        (
            "agent.yaml",
            Box::new(swap(
                "      securityContext:\n        fsGroup",
                "        - '8.8.8.8'\n      securityContext:\n        fsGroup",
            )),
        ),
        ("agent.yaml", Box::new(swap("component: 'agent'", "component: 'bundle'"))),
        ("agent.yaml", Box::new(swap("            drop:", "            add:"))),
        (
            "agent.yaml",
            Box::new(swap(
                "        emptyDir:\n          sizeLimit: '30Gi'",
                "        hostPath:\n          path: '/'",
            )),
        ),
        ("agent.yaml", Box::new(swap("    spec:\n", "    spec: {hostNetwork: true, \"x\":\n"))),
        ("agent.yaml", Box::new(swap("name: 'agent'", "name: &a 'agent'"))),
        ("bundle.yaml", Box::new(add("          privileged: true", "        securityContext:"))),
        ("bundle.yaml", Box::new(add("      hostPID: true", "    spec:"))),
        ("kustomization.yaml", Box::new(|text: &str| format!("{text}patches:\n- path: 'x.yaml'\n"))),
        ("kustomization.yaml", Box::new(swap("- 'policy-agent.yaml'\n", ""))),
        ("kustomization.yaml", Box::new(swap("- 'agent.yaml'", "- 'https://example.com/agent.yaml'"))),
        ("kustomization.yaml", Box::new(swap("- 'agent.yaml'", "- '../other/agent.yaml'"))),
        ("kustomization.yaml", Box::new(swap("=agent/", "=/etc/"))),
    ];
    for (path, change) in changes {
        let broken = changed(&stage, path, &change);
        assert_ne!(broken.files[path].bytes, stage.files[path].bytes, "{path}: nothing was changed");
        let found = verified(&broken);
        assert!(
            is_told(&found, path),
            "{path}: {found:?}\n{}",
            String::from_utf8_lossy(&broken.files[path].bytes)
        );
    }
}

#[test]
fn what_a_cluster_runs_is_told_to_be_run_and_nothing_is_started() {
    let dir = Dir::with(format!(
        "bottle \"api\" {{\n    {HEAD}    egress {{ allow \"api.example.com\"; }}\n    network octet=42\n}}\n"
    ));
    let shown = dir.run(["plan", "x.kdl"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    // Whatever is wrapped in the page.
    let flat = |text: &str| text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let page = flat(&shown.out);
    for (command, code) in [
        (&["down", "x.kdl"][..], 3),
        (&["stop", "x.kdl"], 3),
        (&["status", "x.kdl"], 3),
        (&["logs", "--spec", "x.kdl"], 3),
        (&["pull", "x.kdl"], 3),
        (&["preflight", "x.kdl"], 3),
    ] {
        let done = dir.call(command).env("HOME", dir.path()).run();
        assert_eq!(done.code, code, "{command:?}: {}{}", done.out, done.err);
        assert!(
            done.err.contains("the bottle `api` runs in a cluster, which bottlec does not drive"),
            "{}",
            done.err
        );
        let mut lines = done.err.lines().filter_map(|line| line.strip_prefix("  ")).peekable();
        assert!(lines.peek().is_some(), "{command:?} says what to run: {}", done.err);
        for line in lines {
            assert!(line.starts_with("kubectl "), "{line}");
            assert!(page.contains(&flat(line)), "plan shows `{line}`:\n{}", shown.out);
        }
    }
    // As a program's own code would be passed through, it has another one.
    let up = Command::new(BOTTLEC).args(["up", "x.kdl"]).current_dir(dir.path()).output().unwrap();
    assert_eq!(up.status.code(), Some(125));
    let told = String::from_utf8(up.stderr).unwrap();
    let lines: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert!(lines.len() >= 6 && lines.iter().all(|line| line.starts_with("kubectl ")), "{told}");
    for line in lines {
        assert!(page.contains(&flat(line)), "plan shows `{line}`:\n{}", shown.out);
    }
    assert!(!dir.at("stage").exists(), "nothing was written");
}

#[test]
fn a_run_lists_its_bottles_and_leaves_a_list_of_somebody_else() {
    let two = format!(
        "bottle \"b\" {{\n    {HEAD}    network octet=42\n}}\nbottle \"a\" {{\n    {HEAD}    network octet=43\n}}\nbottle \"host\" {{}}\n"
    );
    let dir = Dir::with(&two);
    assert_eq!(dir.run(["build", "x.kdl"]).code, 0);
    let list = fs::read_to_string(dir.at("stage/kustomization.yaml")).unwrap();
    let listed: Vec<&str> = list.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(listed, ["- 'a'", "- 'b'"], "{list}");
    assert_eq!(dir.run(["build", "x.kdl", "--check"]).code, 0);
    fs::write(dir.at("stage/kustomization.yaml"), list.replace("- 'a'\n", "")).unwrap();
    assert_eq!(dir.run(["build", "x.kdl", "--check"]).code, 1);
    assert_eq!(dir.run(["build", "x.kdl"]).code, 0);
    assert_eq!(fs::read_to_string(dir.at("stage/kustomization.yaml")).unwrap(), list);
    fs::write(dir.at("stage/kustomization.yaml"), "resources: []\n").unwrap();
    let refused = dir.run(["build", "x.kdl", "--force"]);
    assert_ne!(refused.code, 0);
    assert_eq!(fs::read_to_string(dir.at("stage/kustomization.yaml")).unwrap(), "resources: []\n");
}

#[test]
fn a_configuration_that_no_configmap_holds_is_refused() {
    let hosts: String = (0..40_000).map(|n| format!("        allow \"host-{n}.example.com\"\n")).collect();
    let text = format!("bottle \"a\" {{\n    {HEAD}    egress {{\n{hosts}    }}\n}}\n");
    let (_, compilation) = compile_text("x.kdl", &text);
    let rules: Vec<_> = compilation.diagnostics.as_slice().iter().map(|it| it.rule.id).collect();
    assert!(rules.contains(&"cluster-unsupported"), "{:?}", &rules[..rules.len().min(5)]);
    assert!(compilation.plans.is_empty());
    let fewer: String = hosts.lines().take(1000).map(|line| format!("{line}\n")).collect();
    plans(&format!("bottle \"a\" {{\n    {HEAD}    egress {{\n{fewer}    }}\n}}\n"));
}

#[test]
fn a_move_is_told_in_both_directions() {
    let host = "bottle \"a\" { network octet=42; egress { allow \"api.example.com\"; }; }\n";
    let cluster = format!(
        "bottle \"a\" {{\n    {HEAD}    network octet=42\n    egress {{ allow \"api.example.com\"; }}\n}}\n"
    );
    let read = |text: &str| {
        let json = lower(&plans(text)[0]);
        let plan = PlanJson::read(json.plan()).expect("a plan");
        bottlec::diff::Plans::from([(String::from("a"), plan)])
    };
    let (host, cluster) = (read(host), read(&cluster));
    let texts = |old, new| -> Vec<String> {
        bottlec::diff::diff(old, new)
            .iter()
            .map(|it| format!("{} {}", it.direction.as_str(), it.text))
            .collect()
    };
    let there = texts(&host, &cluster);
    assert!(there.iter().any(|it| it.starts_with("wider") && it.contains("policies")), "{there:#?}");
    assert!(
        there.iter().any(|it| it == "narrower the agent can dial no port of its bundle but 8888"),
        "{there:#?}"
    );
    let back = texts(&cluster, &host);
    assert!(back.iter().any(|it| it == "wider the agent can dial every port of its bundle"), "{back:#?}");
    assert!(back.iter().any(|it| it.starts_with("narrower") && it.contains("the engine")), "{back:#?}");
    assert!(matches!(cluster["a"].commands, Steps::Cluster(_)));
}

#[test]
fn every_gap_is_on_the_page_and_told_of_each_bottle() {
    use bottlec::world::cluster::Gap;
    let page = fs::read_to_string(root().join("docs/kubernetes.md")).unwrap();
    let plan = whole();
    let told: Vec<Gap> = plan.cluster_gaps().collect();
    for gap in Gap::ALL {
        let known = gap.known();
        let row = format!("| {} | {} | {} |", known.claim, known.help, known.evidence);
        assert!(page.contains(&row), "{row}");
        // The last one is of another RuntimeClass.
        assert_eq!(told.contains(&gap), gap != Gap::Shim);
    }
    let style = bottlec::report::Style::default();
    let shown = bottlec::report::plan::render(
        &plan,
        &lower(&plan),
        "stage",
        bottlec::report::plan::Detail::Usual,
        &style,
    );
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for gap in told {
        assert!(shown.contains(&format!("but {}", gap.but())), "{}", gap.but());
    }
}
