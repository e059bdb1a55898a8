//! Hovers of bottles, profiles, sidecars and files.

use std::fmt::Write as _;

use super::{MAX_BOTTLES, Place, some};
use crate::compile::Analysis;
use crate::lower::shell;
use crate::lsp::around;
use crate::lsp::prose::Prose;
use crate::model::{Bottle, McpFile, MemberKind, Profile, Spanned};
use crate::plan;
use crate::resolve::include;
use crate::resolve::members::Needs;
use crate::syntax::{Entry, Node};
use crate::text::quote;
use crate::world::catalogue::cited::{Citation, entries};
use crate::world::catalogue::{self, BuiltIn};

impl Place<'_> {
    /// A bottle's addresses, and what starts in which order.
    pub(super) fn bottle(self, node: Node<'_>) -> Prose {
        let name = node.entries().find(|entry| entry.key().is_none()).map(Entry::value_span);
        let file = self.asked.analysis.file(self.asked.id);
        let Some(decl) = file.bottles.iter().find(|decl| Some(decl.slug.span) == name) else {
            return Prose::new();
        };
        let bottle = self.asked.analysis.bottle(decl.slug.span);
        let addresses = bottle.map_or_else(|| decl.addresses(), |bottle| bottle.settings.addresses());
        let origin = match decl.octet {
            Some(octet) => format!("pinned in line {}", self.asked.source().line_of(octet.span.start) + 1),
            None => format!("derived from the name; `network octet={}` pins it", addresses.octet),
        };
        let bundle = format!("bundle `{}`: the one address that the agent may dial", addresses.bundle());
        let list = match addresses.gateway() {
            Some(gateway) => {
                vec![
                    format!("subnet `{}`: {origin}", addresses.subnet()),
                    format!("gateway `{gateway}`"),
                    bundle,
                ]
            }
            None => vec![
                format!("the cluster's Services are in `{}`", addresses.subnet()),
                format!("{bundle}; its place there is {origin}"),
            ],
        };
        let prose = Prose::new().list(list);
        match bottle {
            Some(bottle) => prose.text(order(bottle)),
            None => prose,
        }
    }

    /// A sidecar of the bottles that the place counts for.
    pub(super) fn sidecar(self, name: &str) -> Prose {
        let concerned = self.concerned();
        let mut items = Vec::new();
        for bottle in concerned.iter().take(MAX_BOTTLES) {
            let members = &bottle.members;
            let Some(at) = members.iter().position(|member| member.name.value == name) else { continue };
            let member = &members[at];
            let url = plan::url(member, bottle.settings.addresses());
            let url = url.map_or_else(|| String::from("no port"), |url| quote(&url));
            let waves = waves(bottle);
            let wave = member.needs.wave + 1;
            let needed =
                members.iter().filter(|other| other.needs.members.iter().any(|need| need.value.0 == at));
            let needed = some(needed.map(|other| other.name.value.as_str()));
            let needed = if needed.is_empty() {
                String::from("the agent needs it")
            } else {
                format!("needed by {needed} and the agent")
            };
            let mcp = match &member.kind {
                MemberKind::Custom(service) => service.mcp.as_ref(),
                MemberKind::Builtin(_) => None,
            };
            let url = match mcp {
                Some(mcp) => format!("{url}, an MCP server at {}", quote(&mcp.path.value)),
                None => url,
            };
            let mut item = format!(
                "in {}: {url}, starts in wave {wave} of {waves}, {needed}",
                quote(&bottle.settings.slug.value)
            );
            if let MemberKind::Custom(service) = &member.kind
                && !service.exposes.is_empty()
            {
                let variables = service.exposes.iter().map(|expose| expose.variable.value.as_str());
                // Writing to a `String` cannot fail.
                let _ = write!(item, "; the agent has its URL as {}", some(variables));
            }
            items.push(item);
        }
        if concerned.len() > MAX_BOTTLES {
            items.push(format!("and in {} more bottles", concerned.len() - MAX_BOTTLES));
        }
        Prose::new().list(items)
    }

    /// Describes a variable that tells the agent where a sidecar or a credential is.
    pub(super) fn exposed(self, variable: &str) -> Prose {
        let mut items = Vec::new();
        for bottle in self.concerned().into_iter().take(MAX_BOTTLES) {
            for member in &bottle.members {
                let MemberKind::Custom(service) = &member.kind else { continue };
                let exposed = service.exposes.iter().find(|expose| expose.variable.value == variable);
                let Some((expose, url)) = exposed.zip(plan::url(member, bottle.settings.addresses())) else {
                    continue;
                };
                let path = expose.path.as_ref().map_or("", |path| &path.value);
                let slug = quote(&bottle.settings.slug.value);
                items.push(format!("in {slug}, {} is {}", quote(variable), quote(&format!("{url}{path}"))));
            }
            let slug = quote(&bottle.settings.slug.value);
            let of_broker =
                plan::exposed_credentials(bottle).filter(|(expose, _)| expose.variable.value == variable);
            items.extend(
                of_broker.map(|(_, url)| format!("in {slug}, {} is {}", quote(variable), quote(&url))),
            );
        }
        Prose::new().list(items)
    }

    /// Describes a profile.
    pub(super) fn profile(self, name: &str) -> Prose {
        let scope = around::scope(self.asked);
        if let Some(built_in) = catalogue::find(name) {
            return Prose::new()
                .text(format!("The built-in profile {} brings:", quote(name)))
                .list(built_in_given(built_in))
                .text(format!("`bottlec explain {name}` prints it, with the source of each entry and the date on which that was read."));
        }
        let Some(profile) = scope.profiles().find(|profile| profile.name.value == name) else {
            return Prose::new().text(format!(
                "There is no profile {} in this file or in one that it includes.",
                quote(name)
            ));
        };
        let heading = format!("Profile {}, {}, gives:", quote(name), self.place(profile.name.span));
        let items = given(profile);
        if items.is_empty() {
            Prose::new().text(heading.replace(", gives:", ", gives nothing."))
        } else {
            Prose::new().text(heading).list(items)
        }
    }

    /// The file that an `include` reads.
    pub(super) fn include(self, path: &str) -> Prose {
        let sources = self.asked.analysis.sources();
        let Some(target) = include::target(self.asked.source().place(), path) else {
            return Prose::new().text(format!("{} leaves the workspace: it is not read.", quote(path)));
        };
        let Some(id) = sources.at(&target) else {
            let why = sources.why_absent(&target).unwrap_or("it is not there");
            return Prose::new().text(format!("{} cannot be read: {}", quote(&target), quote(why)));
        };
        let file = self.asked.analysis.file(id);
        let mut items = Vec::new();
        if !file.profiles.is_empty() {
            items.push(format!("profiles {}", some(file.profiles.iter().map(|it| it.name.value.as_str()))));
        }
        if !file.bottles.is_empty() {
            items.push(format!("bottles {}", some(file.bottles.iter().map(|it| it.slug.value.as_str()))));
        }
        if !file.includes.is_empty() {
            items.push(format!("what {} hold", some(file.includes.iter().map(|it| it.value.as_str()))));
        }
        Prose::new().text(format!("Reads {}.", quote(&target))).list(items)
    }
}

/// What a built-in profile sets, and where that is said.
pub(in crate::lsp) fn built_in_given(profile: &BuiltIn) -> Vec<String> {
    let (analysis, id) = Analysis::of_built_in(profile);
    let mut items = analysis.file(id).profiles.first().map(given).unwrap_or_default();
    let mut sources: Vec<&str> = Vec::new();
    let entries = entries(analysis.tree(id));
    for Citation { url, .. } in entries.iter().flat_map(|entry| &entry.sources) {
        if !sources.contains(url) {
            sources.push(url);
        }
    }
    items.push(format!("by {}", some(sources)));
    items
}

/// What a profile sets itself.
fn given(profile: &Profile) -> Vec<String> {
    let layer = &profile.layer;
    let mut items = Vec::new();
    let mut add = |what: &str, names: Vec<&str>| {
        if !names.is_empty() {
            items.push(format!("{what} {}", some(names)));
        }
    };
    add("what is under it:", profile.extends.iter().map(|it| it.value.as_str()).collect());
    add("allows", layer.egress.allow.iter().map(|it| it.value.as_str()).collect());
    add("denies", layer.egress.deny.iter().map(|it| it.value.as_str()).collect());
    add("may be private:", layer.egress.private.iter().map(|it| it.value.as_str()).collect());
    add("variables", layer.env.iter().map(|it| it.name.value.as_str()).collect());
    if let Some(agent) = &layer.agent {
        let program: Vec<&str> = agent.program.iter().map(|word| word.value.as_str()).collect();
        if !program.is_empty() {
            items.push(format!("the program {}", quote(&shell::words(program))));
        }
        if let Some(McpFile { path, form }) = &agent.mcp {
            items.push(format!(
                "MCP servers in {}, in the form `{}`",
                quote(&path.value),
                form.value.as_str()
            ));
        }
        if let Some(key) = &agent.api_key {
            items.push(format!("the key of its model in {}", quote(&key.value)));
        }
        let mut add = |what: &str, names: &[Spanned<String>]| {
            if !names.is_empty() {
                items.push(format!("{what} {}", some(names.iter().map(|it| it.value.as_str()))));
            }
        };
        add("trusts by", &agent.trust);
        add("needs", &agent.requires);
    }
    let mut add = |what: &str, names: Vec<&str>| {
        if !names.is_empty() {
            items.push(format!("{what} {}", some(names)));
        }
    };
    add("repositories", layer.git.repos.iter().map(|it| it.name.value.as_str()).collect());
    add("sidecars", layer.sidecars.iter().map(|it| it.name.value.as_str()).collect());
    add("credentials", layer.credentials.iter().map(|it| it.name.value.as_str()).collect());
    add("accepts", layer.accepts.iter().map(|it| it.rule.value.as_str()).collect());
    if let Some(version) = layer.engine.as_ref().and_then(|engine| engine.version.as_ref()) {
        items.push(format!("engine smolvm {}", version.value));
    }
    if let Some(boot) = layer.boots.first() {
        items.push(format!("boots from the `{}` {}", boot.kind.as_str(), quote(&boot.source.value)));
    }
    if let Some(limit) = layer.egress.rate_limit {
        items.push(format!("{} requests a minute", limit.value));
    }
    if layer.egress.tls.is_some() {
        items.push(String::from("opens HTTPS"));
    }
    if layer.supervise.is_some() {
        items.push(String::from("lets the agent ask a human"));
    }
    items
}

/// How many waves its sidecars start in.
fn waves(bottle: &Bottle<Needs>) -> usize {
    bottle.members.iter().map(|member| member.needs.wave + 1).max().unwrap_or(0)
}

/// What starts in which order.
fn order(bottle: &Bottle<Needs>) -> String {
    let members = &bottle.members;
    let wave = |number: usize| {
        let of_wave = members.iter().filter(|member| member.needs.wave == number);
        some(of_wave.map(|member| member.name.value.as_str()))
    };
    let shown: Vec<String> = (0..waves(bottle).min(super::MAX_LISTED)).map(wave).collect();
    format!("Starts {}, then the agent.", shown.join(", then "))
}
