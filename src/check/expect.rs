//! `expect`: the policy tests of a spec, run against its policy.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, Expectation, Host, Names, Settings};
use crate::reach::{AddressScope, Because, Lists, Policy};
use crate::rule::catalogue::EXPECTATION_FAILED;
use crate::text::quote;
use crate::world::engine::{Gap, Ledger};
use crate::world::host::{Guarded, HostPattern, Target, Verdict};

/// Asks every expectation of a bottle.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let Settings { slug, expectations, .. } = &bottle.settings;
    if expectations.is_empty() {
        return;
    }
    let policy = policy(bottle);
    for Expectation { verdict, target } in expectations {
        let because = policy.judge(&target.value, None);
        if because.verdict() != *verdict {
            diagnostics.push_error_with(|| {
                let name = quote(&target.value.to_string());
                let message = match verdict {
                    Verdict::Allowed => format!("{name} cannot be reached from {}", quote(&slug.value)),
                    Verdict::Refused => format!("{name} can be reached from {}", quote(&slug.value)),
                };
                let diagnostic = Diagnostic::new(&EXPECTATION_FAILED, target.span, message)
                    .label(format!("expected to be {}", verdict.as_str()));
                explain(diagnostic, &policy, &target.value, because)
            });
        }
    }
}

/// The policy of a bottle, as it is written.
#[must_use]
pub fn policy<N>(bottle: &Bottle<N>) -> Policy<'_, &Host> {
    let Settings { engine, boot, egress, .. } = &bottle.settings;
    let version = engine.as_ref().and_then(|engine| engine.version.as_ref());
    let version = version.map_or(Ledger::smolvm().newest, |version| version.value);
    let gaps = Gap::of(version, boot.as_ref().map(|boot| boot.kind));
    let listeners =
        bottle.members.iter().filter_map(|member| Some((member.port()?.value, member.name.value.as_str())));
    let lists = Lists {
        allow: entries(&egress.allow),
        deny: entries(&egress.deny),
        private: entries(&egress.private),
    };
    Policy::new(bottle.settings.addresses().bundle(), gaps, listeners, lists)
}

fn entries(hosts: &[Host]) -> impl Iterator<Item = (&HostPattern, &Host)> {
    hosts.iter().map(|host| (&host.value, host))
}

/// Shows what decides.
fn explain(
    diagnostic: Diagnostic,
    policy: &Policy<'_, &Host>,
    target: &Target,
    because: Because<'_, &Host>,
) -> Diagnostic {
    let allows = |diagnostic: Diagnostic, allow: &Host| {
        diagnostic.related(allow.span, format!("{} allows it", quote(&allow.value)))
    };
    match because {
        Because::Unconfined(gap) => diagnostic.help(format!(
            "nothing is refused: the engine is accepted with {}",
            quote(super::engine::of(gap).id)
        )),
        Because::OwnMachine => diagnostic.help("it is the agent's own machine, and never the host"),
        Because::Bundle(_) => diagnostic.help("it is the bundle, which the agent may dial on every port"),
        Because::Resolver => diagnostic
            .help("this engine relays port 53 of any address to the host's name server: see `dns-open`"),
        Because::Listed(allow, scope) => {
            let diagnostic = allows(diagnostic, allow);
            let diagnostic = match scope {
                AddressScope::Any(trusted) => {
                    diagnostic.related(trusted.span, "even when it resolves to a private address")
                }
                AddressScope::Public | AddressScope::Ranges => diagnostic,
            };
            match target.port {
                Some(_) => {
                    diagnostic.help("pipelock looks at no port: an allowed host can be reached on each")
                }
                None => diagnostic.help("take that out, narrow it, or add a `deny`"),
            }
        }
        Because::Opened(allow, range) => allows(diagnostic, allow)
            .related(range.span, format!("{} opens its address", quote(&range.value))),
        Because::Denied(deny, allow) => {
            let diagnostic = diagnostic.related(deny.span, format!("{} denies it", quote(&deny.value)));
            match allow {
                Some(allow) => allows(diagnostic, allow).help("a `deny` beats every `allow`"),
                None => diagnostic.help("nothing allows it, either"),
            }
        }
        Because::Guarded(allow, guarded) => {
            let diagnostic = allows(diagnostic, allow);
            match guarded {
                Guarded::Closed => diagnostic.help("pipelock refuses its address, and nothing opens that"),
                _ => diagnostic
                    .help(format!("pipelock refuses a private address: say `private \"{}\"`", allow.value)),
            }
        }
        Because::Unlisted => match policy.nearest(target) {
            Some(near) => diagnostic.related(
                near.span,
                format!("the nearest `allow` is {}, which does not cover it", quote(&near.value)),
            ),
            None => diagnostic.help("no `allow` covers it"),
        },
    }
}
