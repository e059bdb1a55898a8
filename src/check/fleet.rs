//! Conflicts between bottles that are compiled together, for one host.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics, Edit};
use crate::model::{BottleDecl, Name, Spanned};
use crate::resolve::message::duplicate;
use crate::rule::catalogue::{EMPTY_SPEC, EXPANSION_TOO_LARGE, SUBNET_COLLISION};
use crate::source::{Sources, Span};
use crate::text::quote;
use crate::world::network::{Addresses, free_octet};

/// A bottle's name, and the octet that it gets.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The bottle.
    pub decl: &'a BottleDecl,
    /// Its addresses.
    pub addresses: Addresses,
}

/// Checks the names and the subnets of all bottles; `addresses` says which each has, with its profiles laid under it.
pub fn check(
    decls: &[&BottleDecl],
    addresses: impl Fn(&BottleDecl) -> Addresses,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    let mut names: BTreeMap<&str, &Spanned<Name>> = BTreeMap::new();
    let mut octets: BTreeMap<(Option<Ipv4Net>, u8), Claim<'_>> = BTreeMap::new();
    // Pinned octets are claimed first: a collision is then the matter of the bottle that can move.
    let pinned = decls.iter().filter(|decl| decl.octet.is_some());
    let derived = decls.iter().filter(|decl| decl.octet.is_none());
    let mut collisions = Vec::new();
    for decl in decls {
        match names.get(decl.slug.value.as_str()) {
            Some(first) => diagnostics.push(duplicate("bottle", &decl.slug, first)),
            None => {
                names.insert(&decl.slug.value, &decl.slug);
            }
        }
    }
    for decl in pinned.chain(derived) {
        // Of two bottles with one name the second one is reported as such.
        if names.get(decl.slug.value.as_str()).is_some_and(|first| first.span != decl.slug.span) {
            continue;
        }
        let addresses = addresses(decl);
        let key = (addresses.services, addresses.octet);
        if let Some(owner) = octets.get(&key) {
            collisions.push((Claim { decl, addresses }, owner.decl.slug.clone(), place(owner.decl)));
        } else {
            octets.insert(key, Claim { decl, addresses });
        }
    }
    // One octet is offered once, so that taking every fix at once leaves no collision.
    let mut offered = Vec::new();
    for (claim, owner, first) in collisions {
        let network = claim.addresses.services;
        let free = free_octet(claim.addresses, |octet| {
            octets.contains_key(&(network, octet)) || offered.contains(&(network, octet))
        });
        offered.extend(free.map(|octet| (network, octet)));
        diagnostics.push(collision(&claim, &owner, first, free, sources));
    }
}

/// Where a bottle's octet comes from.
fn place(decl: &BottleDecl) -> Span {
    decl.octet.map_or(decl.slug.span, |octet| octet.span)
}

fn collision(
    claim: &Claim<'_>,
    owner: &Spanned<Name>,
    first: Span,
    free: Option<u8>,
    sources: &Sources,
) -> Diagnostic {
    let Claim { decl, addresses } = claim;
    let what = match addresses.services {
        Some(_) => format!("the address {} in one cluster", addresses.bundle()),
        None => format!("the subnet {}", addresses.subnet()),
    };
    let diagnostic = Diagnostic::new(
        &SUBNET_COLLISION,
        place(decl),
        format!("bottles {} and {} both get {what}", quote(&owner.value), quote(&decl.slug.value)),
    )
    .label(format!("{} gets octet {}", quote(&decl.slug.value), addresses.octet))
    .related(first, format!("{} gets octet {}, too", quote(&owner.value), addresses.octet));
    let Some(free) = free else {
        return diagnostic.help(match addresses.services {
            Some(_) => "every octet is taken: one range of Services holds at most 251 bottles",
            None => "every octet is taken: one host holds at most 253 bottles",
        });
    };
    let title = format!("octet {free} is free: pin it with `network octet={free}`");
    match (decl.octet, decl.block) {
        (Some(octet), _) => diagnostic.replace(title, Applicability::Unsafe, octet.span, free.to_string()),
        (None, Some(block)) => {
            let at = Span::at(block.source, block.start + 1);
            let rest = &sources.get(block.source).text()[at.start as usize..];
            let rest = rest.trim_start_matches([' ', '\t']);
            // On a line of its own where the block has lines, else before what stands on this one.
            let replacement = if rest.starts_with(['\n', '\r']) || rest.starts_with("//") {
                format!("\n{}    network octet={free}", indentation(sources, decl.slug.span))
            } else {
                format!(" network octet={free};")
            };
            diagnostic.fix(title, Applicability::Unsafe, vec![Edit { span: at, replacement }])
        }
        (None, None) => {
            let at = Span::at(decl.head.source, decl.head.end);
            let replacement = format!(" {{ network octet={free}; }}");
            diagnostic.fix(title, Applicability::Unsafe, vec![Edit { span: at, replacement }])
        }
    }
}

/// The blanks that the line of `span` begins with.
fn indentation(sources: &Sources, span: Span) -> String {
    let source = sources.get(span.source);
    let line = source.line_text(source.line_of(span.start));
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
}

/// Says that a compile of these sources has no bottle.
#[must_use]
pub fn empty(span: Span) -> Diagnostic {
    Diagnostic::new(&EMPTY_SPEC, span, "there is no bottle and no profile").label("expected a `bottle`").help(
        "for example: `bottle \"demo\" { egress { allow \"api.anthropic.com\"; }; }`, or run `bottlec init`",
    )
}

/// Says that the files up to this one hold more than the compiler takes.
#[must_use]
pub fn too_many_nodes(span: Span, limit: usize) -> Diagnostic {
    let message = format!("with this file the spec holds more than {limit} nodes, arguments and properties");
    Diagnostic::new(&EXPANSION_TOO_LARGE, span, message)
        .label("not compiled from here on")
        .help("compile fewer bottles at once: one host holds at most 253")
}

/// Says that the bottles up to `decl` are made of more than the compiler takes.
#[must_use]
pub fn too_large(decl: &BottleDecl, limit: usize) -> Diagnostic {
    Diagnostic::new(
        &EXPANSION_TOO_LARGE,
        decl.slug.span,
        format!("with this bottle the spec grows past {limit} nodes after its profiles are laid in"),
    )
    .label("not compiled from here on")
    .help("compile fewer bottles at once, or shorten the profiles that they extend")
}
