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

/// A variable that an agent, or a program that it runs, reads.
#[derive(Debug)]
pub struct Read {
    /// The variable.
    pub variable: Known,
    /// Who reads it, in the plural.
    pub by: &'static str,
    /// Where that is said.
    pub source: &'static str,
}

const fn read(by: &'static str, source: &'static str, variable: Known) -> Read {
    Read { variable, by, source }
}

const CLAUDE: &str = "Claude Code, \"Environment variables\"";
const AWS: &str = "AWS CLI User Guide, \"Environment variables\"";
const GH: &str = "GitHub CLI manual, \"gh environment\"";

/// What agents and the programs that they run read, by name. Completion offers these, and a slip of one is told by them.
pub static AGENT: &[Read] = &[
    read(
        "Claude Code and Anthropic's libraries",
        CLAUDE,
        secret("ANTHROPIC_API_KEY", "The key of Anthropic's API, for Claude Code and the SDKs."),
    ),
    read(
        "sessions of Claude Code",
        CLAUDE,
        secret("ANTHROPIC_AUTH_TOKEN", "A bearer token that Claude Code sends instead of an API key."),
    ),
    read(
        "Claude Code and Anthropic's libraries",
        CLAUDE,
        setting(
            "ANTHROPIC_BASE_URL",
            None,
            "Where Claude Code and the SDKs send their requests, when not to Anthropic's own API.",
        ),
    ),
    read(
        "sessions of Claude Code",
        CLAUDE,
        setting("ANTHROPIC_MODEL", None, "The model that Claude Code uses."),
    ),
    read(
        "the AWS CLI and libraries",
        AWS,
        secret("AWS_ACCESS_KEY_ID", "The id of a key for AWS; it goes with `AWS_SECRET_ACCESS_KEY`."),
    ),
    read(
        "the AWS CLI and libraries",
        AWS,
        setting("AWS_REGION", Some("us-east-1"), "The region that AWS's tools talk to."),
    ),
    read("the AWS CLI and libraries", AWS, secret("AWS_SECRET_ACCESS_KEY", "A key for AWS.")),
    read(
        "the AWS CLI and libraries",
        AWS,
        secret("AWS_SESSION_TOKEN", "The token of a key for AWS that is valid for a time."),
    ),
    read(
        "sessions of Claude Code",
        CLAUDE,
        setting(
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
            Some("1"),
            "Keeps Claude Code from updates, telemetry and error reports, whose hosts then need no `allow`.",
        ),
    ),
    read(
        "sessions of Claude Code",
        "Claude Code, \"Authentication\"",
        secret(
            "CLAUDE_CODE_OAUTH_TOKEN",
            "A token of a Claude subscription, which `claude setup-token` makes.",
        ),
    ),
    read(
        "DeepSeek's examples and agents",
        "DeepSeek's API reference, \"Your first API call\"",
        secret("DEEPSEEK_API_KEY", "The key of DeepSeek's API."),
    ),
    read(
        "the Gemini CLI and Google's libraries",
        "Gemini API, \"Using Gemini API keys\"",
        secret("GEMINI_API_KEY", "The key of Google's Gemini API."),
    ),
    read(
        "commands of the GitHub CLI",
        GH,
        setting("GH_HOST", Some("github.com"), "The host that `gh` talks to."),
    ),
    read("commands of the GitHub CLI", GH, secret("GH_TOKEN", "The token that `gh` uses for GitHub.")),
    read(
        "the GitHub CLI and actions",
        GH,
        secret("GITHUB_TOKEN", "A token for GitHub, which `gh` reads after `GH_TOKEN`."),
    ),
    read("commands of `glab`", "glab's README", secret("GITLAB_TOKEN", "A token for GitLab, for `glab`.")),
    read(
        "Google Cloud's libraries",
        "Google Cloud, \"Application Default Credentials\"",
        setting(
            "GOOGLE_APPLICATION_CREDENTIALS",
            None,
            "The file in the machine with the credentials for Google Cloud.",
        ),
    ),
    read(
        "Groq's libraries",
        "Groq's documentation, \"Quickstart\"",
        secret("GROQ_API_KEY", "The key of Groq's API."),
    ),
    read(
        "Hugging Face's libraries",
        "Hugging Face Hub, \"Environment variables\"",
        secret("HF_TOKEN", "A token for Hugging Face."),
    ),
    read(
        "programs",
        "locale(7)",
        setting("LANG", Some("C.UTF-8"), "The language and the character set of programs."),
    ),
    read(
        "Mistral's libraries",
        "Mistral, \"Quickstart\"",
        secret("MISTRAL_API_KEY", "The key of Mistral's API."),
    ),
    read(
        "programs",
        "no-color.org",
        setting("NO_COLOR", Some("1"), "Keeps programs from colouring what they print."),
    ),
    read(
        "configurations of npm",
        "npm Docs, \"Using private packages in a CI/CD workflow\"",
        secret("NPM_TOKEN", "A token for a registry of npm packages, which an `.npmrc` names."),
    ),
    read(
        "Codex and OpenAI's libraries",
        "OpenAI's API reference, \"Authentication\"",
        secret("OPENAI_API_KEY", "The key of OpenAI's API."),
    ),
    read(
        "OpenAI's libraries",
        "openai-python's README",
        setting("OPENAI_BASE_URL", None, "Where the SDKs send their requests, when not to OpenAI's own API."),
    ),
    read(
        "OpenRouter's examples and agents",
        "OpenRouter, \"Quickstart\"",
        secret("OPENROUTER_API_KEY", "The key of OpenRouter's API."),
    ),
    read("programs", "term(7)", setting("TERM", Some("xterm-256color"), "What the terminal can show.")),
    read("programs", "tzset(3)", setting("TZ", Some("UTC"), "The time zone.")),
    read(
        "xAI's examples and agents",
        "xAI's API, \"Quickstart\"",
        secret("XAI_API_KEY", "The key of xAI's API."),
    ),
];

/// Variables by which a program is led to a proxy of its own, before `HTTPS_PROXY`: name, program, and where that is said.
pub static PROXIES: &[(&str, &str, &str)] = &[
    ("ALL_PROXY", "programs", "curl's manual, \"ENVIRONMENT\""),
    ("CARGO_HTTP_PROXY", "Cargo", "The Cargo Book, \"Environment variables\""),
    ("FTP_PROXY", "programs", "curl's manual, \"ENVIRONMENT\""),
    ("NPM_CONFIG_HTTPS_PROXY", "npm", "npm Docs, \"config\": https-proxy"),
    ("NPM_CONFIG_PROXY", "npm", "npm Docs, \"config\": proxy"),
    ("PIP_PROXY", "pip", "pip's documentation, \"Configuration\": environment variables"),
    ("RSYNC_PROXY", "rsync", "rsync(1), \"ENVIRONMENT VARIABLES\""),
    ("YARN_HTTPS_PROXY", "Yarn", "Yarn, \"Settings\": httpsProxy"),
    ("YARN_HTTP_PROXY", "Yarn", "Yarn, \"Settings\": httpProxy"),
];

/// Variables that say how names are looked up, and where that is said.
pub static LOOKUPS: &[(&str, &str)] =
    &[("HOSTALIASES", "hostname(7)"), ("LOCALDOMAIN", "resolv.conf(5)"), ("RES_OPTIONS", "resolv.conf(5)")];

/// What some of the variables that agents read are called by mistake.
pub static MISTAKEN: &[(&str, &str)] = &[
    ("ANTHROPIC_KEY", "ANTHROPIC_API_KEY"),
    ("ANTHROPIC_TOKEN", "ANTHROPIC_API_KEY"),
    ("CLAUDE_API_KEY", "ANTHROPIC_API_KEY"),
    ("CLAUDE_KEY", "ANTHROPIC_API_KEY"),
    ("GEMINI_KEY", "GEMINI_API_KEY"),
    ("OPENAI_KEY", "OPENAI_API_KEY"),
    ("OPENAI_TOKEN", "OPENAI_API_KEY"),
];
