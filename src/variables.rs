//! Environment variables that agents' programs read, by name.

/// A variable that programs read.
#[derive(Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Whether it holds a secret, which is given by reference.
    pub is_secret: bool,
    /// What it usually holds.
    pub value: Option<&'static str>,
    /// What it is for.
    pub doc: &'static str,
}

/// A variable that holds a secret.
#[must_use]
pub const fn secret(name: &'static str, doc: &'static str) -> Known {
    Known { name, is_secret: true, value: None, doc }
}

/// A variable that holds a setting.
#[must_use]
pub const fn setting(name: &'static str, value: Option<&'static str>, doc: &'static str) -> Known {
    Known { name, is_secret: false, value, doc }
}

/// What agents and the programs that they run read, by name, as they are commonly set.
pub static AGENT: &[Known] = &[
    secret("ANTHROPIC_API_KEY", "The key of Anthropic's API, for Claude Code and the SDKs."),
    secret("ANTHROPIC_AUTH_TOKEN", "A bearer token that Claude Code sends instead of an API key."),
    setting(
        "ANTHROPIC_BASE_URL",
        None,
        "Where Claude Code and the SDKs send their requests, when not to Anthropic's own API.",
    ),
    setting("ANTHROPIC_MODEL", None, "The model that Claude Code uses."),
    secret("AWS_ACCESS_KEY_ID", "The id of a key for AWS; it goes with `AWS_SECRET_ACCESS_KEY`."),
    setting("AWS_REGION", Some("us-east-1"), "The region that AWS's tools talk to."),
    secret("AWS_SECRET_ACCESS_KEY", "A key for AWS."),
    setting(
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        Some("1"),
        "Keeps Claude Code from updates, telemetry and error reports, whose hosts then need no `allow`.",
    ),
    secret("CLAUDE_CODE_OAUTH_TOKEN", "A token of a Claude subscription, which `claude setup-token` makes."),
    secret("DEEPSEEK_API_KEY", "The key of DeepSeek's API."),
    secret("GEMINI_API_KEY", "The key of Google's Gemini API."),
    setting("GH_HOST", Some("github.com"), "The host that `gh` talks to."),
    secret("GH_TOKEN", "The token that `gh` uses for GitHub."),
    secret("GITHUB_TOKEN", "A token for GitHub, which `gh` reads after `GH_TOKEN`."),
    secret("GITLAB_TOKEN", "A token for GitLab, for `glab`."),
    secret("GROQ_API_KEY", "The key of Groq's API."),
    secret("HF_TOKEN", "A token for Hugging Face."),
    setting("LANG", Some("C.UTF-8"), "The language and the character set of programs."),
    secret("MISTRAL_API_KEY", "The key of Mistral's API."),
    setting("NO_COLOR", Some("1"), "Keeps programs from colouring what they print."),
    secret("NPM_TOKEN", "A token for a registry of npm packages, which an `.npmrc` names."),
    secret("OPENAI_API_KEY", "The key of OpenAI's API."),
    setting("OPENAI_BASE_URL", None, "Where the SDKs send their requests, when not to OpenAI's own API."),
    secret("OPENROUTER_API_KEY", "The key of OpenRouter's API."),
    setting("TERM", Some("xterm-256color"), "What the terminal can show."),
    setting("TZ", Some("UTC"), "The time zone."),
    secret("XAI_API_KEY", "The key of xAI's API."),
];
