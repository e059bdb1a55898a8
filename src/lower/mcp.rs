//! `agent/mcp.json` and its like: the MCP servers of a bundle, as clients in the machine read them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Draft, Markup, Mode};
use crate::plan::{Origins, Plan, Traced};
use crate::world::builtin;
use crate::world::mcp::McpForm;

/// The path in the stage of the file of [`McpForm::Claude`], which every bottle with a server has.
pub const PATH: &str = "agent/mcp.json";

/// A file of MCP servers.
#[derive(Clone, Copy, Debug)]
pub struct McpFile<'a> {
    /// How it is written.
    pub form: McpForm,
    /// Its place in the machine.
    pub target: &'a str,
}

/// What a file holds: each server by its name.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Document<'a> {
    Claude {
        #[serde(rename = "mcpServers")]
        servers: BTreeMap<&'a str, ClaudeServer<'a>>,
    },
    Codex {
        mcp_servers: BTreeMap<&'a str, CodexServer<'a>>,
    },
    Gemini {
        #[serde(rename = "mcpServers")]
        servers: BTreeMap<&'a str, GeminiServer<'a>>,
    },
    Opencode {
        mcp: BTreeMap<&'a str, OpencodeServer<'a>>,
    },
}

#[derive(Debug, Serialize)]
struct ClaudeServer<'a> {
    /// `http` is what these files call the protocol's Streamable HTTP.
    r#type: &'static str,
    url: Traced<&'a str>,
}

#[derive(Debug, Serialize)]
struct CodexServer<'a> {
    url: Traced<&'a str>,
}

#[derive(Debug, Serialize)]
struct GeminiServer<'a> {
    /// `url` would be the protocol's older transport.
    #[serde(rename = "httpUrl")]
    url: Traced<&'a str>,
}

#[derive(Debug, Serialize)]
struct OpencodeServer<'a> {
    r#type: &'static str,
    url: Traced<&'a str>,
    enabled: bool,
}

impl<'a> Document<'a> {
    fn new(form: McpForm, servers: &BTreeMap<&'a str, Traced<&'a str>>) -> Self {
        fn each<'a, T>(
            servers: &BTreeMap<&'a str, Traced<&'a str>>,
            server: impl Fn(Traced<&'a str>) -> T,
        ) -> BTreeMap<&'a str, T> {
            servers.iter().map(|(name, url)| (*name, server(url.clone()))).collect()
        }
        match form {
            McpForm::Claude => {
                Self::Claude { servers: each(servers, |url| ClaudeServer { r#type: "http", url }) }
            }
            McpForm::Codex => Self::Codex { mcp_servers: each(servers, |url| CodexServer { url }) },
            McpForm::Gemini => Self::Gemini { servers: each(servers, |url| GeminiServer { url }) },
            McpForm::Opencode => Self::Opencode {
                mcp: each(servers, |url| OpencodeServer { r#type: "remote", url, enabled: true }),
            },
        }
    }
}

/// Returns the path in the stage of the file of a form.
#[must_use]
pub fn path(form: McpForm) -> &'static str {
    match form {
        McpForm::Claude => PATH,
        McpForm::Codex => "agent/mcp-codex.toml",
        McpForm::Gemini => "agent/mcp-gemini.json",
        McpForm::Opencode => "agent/mcp-opencode.json",
    }
}

/// Returns the servers of a bundle by name, supervise and each sidecar that says that it is one, and what asks for them.
fn servers(plan: &Plan) -> Option<(BTreeMap<&str, Traced<&str>>, Origins)> {
    let (mut servers, mut asked) = (BTreeMap::new(), None::<Origins>);
    for sidecar in &plan.sidecars {
        let (url, asks) = match (sidecar.mcp.as_ref(), sidecar.url.given()) {
            (Some(url), _) => (url.with(url.as_str()), &url.origins),
            (None, Some(url)) if *sidecar.name == builtin::SUPERVISE => {
                (url.with(url.as_str()), &plan.supervise.origins)
            }
            _ => continue,
        };
        servers.insert(sidecar.name.as_str(), url);
        asked = Some(match asked {
            Some(asked) => asked.and(asks),
            None => asks.clone(),
        });
    }
    Some((servers, asked?))
}

/// Returns the files of a plan: none of a bundle without a server.
#[must_use]
pub fn files(plan: &Plan) -> Vec<Traced<McpFile<'_>>> {
    let Some((_, asked)) = servers(plan) else { return Vec::new() };
    let of_all = McpFile { form: McpForm::Claude, target: builtin::MCP };
    let own = plan.agent.as_ref().and_then(|agent| agent.mcp.as_ref()).map(|mcp| {
        let file = McpFile { form: *mcp.form, target: mcp.path.as_str() };
        Traced::new(file, asked.clone()).and(&mcp.path.origins).and(&mcp.form.origins)
    });
    std::iter::once(Traced::new(of_all, asked.clone())).chain(own).collect()
}

/// Adds the files, one for each form.
pub(crate) fn lower(plan: &Plan, draft: &mut Draft) {
    let Some((servers, _)) = servers(plan) else { return };
    for file in files(plan) {
        let path = path(file.form);
        if draft.files().contains_key(path) {
            continue;
        }
        let markup = match file.form {
            McpForm::Codex => Markup::Toml,
            McpForm::Claude | McpForm::Gemini | McpForm::Opencode => Markup::Json,
        };
        let document = Document::new(file.form, &servers);
        draft.document(path, Mode::Shared, file.origins.clone(), markup, &document);
    }
}
