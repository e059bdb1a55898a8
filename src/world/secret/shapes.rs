//! The shapes of well-known credentials.

/// The characters of a credential after its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Letters and digits.
    Alnum,
    /// Upper-case letters and the digits of base 32.
    Base32,
    /// Upper-case letters and digits, as bech32 is written here.
    Bech32,
    /// Those of base 64 for URLs, and dots.
    Dotted,
    /// Hexadecimal digits.
    Hex,
    /// Those of base 64 for URLs, and slashes.
    Path,
    /// Those of base 64, of both kinds.
    Token,
    /// Those of base 64 for URLs.
    Url,
    /// Letters, digits and underscores.
    Word,
}

impl Body {
    /// Whether a byte may be part of it.
    #[must_use]
    pub fn holds(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Base32 => byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7'),
            Self::Bech32 => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Dotted => Self::Url.holds(byte) || byte == b'.',
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Path => Self::Url.holds(byte) || byte == b'/',
            Self::Token => Self::Url.holds(byte) || b"+/=".contains(&byte),
            Self::Url => Self::Word.holds(byte) || byte == b'-',
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
        }
    }
}

/// One kind of credential that is known by how it begins.
#[derive(Debug)]
pub struct Shape {
    /// How it begins.
    pub prefix: &'static str,
    /// What it goes on with.
    pub body: Body,
    /// How many bytes of that it has at least.
    pub min: usize,
    /// How many at most.
    pub max: usize,
    /// What it is: "a GitHub access token".
    pub what: &'static str,
    /// Where its shape is said.
    pub source: &'static str,
}

/// No bound on the length, or none that is documented.
const ANY: usize = usize::MAX;

const fn shape(
    prefix: &'static str,
    body: Body,
    min: usize,
    max: usize,
    what: &'static str,
    source: &'static str,
) -> Shape {
    Shape { prefix, body, min, max, what, source }
}

/// The shapes, by prefix: as the providers describe them, spring 2026. Lengths that they do not promise are those of keys
/// that they hand out, in whole or as the least that is seen.
#[rustfmt::skip]
pub static SHAPES: &[Shape] = &[
    shape("AGE-SECRET-KEY-1", Body::Bech32, 58, 58, "an age secret key", "age's specification, \"The X25519 recipient type\""),
    shape("AIza", Body::Url, 35, 35, "a Google API key", "Google Cloud, \"Manage API keys\""),
    shape("AKIA", Body::Base32, 16, 16, "an AWS access key", "AWS IAM User Guide, \"IAM identifiers\": unique ID prefixes"),
    shape("ASIA", Body::Base32, 16, 16, "a temporary AWS access key", "AWS IAM User Guide, \"IAM identifiers\": unique ID prefixes"),
    shape("ATATT3", Body::Token, 100, ANY, "an Atlassian API token", "Atlassian, \"Manage API tokens for your account\""),
    shape("GOCSPX-", Body::Url, 28, 28, "a Google OAuth client secret", "Google Identity, \"OAuth 2.0\": client credentials"),
    shape("SG.", Body::Dotted, 66, 66, "a SendGrid API key", "SendGrid, \"API keys\""),
    shape("dapi", Body::Hex, 32, 34, "a Databricks access token", "Databricks, \"Personal access tokens\""),
    shape("dckr_pat_", Body::Url, 27, ANY, "a Docker access token", "Docker, \"Personal access tokens\""),
    shape("discord.com/api/webhooks/", Body::Path, 60, ANY, "a Discord webhook", "Discord's developer documentation, \"Webhook Resource\""),
    shape("doo_v1_", Body::Hex, 64, 64, "a DigitalOcean OAuth token", "DigitalOcean API reference, \"Authentication\""),
    shape("dop_v1_", Body::Hex, 64, 64, "a DigitalOcean access token", "DigitalOcean API reference, \"Authentication\""),
    shape("dor_v1_", Body::Hex, 64, 64, "a DigitalOcean refresh token", "DigitalOcean API reference, \"Authentication\""),
    shape("dp.pt.", Body::Alnum, 40, 44, "a Doppler token", "Doppler, \"Auth token formats\""),
    shape("figd_", Body::Url, 38, ANY, "a Figma access token", "Figma REST API, \"Authentication\""),
    shape("gho_", Body::Alnum, 36, ANY, "a GitHub OAuth token", "GitHub Docs, \"About authentication to GitHub\": token formats"),
    shape("ghp_", Body::Alnum, 36, ANY, "a GitHub access token", "GitHub Docs, \"About authentication to GitHub\": token formats"),
    shape("ghr_", Body::Alnum, 36, ANY, "a GitHub refresh token", "GitHub Docs, \"About authentication to GitHub\": token formats"),
    shape("ghs_", Body::Alnum, 36, ANY, "a GitHub installation token", "GitHub Docs, \"About authentication to GitHub\": token formats"),
    shape("ghu_", Body::Alnum, 36, ANY, "a GitHub user token", "GitHub Docs, \"About authentication to GitHub\": token formats"),
    shape("github_pat_", Body::Word, 60, ANY, "a GitHub access token", "GitHub Docs, \"About authentication to GitHub\": token formats"),
    shape("glagent-", Body::Url, 20, ANY, "a GitLab agent token", "GitLab Docs, \"Token overview\": token prefixes"),
    shape("glc_", Body::Token, 32, ANY, "a Grafana Cloud token", "Grafana Cloud, \"Access policies\""),
    shape("glcbt-", Body::Url, 20, ANY, "a GitLab job token", "GitLab Docs, \"Token overview\": token prefixes"),
    shape("gldt-", Body::Url, 20, ANY, "a GitLab deploy token", "GitLab Docs, \"Token overview\": token prefixes"),
    shape("glpat-", Body::Dotted, 20, ANY, "a GitLab access token", "GitLab Docs, \"Token overview\": token prefixes"),
    shape("glptt-", Body::Url, 20, ANY, "a GitLab trigger token", "GitLab Docs, \"Token overview\": token prefixes"),
    shape("glrt-", Body::Dotted, 20, ANY, "a GitLab runner token", "GitLab Docs, \"Token overview\": token prefixes"),
    shape("glsa_", Body::Word, 41, 41, "a Grafana service account token", "Grafana, \"Service accounts\""),
    shape("gsk_", Body::Alnum, 52, 52, "a Groq API key", "Groq, \"Quickstart\": API keys"),
    shape("hf_", Body::Alnum, 34, 34, "a Hugging Face token", "Hugging Face Hub, \"User access tokens\""),
    shape("hooks.slack.com/services/", Body::Path, 40, ANY, "a Slack webhook", "Slack's developer documentation, \"Sending messages using incoming webhooks\""),
    shape("hvb.", Body::Url, 90, ANY, "a Vault batch token", "HashiCorp Vault, \"Tokens\": token prefixes"),
    shape("hvs.", Body::Url, 24, ANY, "a Vault service token", "HashiCorp Vault, \"Tokens\": token prefixes"),
    shape("lin_api_", Body::Alnum, 40, 40, "a Linear API key", "Linear, \"API and webhooks\""),
    shape("npm_", Body::Alnum, 36, 36, "an npm access token", "npm Docs, \"About access tokens\""),
    shape("ntn_", Body::Alnum, 40, 50, "a Notion token", "Notion's changelog, \"Token prefix `ntn_`\""),
    shape("ops_eyJ", Body::Token, 100, ANY, "a 1Password service account token", "1Password, \"Service accounts\""),
    shape("pplx-", Body::Alnum, 40, ANY, "a Perplexity API key", "Perplexity, \"API key management\""),
    shape("pscale_pw_", Body::Dotted, 32, ANY, "a PlanetScale password", "PlanetScale, \"Connection strings\""),
    shape("pscale_tkn_", Body::Dotted, 32, ANY, "a PlanetScale token", "PlanetScale, \"Service tokens\""),
    shape("pul-", Body::Hex, 40, 40, "a Pulumi access token", "Pulumi Cloud, \"Access tokens\""),
    shape("pypi-AgE", Body::Url, 50, ANY, "a PyPI token", "PyPI's help, \"How can I use API tokens?\", and the macaroon format"),
    shape("r8_", Body::Alnum, 37, 37, "a Replicate API token", "Replicate, \"API tokens\""),
    shape("rk_live_", Body::Alnum, 10, ANY, "a Stripe restricted key", "Stripe, \"API keys\": key types"),
    shape("rubygems_", Body::Hex, 48, 48, "a RubyGems API key", "RubyGems guides, \"API key scopes\""),
    shape("sbp_", Body::Hex, 40, 40, "a Supabase access token", "Supabase, \"Management API\": authentication"),
    shape("shpat_", Body::Hex, 32, 32, "a Shopify access token", "Shopify, \"Access tokens\": prefixes"),
    shape("shpss_", Body::Hex, 32, 32, "a Shopify shared secret", "Shopify, \"Access tokens\": prefixes"),
    shape("sk-", Body::Alnum, 32, ANY, "an API key", "OpenAI's and DeepSeek's API references, \"Authentication\""),
    shape("sk-admin-", Body::Url, 40, ANY, "an OpenAI admin key", "OpenAI's API reference, \"Admin API keys\""),
    shape("sk-ant-", Body::Url, 40, ANY, "an Anthropic key", "Anthropic's API reference, \"Authentication\""),
    shape("sk-or-v1-", Body::Hex, 64, 64, "an OpenRouter API key", "OpenRouter, \"Authentication\""),
    shape("sk-proj-", Body::Url, 40, ANY, "an OpenAI project key", "OpenAI's API reference, \"Authentication\""),
    shape("sk-svcacct-", Body::Url, 40, ANY, "an OpenAI service account key", "OpenAI's API reference, \"Project service accounts\""),
    shape("sk_live_", Body::Alnum, 10, ANY, "a Stripe secret key", "Stripe, \"API keys\": key types"),
    shape("sntrys_", Body::Token, 60, ANY, "a Sentry organization token", "Sentry, \"Auth tokens\""),
    shape("sntryu_", Body::Hex, 64, 64, "a Sentry user token", "Sentry, \"Auth tokens\""),
    shape("tskey-", Body::Url, 20, ANY, "a Tailscale key", "Tailscale, \"Key prefixes\""),
    shape("xai-", Body::Alnum, 70, ANY, "an xAI API key", "xAI, \"Quickstart\": API keys"),
    shape("xapp-", Body::Url, 40, ANY, "a Slack app token", "Slack's developer documentation, \"Token types\""),
    shape("xoxa-", Body::Url, 24, ANY, "a Slack token", "Slack's developer documentation, \"Token types\""),
    shape("xoxb-", Body::Url, 24, ANY, "a Slack bot token", "Slack's developer documentation, \"Token types\""),
    shape("xoxe.xox", Body::Url, 40, ANY, "a Slack token", "Slack's developer documentation, \"Token rotation\""),
    shape("xoxp-", Body::Url, 24, ANY, "a Slack user token", "Slack's developer documentation, \"Token types\""),
    shape("xoxr-", Body::Url, 24, ANY, "a Slack refresh token", "Slack's developer documentation, \"Token types\""),
    shape("ya29.", Body::Url, 40, ANY, "a Google access token", "Google Identity, \"OAuth 2.0\": access tokens"),
];
