//! Clusters: what a bottle needs there, what it cannot have, and what is held otherwise than on a host.

use std::net::IpAddr;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{
    Backend, Boot, Bottle, Member, MemberKind, Names, RepoSource, Service, Settings, VolumeSource,
};
use crate::reach::DNS_PORT;
use crate::rule::catalogue::{
    CLUSTER_LOSS, CLUSTER_UNSUPPORTED, RUNTIME_CLASS_MISSING, RUNTIME_CLASS_OPEN, UNKNOWN_PROPERTY,
};
use crate::source::Span;
use crate::text::quote;
use crate::world::cluster::{self, Gap, PodSecurity, SMOLVM_CLASS, user_and_group};
use crate::world::engine::BootKind;

/// Checks what a bottle says of its cluster, and what it asks of it.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let settings = &bottle.settings;
    let Some(backend) = &settings.backend else { return };
    if !backend.is_cluster() {
        if let Some(found) = of_no_cluster(backend) {
            diagnostics.push(found);
        }
        return;
    }
    class(backend, diagnostics);
    refused(bottle, diagnostics);
    losses(bottle, backend, diagnostics);
}

/// A name that is no backend's was spoken of.
fn of_no_cluster(backend: &Backend) -> Option<Diagnostic> {
    let place = backend.of_cluster?;
    crate::world::backend::find(&backend.name.value)?;
    let message = format!("{} takes no property: it is no cluster", quote(&backend.name.value));
    Some(
        Diagnostic::new(&UNKNOWN_PROPERTY, place, message)
            .label("of `kubernetes` alone")
            .help("take it out, or write `backend \"kubernetes\" …`"),
    )
}

fn class(backend: &Backend, diagnostics: &mut Diagnostics) {
    let Some(class) = &backend.runtime_class else {
        let message = "without a RuntimeClass the agent would share its node's kernel";
        diagnostics.push(
            Diagnostic::new(&RUNTIME_CLASS_MISSING, backend.name.span, message)
                .label("expected `runtime-class=\"…\"` behind it")
                .help(
                    "name the cluster's class of virtual machines, such as `runtime-class=\"kata\"`; `kubectl get \
                     runtimeclasses` lists what it has",
                ),
        );
        return;
    };
    if class.value == SMOLVM_CLASS {
        let known = Gap::Shim.known();
        let message = "the RuntimeClass `smolvm` confines nothing by itself: its shim reads no list";
        diagnostics.push(
            Diagnostic::new(&RUNTIME_CLASS_OPEN, class.span, message)
                .label("the policies of the namespace are all there is")
                .help(known.help),
        );
    }
}

/// Says that a cluster cannot have something.
fn cannot(at: Span, message: impl Into<String>, label: &'static str, help: impl Into<String>) -> Diagnostic {
    Diagnostic::new(&CLUSTER_UNSUPPORTED, at, message.into()).label(label).help(help.into())
}

const IMAGE: &str = "push what it boots as an image: `image \"registry.example.com/agent@sha256:…\"`";
const VOLUME: &str =
    "keep it in a volume of the bottle's, by a name without `/`, or bring it in with the image";

fn refused(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let Settings { slug, boot, machine, git, octet, .. } = &bottle.settings;
    match boot {
        None => diagnostics.push(cannot(
            slug.span,
            "a Pod boots an image, and the bottle names none",
            "without an image",
            IMAGE,
        )),
        Some(Boot { kind: BootKind::Image, .. }) => {}
        Some(Boot { kind, node, source: _ }) => {
            let message = format!("a Pod boots an image, and no {}", quote(kind.as_str()));
            diagnostics.push(cannot(*node, message, "on this host alone", IMAGE));
        }
    }
    for volume in &machine.volumes {
        let message = format!("the agent cannot be shown {}: no node has it", quote(&volume.source.value));
        let help = "bring it in with the image, or as a repository that git-gate mirrors";
        diagnostics.push(cannot(volume.source.span, message, "a directory of this host", help));
    }
    for port in &machine.published {
        let message =
            format!("port {} cannot be published: nobody is let into the agent's Pod", port.guest.value);
        let help = "forward it for yourself: `kubectl port-forward` reaches a Pod past the policies";
        diagnostics.push(cannot(port.guest.span, message, "on this host's loopback alone", help));
    }
    if let Some(gpu) = machine.gpu {
        let help = "take it out: a device of a node's is a matter of its plugin and its RuntimeClass";
        diagnostics.push(cannot(
            gpu,
            "a Pod has no graphics processor of this host",
            "on this host alone",
            help,
        ));
    }
    for repo in &git.repos {
        if let RepoSource::Local { path, beside: _ } = &repo.source {
            let message = format!("git-gate cannot mirror {}: no node has it", quote(&path.value));
            let help = "give the repository an upstream: `url`, `identity` and `host-key`";
            diagnostics.push(cannot(path.span, message, "a repository of this host", help));
        }
    }
    if let (Some(repo), None) = (git.repos.first(), &git.image) {
        let help = "build `git-gate/Containerfile` of a stage of `smolmachines`, push it, and name it: \
                    `git-gate image=\"registry.example.com/git-gate@sha256:…\"`";
        let message = "git-gate has no image: no cluster builds one from the stage";
        diagnostics.push(cannot(repo.name.span, message, "runs git-gate", help));
    }
    if let Some(octet) = octet.filter(|octet| cluster::TAKEN.contains(&octet.value)) {
        let address = bottle.settings.addresses().bundle();
        let whose = if octet.value == 1 { "API server" } else { "name server" };
        let message = format!("{address} is the address of the cluster's {whose}");
        let help = "pin another octet, or leave the node out";
        diagnostics.push(cannot(octet.span, message, "taken in every cluster", help));
    }
    for (name, service) in services(bottle) {
        for volume in &service.volumes {
            if let VolumeSource::Host(path) = &volume.source.value {
                let message = format!("{} cannot be shown {}: no node has it", quote(name), quote(path));
                diagnostics.push(cannot(volume.source.span, message, "a path of this host", VOLUME));
            }
        }
        let user = service.run_as.as_ref().filter(|user| user_and_group(&user.value).is_none());
        if let Some(user) = user {
            let message =
                format!("{} is no number of a user, which is all that a Pod takes", quote(&user.value));
            let help = "write the number that the image gives it, such as `run-as \"999:999\"`";
            diagnostics.push(cannot(user.span, message, "expected a number", help));
        }
    }
}

fn services(bottle: &Bottle<Names>) -> impl Iterator<Item = (&str, &Service)> {
    bottle.members.iter().filter_map(|member| match &member.kind {
        MemberKind::Custom(service) => Some((member.name.value.as_str(), &**service)),
        MemberKind::Builtin(_) => None,
    })
}

/// Says that something is held otherwise.
fn loss(at: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
    Diagnostic::new(&CLUSTER_LOSS, at, message.into()).label(label.into())
}

fn losses(bottle: &Bottle<Names>, backend: &Backend, diagnostics: &mut Diagnostics) {
    pod_security(bottle, backend, diagnostics);
    let settings = &bottle.settings;
    for Member { name, limits, .. } in &bottle.members {
        if let Some(processes) = limits.processes {
            let message = format!("no Pod bounds the processes of {}", quote(&name.value));
            diagnostics.push(
                loss(processes.span, message, "held by the kubelet alone, as it is set up")
                    .help(Gap::Processes.known().help),
            );
        }
    }
    if let Some(queue) = settings.supervise.as_ref().and_then(|supervise| supervise.queue.as_ref()) {
        let message =
            format!("the queue is not in {}: it is in a volume of the namespace", quote(&queue.value));
        diagnostics.push(
            loss(queue.span, message, "a directory of this host").help(
                "who answers runs supervise's program in its container: `bottlec plan` shows the command",
            ),
        );
    }
    for member in &bottle.members {
        let Some(port) = member.port() else { continue };
        if member.kind.custom().is_none() {
            continue;
        }
        let name = quote(&member.name.value);
        if !member.is_given() {
            let message = format!("the agent cannot dial {name}: nothing tells it of port {}", port.value);
            diagnostics.push(
                loss(port.span, message, "closed to it by the policies")
                    .help("if the agent is meant to, `expose` a variable with its URL, or say that it is an `mcp` server"),
            );
        } else if port.value == DNS_PORT {
            let message = format!("the machine's queries do not reach {name}: the policies open TCP alone");
            diagnostics.push(loss(port.span, message, "names are asked for over UDP"));
        }
    }
    let opens = settings.egress.private.iter().any(|entry| entry.value.network().is_some());
    for credential in settings.credentials.values() {
        let (Some(private), Some(upstream)) = (credential.private, &credential.upstream) else { continue };
        let is_address = upstream.value.host.as_str().parse::<IpAddr>().is_ok();
        if !is_address && !opens {
            let message = format!(
                "the broker cannot dial {}: a policy lists addresses, and no name",
                quote(upstream.value.host.as_str())
            );
            diagnostics.push(
                loss(private, message, "closed to the bundle, at whichever private address it is")
                    .related(upstream.span, "its upstream is here")
                    .help("open its address: `egress { private \"10.1.2.3\" }`, or write the upstream by it"),
            );
        }
    }
}

/// What keeps the namespace from the level `restricted`, each with what it takes instead.
fn pod_security(bottle: &Bottle<Names>, backend: &Backend, diagnostics: &mut Diagnostics) {
    let mut lower = |at: Span, level: PodSecurity, why: String, label: &str, help: &str| {
        if level > PodSecurity::Restricted {
            let message = format!("the namespace admits Pods of the level {}: {why}", quote(level.as_str()));
            diagnostics.push(loss(at, message, label).help_if((!help.is_empty()).then(|| help.to_owned())));
        }
    };
    if backend.run_as.is_none() {
        lower(
            backend.name.span,
            PodSecurity::Baseline,
            String::from("the agent's user is the image's own, which may be root"),
            "without `run-as`",
            "name the number of a user that the image has: `run-as=1000`",
        );
    }
    for member in &bottle.members {
        let MemberKind::Custom(service) = &member.kind else { continue };
        let name = quote(&member.name.value);
        let user = service.run_as.as_ref();
        let level = PodSecurity::of_user(user.map(|user| user.value.as_str()));
        match user {
            // A name is refused.
            Some(user) if user_and_group(&user.value).is_none() => {}
            Some(user) => {
                let why = format!("{name} runs as root");
                lower(
                    user.span,
                    level,
                    why,
                    "the user of all rights",
                    "name another user that the image has",
                );
            }
            None => lower(
                member.name.span,
                level,
                format!("the user of {name} is the image's own, which may be root"),
                "without `run-as`",
                "name the number of a user that the image has: `run-as \"999:999\"`",
            ),
        }
        for capability in &service.capabilities {
            let level = PodSecurity::of_capability(&capability.value);
            let why = format!("{name} has the capability {}", quote(&capability.value));
            lower(capability.span, level, why, "more than a restricted Pod may have", "");
        }
    }
}

/// Says that a configuration is more than a ConfigMap holds.
#[must_use]
pub fn too_large(bottle: Span, name: &str, size: usize) -> Diagnostic {
    let message =
        format!("the configuration of {} has {size} bytes, and a ConfigMap holds at most 1 MiB", quote(name));
    let help = "shorten its lists: a wildcard stands for many hosts";
    cannot(bottle, message, "too large for a cluster", help)
}
