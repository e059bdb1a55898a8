//! Proposal queues: each bottle needs its own.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, MemberKind, Name, Spanned, Supervise, VolumeSource};
use crate::path::join;
use crate::rule::catalogue::{HOST_PATH_EXPOSED, QUEUE_TAKEN};
use crate::source::{Sources, Span};
use crate::text::quote;

/// The queue of a bottle.
#[derive(Debug)]
pub struct Claim {
    /// The bottle.
    slug: Spanned<Name>,
    /// The directory, spelled so that equal ones are equal, and with `/` at its end.
    directory: String,
    /// Where it is said; nothing when it is derived from the name.
    said: Option<Span>,
}

impl Claim {
    /// Returns a bottle's claim, if it has a queue.
    #[must_use]
    pub fn of<N>(bottle: &Bottle<N>, sources: &Sources) -> Option<Self> {
        let Supervise { place: _, queue, image: _ } = bottle.settings.supervise.as_ref()?;
        let slug = bottle.settings.slug.clone();
        let said = queue.as_ref().map(|queue| queue.span);
        let directory = match queue {
            None => directory(&Supervise::default_queue(&slug.value), ""),
            Some(queue) => directory(&queue.value, sources.get(queue.span.source).place()),
        };
        Some(Self { slug, directory, said })
    }

    /// Where it comes from.
    fn place(&self) -> Span {
        self.said.unwrap_or(self.slug.span)
    }
}

/// A directory that the file `source` names, seen from the workspace when it is relative.
pub(super) fn directory(path: &str, source: &str) -> String {
    let (start, path) = match (path.strip_prefix("~/"), path.strip_prefix('/')) {
        (Some(rest), _) => ("~/", join("", rest)),
        (None, Some(rest)) => ("/", join("", rest)),
        (None, None) => ("", join(source.rsplit_once('/').map_or("", |(directory, _)| directory), path)),
    };
    format!("{start}{path}/")
}

/// Checks that neither a sidecar nor the agent sees the queue: what lies there is the human's answer, which supervise gives to the agent.
pub fn shown<N>(bottle: &Bottle<N>, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Some(claim) = Claim::of(bottle, sources) else { return };
    let services = bottle.members.iter().filter_map(|member| match &member.kind {
        MemberKind::Custom(service) => Some(service),
        MemberKind::Builtin(_) => None,
    });
    let of_sidecars =
        services.flat_map(|service| &service.volumes).filter_map(|volume| match &volume.source.value {
            VolumeSource::Host(path) => Some((path, volume.source.span, "a sidecar")),
            VolumeSource::Named(_) => None,
        });
    let of_machine = bottle.settings.machine.volumes.iter();
    let of_machine = of_machine.map(|volume| (&volume.source.value, volume.source.span, "the agent"));
    for (path, place, receiver) in of_sidecars.chain(of_machine) {
        let seen = directory(path, sources.get(place.source).place());
        if !seen.starts_with(&claim.directory) && !claim.directory.starts_with(&seen) {
            continue;
        }
        diagnostics.push_error_with(|| {
            let message =
                format!("{} is not for {receiver}: what a human answers the agent lies there", quote(path));
            let diagnostic = Diagnostic::new(&HOST_PATH_EXPOSED, place, message);
            let diagnostic = match claim.said {
                Some(said) => diagnostic.related(said, "the queue of the bottle is here"),
                None => diagnostic,
            };
            diagnostic
                .label("holds the queue of the bottle, or lies in it")
                .help("name a directory outside of the queue")
        });
    }
}

/// Checks that no queue is another one or lies in another one.
pub fn check(mut claims: Vec<Claim>, diagnostics: &mut Diagnostics) {
    // In this order a directory comes right before what lies in it, or before others that do.
    claims.sort_by(|a, b| a.directory.cmp(&b.directory).then_with(|| a.slug.span.cmp(&b.slug.span)));
    let mut owner: Option<&Claim> = None;
    for claim in &claims {
        match owner {
            Some(first) if claim.directory.starts_with(&first.directory) => {
                // Of two bottles with one name the second one is reported as such.
                if first.slug.value != claim.slug.value {
                    diagnostics.push_error_with(|| taken(first, claim));
                }
            }
            _ => owner = Some(claim),
        }
    }
}

fn taken(first: &Claim, claim: &Claim) -> Diagnostic {
    let (one, two) = (quote(&first.slug.value), quote(&claim.slug.value));
    let shown = |claim: &Claim| quote(claim.directory.trim_end_matches('/'));
    let same = first.directory == claim.directory;
    let message = if same {
        format!("bottles {one} and {two} have one queue, {}", shown(claim))
    } else {
        format!("the queue of bottle {two} lies in that of bottle {one}, {}", shown(first))
    };
    // One line of a profile may be what both have: then the bottle is the place, and the line is shown beside it.
    let together = first.said.is_some() && first.said == claim.said;
    let place = if together { claim.slug.span } else { claim.place() };
    let diagnostic = Diagnostic::new(&QUEUE_TAKEN, place, message);
    let diagnostic = if together {
        diagnostic.label("has the queue of another bottle").related(first.place(), "both have it from here")
    } else {
        let what = if same { "has this queue, too" } else { "has the directory above it" };
        let label = if same { "the queue of another bottle" } else { "in the queue of another bottle" };
        diagnostic.label(label).related(first.place(), format!("{one} {what}"))
    };
    diagnostic
        .help("give each bottle a directory of its own, or leave `queue` out: then each has one by its name")
}
