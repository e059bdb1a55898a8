//! Claude Code's sandbox settings, and the configuration of sandbox-runtime (`srt`), on which they are built.
//!
//! Read on 2026-11-29: `src/sandbox/sandbox-config.ts` of github.com/anthropic-experimental/sandbox-runtime (commit 02b493b);
//! code.claude.com/docs/en/settings and code.claude.com/docs/en/sandboxing; the paths of settings at
//! `hexdocs.pm/claude_code/0.29.0/ClaudeCode.Sandbox.Filesystem.html`. In both, `*.example.com` stands for the names below
//! `example.com` alone, an entry may name a port, and what is denied is denied whatever is allowed.

use super::common;
use super::document::{Block, Node, named};
use super::egress::{Egress, Wildcard};
use super::text_of;
use super::value::Value;
use super::variables::{self, Setting};

/// How the paths of a configuration are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paths {
    /// `/srv` is that directory of the host.
    Plain,
    /// `//srv` is; `/srv` is one beside the settings, or that one: the versions differ.
    Doubled,
}

/// What a configuration of sandbox-runtime says, as a bottle's block.
pub(super) fn srt(map: &Value) -> Block {
    let mut block = Block::default();
    let mut egress = Egress::default();
    network(map.get("network").unwrap_or(&Value::Null), "network", &mut egress);
    let kept = kept_files(map);
    files(map.get("filesystem").unwrap_or(&Value::Null), "filesystem", Paths::Plain, kept, &mut block);
    block.push_block(Node::new("egress"), egress.block());
    for (key, value) in map.entries() {
        let why = match key.as_str() {
            "network" | "filesystem" => continue,
            "credentials" => {
                "a `credential` keeps a secret from the agent: it names the one host, and how that takes it"
            }
            _ => "it is about the program that sandboxes, which a machine needs no longer",
        };
        lose(key, value, why, &mut block);
    }
    block
}

/// What Claude Code's settings say, as a bottle's block.
pub(super) fn claude(map: &Value) -> Block {
    let mut block = Block::default();
    block.note("`extends \"std/claude-code\"` brings the agent itself, its API and its program.");
    let sandbox = map.get("sandbox").cloned().unwrap_or(Value::Null);
    let permissions = map.get("permissions").cloned().unwrap_or(Value::Null);
    let mut egress = Egress::default();
    network(sandbox.get("network").unwrap_or(&Value::Null), "sandbox.network", &mut egress);
    let denied = permissions.get("deny").map_or(&[][..], Value::members).iter();
    let mut kept = kept_files(&sandbox);
    kept.extend(denied.filter_map(|rule| unread(&text_of(rule))));
    files(
        sandbox.get("filesystem").unwrap_or(&Value::Null),
        "sandbox.filesystem",
        Paths::Doubled,
        kept,
        &mut block,
    );
    for (key, value) in sandbox.entries() {
        let why = match key.as_str() {
            "network" | "filesystem" => continue,
            "enabled" | "failIfUnavailable" if value.is_true() => continue,
            "credentials" => {
                "of the host's variables and files the machine has those alone that the spec names"
            }
            "excludedCommands" => "everything that the agent runs is in its machine, and nothing beside it",
            "allowUnsandboxedCommands" | "autoAllowBashIfSandboxed" => {
                "what may be done decides the bottle, and no question"
            }
            _ => "it is about the program that sandboxes, which a machine needs no longer",
        };
        lose(&format!("sandbox.{key}"), value, why, &mut block);
    }
    let mut rules = Block::default();
    let denied = permissions.get("deny").map_or(&[][..], Value::members).iter().map(text_of);
    let is_denied = denied.into_iter().any(|rule| matches!(&*rule, "WebFetch" | "WebFetch(*)"));
    for (key, value) in permissions.entries() {
        match key.as_str() {
            "allow" | "deny" | "ask" => {
                for rule in value.members() {
                    match (is_denied && key == "allow", &*text_of(rule)) {
                        (true, rule) if rule.starts_with("WebFetch") => {
                            egress.lose(&named(rule), "the whole tool is denied beside it");
                        }
                        (_, rule) => permission(key, rule, &mut egress, &mut rules),
                    }
                }
            }
            "additionalDirectories" => lose(
                "permissions.additionalDirectories",
                value,
                "a directory of the host is shown by a `volume`, a repository by `git`",
                &mut rules,
            ),
            _ => lose(
                &format!("permissions.{key}"),
                value,
                "nobody is asked in a bottle: it is what holds the agent",
                &mut rules,
            ),
        }
    }
    block.push_block(Node::new("egress"), egress.block());
    let mut env = Block::default();
    let kept = sandbox.get("credentials").and_then(|it| it.get("envVars")).map_or(&[][..], Value::members);
    for (name, value) in map.get("env").map_or(&[][..], Value::entries) {
        if kept.iter().any(|it| it.get("name").map(text_of).as_deref() == Some(name)) {
            env.lose(
                &named(name),
                "it was kept from what runs in the sandbox: a `credential` holds it in the agent's place",
            );
            continue;
        }
        variables::add(&mut env, name, Setting::Literal(text_of(value).into_owned()));
    }
    block.push_block(Node::new("env"), env);
    block.append(rules);
    for (key, value) in map.entries() {
        if !matches!(key.as_str(), "sandbox" | "permissions" | "env" | "$schema") {
            lose(
                key,
                value,
                "it is a setting of the agent's own: keep it in a file of the machine's",
                &mut block,
            );
        }
    }
    block
}

fn lose(what: &str, value: &Value, why: &str, block: &mut Block) {
    if !value.is_nothing() {
        block.lose(&named(what), why);
    }
}

fn network(network: &Value, at: &str, egress: &mut Egress) {
    for (key, value) in network.entries() {
        match key.as_str() {
            "allowedDomains" => {
                for host in value.members() {
                    egress.allow(&text_of(host), Wildcard::Below);
                }
            }
            "deniedDomains" => {
                for host in value.members() {
                    egress.deny(&text_of(host));
                }
            }
            // What is not allowed is refused, whoever is asked.
            "strictAllowlist" | "allowManagedDomainsOnly" | "deniedDomainReasons" => {}
            _ if value.is_nothing() => {}
            "filterRequest" => {
                egress.lose(&named(&format!("{at}.{key}")), "a program decides, which no spec has");
                egress.close("a program decided it");
            }
            "allowUnixSockets" | "allowAllUnixSockets" | "allowMachLookup" => {
                egress.lose(&named(&format!("{at}.{key}")), "a machine reaches no socket of its host");
            }
            "allowLocalBinding" => {
                egress.lose(
                    &named(&format!("{at}.{key}")),
                    "the machine has a loopback of its own; `publish` opens a port of it to the host",
                );
            }
            "allowAllDomains" => egress.lose(
                &named(&format!("{at}.{key}")),
                "it stands for every host: name those that are needed, each by an `allow`",
            ),
            _ => egress.lose(&named(&format!("{at}.{key}")), "pipelock is the proxy of a bottle"),
        }
    }
}

/// The files that `credentials` keeps from what runs in the sandbox.
fn kept_files(sandbox: &Value) -> Vec<String> {
    let files = sandbox.get("credentials").and_then(|it| it.get("files")).map_or(&[][..], Value::members);
    files.iter().map(|file| text_of(file.get("path").unwrap_or(file)).into_owned()).collect()
}

/// The path that a rule keeps from being read: every one, where the whole tool is denied.
fn unread(rule: &str) -> Option<String> {
    match rule.strip_prefix("Read") {
        Some("") => Some(String::from("**")),
        Some(path) => Some(path.strip_prefix('(')?.strip_suffix(')')?.to_owned()),
        None => None,
    }
}

fn files(files: &Value, at: &str, paths: Paths, kept: Vec<String>, block: &mut Block) {
    let list = |key: &str| -> Vec<String> {
        files.get(key).map_or(&[][..], Value::members).iter().map(|it| text_of(it).into_owned()).collect()
    };
    let mut unread = list("denyRead");
    unread.extend(kept);
    for path in list("allowWrite") {
        let what = format!("that {} may be written to", named(&path));
        let host = match paths {
            Paths::Plain if path.starts_with('/') => Some(path.as_str()),
            Paths::Doubled if path.starts_with("//") => Some(&path[1..]),
            _ => None,
        };
        let Some(host) = host.filter(|host| !host.contains(['*', '?', '[', '{'])) else {
            block.lose(&what, "it is no directory that can be named alike here and in the machine: the agent works on its own clone of a `repo`");
            continue;
        };
        let host = match host.trim_end_matches('/') {
            "" => "/",
            host => host,
        };
        if let Some(denied) = unread.iter().find(|denied| may_meet(host, denied, paths)) {
            block.lose(
                &format!("the directory {}", named(&path)),
                &format!("{} may not be read, and may lie in it or around it", named(denied)),
            );
            continue;
        }
        if let Err(why) = common::may_be_shown(host, host, false) {
            block.lose(&what, &why);
            continue;
        }
        block.lose(
            &what,
            "hooks and settings in it were kept from the agent, which a volume cannot: it is shown read-only",
        );
        common::volume(host, host, false, block);
    }
    // Everything else of the host is neither read nor written to.
    for path in list("allowRead") {
        block.lose(
            &format!("that {} may be read", named(&path)),
            "the machine sees nothing of the host but its volumes: show it what it needs",
        );
    }
    for (key, value) in files.entries() {
        if !matches!(key.as_str(), "denyRead" | "allowRead" | "allowWrite" | "denyWrite") {
            lose(
                &format!("{at}.{key}"),
                value,
                "the machine sees nothing of the host but its volumes",
                block,
            );
        }
    }
}

/// Whether a path that may not be read may be that directory, or lie in it or around it. What is relative, or a pattern, may
/// be anywhere; a home directory may be in the usual places.
fn may_meet(directory: &str, denied: &str, paths: Paths) -> bool {
    let denied = match paths {
        Paths::Doubled if denied.starts_with("//") => &denied[1..],
        // Beside the settings, or from the root on.
        Paths::Doubled if denied.starts_with('/') => return true,
        _ => denied,
    };
    if denied.starts_with('~') {
        return ["/", "/home", "/Users", "/root", "/var"]
            .iter()
            .any(|home| directory == *home || *home != "/" && directory.starts_with(&format!("{home}/")));
    }
    if !denied.starts_with('/') || denied.contains(['*', '?', '[', '{']) || denied.contains("/.") {
        return true;
    }
    let denied = denied.trim_end_matches('/');
    let within = |inner: &str, outer: &str| {
        inner == outer || outer.is_empty() || inner.starts_with(&format!("{}/", outer.trim_end_matches('/')))
    };
    directory == "/" || within(denied, directory) || within(directory, denied)
}

/// A rule such as `WebFetch(domain:example.com)`.
fn permission(list: &str, rule: &str, egress: &mut Egress, block: &mut Block) {
    // A command may hold a secret, which no shape tells.
    let tool = rule.split('(').next().unwrap_or_default();
    let speaks =
        ["auth", "key", "pass", "secret", "token"].iter().any(|it| rule.to_ascii_lowercase().contains(it));
    let shown = if speaks { format!("{tool}(…)") } else { rule.to_owned() };
    let what = format!("{} of `{list}`", named(&shown));
    let domain = rule.strip_prefix("WebFetch(domain:").and_then(|rest| rest.strip_suffix(')'));
    match (list, domain) {
        ("allow", Some(host)) => egress.allow(host.trim(), Wildcard::Below),
        ("deny", Some(host)) => egress.deny(host.trim()),
        ("ask", Some(_)) => {
            egress.lose(&what, "who is asked answers once: `supervise` lets the agent ask for a wider list");
            // What needs an answer is not open beside it.
            egress.deny(domain.unwrap_or_default());
        }
        ("deny", None) if matches!(rule, "WebFetch" | "WebFetch(*)") => {
            egress.lose(
                &what,
                "a bottle holds hosts and no tools: what other rules allow of them is all that is reached",
            );
        }
        _ if rule.starts_with("WebSearch") => block.lose(
            &what,
            "the search is made by the API, not by the machine: what it finds is text, and no host that is reached",
        ),
        _ if rule.starts_with("WebFetch") => {
            block.lose(&what, "a bottle names the hosts, each by an `allow`");
        }
        _ if rule.starts_with("mcp__") => {
            block.lose(&what, "an MCP server is a sidecar with `mcp`, which the agent's client asks about");
        }
        _ => block.lose(
            &what,
            "what the agent does in its machine is not held there: of the host it sees its volumes alone",
        ),
    }
}
