//! Values of arguments and properties, by their type.

use std::collections::{BTreeMap, BTreeSet};

use lsp_types::CompletionItemKind;

use super::item::Candidate;
use super::slot::{Slot, Style};
use super::snippet::Example;
use super::{Request, hosts, known, names, paths};
use crate::check;
use crate::lsp::around::{self, Around};
use crate::lsp::prose::{Prose, sentence};
use crate::model::{Repo, UpstreamRepo, VolumeSource};
use crate::rule;
use crate::schema::{Node as Schema, ValueType};
use crate::syntax::{Entry, Node, Value};
use crate::world::engine::{BootKind, Capability, Gap, Ledger, Version};
use crate::world::network::Addresses;
use crate::world::pipelock;
use crate::world::upstream::Upstream;
use crate::world::{backend, broker, builtin, ports, secret_scanner};

/// The values that could stand in a place of that type.
pub(super) fn values(
    request: Request<'_>,
    schema: &'static Schema,
    value: ValueType,
    slot: &Slot,
) -> Vec<Candidate> {
    let node = request.cursor.node();
    let name = node.map(Node::name).unwrap_or_default();
    match value {
        ValueType::Backend
        | ValueType::Engine
        | ValueType::AcceptableRule
        | ValueType::Rule { .. }
        | ValueType::Choice { .. }
        | ValueType::Scanner => words(value, node, slot),
        ValueType::ProfileName if name == "extends" => names::profiles(request, slot),
        ValueType::Name if name == "needs" => names::sidecars(request, slot),
        ValueType::EnvName if name == "expose" => names::exposed(request),
        ValueType::EnvName if name == "placeholder" => {
            broker::keys().map(|name| Candidate::value(name, CompletionItemKind::VARIABLE)).collect()
        }
        ValueType::EnvName => names::references(request),
        ValueType::Version => versions(request),
        ValueType::PipelockVersion => pipelock_versions(),
        ValueType::RelativePath
        | ValueType::AbsolutePath
        | ValueType::HostPath
        | ValueType::PrivateKey
        | ValueType::OwnDirectory
        | ValueType::MachinePath
        | ValueType::Directory
        | ValueType::MachineVolume => paths::paths(request, value, slot),
        ValueType::VolumeSource => {
            let mut found = volumes(request);
            found.extend(paths::paths(request, value, slot));
            found
        }
        ValueType::MethodOrPath => {
            let methods = broker::METHODS.iter();
            methods.map(|method| Candidate::value(*method, CompletionItemKind::ENUM_MEMBER)).collect()
        }
        ValueType::Image => images(request, schema),
        ValueType::HostPattern | ValueType::HostEntry | ValueType::Target | ValueType::Upstream => {
            hosts::hosts(request, value, slot)
        }
        ValueType::Scheme => schemes(node),
        ValueType::GitUrl => {
            let forges = known::FORGES.iter();
            forges
                .map(|(url, whose)| Candidate::prefix(*url, CompletionItemKind::VALUE).detail(*whose))
                .collect()
        }
        ValueType::HostKey => host_keys(request, slot),
        ValueType::Octet => octet(request, slot),
        ValueType::Integer { .. } => example(schema, request, slot, true),
        ValueType::ObjectName
        | ValueType::ServiceRange
        | ValueType::Memory { .. }
        | ValueType::Disk
        | ValueType::ContainerUser
        | ValueType::ContainerPath
        | ValueType::MachinePlace
        | ValueType::MachineFile
        | ValueType::HeaderName
        | ValueType::ApiUrl
        | ValueType::UrlPath => example(schema, request, slot, false),
        ValueType::EnvValue => usual_value(name),
        // What the author makes up.
        ValueType::Name
        | ValueType::ProfileName
        | ValueType::RepoName
        | ValueType::Text
        | ValueType::Argument
        | ValueType::Regex
        | ValueType::LoginUser
        | ValueType::PatternName
        | ValueType::Email => Vec::new(),
    }
}

/// The words of a type that has no others.
fn words(value: ValueType, node: Option<Node<'_>>, slot: &Slot) -> Vec<Candidate> {
    let said = node.map(|node| names::said(node, slot)).unwrap_or_default();
    let words = value.words().into_iter().filter(|word| !said.contains(word));
    words
        .map(|word| {
            let candidate = Candidate::value(word, CompletionItemKind::ENUM_MEMBER);
            match value {
                ValueType::AcceptableRule | ValueType::Rule { .. } => match rule::find(word) {
                    Some(rule) => candidate.detail(rule.summary).doc(rule_in_short(rule)),
                    None => candidate,
                },
                ValueType::Backend => match backend::find(word) {
                    Some(backend) => candidate.detail(backend.summary),
                    None => candidate,
                },
                ValueType::Choice { what, .. } => candidate.detail(what),
                ValueType::Scanner if word == secret_scanner::DEFAULT => candidate.detail("the default"),
                _ => candidate,
            }
        })
        .collect()
}

/// A rule's summary, and the first paragraph of its page.
fn rule_in_short(rule: &rule::Rule) -> Prose {
    let page = rule.page.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    let first = page.split("\n\n").next().unwrap_or_default();
    Prose::new().text(first).text(format!("`bottlec explain {}` says more.", rule.id))
}

/// The versions of the engine at which something changes, the newest first.
fn versions(request: Request<'_>) -> Vec<Candidate> {
    let ledger = Ledger::smolvm();
    let boot = request.siblings().find_map(|node| BootKind::find(node.name()));
    let oldest = ledger.row(Capability::CidrPolicy).since;
    // What a command is spelled like, what no stage makes use of, and what every version lacks is no reason to take
    // another one.
    let same =
        [Capability::FromFlag, Capability::NameFlag, Capability::EgressEvents, Capability::PackDropsSecrets];
    let matters = || Capability::ALL.iter().filter(|capability| !same.contains(capability));
    let rows = || matters().map(|capability| ledger.row(*capability));
    let mut versions: BTreeSet<Version> =
        rows().map(|row| row.since).filter(|since| *since >= oldest).collect();
    versions.insert(ledger.newest);
    // Each with the one before it.
    let before = std::iter::once(None).chain(versions.iter().copied().map(Some)).collect::<Vec<_>>();
    let mut found: Vec<Candidate> = versions
        .iter()
        .copied()
        .zip(before)
        .map(|(version, before)| {
            let gaps = Gap::of(version, boot);
            let detail = match gaps.first() {
                _ if version == ledger.newest => String::from("the newest known version"),
                None => String::from("keeps the agent to its bundle"),
                Some(gap) => gap.but().to_owned(),
            };
            let begins = rows().filter(|row| row.since == version).map(|row| sentence(&row.summary));
            let ends = rows().filter(|row| {
                row.until.is_some_and(|until| until < version && before.is_none_or(|before| before <= until))
            });
            let ends = ends.map(|row| format!("No longer: {}.", row.summary));
            let changes: Vec<String> = begins.chain(ends).collect();
            let mut doc = Prose::new();
            if !changes.is_empty() {
                doc = doc.text(format!("What changes with smolvm {version}:")).list(changes);
            }
            if !gaps.is_empty() {
                let gaps = gaps.iter().map(|gap| {
                    format!(
                        "{} (`{}`)",
                        sentence(gap.but()).trim_end_matches('.'),
                        check::engine::of(*gap).id
                    )
                });
                doc = doc.text("What it leaves open:").list(gaps.collect());
            }
            let tier = u8::from(version != ledger.newest);
            Candidate::value(version.to_string(), CompletionItemKind::CONSTANT)
                .detail(detail)
                .doc(doc)
                .tier(tier)
        })
        .collect();
    found.reverse();
    found
}

/// The versions of pipelock at which something changes.
fn pipelock_versions() -> Vec<Candidate> {
    let versions: BTreeSet<Version> =
        pipelock::FACTS.iter().map(|fact| fact.since).chain([pipelock::RECORDED, pipelock::NEWEST]).collect();
    let detail = |version| match version {
        pipelock::RECORDED => "its verdicts are recorded",
        pipelock::NEWEST => "the newest known version",
        _ => "known by what was read of it",
    };
    let candidate = |version: Version| {
        let begins = pipelock::FACTS.iter().filter(|fact| fact.since == version);
        let doc = Prose::new()
            .text(format!("What begins with pipelock {version}:"))
            .list(begins.map(|fact| sentence(fact.summary)).collect());
        Candidate::value(version.to_string(), CompletionItemKind::CONSTANT)
            .detail(detail(version))
            .doc(doc)
            .tier(u8::from(version != pipelock::RECORDED))
    };
    versions.into_iter().rev().map(candidate).collect()
}

/// Images that are used elsewhere, the one that is built in, and the registries that are known.
fn images(request: Request<'_>, schema: &'static Schema) -> Vec<Candidate> {
    let here = request.cursor.node().map(Node::name_span);
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut note = |image: Option<&'static str>| {
        if let Some(image) = image {
            seen.insert(image, "what holds without it");
        }
    };
    match schema.name {
        builtin::PIPELOCK => note(Some(pipelock::IMAGE)),
        builtin::SUPERVISE => note(Some(builtin::SUPERVISE_IMAGE)),
        _ => {}
    }
    for layer in around::layers(request.asked.analysis) {
        let boots = layer.boots.iter().filter(|boot| boot.kind == BootKind::Image && Some(boot.node) != here);
        let sidecars = layer.sidecars.iter().filter_map(|sidecar| sidecar.service.image.as_ref());
        // The image at the cursor is no other place.
        let sidecars = sidecars.filter(|image| {
            let at = request.cursor.offset;
            image.span.source != request.asked.id || at < image.span.start || image.span.end < at
        });
        for image in boots.map(|boot| &boot.source).chain(sidecars) {
            if ValueType::Image.check(Value::String(&image.value)).is_ok() {
                seen.entry(&image.value).or_insert("used elsewhere in the spec");
            }
        }
    }
    let used =
        seen.into_iter().map(|(image, what)| Candidate::value(image, CompletionItemKind::VALUE).detail(what));
    let registries = known::REGISTRIES.iter();
    let registries = registries.map(|(registry, what)| {
        Candidate::prefix(*registry, CompletionItemKind::MODULE).detail(*what).tier(2)
    });
    used.chain(registries).collect()
}

/// The volumes that the bottle has by name.
fn volumes(request: Request<'_>) -> Vec<Candidate> {
    let here = request.cursor.node().map(Node::span);
    let layers = Around::new(request.asked, &request.cursor.parents)
        .map(|around| around.sidecars().collect::<Vec<_>>());
    let volumes = layers.unwrap_or_default().into_iter().flat_map(|sidecar| &sidecar.service.volumes);
    let others = volumes.filter(|volume| {
        here.is_none_or(|here| {
            !(here.start <= volume.source.span.start && volume.source.span.end <= here.end)
        })
    });
    let names: BTreeSet<&str> = others
        .filter_map(|volume| match &volume.source.value {
            VolumeSource::Named(name) => Some(name.as_str()),
            VolumeSource::Host(_) => None,
        })
        .filter(|name| ValueType::VolumeSource.check(Value::String(name)).is_ok())
        .collect();
    let names = names.into_iter();
    names
        .map(|name| Candidate::value(name, CompletionItemKind::VALUE).detail("a volume of this bottle"))
        .collect()
}

/// Schemes, the one that fits the port first.
fn schemes(port: Option<Node<'_>>) -> Vec<Candidate> {
    let number = port.and_then(|port| port.entries().find(|entry| entry.key().is_none())).map(Entry::value);
    let services = ports::SERVICES.iter();
    services
        .filter_map(|service| {
            let usual = service.ports.first()?;
            let fits = service.ports.iter().any(|port| number == Some(Value::Integer(i128::from(*port))));
            let candidate = Candidate::value(service.scheme, CompletionItemKind::ENUM_MEMBER);
            Some(candidate.detail(format!("usually port {usual}")).tier(u8::from(!fits)))
        })
        .collect()
}

/// The keys of hosts that other repositories of the spec name.
fn host_keys(request: Request<'_>, slot: &Slot) -> Vec<Candidate> {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for layer in around::layers(request.asked.analysis) {
        for UpstreamRepo { url, identity: _, host_keys } in layer.git.repos.iter().filter_map(Repo::upstream)
        {
            for key in host_keys.iter().filter(|key| !slot.is_in(key.span)) {
                keys.insert(&key.value, &url.value);
            }
        }
    }
    let sound = keys.into_iter().filter(|(key, _)| ValueType::HostKey.check(Value::String(key)).is_ok());
    sound
        .map(|(key, url)| {
            let host = Upstream::parse(url).map_or("another repository", |url| url.host);
            Candidate::value(key, CompletionItemKind::VALUE)
                .detail(format!("of {}", crate::text::quote(host)))
        })
        .collect()
}

/// The octet that the bottle has without it: to pin what is.
fn octet(request: Request<'_>, slot: &Slot) -> Vec<Candidate> {
    let Some(around) = Around::new(request.asked, &request.cursor.parents) else { return Vec::new() };
    let addresses = Addresses::of_slug(&around.name.value);
    let text = addresses.octet.to_string();
    let detail = format!("pins {}, which it has without it", addresses.subnet());
    number(&text, slot).map(|candidate| candidate.detail(detail)).into_iter().collect()
}

/// A number, which stands between no quotes.
fn number(text: &str, slot: &Slot) -> Option<Candidate> {
    (slot.style == Style::Bare)
        .then(|| Candidate::kdl(text, text.to_owned(), false, CompletionItemKind::VALUE))
}

/// What the example of the reference has in this place.
fn example(schema: &'static Schema, request: Request<'_>, slot: &Slot, is_number: bool) -> Vec<Candidate> {
    let example = Example::of(schema);
    let key = super::property_key(request);
    let text = match key {
        Some(key) => example.property(key),
        None => example.argument(),
    };
    // The first argument alone is taken from an example.
    let first = key.is_some() || request.cursor.node().is_none_or(|node| names::said(node, slot).is_empty());
    let Some(text) = text.filter(|_| first) else { return Vec::new() };
    let candidate =
        if is_number { number(&text, slot) } else { Some(Candidate::value(text, CompletionItemKind::VALUE)) };
    candidate.map(|candidate| candidate.detail("as in the reference")).into_iter().collect()
}

/// What a well-known variable usually holds. What the spec has elsewhere is not offered: it may be a secret.
fn usual_value(name: &str) -> Vec<Candidate> {
    let usual = known::variable(name).and_then(|variable| variable.value);
    usual
        .map(|value| Candidate::value(value, CompletionItemKind::VALUE).detail("the usual value"))
        .into_iter()
        .collect()
}
