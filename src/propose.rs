//! What to allow, proposed: from hosts that were refused for want of an `allow`, and from hosts that a human approved, to the
//! smallest edits of a spec, each with what the rules and a diff say of it.
//!
//! Which hosts were asked for is the agent's doing, and so is how often. So a record says no more than that a host was asked
//! for: whether an `allow` is all that it lacks is asked of the policy anew, and some hosts are proposed never.

use std::collections::{BTreeMap, BTreeSet};

use crate::backend::lower;
use crate::compile::Analysis;
use crate::denial::{Denials, Reason, looks_like_credential};
use crate::diagnostic::{Diagnostic, Edit};
use crate::diff::{self, Change, Plans};
use crate::fix::{self, insert};
use crate::lower::plan_json::PlanJson;
use crate::model::BottleDecl;
use crate::plan::{PlannedHost, Traced};
use crate::reach::Policy;
use crate::reach::proxy::Decision;
use crate::rule::Level;
use crate::source::SourceId;
use crate::syntax::{Tree, quoted_string};
use crate::text::quote;
use crate::world::host::known::{DROPS, Drop};
use crate::world::host::list::suffixes;
use crate::world::host::shared::is_shared;
use crate::world::host::{HostPattern, Target, TargetHost};
use crate::world::pipelock::guard::{self, Guarded};
use crate::world::punycode;

/// How many hosts are proposed at once: more than a person reviews. Each costs a compile.
pub const MAX_PROPOSED: usize = 50;
/// How many of one owner's domain: more names than that below one domain may well be a text, sent in names.
const MAX_OF_DOMAIN: usize = 8;

/// Why a host is a candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// How often it was refused.
    pub count: u64,
    /// When for the first time.
    pub first: Option<String>,
    /// When for the last.
    pub last: Option<String>,
    /// At which ports, of which an `allow` enforces none.
    pub ports: BTreeSet<u16>,
    /// The proposals of the agent's that a human approved, by id.
    pub approved: BTreeSet<String>,
}

/// The hosts that may be proposed, each with why.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    hosts: BTreeMap<HostPattern, Evidence>,
}

impl Candidates {
    /// Adds the hosts that were refused since nothing allowed them.
    pub fn refused(&mut self, denials: &Denials) {
        for denial in denials.of(Reason::NotListed) {
            // What was masked is in no list.
            let name = match &denial.host {
                Some(TargetHost::Name(name)) => name.clone(),
                Some(TargetHost::Address(address)) => address.to_string(),
                None => continue,
            };
            let evidence = self.hosts.entry(HostPattern::new(name)).or_default();
            evidence.count += denial.count;
            evidence.first = evidence.first.take().or_else(|| denial.first.clone());
            evidence.last = denial.last.clone().or(evidence.last.take());
            evidence.ports.extend(&denial.ports);
        }
    }

    /// Adds a host that the agent asked a human for, who approved it.
    pub fn approved(&mut self, id: &str, host: &str) {
        self.hosts.entry(HostPattern::new(host.to_owned())).or_default().approved.insert(id.to_owned());
    }
}

/// What a rule says of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What it says, in one line.
    pub message: String,
}

/// A host that an `allow` of the bottle's own would let through.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The host.
    pub host: HostPattern,
    /// The same as people read it, where that is something else.
    pub unicode: Option<String>,
    /// Why it is proposed.
    pub evidence: Evidence,
    /// The file that would be edited, and the line of the new entry in it.
    pub place: (String, usize),
    /// What the rules say of it.
    pub findings: Vec<Finding>,
    /// What it changes, as `diff` says it.
    pub changes: Vec<Change>,
}

/// A host that is not proposed.
#[derive(Clone, Debug)]
pub struct Withheld {
    /// The host, as it may be shown.
    pub host: String,
    /// What speaks for it.
    pub evidence: Evidence,
    /// Why not.
    pub why: String,
}

/// What is left out, by the domain of one owner that it is below.
#[derive(Clone, Debug)]
pub struct Crowd {
    /// The domain.
    pub domain: String,
    /// How many hosts.
    pub hosts: usize,
    /// How often they were refused.
    pub count: u64,
}

/// The proposals for one bottle.
#[derive(Clone, Debug)]
pub struct Proposals {
    /// The bottle.
    pub bottle: String,
    /// The hosts that may be allowed, the most asked for first.
    pub proposed: Vec<Proposal>,
    /// Those that are not proposed, each with the reason.
    pub withheld: Vec<Withheld>,
    /// Those of which there are too many.
    pub crowds: Vec<Crowd>,
    /// How many are allowed by now.
    pub allowed: usize,
}

/// Why hosts cannot be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing asked for it.
    #[error("{} was not refused for want of an `allow`, and nobody approved it: what is not proposed is written by hand", quote(.0))]
    Unknown(String),
    /// It is never proposed.
    #[error("{} is not proposed: {}", quote(.0), .1)]
    Withheld(String, String),
    /// It is allowed already.
    #[error("{} is allowed already", quote(.0))]
    Allowed(String),
    /// The bottle has no block that an entry could be put into.
    #[error("the bottle has no place for an `allow`: its block has no end")]
    NoPlace,
}

/// A bottle of a spec, with what is decided of it.
struct Base<'a> {
    analysis: &'a Analysis,
    slug: &'a str,
    plan: &'a PlanJson<'static>,
    policy: Policy<'a, &'a Traced<PlannedHost>>,
    /// The entries of `allow`, by domain.
    allow: BTreeMap<&'a str, &'a Traced<PlannedHost>>,
}

/// What becomes of candidates.
struct Sorted<'a> {
    /// Those that are proposed, in the order in which they are shown.
    fit: Vec<(&'a HostPattern, &'a Evidence)>,
    withheld: Vec<Withheld>,
    crowds: Vec<Crowd>,
    allowed: usize,
}

/// The plan of one bottle, as `diff` takes it; nothing when the spec does not compile.
fn planned(analysis: &Analysis, slug: &str) -> Option<PlanJson<'static>> {
    let plan = analysis.plans().into_iter().find(|plan| *plan.slug == slug)?;
    PlanJson::read(lower(&plan).plan()).ok()
}

/// Proposes what to allow in a bottle; nothing when the spec does not compile or has no such bottle.
#[must_use]
pub fn propose(analysis: &Analysis, slug: &str, candidates: &Candidates) -> Option<Proposals> {
    let plan = planned(analysis, slug)?;
    let base = Base::new(analysis, slug, &plan);
    let Sorted { fit, withheld, crowds, allowed } = base.sorted(candidates);
    Some(Proposals {
        bottle: slug.to_owned(),
        proposed: fit.into_iter().filter_map(|(host, evidence)| base.proposal(host, evidence)).collect(),
        withheld,
        crowds,
        allowed,
    })
}

/// The spec with these hosts allowed in a bottle, and the source that was edited. Each must be proposed, or be a wildcard over
/// one that is; nothing is taken that was not named.
///
/// # Errors
/// The first host that cannot be allowed.
pub fn apply(
    analysis: &Analysis,
    slug: &str,
    candidates: &Candidates,
    hosts: &BTreeSet<HostPattern>,
) -> Result<(SourceId, Analysis), Refusal> {
    let plan = planned(analysis, slug).ok_or(Refusal::NoPlace)?;
    let base = Base::new(analysis, slug, &plan);
    let fit: BTreeSet<&HostPattern> = base.sorted(candidates).fit.into_iter().map(|(host, _)| host).collect();
    for host in hosts {
        let covered = |candidate: &&HostPattern| {
            host.below().is_some_and(|domain| suffixes(candidate.domain()).any(|suffix| suffix == domain))
        };
        let covered: Vec<&HostPattern> = candidates.hosts.keys().filter(covered).collect();
        let is_asked_for = candidates.hosts.contains_key(host) || !covered.is_empty();
        if !is_asked_for {
            return Err(Refusal::Unknown(host.to_string()));
        }
        match base.judged(host) {
            Judged::Fit => {}
            Judged::Allowed => return Err(Refusal::Allowed(host.to_string())),
            Judged::Never(why) => return Err(Refusal::Withheld(host.to_string(), why)),
        }
        if !fit.contains(host) && !covered.iter().any(|it| fit.contains(it)) {
            let why = format!("more names below {} were refused than are reviewed", quote(owner(host)));
            return Err(Refusal::Withheld(host.to_string(), why));
        }
        // A public suffix may lie between the wildcard and what was asked for below it.
        let above = |candidate: &&HostPattern| {
            host.below().is_some_and(|domain| !suffixes(domain).any(|suffix| suffix == owner(candidate)))
        };
        if let Some(other) = covered.into_iter().find(above) {
            let why = format!("{} belongs to another owner than what else it covers", quote(other));
            return Err(Refusal::Withheld(host.to_string(), why));
        }
    }
    let mut edited = None;
    for host in hosts {
        let now = edited.as_ref().map_or(analysis, |(_, analysis)| analysis);
        edited = Some(allowed(now, slug, host).ok_or(Refusal::NoPlace)?);
    }
    edited.ok_or(Refusal::NoPlace)
}

/// What becomes of a candidate.
enum Judged {
    /// It may be proposed.
    Fit,
    /// It is allowed already.
    Allowed,
    /// It is not proposed.
    Never(String),
}

impl<'a> Base<'a> {
    fn new(analysis: &'a Analysis, slug: &'a str, plan: &'a PlanJson<'static>) -> Self {
        let allow = plan.egress.allow.iter().map(|allow| (allow.host.domain(), allow)).collect();
        Self { analysis, slug, plan, policy: diff::policy(plan), allow }
    }

    fn sorted<'c>(&self, candidates: &'c Candidates) -> Sorted<'c> {
        let (mut fit, mut withheld, mut allowed) = (Vec::new(), Vec::new(), 0);
        let mut of_domain: BTreeMap<&str, usize> = BTreeMap::new();
        for (host, evidence) in &candidates.hosts {
            match self.judged(host) {
                Judged::Fit => {
                    *of_domain.entry(owner(host)).or_default() += 1;
                    fit.push((host, evidence));
                }
                Judged::Allowed => allowed += 1,
                Judged::Never(why) => {
                    let is_secret = looks_like_credential(host.domain());
                    let host = if is_secret { String::from("****") } else { host.to_string() };
                    withheld.push(Withheld { host, evidence: evidence.clone(), why });
                }
            }
        }
        // What a human approved comes first; then what was asked for most.
        fit.sort_by_key(|(host, evidence)| {
            (evidence.approved.is_empty(), std::cmp::Reverse(evidence.count), *host)
        });
        let mut crowds: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        let mut kept = 0;
        fit.retain(|(host, evidence)| {
            let is_crowd = evidence.approved.is_empty() && of_domain[owner(host)] > MAX_OF_DOMAIN;
            if is_crowd || kept == MAX_PROPOSED {
                let crowd = crowds.entry(owner(host)).or_default();
                *crowd = (crowd.0 + 1, crowd.1 + evidence.count);
                return false;
            }
            kept += 1;
            true
        });
        let crowd = |(domain, (hosts, count)): (&str, _)| Crowd { domain: domain.to_owned(), hosts, count };
        Sorted { fit, withheld, crowds: crowds.into_iter().map(crowd).collect(), allowed }
    }

    fn judged(&self, host: &HostPattern) -> Judged {
        let never = |why: &str| Judged::Never(why.to_owned());
        if host.network().is_some() {
            return never("an address says nothing of whose it is: written by hand, if it is meant");
        }
        if !host.is_sound() {
            return never("it is no host name");
        }
        let domain = host.domain();
        if looks_like_credential(domain) {
            return never("its name looks like a credential");
        }
        if guard::metadata(domain).is_some() {
            return never("it hands out credentials of the cloud that the host runs in");
        }
        if host.guarded() != Guarded::No {
            return never("it is most likely on a private network");
        }
        if host.below().is_some_and(|domain| !domain.contains('.') || is_shared(domain)) {
            return never("anybody can get a host that it covers");
        }
        if let Some(Drop { host, what, .. }) = drop_at(host) {
            return Judged::Never(format!("{} is {what}: what is left there is anybody's", quote(host)));
        }
        match self.policy.entry(host) {
            Decision::Unlisted => match self.alike(host) {
                Some((near, origin)) => Judged::Never(format!(
                    "it looks like {}, which is allowed, {origin}, and is another owner's",
                    quote(near)
                )),
                None => Judged::Fit,
            },
            Decision::Denied(deny, _) => {
                Judged::Never(format!("{} is denied, {}", quote(&deny.host), deny.origin))
            }
            Decision::Never(_) => never("it is refused in every bottle"),
            _ => Judged::Allowed,
        }
    }

    /// An allowed host that a name is to be taken for, with its line: one that it begins with, or is spelled almost like.
    fn alike(&self, host: &HostPattern) -> Option<(&str, &str)> {
        let is_others = |allow: &&Traced<PlannedHost>| owner(&allow.host) != owner(host);
        let domain = host.domain();
        let mut beginnings = domain.match_indices(['.', '-']).map(|(end, _)| &domain[..end]);
        let begins = beginnings.find_map(|begin| self.allow.get(begin).copied().filter(is_others));
        let spelled = || self.policy.nearest(&Target::name(domain.to_owned(), None)).filter(is_others);
        let near = begins.or_else(spelled)?;
        Some((&near.host, &near.origin))
    }

    fn proposal(&self, host: &HostPattern, evidence: &Evidence) -> Option<Proposal> {
        let (source, edited) = allowed(self.analysis, self.slug, host)?;
        let text = edited.sources().get(source);
        let line = edited
            .file(source)
            .bottles
            .iter()
            .flat_map(|bottle| &bottle.layer.egress.allow)
            .filter(|entry| entry.value == *host)
            .map(|entry| text.line_of(entry.span.start) + 1)
            .last()?;
        Some(Proposal {
            host: host.clone(),
            unicode: punycode::decoded(host),
            evidence: evidence.clone(),
            place: (text.name().to_owned(), line),
            findings: findings(self.analysis, &edited),
            changes: planned(&edited, self.slug).map_or_else(Vec::new, |plan| self.changes(plan)),
        })
    }

    fn changes(&self, plan: PlanJson<'static>) -> Vec<Change> {
        let side = |plan: PlanJson<'static>| Plans::from([(self.slug.to_owned(), plan)]);
        diff::diff(&side(self.plan.clone()), &side(plan))
    }
}

/// What is said of a spec that was not said of it before.
fn findings(before: &Analysis, after: &Analysis) -> Vec<Finding> {
    let key = |diagnostic: &Diagnostic| (diagnostic.rule.id, diagnostic.message.clone());
    let mut said: BTreeMap<_, usize> = BTreeMap::new();
    for diagnostic in before.diagnostics().as_slice() {
        *said.entry(key(diagnostic)).or_default() += 1;
    }
    let is_new = |diagnostic: &&Diagnostic| match said.get_mut(&key(diagnostic)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    let new = after.diagnostics().as_slice().iter().filter(is_new);
    new.map(|it| Finding { rule: it.rule.id, level: it.level, message: it.message.clone() }).collect()
}

/// The place among those where anybody can leave something that a host is, or covers.
fn drop_at(host: &HostPattern) -> Option<&'static Drop> {
    let within = |name: &str, domain: &str| suffixes(name).any(|suffix| suffix == domain);
    DROPS.iter().find(|drop| {
        let domain = host.domain();
        let is_one = domain == drop.host || (drop.below && within(domain, drop.host));
        is_one || host.below().is_some_and(|domain| within(drop.host, domain))
    })
}

/// The domain of one owner that a host is, or is below.
fn owner(host: &HostPattern) -> &str {
    psl::domain_str(host.domain()).unwrap_or(host.domain())
}

/// The spec with an `allow` of this host in a bottle's own block, and the source that it is in.
fn allowed(analysis: &Analysis, slug: &str, host: &HostPattern) -> Option<(SourceId, Analysis)> {
    let (source, decl) = analysis.files().iter().find_map(|(source, file)| {
        Some((*source, file.bottles.iter().find(|decl| *decl.slug.value == *slug)?))
    })?;
    let edit = edit(analysis.tree(source), decl, host)?;
    let texts = [(source, fix::applied(analysis.sources().get(source), &edit))].into();
    Some((source, Analysis::new(analysis.sources().clone().with(&texts), analysis.options().clone())))
}

/// The smallest edit: a line of its own behind the last `allow` of the bottle's own block.
fn edit(tree: &Tree, decl: &BottleDecl, host: &HostPattern) -> Option<Edit> {
    let bottle = tree.nodes().find(|node| node.head_span() == decl.head)?;
    let says = format!("allow {}", quoted_string(host));
    let Some(egress) = bottle.children().filter(|node| node.name() == "egress").last() else {
        return insert::last(tree, bottle, &format!("egress {{ {says} }}"));
    };
    match egress.children().filter(|node| node.name() == "allow").last() {
        Some(allow) => Some(insert::after(tree, allow, &says)),
        None => insert::last(tree, egress, &says),
    }
}
