//! Well-known hosts: model APIs, drop sites and tunnels.

use std::borrow::Cow;

/// APIs of models: host, and whose it is. From each provider's API reference, spring 2026.
pub static MODEL_APIS: &[(&str, &str)] = &[
    ("api.anthropic.com", "Anthropic"),
    ("api.cerebras.ai", "Cerebras"),
    ("api.cohere.com", "Cohere"),
    ("api.deepseek.com", "DeepSeek"),
    ("api.fireworks.ai", "Fireworks"),
    ("api.groq.com", "Groq"),
    ("api.mistral.ai", "Mistral"),
    ("api.openai.com", "OpenAI"),
    ("api.perplexity.ai", "Perplexity"),
    ("api.together.xyz", "Together"),
    ("api.x.ai", "xAI"),
    ("chatgpt.com", "OpenAI"),
    ("generativelanguage.googleapis.com", "Google"),
    ("openrouter.ai", "OpenRouter"),
];

/// A host where anybody can leave something for anybody, without an account or with one that costs nothing.
#[derive(Debug)]
pub struct Drop {
    /// The host.
    pub host: &'static str,
    /// Whether each name below it is such a host, too: tunnels and inboxes that get a name of their own.
    pub below: bool,
    /// What it is.
    pub what: &'static str,
    /// Where that is said.
    pub source: &'static str,
}

impl Drop {
    /// The entry that stands for all of it.
    #[must_use]
    pub fn pattern(&self) -> Cow<'static, str> {
        if self.below { Cow::Owned(format!("*.{}", self.host)) } else { Cow::Borrowed(self.host) }
    }
}

/// A host that leads to whoever has the other end.
pub const TUNNEL: &str = "a tunnel";

const fn host(host: &'static str, what: &'static str, source: &'static str) -> Drop {
    Drop { host, below: false, what, source }
}

const fn domain(host: &'static str, what: &'static str, source: &'static str) -> Drop {
    Drop { host, below: true, what, source }
}

/// Places where anybody can leave something for anybody, by host: from the services' own pages, spring 2026.
pub static DROPS: &[Drop] = &[
    host("0bin.net", "a paste site", "0bin.net: its front page"),
    host("0x0.st", "a file drop", "0x0.st: its front page, \"The Null Pointer\""),
    host(
        "api.telegram.org",
        "a messenger's bots",
        "core.telegram.org, \"Telegram Bot API\": making requests",
    ),
    host("bashupload.com", "a file drop", "bashupload.com: its front page"),
    domain("beeceptor.com", "a webhook inbox", "beeceptor.com, \"Documentation\""),
    domain("bore.pub", TUNNEL, "bore's README: the public server"),
    domain("burpcollaborator.net", "a collector of callbacks", "PortSwigger, \"Burp Collaborator server\""),
    host("catbox.moe", "a file drop", "catbox.moe, \"Tools\": its API"),
    host("cl1p.net", "a paste site", "cl1p.net, \"API\""),
    host("controlc.com", "a paste site", "controlc.com: its front page"),
    domain("devtunnels.ms", TUNNEL, "Microsoft, \"Dev tunnels\""),
    host("discord.com", "a messenger's webhooks", "Discord's developer documentation, \"Webhook Resource\""),
    host("discordapp.com", "a messenger's webhooks", "the earlier domain of discord.com"),
    host("dpaste.com", "a paste site", "dpaste.com, \"dpaste API v2\""),
    host("dpaste.org", "a paste site", "dpaste.org, \"API\""),
    host("envs.sh", "a file drop", "envs.net, \"null pointer\""),
    host("file.io", "a file drop", "file.io, \"API documentation\""),
    host("filebin.net", "a file drop", "filebin.net, \"API\""),
    host("gist.github.com", "a paste site", "GitHub Docs, \"Creating gists\""),
    domain("gofile.io", "a file drop", "gofile.io, \"API\""),
    host("hastebin.com", "a paste site", "Toptal, \"Hastebin API\""),
    host("hookbin.com", "a webhook inbox", "hookbin.com: its front page"),
    host(
        "hooks.slack.com",
        "a messenger's webhooks",
        "Slack's developer documentation, \"Sending messages using incoming webhooks\"",
    ),
    host("hooks.zapier.com", "a webhook inbox", "Zapier, \"Trigger Zaps from webhooks\""),
    domain("interact.sh", "a collector of callbacks", "ProjectDiscovery, interactsh's README"),
    host("ix.io", "a paste site", "ix.io: its front page"),
    host("justpaste.it", "a paste site", "justpaste.it: its front page"),
    domain("lhr.life", TUNNEL, "localhost.run, \"Custom domains\""),
    domain("loca.lt", TUNNEL, "localtunnel's README"),
    domain("localhost.run", TUNNEL, "localhost.run, \"Documentation\""),
    domain("ngrok-free.app", TUNNEL, "ngrok, \"Domains\""),
    domain("ngrok-free.dev", TUNNEL, "ngrok, \"Domains\""),
    domain("ngrok.app", TUNNEL, "ngrok, \"Domains\""),
    domain("ngrok.dev", TUNNEL, "ngrok, \"Domains\""),
    domain("ngrok.io", TUNNEL, "ngrok, \"Domains\""),
    domain("oast.fun", "a collector of callbacks", "ProjectDiscovery, interactsh's README"),
    domain("oast.live", "a collector of callbacks", "ProjectDiscovery, interactsh's README"),
    domain("oast.me", "a collector of callbacks", "ProjectDiscovery, interactsh's README"),
    domain("oast.online", "a collector of callbacks", "ProjectDiscovery, interactsh's README"),
    domain("oast.pro", "a collector of callbacks", "ProjectDiscovery, interactsh's README"),
    domain("oast.site", "a collector of callbacks", "ProjectDiscovery, interactsh's README"),
    domain("oastify.com", "a collector of callbacks", "PortSwigger, \"Burp Collaborator server\""),
    host("paste.debian.net", "a paste site", "paste.debian.net: its front page"),
    host("paste.ee", "a paste site", "paste.ee, \"API\""),
    host("paste.mozilla.org", "a paste site", "paste.mozilla.org: its front page"),
    host("paste.rs", "a paste site", "paste.rs: its front page"),
    host("pastebin.com", "a paste site", "pastebin.com, \"Developers API\""),
    host("pastes.dev", "a paste site", "pastes.dev: its README"),
    domain("pipedream.net", "a webhook inbox", "Pipedream, \"HTTP triggers\""),
    host("pixeldrain.com", "a file drop", "pixeldrain.com, \"API\""),
    domain("playit.gg", TUNNEL, "playit.gg: its front page"),
    host("postb.in", "a webhook inbox", "postb.in: its front page"),
    host("privatebin.net", "a paste site", "privatebin.net: its front page"),
    host("rentry.co", "a paste site", "rentry.co: its front page"),
    domain("requestbin.com", "a webhook inbox", "Pipedream, \"RequestBin\""),
    domain("requestcatcher.com", "a webhook inbox", "requestcatcher.com: its front page"),
    domain("requestrepo.com", "a collector of callbacks", "requestrepo's README"),
    domain("serveo.net", TUNNEL, "serveo.net, \"Manual\""),
    host("sprunge.us", "a paste site", "sprunge.us: its front page"),
    host("telegra.ph", "a paste site", "telegra.ph, \"Telegraph API\""),
    host("temp.sh", "a file drop", "temp.sh: its front page"),
    host("termbin.com", "a paste site", "termbin.com: its front page"),
    host("tmpfiles.org", "a file drop", "tmpfiles.org, \"API\""),
    host("transfer.sh", "a file drop", "transfer.sh's README"),
    domain("trycloudflare.com", TUNNEL, "Cloudflare Tunnel, \"TryCloudflare\""),
    host("uguu.se", "a file drop", "uguu.se, \"API\""),
    domain("webhook.office.com", "a messenger's webhooks", "Microsoft Teams, \"Create incoming webhooks\""),
    domain("webhook.site", "a webhook inbox", "docs.webhook.site"),
    host("x0.at", "a file drop", "x0.at: its front page"),
];
