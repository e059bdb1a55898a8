//! Hovers of host entries: what an entry matches, and which entry decides.

use super::{MAX_BOTTLES, Place, place};
use crate::check::{egress, engine, expect};
use crate::diagnostic::Diagnostics;
use crate::lsp::analysis::Asked;
use crate::lsp::prose::Prose;
use crate::model::{Bottle, Host};
use crate::reach::Because;
use crate::reach::proxy::{AddressScope, Decision};
use crate::resolve::members::Needs;
use crate::rule::catalogue;
use crate::source::Span;
use crate::syntax::Entry;
use crate::text::quote;
use crate::world::host::{self, HostPattern, Target, Verdict, known};
use crate::world::pipelock::guard::Guarded;

impl Place<'_> {
    /// An entry of one of the lists.
    pub(super) fn host(self, text: &str, entry: Entry<'_>) -> Prose {
        let list = self.node.name();
        let (host, beside) = match host::lossy(text) {
            Some((host, beside)) if matches!(list, "allow" | "deny") && self.is_in("egress") => {
                (host, Some(beside))
            }
            _ => (text, None),
        };
        let host = &HostPattern::new(host.to_owned());
        let mut prose = Prose::new();
        if self.is_in("expect") {
            let Ok(target) = text.parse::<Target>() else { return prose };
            return prose.list(self.verdicts(|bottle| {
                let policy = expect::policy(bottle);
                let because = policy.judge(&target, None);
                decided(self.asked, &because, None)
            }));
        }
        if let Some(matches) = matches(list, host) {
            prose = prose.text(matches);
        }
        if let Some(beside) = beside {
            let (kind, than) = if list == "allow" {
                ("wider", "wider-than-written")
            } else {
                ("stricter", "stricter-than-written")
            };
            prose = prose.text(format!(
                "pipelock cannot hold {}: the entry counts as {}, which is {kind} than written (`{than}`).",
                beside.describe(),
                quote(host)
            ));
        }
        if let Some((_, whose)) = known::MODEL_APIS.iter().find(|(known, _)| *known == host.as_str()) {
            prose = prose.text(format!("{whose}: an API of models."));
        }
        match list {
            "passthrough" => prose.text("Its HTTPS stays closed: nothing in it is scanned."),
            "private" if host.network().is_some() => {
                prose.text("Names and addresses that an `allow` covers may lie in this range.")
            }
            "private" => prose.text("It may be at the addresses beside it, as may every other allowed name."),
            _ => {
                let here = entry.value_span();
                let verdicts = self.verdicts(|bottle| {
                    let policy = expect::policy(bottle);
                    // Of an engine that confines nothing, no list decides anything.
                    let open = policy.gaps().iter().copied().find(|gap| gap.is_total());
                    let because =
                        open.map_or_else(|| Because::Proxy(policy.entry(host)), Because::Unconfined);
                    decided(self.asked, &because, Some(here))
                });
                prose.list(verdicts).list(self.remarks(here))
            }
        }
    }

    fn is_in(self, name: &str) -> bool {
        self.parents.last().is_some_and(|parent| parent.name() == name)
    }

    /// What comes out for each bottle that the place counts for.
    fn verdicts(self, of: impl Fn(&Bottle<Needs>) -> String) -> Vec<String> {
        let concerned = self.concerned();
        let named =
            |bottle: &&Bottle<Needs>| format!("{}: {}", quote(&bottle.settings.slug.value), of(bottle));
        let mut items: Vec<String> = concerned.iter().take(MAX_BOTTLES).map(named).collect();
        if concerned.len() > MAX_BOTTLES {
            items.push(format!("and {} more bottles", concerned.len() - MAX_BOTTLES));
        }
        items
    }

    /// What the rules say of the entry.
    fn remarks(self, here: Span) -> Vec<String> {
        let mut items = Vec::new();
        for bottle in self.concerned().into_iter().take(MAX_BOTTLES) {
            let mut found = Diagnostics::new();
            let settings = &bottle.settings;
            let version = settings.pipelock.version();
            let sources = self.asked.analysis.sources();
            egress::check(&settings.egress, version, &settings.lints, sources, &mut found);
            // What is denied is said by what decides.
            let of_entry = found
                .as_slice()
                .iter()
                .filter(|it| it.primary.span == here && *it.rule != catalogue::ALLOW_DENIED);
            items.extend(of_entry.map(|it| format!("{} (`{}`)", it.message, it.rule.id)));
        }
        items.sort();
        items.dedup();
        items
    }
}

/// What an entry stands for.
fn matches(list: &str, host: &HostPattern) -> Option<String> {
    if !host.is_sound() {
        return None;
    }
    if let Some(domain) = host.below() {
        let (domain, host) = (quote(domain), quote(host));
        return Some(match list {
            "passthrough" => format!(
                "{host} stands for every name below {domain}, at every depth; not for {domain} itself."
            ),
            _ => format!("{host} stands for {domain} and every name below it, at every depth."),
        });
    }
    let ports = if list == "allow" { " Ports are not enforced: it can be reached on each." } else { "" };
    Some(match host.network() {
        Some(_) => format!("Exactly this address, as a client writes it.{ports}"),
        None => format!("Exactly this name, and nothing below it.{ports}"),
    })
}

/// What decides, in words. `here` is an entry that is not named again.
fn decided(asked: Asked<'_>, because: &Because<'_, &Host>, here: Option<Span>) -> String {
    let entry = |list: &str, host: &Host| {
        if Some(host.span) == here {
            String::from("this entry")
        } else {
            format!("`{list}` {} at {}", quote(&host.value), place(asked, host.span))
        }
    };
    let verdict = match because.verdict() {
        Verdict::Allowed => "can be reached",
        Verdict::Depends => "depends",
        Verdict::Refused => "cannot be reached",
    };
    let decision = match because {
        Because::Unconfined(gap) => {
            let rule = engine::of(*gap).id;
            return format!("{verdict}: nothing is refused, since {} (`{rule}`)", gap.but());
        }
        Because::OwnMachine => return format!("{verdict}: it is the agent's own machine, never the host"),
        Because::Bundle(Some(listener)) => {
            return format!("{verdict}: it is the bundle, where {} listens", quote(listener));
        }
        Because::Bundle(None) => {
            return format!("{verdict}: it is the bundle, which the agent may dial on every port");
        }
        Because::Closed => {
            return format!("{verdict}: it is a port of the bundle that the agent is not given");
        }
        Because::Resolver => {
            return format!("{verdict}: this engine relays port 53 of any address (`dns-open`)");
        }
        Because::ByName(range) => {
            let by = entry("private", range);
            return format!("{verdict}: an allowed name that resolves to it reaches it, by {by}");
        }
        Because::Proxy(decision) => decision,
    };
    let why = match decision {
        Decision::Listed(allow, scope) => {
            let allowed = format!("on every port, by {}", entry("allow", allow));
            match scope {
                AddressScope::Public => format!("{allowed}; at public addresses alone"),
                AddressScope::Ranges => {
                    format!("{allowed}; at public addresses, and in the ranges of `private`")
                }
                AddressScope::Any(private) => {
                    format!("{allowed}; at any address, by {}", entry("private", private))
                }
            }
        }
        Decision::Opened(allow, range) => {
            format!("by {}, and {} opens its address", entry("allow", allow), entry("private", range))
        }
        Decision::Inner(allow) => format!(
            "allowed by {} at a public address, and by its name it has a private one, which is refused",
            entry("allow", allow)
        ),
        Decision::Unsure(allow) => {
            format!("allowed by {}, unless pipelock takes a label for an encoded text", entry("allow", allow))
        }
        Decision::Denied(deny, Some(allow)) => {
            format!("denied by {}, which beats {}", entry("deny", deny), entry("allow", allow))
        }
        Decision::Denied(deny, None) => {
            format!("denied by {}; nothing allows it, either", entry("deny", deny))
        }
        Decision::Never(_) => String::from("it hands out credentials, and is refused in every bottle"),
        Decision::Guarded(_, Guarded::Closed) => {
            String::from("pipelock refuses its address, and nothing opens that")
        }
        Decision::Guarded(allow, _) => {
            format!(
                "pipelock refuses a private address; {} would open it",
                quote(&format!("private \"{}\"", allow.value))
            )
        }
        Decision::Random(_) => String::from("pipelock takes a label of it for a leak"),
        Decision::Credential(_, what) => format!("pipelock takes it for {what}"),
        Decision::Unlisted => String::from("no `allow` covers it"),
    };
    format!("{verdict}: {why}")
}
