//! `expect`: the policy tests of a spec, run against its policy.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, Credential, Expectation, Host, MemberKind, Names, Settings};
use crate::reach::broker::{Broker, Held, Listed, Passage, Through};
use crate::reach::proxy::{AddressScope, Decision};
use crate::reach::{Because, Policy};
use crate::rule::catalogue::{EXPECTATION_FAILED, SIDECAR_RELAYS};
use crate::source::Span;
use crate::text::{one_of, quote};
use crate::world::engine::{Gap, Ledger};
use crate::world::host::{Target, Verdict};
use crate::world::images;
use crate::world::pipelock::guard::{self, Guarded};

/// Asks every expectation of a bottle.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let Settings { slug, expectations, .. } = &bottle.settings;
    if expectations.is_empty() {
        return;
    }
    let policy = policy(bottle);
    let broker = broker(bottle);
    relays(bottle, &policy, &broker, diagnostics);
    for Expectation { verdict, target } in expectations {
        let because = policy.judge(&target.value, None);
        let passages = broker.judge(&target.value);
        let brokered = passages.iter().max_by_key(|passage| passage.through.verdict());
        let by_broker = brokered.map_or(Verdict::Refused, |passage| passage.through.verdict());
        let found = because.verdict().max(by_broker);
        if found != *verdict {
            diagnostics.push_error_with(|| {
                let name = quote(&target.value.to_string());
                let slug = quote(&slug.value);
                let by_request = by_broker == Verdict::Depends && because.verdict() != Verdict::Depends;
                let message = match found {
                    Verdict::Allowed => format!("{name} can be reached from {slug}"),
                    Verdict::Refused => format!("{name} cannot be reached from {slug}"),
                    Verdict::Depends if by_request => format!(
                        "{name} {} from {slug}: it depends on the request",
                        if *verdict == Verdict::Refused { "may be reached" } else { "may be refused" }
                    ),
                    Verdict::Depends if *verdict == Verdict::Refused => {
                        format!("{name} may be reached from {slug}: it depends on what a name resolves to")
                    }
                    Verdict::Depends => {
                        format!("{name} may be refused from {slug}: it depends on its address")
                    }
                };
                let diagnostic = Diagnostic::new(&EXPECTATION_FAILED, target.span, message)
                    .label(format!("expected to be {}", verdict.as_str()));
                match brokered {
                    Some(passage) if found == by_broker && because.verdict() != Verdict::Allowed => {
                        explain_broker(diagnostic, passage)
                    }
                    _ => explain(diagnostic, &policy, &target.value, because),
                }
            });
        }
    }
}

/// Sidecars of the spec's own that the agent may make dial: they reach what the host can, so that no refusal is certain
/// while nothing is said of them. One cause, one diagnostic each.
fn relays(
    bottle: &Bottle<Names>,
    policy: &Policy<'_, &Host>,
    broker: &Broker<'_, Span>,
    diagnostics: &mut Diagnostics,
) {
    let holds_otherwise = |it: &&Expectation| {
        let because = policy.judge(&it.target.value, None);
        it.verdict == Verdict::Refused
            && because.verdict() == Verdict::Refused
            && broker.verdict(&it.target.value) == Verdict::Refused
            && because != Because::OwnMachine
    };
    let Some(first) = bottle.settings.expectations.iter().find(holds_otherwise) else { return };
    for member in &bottle.members {
        let MemberKind::Custom(service) = &member.kind else { continue };
        // One that the agent cannot reach does nothing for it.
        let is_reached = bottle.settings.cluster().is_none() || member.is_given();
        if service.no_relay.is_some() || !is_reached {
            continue;
        }
        let name = quote(&member.name.value);
        let dials = service.image.as_ref().and_then(|image| images::find(&image.value)?.dials());
        diagnostics.push(
            Diagnostic::new(
                &SIDECAR_RELAYS,
                member.name.span,
                format!("{name} may dial for the agent what is expected to be refused"),
            )
            .label(if bottle.settings.cluster().is_some() {
                "reaches every public address, and is on no list"
            } else {
                "reaches what the host can, and is on no list"
            })
            .related(first.target.span, "expected to be refused")
            .help_if(dials)
            .help("where the agent cannot make it dial, say why: `no-relay reason=\"…\"`"),
        );
    }
}

/// The policy of a bottle, as it is written.
#[must_use]
pub fn policy<N>(bottle: &Bottle<N>) -> Policy<'_, &Host> {
    let settings = &bottle.settings;
    let Settings { engine, boot, .. } = settings;
    let version = engine.as_ref().and_then(|engine| engine.version.as_ref());
    let version = version.map_or(Ledger::smolvm().newest, |version| version.value);
    let is_cluster = settings.cluster().is_some();
    let gaps = if is_cluster { Vec::new() } else { Gap::of(version, boot.as_ref().map(|boot| boot.kind)) };
    let listeners =
        bottle.members.iter().filter_map(|member| Some((member.port()?.value, member.name.value.as_str())));
    let version = settings.pipelock.version();
    let given = bottle.members.iter().filter(|member| member.is_given());
    let ports = is_cluster.then(|| given.filter_map(|member| Some(member.port()?.value)));
    Policy::new(settings.addresses().bundle(), gaps, listeners, version, settings.egress.lists(version))
        .with_ports(ports)
}

/// The broker of a bottle, as it is written. A credential without an upstream is an error, and reaches nothing.
#[must_use]
pub fn broker<N>(bottle: &Bottle<N>) -> Broker<'_, Span> {
    Broker::new(bottle.settings.credentials.values().filter_map(held))
}

fn held(credential: &Credential) -> Option<Held<'_, Span>> {
    let allow = credential.allow.iter().map(|allow| Listed {
        methods: allow.methods.iter().map(|method| method.value.as_str()).collect(),
        paths: allow.paths.iter().map(|path| &path.value).collect(),
        at: allow.node,
    });
    Some(Held {
        name: &credential.name.value,
        upstream: &credential.upstream.as_ref()?.value,
        allow: allow.collect(),
        at: credential.name.span,
    })
}

/// Shows what decides at the broker.
fn explain_broker(diagnostic: Diagnostic, passage: &Passage<'_, Span>) -> Diagnostic {
    let Passage { name, at, through } = passage;
    let name = quote(name);
    match through {
        Through::Everything => diagnostic
            .related(*at, format!("credential {name} lets every request through"))
            .help("name what the agent needs, such as `allow \"GET\" \"/v1/items\"`"),
        Through::Methods(methods) => {
            let place = methods.values().next().copied().unwrap_or(*at);
            diagnostic
                .related(place, format!("credential {name} lets it through here"))
                .help("take that out, or narrow it")
        }
        Through::Some(place) => diagnostic
            .related(*place, format!("credential {name} lets some requests through"))
            .help("ask for one of them, such as `POST https://api.example.com/v1/items`"),
        Through::OtherMethods(methods) => {
            let place = methods.values().next().copied().unwrap_or(*at);
            let listed = one_of(methods.keys().copied());
            diagnostic.related(place, format!("credential {name} lets it through with {listed} only"))
        }
        Through::Nothing => {
            diagnostic.related(*at, format!("no `allow` of credential {name} lets it through"))
        }
    }
}

/// Shows what decides.
fn explain(
    diagnostic: Diagnostic,
    policy: &Policy<'_, &Host>,
    target: &Target,
    because: Because<'_, &Host>,
) -> Diagnostic {
    let decision = match because {
        Because::Unconfined(gap) => {
            return diagnostic.help(format!(
                "nothing is refused: the engine is accepted with {}",
                quote(super::engine::of(gap).id)
            ));
        }
        Because::OwnMachine => return diagnostic.help("it is the agent's own machine, and never the host"),
        Because::Bundle(_) => {
            return diagnostic.help(if policy.lists_ports() {
                "it is the bundle, which the agent may dial on the ports that it is given"
            } else {
                "it is the bundle, which the agent may dial on every port"
            });
        }
        Because::Closed => {
            return diagnostic.help(
                "it is a port of the bundle that the agent is not given: `expose` or `mcp` of a sidecar gives it",
            );
        }
        Because::Resolver => {
            return diagnostic
                .help("this engine relays port 53 of any address to the host's name server: see `dns-open`");
        }
        Because::ByName(range) => {
            let open = format!("{} is open to every allowed name that resolves into it", quote(&range.value));
            return diagnostic.related(range.span, open).help(
                "no list of hosts closes an address that a name may have: open the addresses that are needed, one by one",
            );
        }
        Because::Proxy(decision) => decision,
    };
    let allows = |diagnostic: Diagnostic, allow: &Host| {
        diagnostic.related(allow.span, format!("{} allows it", quote(&allow.value)))
    };
    match decision {
        Decision::Listed(allow, scope) => {
            let diagnostic = allows(diagnostic, allow);
            let diagnostic = match scope {
                AddressScope::Any(trusted) => {
                    diagnostic.related(trusted.span, "even when it resolves to a private address")
                }
                AddressScope::Public | AddressScope::Ranges => diagnostic,
            };
            match target.port {
                Some(_) if target.request.is_some() => diagnostic.help(
                    "pipelock looks at no method and no path: what is held to some is a `credential`, whose host no \
                     `allow` names",
                ),
                Some(_) => {
                    diagnostic.help("pipelock looks at no port: an allowed host can be reached on each")
                }
                None => diagnostic.help("take that out, narrow it, or add a `deny`"),
            }
        }
        Decision::Opened(allow, range) => allows(diagnostic, allow)
            .related(range.span, format!("{} opens its address", quote(&range.value))),
        Decision::Inner(allow) => allows(diagnostic, allow).help(
            "by its name it is on a private network, where pipelock refuses it: `private` says where it is",
        ),
        Decision::Unsure(allow) => allows(diagnostic, allow)
            .help("newer versions of pipelock refuse labels that look like an encoded text"),
        Decision::Denied(deny, allow) => {
            let diagnostic = diagnostic.related(deny.span, format!("{} denies it", quote(&deny.value)));
            match allow {
                Some(allow) => allows(diagnostic, allow).help("a `deny` beats every `allow`"),
                None => diagnostic.help("nothing allows it, either"),
            }
        }
        Decision::Never(allow) => {
            let diagnostic = match allow {
                Some(allow) => allows(diagnostic, allow),
                None => diagnostic,
            };
            let whose = guard::metadata(&target.spelling).map_or("none", |it| it.whose);
            diagnostic.help(format!("it hands out credentials ({whose}), and is refused in every bottle"))
        }
        Decision::Guarded(allow, guarded) => {
            let diagnostic = allows(diagnostic, allow);
            match guarded {
                Guarded::Closed => diagnostic.help("pipelock refuses its address, and nothing opens that"),
                _ => diagnostic
                    .help(format!("pipelock refuses a private address: say `private \"{}\"`", allow.value)),
            }
        }
        Decision::Random(allow) => {
            allows(diagnostic, allow).help("pipelock takes a label of the name for a leak: it looks random")
        }
        Decision::Credential(allow, what) => allows(diagnostic, allow)
            .help(format!("pipelock takes the name for {what}, and lets nobody ask for it")),
        Decision::Unlisted => match policy.nearest(target) {
            Some(near) => diagnostic.related(
                near.span,
                format!("the nearest `allow` is {}, which does not cover it", quote(&near.value)),
            ),
            None => diagnostic.help("no `allow` covers it"),
        },
    }
}
