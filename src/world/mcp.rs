//! MCP clients: the forms of the files by which they are told of servers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form of a client's file, by the client that has it. Each server in it is dialled by Streamable HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum McpForm {
    /// JSON, `mcpServers` with `type` and `url`: Claude Code's `.mcp.json` and `managed-mcp.json`, which others took over
    /// (code.claude.com, "MCP").
    Claude,
    /// TOML, `mcp_servers` with `url`: Codex's `config.toml`, where servers that ask for no login need no other key since
    /// October 2025 (openai/codex, pull request 4689).
    Codex,
    /// JSON, `mcpServers` with `httpUrl`: Gemini CLI's `settings.json` (google-gemini/gemini-cli,
    /// docs/tools/mcp-server.md at 5411f113ca).
    Gemini,
    /// JSON, `mcp` with `type`, `url` and `enabled`: opencode's `opencode.json` (opencode.ai, "MCP servers"; version 2 reads
    /// it as well: "Migrate from V1").
    Opencode,
}

impl McpForm {
    /// All of them, by name.
    const ALL: [Self; 4] = [Self::Claude, Self::Codex, Self::Gemini, Self::Opencode];
    /// Their names.
    pub const NAMES: &[&str] = &["claude", "codex", "gemini", "opencode"];

    /// Returns its name in the language.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Opencode => "opencode",
        }
    }

    /// Returns the form of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == name)
    }
}
