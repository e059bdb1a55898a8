//! The broker's log: Caddy's line of JSON for each request, with the word by which our configuration refused it.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Denials, Reason};

/// The name of the log, as Caddy 2.11 writes it (run).
const ACCESS: &str = "http.log.access";

/// What of an event tells of a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    logger: Cow<'a, str>,
    #[serde(borrow, rename = "ts")]
    time: Cow<'a, str>,
    #[serde(borrow)]
    request: Request<'a>,
    #[serde(borrow)]
    refused: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Request<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

/// Reads a line from its `{` on. Returns whether it is one of the broker's.
pub(super) fn read(denials: &mut Denials, line: &str) -> bool {
    // pipelock's are many more.
    if memchr::memmem::find(line.as_bytes(), ACCESS.as_bytes()).is_none() {
        return false;
    }
    let Ok(event) = serde_json::from_str::<Event<'_>>(line.trim_end()) else { return false };
    if event.logger != ACCESS {
        return false;
    }
    if let Some(reason) = reason(&event.refused) {
        let Request { method, uri } = &event.request;
        denials.request(reason, method, uri, &event.time);
    }
    true
}

/// Why a request was refused, by the word of our configuration; nothing when it was not.
fn reason(word: &str) -> Option<Reason> {
    Some(match word {
        "" => return None,
        "token" => Reason::Token,
        "allow" | "prefix" | "upgrade" => Reason::NotNamed,
        "secret" | "upstream" => Reason::Unanswered,
        _ => Reason::Unclear,
    })
}
