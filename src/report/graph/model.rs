//! The model of a picture, before any format draws it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::VariableValue;
use crate::plan::{
    Plan, PlannedBoot, PlannedCredential, PlannedEgress, PlannedMachine, PlannedMachineVolume, PlannedPort,
    PlannedRepo, PlannedSidecar, Purpose, SecretUse, Traced,
};
use crate::report::Promise;
use crate::report::reach::{is_relay, past_policies};
use crate::world::broker;
use crate::world::builtin;
use crate::world::engine::BootKind;
use crate::world::images::without_digest;

/// How many hosts or repositories one card lists before it only counts them.
const MAX_LISTED: usize = 8;

/// The kind of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Secrets that the host keeps, all for one receiver.
    Secrets,
    /// The agent, in its machine.
    Agent,
    /// A sidecar, built in or the user's.
    Sidecar,
    /// Hosts that may be reached.
    Allowed,
    /// An API that the broker reaches, with the requests that it lets through.
    Api,
    /// Hosts that may not be reached, whatever allows them.
    Denied,
    /// That no host may be reached.
    Nowhere,
    /// Upstream repositories.
    Repositories,
    /// Whoever answers the agent's questions.
    Human,
    /// Whatever the host can reach.
    Unlisted,
}

/// The column of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zone {
    /// On the host, before anything starts.
    Host,
    /// In the agent's machine.
    Machine,
    /// In the bundle.
    Bundle,
    /// Beyond the bundle.
    Outside,
}

impl Kind {
    /// How a sidecar is linked to such a card.
    #[must_use]
    pub fn link(self) -> Link {
        match self {
            Self::Denied | Self::Nowhere => Link::Refuses,
            Self::Unlisted => Link::Escapes,
            _ => Link::Reaches,
        }
    }

    /// Where such a card stands.
    #[must_use]
    pub fn zone(self) -> Zone {
        match self {
            Self::Secrets => Zone::Host,
            Self::Agent => Zone::Machine,
            Self::Sidecar => Zone::Bundle,
            Self::Allowed
            | Self::Api
            | Self::Denied
            | Self::Nowhere
            | Self::Repositories
            | Self::Human
            | Self::Unlisted => Zone::Outside,
        }
    }
}

/// One line of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it says.
    pub text: String,
    /// What is said about that.
    pub note: Option<String>,
}

/// A node of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// What it stands for.
    pub kind: Kind,
    /// Its heading.
    pub name: String,
    /// What it lists.
    pub rows: Vec<Row>,
    /// How much more it would list.
    pub more: usize,
    /// What holds for all that it lists.
    pub limit: Option<String>,
    /// When it starts, from 1 on. Only the agent and its sidecars do.
    pub wave: usize,
}

impl Card {
    /// A card of something that does not start with the bottle.
    fn outside(kind: Kind, name: impl Into<String>, rows: Vec<Row>, more: usize) -> Self {
        Self { kind, name: name.into(), rows, more, limit: None, wave: 0 }
    }

    /// How it counts what it does not list.
    #[must_use]
    pub fn rest(&self) -> Option<String> {
        (self.more > 0).then(|| format!("and {} more", self.more))
    }

    /// All of it as lines of text.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let rows = self.rows.iter().map(|Row { text, note }| match note {
            Some(note) => format!("{text} {note}"),
            None => text.clone(),
        });
        std::iter::once(self.name.clone()).chain(rows).chain(self.rest()).chain(self.limit.clone()).collect()
    }
}

/// The meaning of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// Secrets go to their receiver.
    Receives,
    /// The agent dials a sidecar; the labels are the variables that tell it where.
    Dials,
    /// A sidecar starts after another one.
    Needs,
    /// A sidecar reaches something for the agent.
    Reaches,
    /// A sidecar refuses to.
    Refuses,
    /// A sidecar can reach it by itself: no list holds it.
    Escapes,
}

/// An edge of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The card that it leaves, by number.
    pub from: usize,
    /// The card that it enters, by number.
    pub to: usize,
    /// What it says.
    pub link: Link,
    /// What is written on it.
    pub labels: Vec<String>,
}

/// The picture of one bottle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The bottle's name.
    pub slug: String,
    /// What is promised of it.
    pub promise: Promise,
    /// The one address that the agent may dial.
    pub bundle: String,
    /// Its cards: the agent first, then the sidecars in the order in which they start, each followed by what it
    /// reaches; secrets last, in the order of their receivers.
    pub cards: Vec<Card>,
    /// Its edges.
    pub edges: Vec<Edge>,
}

impl Picture {
    /// The picture of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut picture = Self {
            slug: plan.slug.to_string(),
            promise: Promise::of(plan),
            bundle: plan.addresses.bundle().to_string(),
            cards: Vec::new(),
            edges: Vec::new(),
        };
        let agent = picture.agent(plan);
        let variables = variables(plan);
        let mut sidecars = Vec::new();
        for sidecar in &plan.sidecars {
            let card = picture.sidecar(sidecar);
            sidecars.push(card);
            if let Some(url) = &sidecar.url.value {
                let names = variables.get(origin(url)).into_iter().flatten();
                picture.link(agent, card, Link::Dials, names.map(|name| (*name).to_owned()).collect());
            }
            if let Some(container) = &sidecar.container {
                let agent = match &container.no_relay {
                    Some(reason) => {
                        Row { text: String::from("not the agent:"), note: Some(reason.value.clone()) }
                    }
                    None if is_relay(plan, sidecar) => row("and the agent through it"),
                    None => Row {
                        text: String::from("not the agent:"),
                        note: Some(String::from("no policy lets it dial this sidecar")),
                    },
                };
                let rows = vec![row("on no list"), agent];
                picture.beyond(card, Card::outside(Kind::Unlisted, past_policies(plan), rows, 0));
                continue;
            }
            match sidecar.name.as_str() {
                builtin::PIPELOCK => picture.hosts(card, &plan.egress),
                builtin::BROKER => picture.apis(card, &plan.credentials),
                builtin::GIT_GATE => picture.repositories(card, &plan.git.repos),
                builtin::SUPERVISE => {
                    let rows = vec![row("answers what the agent asks for")];
                    picture.beyond(card, Card::outside(Kind::Human, "a human", rows, 0));
                }
                _ => {}
            }
        }
        picture.needs(plan, &sidecars);
        picture.secrets(plan, agent, &sidecars);
        picture
    }

    /// The cards of one zone, with their numbers.
    pub fn within(&self, zone: Zone) -> impl Iterator<Item = (usize, &Card)> {
        self.cards.iter().enumerate().filter(move |(_, card)| card.kind.zone() == zone)
    }

    /// The last wave in which a sidecar starts.
    #[must_use]
    pub fn last_wave(&self) -> usize {
        self.within(Zone::Bundle).map(|(_, sidecar)| sidecar.wave).max().unwrap_or(0)
    }

    /// The edges of one sort.
    pub fn links(&self, link: Link) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.link == link)
    }

    /// An edge as a sentence.
    #[must_use]
    pub fn sentence(&self, edge: &Edge) -> String {
        let (from, to) = (&self.cards[edge.from], &self.cards[edge.to]);
        let (subject, rows) = (&from.name, &to.rows);
        let said = || and(rows.iter().map(|row| row.text.clone()), to.rest());
        match edge.link {
            Link::Receives => {
                let secret = |Row { text, note }: &Row| {
                    let place = match text.strip_prefix("env ") {
                        Some(name) => format!("the variable {name}"),
                        None => format!("the {text}"),
                    };
                    match note.as_deref() {
                        None => place,
                        Some(note) if note.starts_with("as ") => format!("{place} {note}"),
                        Some(note) => format!("{place}, the {note}"),
                    }
                };
                let secrets = and(from.rows.iter().map(secret), from.rest());
                let receiver = if to.kind == Kind::Agent { "The agent" } else { &to.name };
                format!("{receiver} receives the secrets in {secrets}.")
            }
            Link::Dials => {
                let by = match edge.labels.as_slice() {
                    [] => String::new(),
                    [one] => format!(", which the variable {one} names"),
                    labels => format!(", which the variables {} name", and(labels.iter().cloned(), None)),
                };
                let at = rows.first().map_or("", |row| &row.text);
                format!("The {subject} dials {} at {at}{by}.", to.name)
            }
            Link::Needs => format!("{subject} starts after {}.", to.name),
            Link::Reaches => match to.kind {
                Kind::Human => format!("{subject} asks {}, who {}.", to.name, said()),
                Kind::Repositories => {
                    let repo = |Row { text, note }: &Row| {
                        let place = note.as_ref().map(|place| format!(" at {place}"));
                        format!("the repository {text}{}", place.unwrap_or_default())
                    };
                    format!("{subject} reaches {}.", and(rows.iter().map(repo), to.rest()))
                }
                kind => {
                    let limit = to.limit.as_ref().map(|limit| format!(", {limit}")).unwrap_or_default();
                    let for_what =
                        if kind == Kind::Api { format!("{} for ", to.name) } else { String::new() };
                    format!("{subject} reaches {for_what}{}{limit}.", said())
                }
            },
            Link::Refuses if to.kind == Kind::Nowhere => {
                format!("{subject} reaches {}: {}.", to.name, said())
            }
            Link::Refuses => format!("{subject} never reaches {}.", said()),
            Link::Escapes => {
                let agent = match rows.last().and_then(|row| row.note.as_ref()) {
                    Some(reason) => format!("but the spec says that the agent cannot through it: {reason}"),
                    None => String::from("and so can the agent through it"),
                };
                format!("{subject} can reach {}, on no list, {agent}.", to.name)
            }
        }
    }

    /// What a sidecar reaches or refuses, in order, with their numbers.
    pub fn beyond_of(&self, sidecar: usize) -> impl Iterator<Item = (usize, &Card)> {
        let after = self.cards.iter().enumerate().skip(sidecar + 1);
        after.take_while(|(_, card)| card.kind.zone() == Zone::Outside)
    }

    fn push(&mut self, card: Card) -> usize {
        self.cards.push(card);
        self.cards.len() - 1
    }

    fn link(&mut self, from: usize, to: usize, link: Link, labels: Vec<String>) {
        self.edges.push(Edge { from, to, link, labels });
    }

    fn agent(&mut self, plan: &Plan) -> usize {
        let mut rows = match &plan.boot.value {
            None => vec![row("boots the bare system")],
            Some(PlannedBoot { kind, source }) => {
                let source = if *kind == BootKind::Image { without_digest(source) } else { source };
                vec![
                    row(format!("boots {}", kind.as_str())),
                    row(source.strip_prefix("./").unwrap_or(source)),
                ]
            }
        };
        rows.push(row(match &plan.cluster {
            Some(cluster) => format!("under {}", *cluster.runtime_class),
            None => format!("on smolvm {}", plan.engine.version),
        }));
        let noted = |text: String, note: &str| Row { text, note: Some(note.to_owned()) };
        let PlannedMachine { cpus: _, memory_mib: _, storage_gib: _, gpu, volumes, published } =
            &plan.machine;
        for PlannedMachineVolume { path, target, writable } in volumes.iter().map(|volume| &volume.value) {
            let how = if **writable { "written to" } else { "read" };
            rows.push(noted(path.clone(), &format!("{how} at {target}")));
        }
        for PlannedPort { guest, host } in published.iter().map(|port| &port.value) {
            rows.push(noted(format!("port {guest}"), &format!("on localhost:{host}")));
        }
        if gpu.value {
            rows.push(noted(String::from("graphics processor"), "of the host"));
        }
        let wave = plan.sidecars.iter().map(|sidecar| *sidecar.wave + 2).max().unwrap_or(1);
        self.push(Card {
            kind: Kind::Agent,
            name: builtin::AGENT.to_owned(),
            rows,
            more: 0,
            limit: None,
            wave,
        })
    }

    fn sidecar(&mut self, sidecar: &PlannedSidecar) -> usize {
        let mut rows = vec![row(sidecar.url.as_deref().unwrap_or("listens on no port"))];
        rows.push(row(sidecar
            .container
            .as_ref()
            .map_or("built in", |container| without_digest(&container.image))));
        if !sidecar.needs.is_empty() {
            rows.push(row(format!("after {}", sidecar.needs.join(", "))));
        }
        let (name, wave) = (sidecar.name.to_string(), *sidecar.wave + 1);
        self.push(Card { kind: Kind::Sidecar, name, rows, more: 0, limit: None, wave })
    }

    /// Adds a card that `from` reaches or refuses.
    fn beyond(&mut self, from: usize, card: Card) {
        let link = card.kind.link();
        let card = self.push(card);
        self.link(from, card, link, Vec::new());
    }

    fn hosts(&mut self, pipelock: usize, egress: &PlannedEgress) {
        let PlannedEgress { allow, deny, rate_limit, .. } = egress;
        if allow.is_empty() {
            let rows = vec![row("the spec allows none")];
            self.beyond(pipelock, Card::outside(Kind::Nowhere, "no host", rows, 0));
        } else {
            let (rows, more) = listed(allow, |entry| row(entry.host.as_str()));
            let limit = Some(format!("at most {} a minute to one domain", rate_limit.value));
            let card = Card::outside(Kind::Allowed, "may be reached", rows, more);
            self.beyond(pipelock, Card { limit, ..card });
        }
        if !deny.is_empty() {
            let (rows, more) = listed(deny, |entry| row(entry.host.as_str()));
            self.beyond(pipelock, Card::outside(Kind::Denied, "never", rows, more));
        }
    }

    fn apis(&mut self, broker: usize, credentials: &[Traced<PlannedCredential>]) {
        for credential in credentials {
            let PlannedCredential { name, upstream, allow, .. } = &credential.value;
            let requests: Vec<String> = allow.iter().flat_map(|it| it.requests()).collect();
            let (mut rows, more) = listed(&requests, |request| row(request.as_str()));
            if rows.is_empty() {
                rows.push(row("every request"));
            }
            let limit = Some(format!("as {name}, past every scan"));
            let card = Card::outside(Kind::Api, upstream.to_string(), rows, more);
            self.beyond(broker, Card { limit, ..card });
        }
    }

    fn repositories(&mut self, gate: usize, repos: &[Traced<PlannedRepo>]) {
        let (rows, more) =
            listed(repos, |repo| Row { text: repo.name.to_string(), note: Some(repo.place().to_string()) });
        self.beyond(gate, Card::outside(Kind::Repositories, "upstream", rows, more));
    }

    fn needs(&mut self, plan: &Plan, sidecars: &[usize]) {
        let named = plan.sidecars.iter().map(|sidecar| sidecar.name.as_str());
        let numbers: BTreeMap<&str, usize> = named.zip(sidecars.iter().copied()).collect();
        for (sidecar, card) in plan.sidecars.iter().zip(sidecars) {
            for needed in sidecar.needs.iter().filter_map(|need| numbers.get(need.as_str())) {
                self.link(*card, *needed, Link::Needs, Vec::new());
            }
        }
    }

    fn secrets(&mut self, plan: &Plan, agent: usize, sidecars: &[usize]) {
        let mut rows: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
        for given in plan.secrets() {
            rows.entry(given.receiver).or_default().push(secret(given));
        }
        let receivers =
            plan.sidecars.iter().map(|sidecar| sidecar.name.as_str()).zip(sidecars.iter().copied());
        for (receiver, card) in [(builtin::AGENT, agent)].into_iter().chain(receivers) {
            self.secrets_of(card, rows.remove(receiver).unwrap_or_default());
        }
    }

    fn secrets_of(&mut self, receiver: usize, rows: Vec<Row>) {
        if rows.is_empty() {
            return;
        }
        let name = format!("secrets for {}", self.cards[receiver].name);
        let card = self.push(Card::outside(Kind::Secrets, name, rows, 0));
        self.link(card, receiver, Link::Receives, Vec::new());
    }
}

/// "a, b and c", or "a, b and 37 more".
fn and(items: impl Iterator<Item = String>, rest: Option<String>) -> String {
    let items: Vec<String> = items.collect();
    match (rest, items.as_slice()) {
        (None, [first @ .., last]) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (rest, items) => [items.join(", ")].into_iter().chain(rest).collect::<Vec<_>>().join(" "),
    }
}

fn row(text: impl Into<String>) -> Row {
    Row { text: text.into(), note: None }
}

/// The rows of a long list, and how many more there would be. A single one more takes no more room than its count.
fn listed<T>(items: &[T], row: impl Fn(&T) -> Row) -> (Vec<Row>, usize) {
    let more = if items.len() <= MAX_LISTED + 1 { 0 } else { items.len() - MAX_LISTED };
    (items[..items.len() - more].iter().map(row).collect(), more)
}

/// The agent's variables that lead to each URL's scheme, host and port.
///
/// Programs differ in whether they read `HTTP_PROXY` or `http_proxy`, and people do not: of such twins there is one.
fn variables(plan: &Plan) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, variable) in &plan.env {
        if let VariableValue::Literal(value) = &variable.value.value {
            found.entry(origin(value)).or_default().insert(name);
        }
    }
    for names in found.values_mut() {
        let all = names.clone();
        names.retain(|name| {
            let upper = name.to_ascii_uppercase();
            upper == *name || !all.contains(upper.as_str())
        });
    }
    found
}

/// What stands before the path of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

/// A secret: where the host keeps it, and what its receiver calls it.
fn secret(secret: SecretUse<'_>) -> Row {
    let SecretUse { receiver: _, purpose, variable, file, origins: _ } = secret;
    let note = match purpose {
        // One name on both sides is said once.
        Purpose::Variable(name) => (variable != Some(name)).then(|| format!("as {name}")),
        Purpose::File(name) => Some(format!("as /run/secrets/{name}")),
        Purpose::Identity(repo) => Some(format!("key of {repo}")),
        Purpose::Authority => Some(String::from("key of the authority")),
        Purpose::Credential(name) => Some(format!("for {name}")),
    };
    let text = match (variable, file) {
        (Some(broker::TOKEN), _) => String::from("the launch's token"),
        (Some(variable), _) => format!("env {variable}"),
        (None, file) => format!("file {}", file.unwrap_or_default()),
    };
    Row { text, note }
}
