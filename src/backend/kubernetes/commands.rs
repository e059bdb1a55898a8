//! The exact argument vectors that make a bottle in a cluster, and those that undo it. They are run in the stage's directory,
//! without a shell, against whichever cluster `kubectl` is set up for.

use super::names;
use super::{inputs, policy, rest};
use crate::backend::common::ours;
use crate::lower::plan_json::{ClusterCommands, Command, InputKind};
use crate::plan::{Plan, Traced};
use crate::world::builtin::{AGENT, BUNDLE, SUPERVISE};

/// The program.
pub(super) const KUBECTL: &str = "kubectl";

fn kubectl(words: &[&str]) -> Command {
    [KUBECTL].iter().chain(words).map(|word| ours(word)).collect()
}

/// One that is about the bottle's namespace.
fn inside(plan: &Plan, words: &[&str]) -> Command {
    let mut command = kubectl(&["--namespace"]);
    command.push(names::namespace(&plan.slug));
    command.extend(words.iter().map(|word| ours(word)));
    command
}

/// The commands of a plan.
pub(super) fn lower(plan: &Plan) -> ClusterCommands {
    let file = |path: &str| kubectl(&["apply", "--filename", path]);
    let made = |component: &str| {
        inside(plan, &["rollout", "status", &format!("deployment/{component}"), "--timeout=10m"])
    };
    let input = |input: Traced<crate::lower::plan_json::Input>| {
        let words: &[&str] = match input.kind {
            InputKind::Secret => &["create", "secret", "generic"],
            InputKind::ConfigMap => &["create", "configmap"],
        };
        let mut command = inside(plan, words);
        command.push(input.with(input.name.clone()));
        let from = format!("--from-file={}=/dev/stdin", inputs::KEY);
        command.extend([ours(&from), ours("--dry-run=client"), ours("--output=yaml")]);
        command
    };
    let agent = format!("deployment/{AGENT}");
    let exec = |flags: &[&str]| {
        let words = [&["exec"], flags, &[agent.as_str(), "--container", AGENT, "--"]].concat();
        inside(plan, &words)
    };
    let answer = plan.supervise.given().map(|asked| {
        let bundle = format!("deployment/{BUNDLE}");
        let words = [
            "exec",
            bundle.as_str(),
            "--container",
            SUPERVISE,
            "--",
            "python3",
            "-I",
            "/supervise/server.py",
        ];
        inside(plan, &words).into_iter().map(|word| word.and(&asked.origins)).collect()
    });
    ClusterCommands {
        confine: [rest::NAMESPACE, policy::DEFAULT, policy::OF_AGENT, policy::OF_BUNDLE].map(file).into(),
        inputs: inputs::all(plan).into_iter().map(input).collect(),
        take: kubectl(&["apply", "--server-side", "--force-conflicts", "--filename", "-"]),
        apply: vec![kubectl(&["apply", "--kustomize", "."])],
        wait: vec![made(BUNDLE), made(AGENT)],
        exec: exec(&[]),
        attach: exec(&["--stdin", "--tty"]),
        status: inside(
            plan,
            &["get", "pods,services,networkpolicies,persistentvolumeclaims", "--output=wide"],
        ),
        check: vec![
            {
                let mut class = kubectl(&["get", "runtimeclass"]);
                class.extend(plan.cluster.iter().map(|cluster| cluster.runtime_class.clone()));
                class
            },
            kubectl(&["auth", "can-i", "create", "namespaces"]),
            kubectl(&["get", "services", "--all-namespaces"]),
        ],
        logs: inside(plan, &["logs", &format!("deployment/{BUNDLE}"), "--all-containers", "--prefix"]),
        answer: answer.unwrap_or_default(),
        restart: vec![inside(plan, &["rollout", "restart", "deployment", BUNDLE, AGENT])],
        stop: vec![inside(plan, &["scale", "deployment", AGENT, BUNDLE, "--replicas=0"])],
        cleanup: vec![inside(
            plan,
            &["delete", "deployment", AGENT, BUNDLE, "--cascade=foreground", "--ignore-not-found"],
        )],
        purge: vec![{
            let mut delete = kubectl(&["delete", "namespace"]);
            delete.push(names::namespace(&plan.slug));
            delete.push(ours("--ignore-not-found"));
            delete
        }],
    }
}
