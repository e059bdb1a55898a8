//! The older manifests of bottles: JSON with `bottles` and `agents`, and Markdown whose front matter is one bottle.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::credential::Credential;
use super::document::{Block, Node, fits, named};
use super::egress::{Egress, Wildcard};
use super::text_of;
use super::value::Value;
use super::variables::{self, Setting};
use crate::schema::ValueType;
use crate::world::host_key;
use crate::world::upstream::Upstream;

/// Keys of a bottle by which a front matter is known.
pub(super) const KEYS: &[&str] =
    &["agent_provider", "bottle", "egress", "env", "extends", "git", "git-gate", "skills", "supervise"];

/// A bottle of a manifest.
pub(super) struct Bottle {
    /// The bottles that it extends.
    pub(super) extends: Vec<String>,
    pub(super) block: Block,
}

/// Whether a front matter is that of an agent, which says in which bottle it works and nothing of the bottle.
pub(super) fn is_agent(map: &Value) -> bool {
    map.get("bottle").is_some()
        && !["env", "egress", "git", "git-gate", "extends"].iter().any(|key| map.get(key).is_some())
}

/// What is said of an agent: nothing of it is a bottle's.
pub(super) fn agent(name: &str, block: &mut Block) {
    block.lose(
        &format!("the agent {}", named(name)),
        "its prompt and its skills are files of the agent's own: keep them in the repository, or in the machine",
    );
}

pub(super) fn bottle(map: &Value) -> Bottle {
    let mut block = Block::default();
    let mut extends = Vec::new();
    for (key, value) in map.entries() {
        if value.is_nothing() {
            continue;
        }
        match key.as_str() {
            "extends" => extends.extend(value.members().iter().map(|it| text_of(it).into_owned())),
            "env" => {
                let mut env = Block::default();
                for (name, value) in value.entries() {
                    variables::add(&mut env, name, setting(&text_of(value)));
                }
                block.push_block(Node::new("env"), env);
            }
            "agent_provider" => provider(value, &mut block),
            "git" | "git-gate" => git(key, value, &mut block),
            "egress" => egress(value, &mut block),
            "supervise" => {
                block.push(Node::new("supervise"));
                for (key, _) in value.entries() {
                    block.lose(
                        &named(&format!("supervise.{key}")),
                        "its queue is where bottlec puts it, or `queue` says",
                    );
                }
            }
            _ => block.lose(&named(key), "a spec has no word for it"),
        }
    }
    Bottle { extends, block }
}

/// `literal`, `${HOST_VAR}` or `?question`.
fn setting(text: &str) -> Setting {
    if text.starts_with('?') {
        return Setting::Asked;
    }
    match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        Some(variable) => Setting::FromEnv(variable.to_owned()),
        None => Setting::Literal(text.to_owned()),
    }
}

fn provider(value: &Value, block: &mut Block) {
    let template = value.get("template").or(Some(value)).and_then(Value::text).unwrap_or_default();
    let profile = match &*template.to_ascii_lowercase() {
        "claude" | "claude-code" => "`extends \"std/claude-code\"`",
        "codex" => "`extends \"std/codex\"`",
        "gemini" | "gemini-cli" => "`extends \"std/gemini-cli\"`",
        "opencode" => "`extends \"std/opencode\"`",
        "aider" => "`extends \"std/aider\"`",
        _ => "a built-in profile, or `agent`,",
    };
    block.lose(
        &format!("the agent's template {}", named(&template)),
        &format!(
            "{profile} brings the agent and its hosts, which are not in the manifest: look at what it allows"
        ),
    );
    for (key, _) in value.entries().iter().filter(|(key, _)| key != "template") {
        let why = match key.as_str() {
            "auth_token" => {
                "the profile of the agent says in which variable it takes its key, or which the broker holds"
            }
            _ => "a spec has no word for it",
        };
        block.lose(&named(&format!("agent_provider.{key}")), why);
    }
}

fn git(key: &str, value: &Value, bottle: &mut Block) {
    let mut block = Block::default();
    if let Value::List(list) = value {
        for entry in list {
            repository(None, entry, &mut block);
        }
    }
    for (inner, value) in value.entries() {
        match inner.as_str() {
            "user" => {
                let text = |key| value.get(key).and_then(Value::text).unwrap_or_default();
                let (name, email) = (text("name"), text("email"));
                match fits(ValueType::Text, &name).and_then(|()| fits(ValueType::Email, &email)) {
                    Ok(()) => block.push(Node::new("user").property("name", &name).property("email", &email)),
                    Err(why) => block.lose("`user`", &why),
                }
            }
            // By name, or by the upstream's host.
            "repos" | "remotes" => {
                for (name, entry) in value.entries() {
                    repository(Some(name).filter(|_| inner == "repos"), entry, &mut block);
                }
            }
            _ => block.lose(&named(&format!("{key}.{inner}")), "a spec has no word for it"),
        }
    }
    bottle.push_block(Node::new("git"), block);
}

fn repository(name: Option<&String>, entry: &Value, block: &mut Block) {
    let find = |keys: &[&str]| keys.iter().find_map(|key| entry.get(key)).filter(|it| !it.is_nothing());
    let url = find(&["url", "Upstream", "upstream"]).map(text_of).unwrap_or_default();
    let name = name.map(String::as_str).map(Cow::Borrowed);
    let name = name.or_else(|| find(&["Name", "name"]).map(text_of));
    let name = name.or_else(|| Upstream::parse(&url).map(|it| Cow::Owned(it.stem().to_owned())));
    let name = name.unwrap_or_default();
    let what = format!("the repository {}", named(&name));
    if let Err(why) = fits(ValueType::RepoName, &name).and_then(|()| fits(ValueType::GitUrl, &url)) {
        return block.lose(&what, &why);
    }
    let mut inner = Block::default();
    inner.push(Node::new("url").text(&url));
    let key = find(&["key"]);
    let provider = key.and_then(|it| it.get("provider")).map(text_of).unwrap_or_default();
    let identity =
        find(&["IdentityFile", "identity_file", "identity"]).or_else(|| key.and_then(|it| it.get("path")));
    if !provider.is_empty() && provider != "static" {
        inner.lose(
            &format!("the key of the provider {}", named(&provider)),
            "git-gate takes a file of the host: make a key for this repository alone, and name it by `identity`",
        );
    } else if let Some(identity) = identity.map(text_of) {
        match fits(ValueType::PrivateKey, &identity) {
            Ok(()) => inner.push(Node::new("identity").text(&identity)),
            Err(why) => inner.lose("the key", &why),
        }
    }
    for line in find(&["host_key", "KnownHostKey", "known_host_key"]).map_or(&[][..], Value::members) {
        let line = text_of(line);
        let written = match fits(ValueType::HostKey, &line) {
            Ok(()) => Ok(line.into_owned()),
            // As `ssh-keyscan` prints it.
            Err(why) => host_key::within(&line).ok_or(why),
        };
        match written {
            Ok(key) => inner.push(Node::new("host-key").text(&key)),
            Err(why) => inner.lose("the host's key", &why),
        }
    }
    let known = [
        "url",
        "Upstream",
        "upstream",
        "Name",
        "name",
        "key",
        "IdentityFile",
        "identity_file",
        "identity",
        "host_key",
        "KnownHostKey",
        "known_host_key",
    ];
    for (key, _) in entry.entries().iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        inner.lose(&named(key), "a spec has no word for it");
    }
    block.push(Node::new("repo").text(&name).holding(inner));
}

fn egress(value: &Value, bottle: &mut Block) {
    let mut egress = Egress::default();
    let mut credentials = Vec::new();
    let restricted = restricted(value, &mut egress);
    let allow = |host: &str, egress: &mut Egress| {
        if restricted.contains(&host.to_ascii_lowercase()) {
            egress.lose(&named(host), "its paths were listed: pipelock would let the whole host through");
        } else {
            egress.allow(host, Wildcard::Below);
        }
    };
    let mut known = BTreeSet::new();
    for (key, value) in value.entries() {
        match key.as_str() {
            "allowlist" => value.members().iter().for_each(|host| allow(&text_of(host), &mut egress)),
            "denylist" | "deny" | "blocklist" => {
                value.members().iter().for_each(|host| egress.deny(&text_of(host)));
            }
            "routes" => {
                for route in value.members() {
                    let host = route.get("host").map(text_of).unwrap_or_default();
                    if !known.insert(host.to_ascii_lowercase()) {
                        egress.lose(
                            &format!("a second route of {}", named(&host)),
                            "which of the two counts is not known",
                        );
                        continue;
                    }
                    let paths = route.get("path_allowlist").or_else(|| route.get("paths"));
                    let matches = route.get("matches").filter(|it| !it.is_nothing());
                    let odd = route.entries().iter().find(|(key, _)| {
                        !["host", "auth", "matches", "dlp", "path_allowlist", "paths"].contains(&key.as_str())
                    });
                    if let Some((key, _)) = odd {
                        egress.lose(
                            &format!("the route of {}", named(&host)),
                            &format!("{} is not known here, and may narrow it", named(key)),
                        );
                        continue;
                    }
                    if route.get("dlp").is_some_and(|it| !it.is_nothing()) {
                        egress.lose(
                            &format!("`dlp` of {}", named(&host)),
                            "`egress { dlp { … } }` holds for every host",
                        );
                    }
                    match route.get("auth").filter(|it| !it.is_nothing()) {
                        None if matches.is_some() || paths.is_some() => egress.lose(
                            &format!("the route of {}", named(&host)),
                            "requests are held by a `credential` alone: pipelock would let the whole host through",
                        ),
                        None => allow(&host, &mut egress),
                        Some(auth) => match credential(&host, auth, matches, paths) {
                            Ok(credential) => credentials.push(credential),
                            Err(why) => egress.lose(&format!("the route of {}", named(&host)), &why),
                        },
                    }
                }
            }
            "path_allowlist" => {}
            _ => {
                egress.lose(
                    &named(&format!("egress.{key}")),
                    "it is not known here, and may narrow what is beside it",
                );
                egress.close(&format!("{} may narrow it", named(&format!("egress.{key}"))));
            }
        }
    }
    bottle.push_block(Node::new("egress"), egress.block());
    for credential in credentials {
        credential.write(bottle);
    }
}

/// The hosts of which only some paths were let through.
fn restricted(value: &Value, egress: &mut Egress) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    let Some(list) = value.get("path_allowlist").filter(|it| !it.is_nothing()) else { return hosts };
    let mut take = |text: &str| {
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = text.split('/').next().unwrap_or_default();
        if host.is_empty() {
            egress.close("`path_allowlist` narrows it to paths, which pipelock does not hold");
        }
        hosts.insert(host.to_ascii_lowercase());
    };
    match list {
        Value::Map(map) => map.iter().for_each(|(host, _)| take(host)),
        list => list.members().iter().for_each(|it| take(&text_of(it))),
    }
    egress.lose(
        "`path_allowlist`",
        "paths are held by a `credential` alone: pipelock would let the whole host through",
    );
    hosts
}

fn credential(
    host: &str,
    auth: &Value,
    matches: Option<&Value>,
    paths: Option<&Value>,
) -> Result<Credential, String> {
    let text = |key| auth.get(key).and_then(Value::text).unwrap_or_default();
    let (scheme, token) = (text("scheme"), text("token_ref"));
    let odd = auth.entries().iter().find(|(key, _)| key != "scheme" && key != "token_ref");
    if let Some((key, _)) = odd {
        return Err(format!("{} of its `auth` is not known here", named(key)));
    }
    let mut credential = Credential::new(host);
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(format!(
            "the broker sets no secret by the scheme {}: `header`, `bearer` and `basic` are its own",
            named(&scheme)
        ));
    }
    let token = token.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(&token);
    credential.bearer = Some(token.to_owned());
    if let Some(paths) = paths {
        credential.bound();
        if matches.is_some() {
            return Err(String::from("it lists paths twice"));
        }
        let (starred, paths): (Vec<_>, Vec<_>) =
            paths.members().iter().map(text_of).partition(|path| path.contains('*'));
        credential
            .losses
            .extend(starred.iter().map(|path| (format!("the path {}", named(path)), STAR.to_owned())));
        let paths: Vec<String> = paths.iter().flat_map(|path| prefix(path)).collect();
        if !paths.is_empty() {
            credential.allow(Vec::new(), paths);
        }
    }
    for one in matches.map_or(&[][..], Value::members) {
        credential.bound();
        requests(one, &mut credential);
    }
    Ok(credential)
}

/// One entry of `matches`.
fn requests(one: &Value, credential: &mut Credential) {
    let narrowed = one
        .entries()
        .iter()
        .find(|(key, value)| !["paths", "methods"].contains(&key.as_str()) && !value.is_nothing());
    if let Some((key, _)) = narrowed {
        credential.losses.push((
            String::from("an entry of `matches`"),
            format!("{} narrows it, which the broker does not look at", named(key)),
        ));
        return;
    }
    let mut paths = Vec::new();
    let given = one.get("paths").map_or(&[][..], Value::members);
    for path in given {
        let value = path.get("value").or(Some(path)).and_then(Value::text).unwrap_or_default();
        let kind = path.get("type").map(text_of).unwrap_or_default().to_ascii_lowercase();
        let what = format!("the path {}", named(&value));
        match kind.as_str() {
            "" | "exact" | "prefix" | "pathprefix" | "path_prefix" if value.contains('*') => {
                credential.losses.push((what, STAR.to_owned()));
            }
            "" | "exact" => paths.push(value.into_owned()),
            "prefix" | "pathprefix" | "path_prefix" => paths.extend(prefix(&value)),
            _ => credential.losses.push((
                what,
                format!(
                    "it is of the type {}, and the broker reads no other than whole paths and prefixes",
                    named(&kind)
                ),
            )),
        }
    }
    let methods: Vec<String> = one
        .get("methods")
        .map_or(&[][..], Value::members)
        .iter()
        .map(|it| text_of(it).to_ascii_uppercase())
        .collect();
    if !given.is_empty() && paths.is_empty() {
        credential
            .losses
            .push((String::from("an entry of `matches`"), String::from("none of its paths is left")));
    } else if paths.is_empty() && methods.is_empty() {
        // What matches everything.
        credential.allow(Vec::new(), Vec::new());
    } else {
        credential.allow(methods, paths);
    }
}

/// Why a path is left out that holds one.
const STAR: &str = "what `*` stands for in it is not known, and here it stands for any characters";

/// A path and all below it. Where the prefix ends within a segment, what goes on there is left out.
fn prefix(path: &str) -> Vec<String> {
    match path.strip_suffix('/') {
        Some(bare) => vec![path.to_owned(), format!("{bare}/**")],
        None => vec![path.to_owned(), format!("{path}/**")],
    }
}
