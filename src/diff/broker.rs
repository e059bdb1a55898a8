//! Credentials of the broker, compared: what each may be spent on, where it is sent, and which secret it is.

use std::collections::BTreeMap;

use super::join::{Joined, join};
use super::{Changes, Direction, Topic, some};
use crate::model::Reference;
use crate::plan::{PlannedCredential, PlannedLogin, PlannedRequests, Traced};
use crate::text::{quote, quote_whole};
use crate::world::broker::PathPattern;

type Credentials = [Traced<PlannedCredential>];

/// All changes of a bottle's credentials.
pub(super) fn credentials(old: &Credentials, new: &Credentials, changes: &mut Changes<'_>) {
    let Joined { come, gone, both } = join(old, new, |credential| credential.name.as_str());
    for credential in come {
        let text = format!("the agent can spend {}: {}", who(credential), spent(credential));
        changes.push(Direction::Wider, Topic::Secret, text).new = Some(credential.origin.clone());
    }
    for credential in gone {
        let text = format!("the agent can spend {} no more", who(credential));
        changes.push(Direction::Narrower, Topic::Secret, text).old = Some(credential.origin.clone());
    }
    for (before, now) in both {
        credential(before, now, changes);
    }
}

fn who(credential: &PlannedCredential) -> String {
    format!("the credential {}", quote(&credential.name))
}

/// What a new credential may be spent on.
fn spent(credential: &PlannedCredential) -> String {
    let upstream = quote_whole(&credential.upstream.to_string());
    if credential.allow.is_empty() {
        return format!("every request to {upstream}");
    }
    let requests: Vec<String> = requests(credential).into_keys().map(Request::shown).collect();
    format!("{} to {upstream}", some(&requests))
}

fn credential(before: &PlannedCredential, now: &PlannedCredential, changes: &mut Changes<'_>) {
    let PlannedCredential { name: _, upstream, private, ca, login, secret, allow: _, origin: _ } = now;
    let who = who(now);
    let mut unclear = |what: String| {
        let change = changes.push(Direction::Unclear, Topic::Secret, what);
        (change.old, change.new) = (Some(before.origin.clone()), Some(now.origin.clone()));
    };
    let instead =
        |now: &str, before: &str| format!("{} instead of {}", quote_whole(now), quote_whole(before));
    if before.upstream != *upstream {
        unclear(format!("{who} is sent to {}", instead(&upstream.to_string(), &before.upstream.to_string())));
    }
    if before.login != *login {
        unclear(format!("{who} is sent as {} instead of {}", sent(login), sent(&before.login)));
    }
    if before.secret != *secret {
        unclear(format!("{who} is another secret: {} instead of {}", place(secret), place(&before.secret)));
    }
    if before.ca != *ca {
        let shown = |ca: &Traced<Option<String>>| {
            ca.as_ref().map_or_else(|| String::from("the public authorities"), |path| quote_whole(path))
        };
        unclear(format!("{who} goes to whom {} sign for instead of {}", shown(ca), shown(&before.ca)));
    }
    match (*before.private, **private) {
        (false, true) => {
            let text = format!("{who} may be sent to a private network");
            changes.push(Direction::Wider, Topic::Secret, text).new = Some(now.origin.clone());
        }
        (true, false) => {
            let text = format!("{who} may be sent to a private network no more");
            changes.push(Direction::Narrower, Topic::Secret, text).old = Some(before.origin.clone());
        }
        _ => {}
    }
    lists(before, now, &who, changes);
}

fn sent(login: &PlannedLogin) -> String {
    match login {
        PlannedLogin::Header(name) => format!("the header field {}", quote(name)),
        PlannedLogin::Bearer => String::from("a bearer token"),
        PlannedLogin::Basic(user) => format!("the password of {}", quote(user)),
    }
}

fn place(secret: &Reference) -> String {
    match secret {
        Reference::Env(name) => format!("the host's variable {}", quote(name)),
        Reference::File(path) => format!("the host's file {}", quote_whole(path)),
    }
}

/// What may be asked for, by one method and one path of a list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Request<'a> {
    method: &'a str,
    path: &'a PathPattern,
    websocket: bool,
}

impl Request<'_> {
    /// Whether everything that `other` lets through is let through by this one.
    fn covers(self, other: Request<'_>) -> bool {
        self.method == other.method
            && (self.websocket || !other.websocket)
            && (self.path == other.path || self.path.covers(other.path))
    }

    fn shown(self) -> String {
        let upgrade = if self.websocket { " as a WebSocket" } else { "" };
        format!("`{} {}`{upgrade}", self.method, self.path)
    }
}

/// Each method with each path, and its line.
fn requests(credential: &PlannedCredential) -> BTreeMap<Request<'_>, &str> {
    let mut requests = BTreeMap::new();
    for listed in &credential.allow {
        let PlannedRequests { methods, paths, websocket, origin } = &listed.value;
        for method in methods {
            for path in paths {
                let request = Request { method, path, websocket: **websocket };
                requests.entry(request).or_insert(origin.as_str());
            }
        }
    }
    requests
}

fn lists(before: &PlannedCredential, now: &PlannedCredential, who: &str, changes: &mut Changes<'_>) {
    let (old, new) = (requests(before), requests(now));
    match (old.is_empty(), new.is_empty()) {
        (true, true) => return,
        (false, true) => {
            let text = format!("{who} can be spent on every request: it has no list any more");
            let change = changes.push(Direction::Wider, Topic::Secret, text);
            (change.old, change.new) = (Some(before.origin.clone()), Some(now.origin.clone()));
            return;
        }
        (true, false) => {
            let text = format!("{who} can be spent on what a list names, and not on every request");
            let change = changes.push(Direction::Narrower, Topic::Secret, text);
            (change.old, change.new) = (Some(before.origin.clone()), Some(now.origin.clone()));
            return;
        }
        (false, false) => {}
    }
    for (line, requests) in missing(&new, &old) {
        let text = format!("{who} can be spent on {}", some(&requests));
        changes.push(Direction::Wider, Topic::Secret, text).new = Some(line.to_owned());
    }
    for (line, requests) in missing(&old, &new) {
        let text = format!("{who} can no longer be spent on {}", some(&requests));
        changes.push(Direction::Narrower, Topic::Secret, text).old = Some(line.to_owned());
    }
}

/// What `wanted` lets through and no single one of `had` does, by line.
fn missing<'a>(
    wanted: &BTreeMap<Request<'a>, &'a str>,
    had: &BTreeMap<Request<'_>, &str>,
) -> BTreeMap<&'a str, Vec<String>> {
    let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (request, line) in wanted {
        if !had.contains_key(request) && !had.keys().any(|other| other.covers(*request)) {
            missing.entry(line).or_default().push(request.shown());
        }
    }
    missing
}
