//! Hosts that `tls` opens: those that are sent a credential, and refuse it then, and what the others cost.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics, Edit};
use crate::model::{Bottle, Egress, Host, Names, Tls, Variable, VariableValue};
use crate::rule::catalogue::{CREDENTIAL_INTERCEPTED, SCAN_COSTLY};
use crate::source::Span;
use crate::syntax::quoted_string;
use crate::text::quote;
use crate::world::host::HostPattern;
use crate::world::host::known::MODEL_APIS;
use crate::world::host::list::List;
use crate::world::issuers::{self, ISSUED, Issued};

/// How many hosts are shown.
const SHOWN: usize = 3;

/// Checks a bottle.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let egress = &bottle.settings.egress;
    let Some(tls) = &egress.tls else { return };
    let opened = Opened::new(egress, tls);
    credentials(&opened, &bottle.settings.env, diagnostics);
    costs(&opened, diagnostics);
}

/// What is allowed and neither denied nor passed through.
struct Opened<'a> {
    allow: &'a [Host],
    deny: List<'a, ()>,
    tls: &'a Tls,
    passthrough: List<'a, ()>,
}

impl<'a> Opened<'a> {
    fn new(egress: &'a Egress, tls: &'a Tls) -> Self {
        let list = |hosts: &'a [Host]| List::new(hosts.iter().map(|host| (&host.value, ())));
        Self { allow: &egress.allow, deny: list(&egress.deny), tls, passthrough: list(&tls.passthrough) }
    }

    /// Whether a host, or a domain with all below it, is opened where it is allowed.
    fn is(&self, host: &HostPattern) -> bool {
        let passed = match host.below() {
            Some(domain) => self.passthrough.covering_all(domain, true),
            None => self.passthrough.passing(host),
        };
        passed.is_none() && self.deny.covering(host).is_none()
    }

    /// The hosts of `wanted` that are opened, each as `passthrough` names it, and where it is allowed.
    fn meets(&self, wanted: &HostPattern) -> impl Iterator<Item = (HostPattern, &'a Host)> {
        let covers =
            |outer: &HostPattern, inner: &HostPattern| List::new([(outer, ())]).covering(inner).is_some();
        let met: Vec<_> = self
            .allow
            .iter()
            // A wildcard over a top-level domain is spoken of as such.
            .filter(|allow| allow.value.below().is_none_or(|domain| domain.contains('.')))
            .filter_map(|allow| {
                let host = if covers(&allow.value, wanted) {
                    wanted.clone()
                } else {
                    covers(wanted, &allow.value).then(|| allow.value.clone())?
                };
                self.is(&host).then_some((host, allow))
            })
            .collect();
        met.into_iter()
    }
}

/// Credentials of the agent's that an opened host would be sent.
fn credentials(opened: &Opened<'_>, env: &BTreeMap<String, Variable>, diagnostics: &mut Diagnostics) {
    let mut spoken_of = BTreeSet::new();
    for issued in ISSUED {
        let Some(variable) = env.get(issued.variable) else { continue };
        let mut hosts: BTreeMap<HostPattern, &Host> = BTreeMap::new();
        let literal = |name: &&str| match env.get(*name)?.value()? {
            VariableValue::Literal(text) => Some(HostPattern::new(host_of(text)?.to_owned())),
            VariableValue::Secret(_) => None,
        };
        let named: Vec<HostPattern> = issued.named_by.iter().filter_map(literal).collect();
        let usual = issued.hosts.iter().map(|host| HostPattern::new((*host).to_owned()));
        for wanted in named.iter().cloned().chain(usual) {
            hosts.extend(opened.meets(&wanted));
        }
        // Whose host is named is not looked for by its label.
        let labelled = |allow: &&Host| named.is_empty() && has_label(issued, &allow.value);
        hosts.extend(
            opened
                .allow
                .iter()
                .filter(labelled)
                .filter(|allow| opened.is(&allow.value))
                .map(|allow| (allow.value.clone(), allow)),
        );
        // Of a model's API that is said by a rule of its own, whatever is sent there.
        hosts.retain(|host, _| !MODEL_APIS.iter().any(|(api, _)| *api == host.as_str()));
        hosts.retain(|host, _| spoken_of.insert(host.clone()));
        if let Some((_, allow)) = hosts.first_key_value() {
            diagnostics.push(credential(variable, &hosts, allow, opened.tls));
        }
    }
}

fn credential(
    variable: &Variable,
    hosts: &BTreeMap<HostPattern, &Host>,
    allow: &Host,
    tls: &Tls,
) -> Diagnostic {
    let what = opened_hosts(hosts.keys().next(), hosts.len());
    let words: Vec<String> = hosts.keys().map(|host| quoted_string(host)).collect();
    let words = words.join(" ");
    let diagnostic = Diagnostic::new(
        &CREDENTIAL_INTERCEPTED,
        allow.span,
        format!("{what}, and {} goes there: pipelock lets it out to nobody", quote(&variable.name.value)),
    )
    .label("allowed here")
    .related(variable.name.span, "the agent is given it here")
    .related(tls.node, "HTTPS is opened here")
    .help("pipelock has no exemption for who issued it: leave the host closed, or take the variable from the agent");
    let after = tls.passthrough.last().map(|host| (host.span, format!(" {words}")));
    let after = after.or_else(|| Some((tls.ca_key.as_ref()?.span, format!("; passthrough {words}"))));
    let title = format!("leave it closed: `passthrough {words}`");
    match after {
        Some((span, text)) => {
            let edit = Edit { span: Span::at(span.source, span.end), replacement: text };
            diagnostic.fix(title, Applicability::Unsafe, vec![edit])
        }
        None => diagnostic.help(title),
    }
}

/// The host of a URL, or a host.
fn host_of(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

/// Whether a host is called what those hosts are called that a credential is sent to.
fn has_label(issued: &Issued, host: &HostPattern) -> bool {
    let first = host.split('.').next().unwrap_or_default();
    host.contains('.') && issued.labels.contains(&first)
}

/// That a number of hosts are opened, by the first of them.
fn opened_hosts(first: Option<&HostPattern>, count: usize) -> String {
    let first = first.map(|first| quote(first)).unwrap_or_default();
    if count == 1 {
        format!("{first} is opened")
    } else {
        format!("{first} and {} more are opened", count - 1)
    }
}

/// Opened hosts whose answers may be long.
fn costs(opened: &Opened<'_>, diagnostics: &mut Diagnostics) {
    // Of a wildcard over a model's API, and of one over a top-level domain, other rules speak.
    let is_api = |host: &HostPattern| {
        let list = List::new([(host, ())]);
        MODEL_APIS.iter().any(|(api, _)| list.covering_all(api, false).is_some())
            || host.below().is_some_and(|domain| !domain.contains('.'))
            || issuers::is_api(host)
            || host.starts_with("api.")
    };
    let mut costly = opened.allow.iter().filter(|allow| opened.is(&allow.value) && !is_api(&allow.value));
    let shown: Vec<&Host> = costly.by_ref().take(SHOWN).collect();
    let Some(first) = shown.first() else { return };
    let what = opened_hosts(Some(&first.value), shown.len() + costly.count());
    let mut diagnostic = Diagnostic::new(
        &SCAN_COSTLY,
        opened.tls.node,
        format!("{what}: each MiB of text that comes back takes some 10 seconds of a processor"),
    )
    .label("what comes back is scanned");
    for allow in &shown {
        diagnostic = diagnostic.related(allow.span, "allowed here");
    }
    diagnostics.push(diagnostic.help(format!(
        "leave closed what serves packages, archives or long pages, as `passthrough {}` does; if it is meant, say `lint \
         {{ allow \"{}\" reason=\"…\"; }}`",
        quoted_string(&first.value),
        SCAN_COSTLY.id
    )));
}
