//! Sidecar dependencies: names resolved to members.

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Bottle, Member, Name, Names, Spanned};
use crate::resolve::graph::{Graph, Need};
use crate::resolve::message::circle;
use crate::rule::catalogue;
use crate::text::{did_you_mean, one_of, quote};
use crate::world::builtin;

/// A sidecar of a bottle: its place among the bottle's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberId(pub usize);

/// What a sidecar needs, resolved.
#[derive(Clone, Debug)]
pub struct Needs {
    /// What must run before it.
    pub members: Vec<Spanned<MemberId>>,
    /// The wave that it starts in, from 0 on.
    pub wave: usize,
}

/// Resolves what the sidecars of a bottle need. `None` when something is not known or in a circle.
pub fn resolve(bottle: Bottle<Names>, diagnostics: &mut Diagnostics) -> Option<Bottle<Needs>> {
    let names: Vec<Name> = bottle.members.iter().map(|member| member.name.value.clone()).collect();
    let mut complete = true;
    let mut needs = Vec::with_capacity(names.len());
    for member in &bottle.members {
        let mut resolved: Vec<Spanned<MemberId>> = Vec::with_capacity(member.needs.len());
        for need in &member.needs {
            if let Ok(at) = names.binary_search(&need.value) {
                resolved.push(Spanned { value: MemberId(at), span: need.span });
            } else {
                complete = false;
                diagnostics.push_error_with(|| unknown_sidecar(need, &names));
            }
        }
        needs.push(resolved);
    }
    let edges = needs.iter().enumerate().flat_map(|(from, needs)| {
        needs.iter().map(move |need| Need { from, to: need.value.0, span: need.span })
    });
    let waves = match Graph::new(names.len(), edges).waves() {
        Ok(waves) => waves,
        Err(cycles) => {
            for cycle in cycles {
                diagnostics.push(dependency_cycle(&cycle, &names));
            }
            return None;
        }
    };
    if !complete {
        return None;
    }
    let Bottle { settings, members } = bottle;
    let needs = needs.into_iter().zip(waves).map(|(members, wave)| Needs { members, wave });
    let members = members.into_iter().zip(needs);
    let members =
        members.map(|(Member { name, kind, needs: _, limits }, needs)| Member { name, kind, needs, limits });
    Some(Bottle { settings, members: members.collect() })
}

fn unknown_sidecar(need: &Spanned<Name>, names: &[Name]) -> Diagnostic {
    let known = || names.iter().map(Name::as_str);
    let diagnostic = Diagnostic::new(
        &catalogue::UNKNOWN_SIDECAR,
        need.span,
        format!("there is no sidecar {} in this bottle", quote(&need.value)),
    );
    match need.value.as_str() {
        builtin::GIT_GATE => diagnostic
            .label("not part of this bottle")
            .help("git-gate runs only when `git` declares a `repo`"),
        builtin::SUPERVISE => {
            diagnostic.label("not part of this bottle").help("it runs only when the bottle says `supervise`")
        }
        builtin::AGENT => diagnostic
            .label("not a sidecar")
            .help("the agent needs every sidecar and starts last; nothing needs it"),
        name => match did_you_mean(name, known()) {
            Some(meant) => diagnostic.label(format!("did you mean `{meant}`?")).replace(
                format!("write `{meant}`"),
                Applicability::Unsafe,
                need.span,
                crate::syntax::quoted_string(meant),
            ),
            None => diagnostic.label(format!("expected one of {}", one_of(known().take(12)))),
        },
    }
}

fn dependency_cycle(cycle: &[Need], names: &[Name]) -> Diagnostic {
    circle(&catalogue::DEPENDENCY_CYCLE, cycle, "sidecars need each other", "needs", |at| names[at].as_str())
        .help(if cycle.len() == 1 {
            "take it out"
        } else {
            "take one of these out: none of them could start first"
        })
}
