//! What the files of a stage say that no compile writes, whatever their digests are.
//!
//! Policies, namespace and Service follow from what `plan.json` says: they are made again, and must be the same. A Pod does
//! not: of it, each line must be one that is written here, with no key and no fixed value but ours.

use crate::backend::Facts;
use crate::lower::plan_json::{Made, PlanJson};
use crate::text::quote;
use crate::world::builtin::{AGENT, BUNDLE};

use super::object::COMPONENT;
use super::policy::{self, Inside};
use super::rest;

/// How many lines that do not belong into a file are named: somebody else wrote it, and may have written many.
const MAX_LINES: usize = 10;

/// Judges one of the files that follow from the plan.
fn follows(text: &[u8], facts: &Facts<'_>, path: &str) -> Vec<String> {
    let Ok(plan) = PlanJson::read(facts.plan) else {
        return vec![String::from("is of a plan that cannot be read")];
    };
    let (Some(cluster), Made::Cluster(made)) = (&plan.cluster, &plan.resources) else {
        return vec![String::from("is of a plan that no cluster runs")];
    };
    let inside = Inside::read(&plan, cluster);
    let again = match path {
        rest::NAMESPACE => rest::namespace_text(&inside, &made.pod_security),
        rest::SERVICE => rest::service_text(&inside, facts.bundle),
        path => policy::text(&inside, path),
    };
    if again.as_deref() == Some(text) { Vec::new() } else { vec![String::from("is not what its plan says")] }
}

pub(super) fn namespace(text: &[u8], facts: &Facts<'_>) -> Vec<String> {
    follows(text, facts, rest::NAMESPACE)
}

pub(super) fn service(text: &[u8], facts: &Facts<'_>) -> Vec<String> {
    follows(text, facts, rest::SERVICE)
}

pub(super) fn default(text: &[u8], facts: &Facts<'_>) -> Vec<String> {
    follows(text, facts, policy::DEFAULT)
}

pub(super) fn of_agent(text: &[u8], facts: &Facts<'_>) -> Vec<String> {
    follows(text, facts, policy::OF_AGENT)
}

pub(super) fn of_bundle(text: &[u8], facts: &Facts<'_>) -> Vec<String> {
    follows(text, facts, policy::OF_BUNDLE)
}

/// A line of a file that is written here.
struct Line<'a> {
    key: Option<&'a str>,
    value: Option<&'a str>,
}

/// Reads a line, which is a key, a value, or both, behind the marks of a list. Nothing of another form is written.
fn line(text: &str) -> Option<Line<'_>> {
    let mut rest = text.trim_start_matches(' ');
    while let Some(inner) = rest.strip_prefix("- ") {
        rest = inner;
    }
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-');
    let end = rest.find(|c: char| !is_key(c)).unwrap_or(rest.len());
    let (key, value) = match rest[end..].strip_prefix(':') {
        Some("") if end > 0 => (Some(&rest[..end]), None),
        Some(value) if end > 0 => (Some(&rest[..end]), Some(value.strip_prefix(' ')?)),
        _ => (None, Some(rest)),
    };
    if let Some(value) = value {
        is_scalar(value).then_some(())?;
    }
    Some(Line { key, value })
}

/// Whether a text is one value: a whole number, `true` or `false`, or a text in quotes that end where it does.
fn is_scalar(text: &str) -> bool {
    if matches!(text, "true" | "false") || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())) {
        return true;
    }
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote).filter(|_| text.len() > 1);
    if let Some(inner) = inner('\'') {
        return !inner.replace("''", "").contains('\'');
    }
    let Some(inner) = inner('"') else { return false };
    let mut is_escaped = false;
    for c in inner.chars() {
        match c {
            '"' if !is_escaped => return false,
            c => is_escaped = c == '\\' && !is_escaped,
        }
    }
    !is_escaped
}

/// The keys of a Deployment that is written here.
const OF_POD: &[&str] = &[
    "allowPrivilegeEscalation",
    "apiVersion",
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "args",
    "automountServiceAccountToken",
    "capabilities",
    "command",
    "configMap",
    "containers",
    "cpu",
    "defaultMode",
    "dnsConfig",
    "dnsPolicy",
    "drop",
    "emptyDir",
    "enableServiceLinks",
    "env",
    "ephemeral-storage",
    "exec",
    "failureThreshold",
    "fsGroup",
    "image",
    "imagePullPolicy",
    "initContainers",
    "items",
    "key",
    "kind",
    "labels",
    "limits",
    "matchLabels",
    "medium",
    "memory",
    "metadata",
    "mode",
    "mountPath",
    "name",
    "namespace",
    "options",
    "path",
    "periodSeconds",
    "persistentVolumeClaim",
    "claimName",
    "projected",
    "readOnly",
    "readOnlyRootFilesystem",
    "readinessProbe",
    "replicas",
    "requests",
    "resources",
    "restartPolicy",
    "revisionHistoryLimit",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "seccompProfile",
    "secret",
    "secretKeyRef",
    "securityContext",
    "selector",
    "sizeLimit",
    "sources",
    "spec",
    "startupProbe",
    "strategy",
    "subPath",
    "template",
    "timeoutSeconds",
    "type",
    "value",
    "valueFrom",
    "volumeMounts",
    "volumes",
    "workingDir",
];

/// Judges a file by its lines: `more` keys are its own, `fixed` ones have that value wherever they stand, and those that are
/// `wanted` stand there so often at least.
fn by_lines(
    text: &[u8],
    keys: &[&str],
    more: &[&str],
    fixed: &[(&str, &[&str])],
    wanted: &[(&str, usize)],
) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(text) else { return vec![String::from("is no text")] };
    let mut problems = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (at, whole) in text.lines().enumerate().skip_while(|(at, line)| *at == 0 && line.starts_with("# ")) {
        if problems.len() == MAX_LINES {
            break;
        }
        let number = at + 1;
        let Some(Line { key, value }) = line(whole) else {
            problems.push(format!("has a line that is never written, {number}"));
            continue;
        };
        let Some(key) = key else { continue };
        if !keys.contains(&key) && !more.contains(&key) {
            problems.push(format!("has the key {}, which is never written", quote(key)));
        }
        if let Some((_, values)) = fixed.iter().find(|(name, _)| *name == key)
            && !value.is_some_and(|value| values.contains(&value))
        {
            problems.push(format!("has another value of {} than any that is written", quote(key)));
        }
        seen.push(key);
    }
    for (key, least) in wanted {
        if seen.iter().filter(|it| *it == key).count() < *least {
            problems.push(format!("does not say {}", quote(key)));
        }
    }
    problems
}

/// What is said once in each Pod, and what in each container.
const OF_ALL: &[(&str, &[&str])] = &[
    ("allowPrivilegeEscalation", &["false"]),
    ("automountServiceAccountToken", &["false"]),
    ("enableServiceLinks", &["false"]),
    ("apiVersion", &["'apps/v1'"]),
    ("kind", &["'Deployment'"]),
    ("restartPolicy", &["'Always'"]),
    ("type", &["'Recreate'", "'RuntimeDefault'"]),
];

fn pod(text: &[u8], component: &str, more: &[&str], own: &[(&str, &[&str])]) -> Vec<String> {
    let component = format!("'{component}'");
    let labels = [component.as_str()];
    let fixed: Vec<_> = OF_ALL.iter().chain(own).copied().chain([(COMPONENT, labels.as_slice())]).collect();
    let wanted = [
        (COMPONENT, 3),
        ("automountServiceAccountToken", 1),
        ("enableServiceLinks", 1),
        ("seccompProfile", 1),
        ("dnsPolicy", 1),
        ("allowPrivilegeEscalation", 2),
        ("drop", 2),
    ];
    by_lines(text, OF_POD, more, &fixed, &wanted)
}

pub(super) fn agent(text: &[u8], facts: &Facts<'_>) -> Vec<String> {
    let class = PlanJson::read(facts.plan)
        .ok()
        .and_then(|plan| Some(plan.cluster.as_ref()?.runtime_class.value.clone()));
    let Some(class) = class else { return vec![String::from("is of a plan that no cluster runs")] };
    let class = format!("'{class}'");
    let mut problems = pod(
        text,
        AGENT,
        &["nameservers", "runtimeClassName"],
        &[("dnsPolicy", &["'None'"]), ("runtimeClassName", &[class.as_str()])],
    );
    let text = std::str::from_utf8(text).unwrap_or_default();
    if !text.lines().any(|line| line == format!("      runtimeClassName: {class}")) {
        problems.push(String::from("does not say `runtimeClassName`"));
    }
    // The one entry of its list.
    let mut lines = text.lines().skip_while(|line| line.trim() != "nameservers:").skip(1);
    let bundle = format!("        - '{}'", facts.bundle);
    let is_bundle = lines.next() == Some(bundle.as_str());
    let is_all = lines.next().is_some_and(|line| !line.trim_start().starts_with('-'));
    if !is_bundle || !is_all || text.lines().filter(|line| line.contains("nameservers:")).count() != 1 {
        problems.push(String::from("has another name server than the bundle"));
    }
    problems
}

pub(super) fn bundle(text: &[u8], _: &Facts<'_>) -> Vec<String> {
    pod(text, BUNDLE, &["add"], &[("dnsPolicy", &["'ClusterFirst'"])])
}

/// Judges the list of the stage's files: it names files of the stage, and changes nothing of them.
pub(super) fn kustomization(text: &[u8], _: &Facts<'_>) -> Vec<String> {
    const KEYS: &[&str] = &[
        "apiVersion",
        "configMapGenerator",
        "files",
        "kind",
        "name",
        "namespace",
        "order",
        "resources",
        "sortOptions",
    ];
    let fixed: &[(&str, &[&str])] = &[("kind", &["'Kustomization'"]), ("order", &["'fifo'"])];
    let wanted = [("resources", 1), ("sortOptions", 1)];
    let mut problems = by_lines(text, KEYS, &[], fixed, &wanted);
    let text = std::str::from_utf8(text).unwrap_or_default();
    let unquoted = |line: &str| Some(line.trim_start().strip_prefix("- '")?.strip_suffix('\'')?.to_owned());
    // A list's entries are paths, behind a key of the ConfigMap's where there is one.
    let entries = text.lines().filter(|line| !line.contains(": ")).filter_map(unquoted);
    for entry in entries {
        let path = entry.split_once('=').map_or(entry.as_str(), |(_, path)| path);
        let is_inside =
            !path.starts_with('/') && !path.contains(':') && !path.split('/').any(|part| part == "..");
        if !is_inside {
            problems.push(format!("names {}, which is in no stage", quote(path)));
        }
    }
    let all = [rest::NAMESPACE, policy::DEFAULT, policy::OF_AGENT, policy::OF_BUNDLE, rest::SERVICE];
    for path in all.iter().filter(|path| !text.lines().any(|line| line == format!("- '{path}'"))) {
        problems.push(format!("does not list {}", quote(path)));
    }
    problems
}
