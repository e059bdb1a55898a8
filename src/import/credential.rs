//! A `credential`: the secret for one host, and the requests that may be made with it.

use super::document::{Block, Node, fits, named};
use crate::schema::{ValueType, suggest_name};
use crate::world::broker::{METHODS, PathPattern};

/// A credential that is being made.
pub(super) struct Credential {
    /// As the input names it.
    host: String,
    /// The host's variable of the secret that the API takes as a bearer token.
    pub(super) bearer: Option<String>,
    /// Methods and paths of each entry; with none, every request is let through.
    entries: Vec<(Vec<String>, Vec<String>)>,
    /// What of the input's requests is not let through.
    pub(super) losses: Vec<(String, String)>,
    /// Whether the input names requests: then none that is left is not everything.
    is_bounded: bool,
    /// The agent's variable in which its program looks for the secret.
    pub(super) placeholder: Option<String>,
}

impl Credential {
    pub(super) fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            bearer: None,
            entries: Vec::new(),
            losses: Vec::new(),
            is_bounded: false,
            placeholder: None,
        }
    }

    /// Says that the input names requests, perhaps none that can be let through.
    pub(super) fn bound(&mut self) {
        self.is_bounded = true;
    }

    /// Lets requests through: each method with each path, every path where none is named, and every method likewise.
    pub(super) fn allow(&mut self, methods: Vec<String>, paths: Vec<String>) {
        self.is_bounded = true;
        let mut keep = |list: Vec<String>| -> Option<Vec<String>> {
            let was_empty = list.is_empty();
            let kept: Vec<String> = list
                .into_iter()
                .filter(|text| match fits(ValueType::MethodOrPath, text) {
                    Ok(()) => true,
                    Err(why) => {
                        self.losses.push((named(text), why));
                        false
                    }
                })
                .collect();
            // With the last of a list gone, the entry would stand for everything.
            (was_empty || !kept.is_empty()).then_some(kept)
        };
        let (methods, paths) = (keep(methods), keep(paths));
        let (Some(mut methods), Some(mut paths)) = (methods, paths) else { return };
        // An entry of a spec names both.
        if methods.is_empty() {
            methods.extend(METHODS.iter().map(|it| (*it).to_owned()));
        }
        if paths.is_empty() {
            paths.extend(["/", PathPattern::everything().as_str()].map(str::to_owned));
        }
        self.entries.push((methods, paths));
    }

    /// Writes it to a bottle's block.
    pub(super) fn write(self, bottle: &mut Block) {
        let Self { host, bearer, entries, losses, is_bounded, placeholder } = self;
        let what = format!("the credential for {}", named(&host));
        let url = format!("https://{}", host.to_ascii_lowercase());
        let Some(name) = suggest_name(&host) else {
            return bottle.lose(&what, "its host makes no name");
        };
        if let Err(why) = fits(ValueType::ApiUrl, &url) {
            return bottle.lose(&what, &why);
        }
        let mut block = Block::default();
        block.push(Node::new("upstream").text(&url));
        if is_bounded && entries.is_empty() {
            for (what, why) in losses {
                bottle.lose(&what, &why);
            }
            return bottle.lose(
                &what,
                "none of its requests is left, and without a list all of them would be let through",
            );
        }
        if let Some(variable) = bearer {
            // In capitals, as names of variables are: it may be the token itself.
            if fits(ValueType::EnvName, &variable).is_ok() && !variable.contains(|c: char| c.is_lowercase()) {
                block.push(Node::new("bearer").property("from-env", &variable));
            } else {
                block.lose(
                    "where the secret is",
                    "it is no name of a variable in capitals: write `bearer from-env=\"…\"`, or `from-file`",
                );
            }
        }
        for (methods, paths) in &entries {
            let texts = methods.iter().chain(paths).map(String::as_str);
            block.push(Node::new("allow").texts(texts));
        }
        for (what, why) in losses {
            block.lose(&what, &why);
        }
        let upper = name.replace('-', "_").to_ascii_uppercase();
        let placeholder = placeholder.filter(|it| fits(ValueType::EnvName, it).is_ok());
        block.note(
            "What the agent's programs are told: the URL, and a token that counts at the broker alone.",
        );
        block.push(Node::new("expose").text(&format!("{upper}_URL")));
        block.push(Node::new("placeholder").text(&placeholder.unwrap_or_else(|| format!("{upper}_TOKEN"))));
        bottle.push(Node::new("credential").text(&name).holding(block));
    }
}
