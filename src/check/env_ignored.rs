//! The agent's variables that have no effect in a bottle, or another one than intended.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

use super::edit;
use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Bottle, Names, Reference, Settings, Variable, VariableValue};
use crate::rule::catalogue::{DNS_OPEN, ENV_IGNORED};
use crate::source::Sources;
use crate::text::quote;
use crate::world::{builtin, variables};

/// Below this length one wrong letter makes another word: `GROK_API_KEY` is none of Groq's.
const SHORTEST_SLIP: usize = 14;

/// Checks the agent's variables.
pub fn check(bottle: &Bottle<Names>, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Settings { accepts, env, .. } = &bottle.settings;
    let bundle = bottle.settings.addresses().bundle();
    // What is asked of another resolver may well be answered.
    let dns_open = accepts.iter().any(|accept| accept.rule.value == DNS_OPEN.id);
    for variable in env.values() {
        let name = &variable.name.value;
        if let Some((meant, who)) = meant(name).filter(|(meant, _)| !env.contains_key(*meant)) {
            diagnostics.push(
                Diagnostic::new(
                    &ENV_IGNORED,
                    variable.name.span,
                    format!("{} is read by no program that is known", quote(name)),
                )
                .label(format!("did you mean `{meant}`?"))
                .help(format!("{who} read `{meant}`"))
                .replace(
                    format!("write `{meant}`"),
                    Applicability::Unsafe,
                    variable.name.span,
                    meant,
                ),
            );
        } else if let Some((message, help)) = void(variable, bundle, dns_open) {
            diagnostics.push(
                Diagnostic::new(&ENV_IGNORED, variable.name.span, message)
                    .label("does not do here what it does elsewhere")
                    .help(help)
                    .fix(
                        "take it out",
                        Applicability::Unsafe,
                        vec![edit::remove_node(variable.node, sources)],
                    ),
            );
        }
    }
}

/// A name as whoever mistook its blanks and its case writes it.
fn squeezed(name: &str) -> String {
    name.replace(['_', '-'], "").to_ascii_uppercase()
}

/// The places of the variables that agents read, by their squeezed names: a spec may have a hundred thousand variables.
static SQUEEZED: LazyLock<BTreeMap<String, usize>> = LazyLock::new(|| {
    let places = variables::AGENT.iter().enumerate();
    // Of two that are alike the first counts.
    places.rev().map(|(place, read)| (squeezed(read.variable.name), place)).collect()
});

/// The variable that is meant by one that nobody reads, and who reads it.
fn meant(name: &str) -> Option<(&'static str, &'static str)> {
    let known = || variables::AGENT.iter().map(|read| read.variable.name);
    if known().any(|known| known == name) {
        return None;
    }
    let slip = |known: &str| {
        // What goes on after a whole name is one of several: `OPENAI_API_KEY_2`.
        name.len() >= SHORTEST_SLIP
            && name.len().abs_diff(known.len()) <= 1
            && !name.starts_with(known)
            && strsim::osa_distance(name, known) == 1
    };
    let place = match variables::MISTAKEN.iter().find(|(mistaken, _)| *mistaken == name) {
        Some((_, meant)) => known().position(|known| known == *meant),
        None => SQUEEZED.get(&squeezed(name)).copied().into_iter().chain(known().position(slip)).min(),
    };
    place.map(|place| (variables::AGENT[place].variable.name, variables::AGENT[place].by))
}

/// Why a variable has no effect here, or a wrong one, and what to do.
fn void(variable: &Variable, bundle: Ipv4Addr, dns_open: bool) -> Option<(String, String)> {
    let name = variable.name.value.as_str();
    let upper = name.to_ascii_uppercase();
    let shown = quote(name);
    let value = variable.value()?;
    let literal = match value {
        VariableValue::Literal(text) => text.as_str(),
        VariableValue::Secret(_) => "",
    };
    if builtin::owns_variable(&upper) && !builtin::owns_variable(name) {
        let what = format!("the compiler sets `{upper}`, which programs read instead of {shown}");
        return Some((what, String::from("the proxy follows from the bottle's addresses")));
    }
    if let Some((_, who, _)) = variables::PROXIES.iter().find(|(proxy, ..)| *proxy == upper)
        && !literal.is_empty()
        && !literal.contains(&bundle.to_string())
    {
        let what = format!("{shown} leads {who} to a proxy that the machine cannot dial");
        return Some((
            what,
            String::from("the bundle is the one address; `HTTPS_PROXY` names pipelock there already"),
        ));
    }
    if variables::LOOKUPS.iter().any(|(lookup, _)| *lookup == name) && !dns_open {
        let what = format!("{shown} is about DNS, and nothing answers the machine's queries");
        return Some((what, String::from("pipelock looks names up: allow the host in `egress`")));
    }
    let of_host = ["/home/", "/private/", "/run/user/", "/tmp/ssh-", "/Users/", "/var/folders/"];
    let from_host = matches!(value, VariableValue::Secret(Reference::Env(from)) if from == "SSH_AUTH_SOCK");
    if name == "SSH_AUTH_SOCK" && (from_host || of_host.iter().any(|place| literal.starts_with(place))) {
        let what = format!("{shown} names a socket of the host, which is not in the machine");
        return Some((
            what,
            String::from("declare the repository in `git`: git-gate holds the key and the agent needs none"),
        ));
    }
    let ssh = matches!(literal.split_whitespace().next(), Some("ssh" | "/usr/bin/ssh"));
    if name == "GIT_SSH_COMMAND" && ssh && !literal.to_ascii_lowercase().contains("proxy") {
        let what = format!("{shown} dials hosts over SSH, which the machine cannot");
        return Some((
            what,
            String::from("declare the repository in `git`: its URL is rewritten to git-gate's"),
        ));
    }
    None
}
