//! Where the credentials of an agent's variables are sent, of those that pipelock knows by their shape.
//!
//! With its HTTPS opened such a host refuses its own credential: pipelock has no exemption for who issued it, nor can
//! one be configured (run with 2.3.0: 403 for GitHub's, npm's, bearer JWTs and git's Basic login).

/// A variable that holds a credential of a known shape, and where it goes.
#[derive(Debug)]
pub struct Issued {
    /// The variable.
    pub variable: &'static str,
    /// Hosts that it is sent to, as `allow` names them.
    pub hosts: &'static [&'static str],
    /// First labels of hosts that it is sent to, where everybody has a host of his own.
    pub labels: &'static [&'static str],
    /// Variables that name the host, or its URL.
    pub named_by: &'static [&'static str],
    /// Where that is said.
    pub source: &'static str,
}

const fn issued(
    variable: &'static str,
    hosts: &'static [&'static str],
    named_by: &'static [&'static str],
    source: &'static str,
) -> Issued {
    Issued { variable, hosts, labels: &[], named_by, source }
}

const GITHUB: &[&str] = &["api.github.com", "github.com", "uploads.github.com"];
const GH: &str = "GitHub CLI manual, \"gh environment\"";
const NPM: &[&str] = &["NPM_CONFIG_REGISTRY", "npm_config_registry"];

/// The variables, by name. Each has a pattern of pipelock's own (read at 2.3.0: the shapes of keys that it looks for).
/// Registries of packages are known by what the user calls them alone.
pub static ISSUED: &[Issued] = &[
    issued(
        "ANTHROPIC_API_KEY",
        &["api.anthropic.com"],
        &["ANTHROPIC_BASE_URL"],
        "Claude Code, \"Environment variables\"",
    ),
    issued(
        "AWS_ACCESS_KEY_ID",
        &["*.amazonaws.com"],
        &["AWS_ENDPOINT_URL"],
        "AWS, \"Signature Version 4\": it stands in each request",
    ),
    issued(
        "CLAUDE_CODE_OAUTH_TOKEN",
        &["api.anthropic.com"],
        &["ANTHROPIC_BASE_URL"],
        "Claude Code, \"Authentication\"",
    ),
    issued(
        "DATABRICKS_TOKEN",
        &["*.azuredatabricks.net", "*.cloud.databricks.com"],
        &["DATABRICKS_HOST"],
        "Databricks, \"Personal access token authentication\"",
    ),
    issued(
        "DIGITALOCEAN_ACCESS_TOKEN",
        &["api.digitalocean.com"],
        &[],
        "DigitalOcean, \"doctl\": environment variables",
    ),
    issued("GH_ENTERPRISE_TOKEN", &[], &["GH_HOST"], GH),
    issued("GH_TOKEN", GITHUB, &["GH_HOST"], GH),
    issued("GITHUB_TOKEN", GITHUB, &["GH_HOST"], GH),
    issued("GITLAB_TOKEN", &["gitlab.com"], &["GITLAB_HOST", "GL_HOST"], "glab's README"),
    issued("HF_TOKEN", &["huggingface.co"], &["HF_ENDPOINT"], "Hugging Face Hub, \"Environment variables\""),
    issued("LINEAR_API_KEY", &["api.linear.app"], &[], "Linear, \"GraphQL API\""),
    issued("NEW_RELIC_API_KEY", &["*.newrelic.com"], &[], "New Relic, \"API keys\""),
    Issued {
        labels: &["npm", "registry"],
        ..issued("NODE_AUTH_TOKEN", &[], NPM, "GitHub's setup-node, \"Publishing to a registry\"")
    },
    issued("NOTION_TOKEN", &["api.notion.com"], &[], "Notion, \"Authorization\""),
    Issued {
        labels: &["npm", "registry"],
        ..issued("NPM_TOKEN", &[], NPM, "npm Docs, \"Using private packages in a CI/CD workflow\"")
    },
    issued(
        "OPENAI_API_KEY",
        &["api.openai.com"],
        &["OPENAI_BASE_URL"],
        "OpenAI's API reference, \"Authentication\"",
    ),
    issued("REPLICATE_API_TOKEN", &["api.replicate.com"], &[], "Replicate, \"HTTP API\""),
    issued("SENDGRID_API_KEY", &["api.sendgrid.com"], &[], "SendGrid, \"API keys\""),
    issued("SENTRY_AUTH_TOKEN", &["sentry.io"], &["SENTRY_URL"], "sentry-cli, \"Configuration values\""),
    issued("SLACK_BOT_TOKEN", &["slack.com"], &[], "Slack's developer documentation, \"Tokens\""),
    issued("STRIPE_API_KEY", &["api.stripe.com"], &[], "Stripe CLI, \"Authentication\""),
    issued("VAULT_TOKEN", &[], &["VAULT_ADDR"], "Vault, \"Environment variables\""),
    issued("VERCEL_TOKEN", &["api.vercel.com"], &[], "Vercel, \"REST API\""),
];

/// Whether a host is one that is named here, an API with short answers.
#[must_use]
pub fn is_api(host: &str) -> bool {
    ISSUED.iter().any(|issued| issued.hosts.contains(&host))
}
