//! What was refused, as text or as JSON, each with the line of the spec that refuses it, or the one that is missing.
//!
//! `schemas/denials.schema.json` describes the JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::Style;
use crate::denial::{Denial, Denials, Reason};
use crate::diff;
use crate::lower::plan_json::PlanJson;
use crate::plan::{Origins, PlannedHost, Traced};
use crate::reach::proxy::Decision;
use crate::reach::{Because, Policy};
use crate::text::{counted, one_line, quote};
use crate::world::builtin;
use crate::world::host::{Target, TargetHost, Verdict};

/// The `version` of the JSON. It changes when a program that reads it could break: not when a key is added.
pub const VERSION: u32 = 1;

/// Everything that was refused to one bottle, as far as its records tell.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec denials")]
pub struct Report<'a> {
    /// The version of this format.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The bottle.
    pub bottle: &'a str,
    /// The refusals: by kind, then from the most frequent target on.
    pub denials: Vec<Entry<'a>>,
    /// How many refusals are not among them: their targets were too many.
    pub uncounted: u64,
    /// How many lines look like records and are not understood.
    pub unread: u64,
}

/// The refusals of one kind and one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry<'a> {
    /// The kind: `not-listed`, `denied`, `internal`, `secret`, `random`, `rate`, `answer`, `malformed`, `tls`, `stopped`,
    /// `other`, `not-named`, `unclear`, `token`, `unanswered` or `past-bundle`.
    pub reason: &'static str,
    /// Who refused it: `pipelock`, `broker` or the engine.
    pub by: &'static str,
    /// The host; a piece of what is none; of the broker a method and a path. What looks like a credential is masked.
    pub target: &'a str,
    /// Its ports, as far as they are told.
    pub ports: &'a BTreeSet<u16>,
    /// How often.
    pub count: u64,
    /// When for the first time; null where no record tells.
    pub first: Option<&'a str>,
    /// When for the last.
    pub last: Option<&'a str>,
    /// What refuses it, or what is missing, in a sentence.
    pub why: String,
    /// The line that the sentence speaks of, as `file:line`; null where it is no line of a spec.
    pub origin: Option<String>,
    #[serde(skip)]
    kind: Reason,
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(Report<'_>)
}

/// The report as one JSON object.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    super::json::line(report)
}

/// Holds what was refused against the plan that is in force.
#[must_use]
pub fn report<'a>(denials: &'a Denials, plan: &'a PlanJson<'static>) -> Report<'a> {
    let policy = diff::policy(plan);
    let entry = |reason: Reason, denial: &'a Denial| {
        let Denial { target, host, ports, count, first, last } = denial;
        let (why, origin) = match reason.by() {
            builtin::BROKER => of_broker(reason, target, plan),
            _ => why(reason, host.as_ref(), plan, &policy),
        };
        Entry {
            reason: reason.as_str(),
            by: reason.by(),
            target,
            ports,
            count: *count,
            first: first.as_deref(),
            last: last.as_deref(),
            why,
            origin,
            kind: reason,
        }
    };
    let all = denials.by_reason();
    Report {
        version: VERSION,
        bottle: &plan.slug,
        denials: all.flat_map(|(reason, all)| all.into_iter().map(move |it| entry(reason, it))).collect(),
        uncounted: denials.uncounted,
        unread: denials.unread,
    }
}

/// What refuses it, and the line that says so.
fn why(
    reason: Reason,
    host: Option<&TargetHost>,
    plan: &PlanJson<'static>,
    policy: &Policy<'_, &Traced<PlannedHost>>,
) -> (String, Option<String>) {
    let egress = &plan.egress;
    let line = |origins: &Origins| Some(origins.first().to_string()).filter(|line| line != "computed");
    let only = |text: &str| (text.to_owned(), None);
    match reason {
        Reason::NotListed | Reason::Denied => match host {
            Some(host) => listed(reason, host, policy),
            None => only("it is no host"),
        },
        Reason::Internal => {
            only("a private address, or a name that resolves to one, and no `private` opens it")
        }
        Reason::Secret => ("what was sent looks like a secret".to_owned(), line(&egress.scan_bodies.origins)),
        Reason::Random => only("it looks like a leak in parts"),
        Reason::Rate => match &*egress.data_budget {
            None => {
                let text = format!("more than {} requests a minute to one domain", *egress.rate_limit);
                (text, line(&egress.rate_limit.origins))
            }
            Some(budget) => {
                let text = format!(
                    "more than {} requests or {budget} bytes a minute to one domain",
                    *egress.rate_limit
                );
                (text, line(&egress.data_budget.origins))
            }
        },
        Reason::Answer => (
            "its answer looks like an injection, or cannot be looked at".to_owned(),
            line(&egress.scan_responses.origins),
        ),
        Reason::Malformed => only("no request that a proxy takes"),
        Reason::Tls => only("its names differ, or no connection came about"),
        Reason::Stopped => only("pipelock let nothing through"),
        Reason::Other => only("by a part of pipelock that is not known here"),
        Reason::NotNamed | Reason::Unclear | Reason::Token | Reason::Unanswered => only("by the broker"),
        Reason::PastBundle => (
            format!(
                "the machine may dial {} alone: a program that does not heed the proxy dials by itself",
                *plan.bundle_ip
            ),
            None,
        ),
    }
}

/// What a credential says of a request now.
fn of_broker(reason: Reason, target: &str, plan: &PlanJson<'static>) -> (String, Option<String>) {
    let (method, path) = target.split_once(' ').unwrap_or(("", target));
    let mut parts = path.splitn(3, '/').skip(1);
    let (name, below) = (parts.next().unwrap_or(""), format!("/{}", parts.next().unwrap_or("")));
    let Some(credential) = plan.credentials.iter().find(|credential| *credential.name == *name) else {
        return (String::from("the path begins with the name of no credential"), None);
    };
    let name = quote(name);
    let named = credential.allow.iter().find(|allow| {
        allow.methods.iter().any(|it| **it == *method) && allow.paths.iter().any(|it| it.matches(&below))
    });
    let text = match (reason, named) {
        (Reason::NotNamed, Some(allow)) => {
            return (
                format!("an `allow` of credential {name} names it since, or not as a WebSocket"),
                Some(allow.origin.clone()),
            );
        }
        (Reason::NotNamed, None) => format!("no `allow` of credential {name} names it"),
        (Reason::Token, _) => format!("without the launch's token, which credential {name} is used with"),
        (Reason::Unanswered, _) => {
            format!("the broker has no secret of credential {name}, or its upstream does not answer")
        }
        _ => format!("a path, a query or a field that credential {name} is never used with"),
    };
    (text, Some(credential.origin.clone()))
}

/// What the lists say of a host now: the spec may have been changed since it was refused.
fn listed(
    reason: Reason,
    host: &TargetHost,
    policy: &Policy<'_, &Traced<PlannedHost>>,
) -> (String, Option<String>) {
    let target = match host {
        TargetHost::Name(name) => Target::name(name.clone(), None),
        TargetHost::Address(address) => Target::address(*address, None),
    };
    let because = policy.judge(&target, None);
    match because {
        Because::Proxy(Decision::Denied(deny, _)) => {
            (format!("{} is denied", quote(&deny.host)), Some(deny.origin.clone()))
        }
        Because::Proxy(Decision::Never(_)) => ("it is refused in every bottle".to_owned(), None),
        Because::Proxy(Decision::Unlisted) => match policy.nearest(&target) {
            Some(near) => {
                let text = format!("no `allow` covers it; the nearest is {}", quote(&near.host));
                (text, Some(near.origin.clone()))
            }
            None => ("no `allow` covers it".to_owned(), None),
        },
        Because::Proxy(
            Decision::Listed(allow, _)
            | Decision::Opened(allow, _)
            | Decision::Inner(allow)
            | Decision::Unsure(allow),
        ) if reason == Reason::NotListed => {
            (format!("allowed since, by {}", quote(&allow.host)), Some(allow.origin.clone()))
        }
        _ if because.verdict() == Verdict::Allowed => ("no longer denied".to_owned(), None),
        _ => ("no `allow` covers it".to_owned(), None),
    }
}

fn heading(reason: Reason) -> &'static str {
    match reason {
        Reason::NotListed => "not on the list; `bottlec propose` says what an `allow` would change",
        Reason::Denied => "denied",
        Reason::Internal => "on a private network",
        Reason::Secret => "with a secret in it",
        Reason::Random => "random by its looks",
        Reason::Rate => "too often, or too much",
        Reason::Answer => "with an answer that is not let in",
        Reason::Malformed => "no request",
        Reason::Tls => "with names that do not agree",
        Reason::Stopped => "while pipelock was stopped",
        Reason::Other => "for another reason",
        Reason::NotNamed => "named by no `allow` of a credential",
        Reason::Unclear => "with more than one reading, or a credential in the query",
        Reason::Token => "without the launch's token",
        Reason::Unanswered => "not answered by the broker's upstream",
        Reason::PastBundle => "dialled past the bundle",
    }
}

/// A moment for people: `2026-11-28 10:00:00`, and where it is none of UTC the offset.
pub(super) fn moment(time: &str) -> String {
    let (date, rest) = time.split_once('T').unwrap_or((time, ""));
    let seconds = rest.get(..8).unwrap_or(rest);
    let zone = rest.find(['Z', '+', '-']).map_or("", |at| &rest[at..]);
    format!("{date} {seconds}{}", if zone == "Z" { "" } else { zone })
}

/// From when to when: a date is not said twice.
pub(super) fn span(first: Option<&str>, last: Option<&str>) -> String {
    match (first.map(moment), last.map(moment)) {
        (Some(first), Some(last)) if first != last => {
            let same_day = first.get(..11) == last.get(..11);
            format!("{first} to {}", if same_day { &last[11..] } else { &last })
        }
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => String::new(),
    }
}

/// Its ports behind a host, in words: ":443", or ", ports 80, 443".
pub(super) fn ports(ports: &BTreeSet<u16>) -> String {
    let all: Vec<String> = ports.iter().map(u16::to_string).collect();
    match all.as_slice() {
        [] => String::new(),
        [one] => format!(":{one}"),
        all => format!(", ports {}", all.join(", ")),
    }
}

/// A wrapped paragraph, in from the left.
pub(super) fn paragraph(text: &mut String, style: &Style, indent: &str, line: &str) {
    let options = textwrap::Options::new(style.columns())
        .initial_indent(indent)
        .subsequent_indent(indent)
        .break_words(false);
    for line in textwrap::wrap(&one_line(line), options) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// For a terminal.
#[must_use]
pub fn render(report: &Report<'_>, style: &Style) -> String {
    let requests: u64 = report.denials.iter().map(|entry| entry.count).sum::<u64>() + report.uncounted;
    let mut text = String::new();
    let head = style.strong().style(format_args!("bottle {}", one_line(report.bottle))).to_string();
    let said = if requests == 0 {
        String::from("nothing was refused, as far as its records tell")
    } else {
        let targets: BTreeSet<&str> = report.denials.iter().map(|entry| entry.target).collect();
        format!(
            "{} refused, to {}",
            if requests == 1 { String::from("1 request") } else { format!("{requests} requests") },
            counted(targets.len(), "target", "targets")
        )
    };
    let _ = writeln!(text, "{head}: {said}");
    for kind in report.denials.chunk_by(|a, b| a.kind == b.kind) {
        let _ = writeln!(text, "\n{}", style.strong().style(heading(kind[0].kind)));
        for Entry { target, ports, count, first, last, why, origin, .. } in kind {
            let target = if target.is_empty() { "?" } else { target };
            let when = span(*first, *last);
            let _ = writeln!(
                text,
                "{}",
                one_line(&format!("{:>6}  {target}{}", format!("{count}x"), self::ports(ports)))
            );
            if !when.is_empty() {
                let _ = writeln!(text, "        {when}");
            }
            let origin = origin.as_deref().map(|origin| format!(", {origin}")).unwrap_or_default();
            paragraph(&mut text, style, "        ", &format!("{why}{origin}"));
        }
    }
    if report.uncounted > 0 {
        let _ = writeln!(text, "\n{} more, to targets that are too many to list", report.uncounted);
    }
    if report.unread > 0 {
        let _ = writeln!(text, "\n{} of the records not understood", report.unread);
    }
    text
}
