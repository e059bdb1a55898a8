//! What is known of the world outside that a spec is likely to name.

/// An environment variable that programs read.
#[derive(Debug)]
pub(in crate::lsp) struct Variable {
    /// Its name.
    pub(in crate::lsp) name: &'static str,
    /// Whether it holds a secret, which is given by reference.
    pub(in crate::lsp) is_secret: bool,
    /// What it usually holds.
    pub(in crate::lsp) value: Option<&'static str>,
    /// What it is for.
    pub(in crate::lsp) doc: &'static str,
}

const fn secret(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, is_secret: true, value: None, doc }
}

const fn setting(name: &'static str, value: Option<&'static str>, doc: &'static str) -> Variable {
    Variable { name, is_secret: false, value, doc }
}

/// What agents and the programs that they run read, by name: from each one's own documentation, spring 2026.
pub(in crate::lsp) static AGENT: &[Variable] = &[
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

/// What well-known images read: a word of the image's name, and its variables. From the images' own pages.
pub(in crate::lsp) static IMAGES: &[(&str, &[Variable])] = &[
    (
        "mariadb",
        &[
            setting("MARIADB_DATABASE", Some("app"), "A database that is made at the first start."),
            secret("MARIADB_PASSWORD", "The password of `MARIADB_USER`."),
            secret("MARIADB_ROOT_PASSWORD", "The password of the user `root`."),
            setting("MARIADB_USER", Some("app"), "A user that is made at the first start."),
        ],
    ),
    (
        "mongo",
        &[
            secret("MONGO_INITDB_ROOT_PASSWORD", "The password of the first user."),
            setting("MONGO_INITDB_ROOT_USERNAME", Some("root"), "The first user."),
        ],
    ),
    (
        "mysql",
        &[
            setting("MYSQL_DATABASE", Some("app"), "A database that is made at the first start."),
            secret("MYSQL_PASSWORD", "The password of `MYSQL_USER`."),
            secret("MYSQL_ROOT_PASSWORD", "The password of the user `root`."),
            setting("MYSQL_USER", Some("app"), "A user that is made at the first start."),
        ],
    ),
    (
        "postgres",
        &[
            setting("POSTGRES_DB", Some("app"), "A database that is made at the first start."),
            secret("POSTGRES_PASSWORD", "The password of `POSTGRES_USER`."),
            setting(
                "POSTGRES_PASSWORD_FILE",
                Some("/run/secrets/db-password"),
                "The file that holds the password: one that a `secret` shows.",
            ),
            setting("POSTGRES_USER", Some("postgres"), "The first user."),
        ],
    ),
    (
        "rabbitmq",
        &[
            secret("RABBITMQ_DEFAULT_PASS", "The password of `RABBITMQ_DEFAULT_USER`."),
            setting("RABBITMQ_DEFAULT_USER", Some("app"), "The first user."),
        ],
    ),
];

/// What is known of a variable, of the agent's or of any image's.
#[must_use]
pub(in crate::lsp) fn variable(name: &str) -> Option<&'static Variable> {
    let images = IMAGES.iter().flat_map(|(_, variables)| *variables);
    AGENT.iter().chain(images).find(|variable| variable.name == name)
}

/// Schemes of URLs: the scheme, the port that such programs listen on, and the variable that frameworks read.
pub(super) static SCHEMES: &[(&str, u16, &str)] = &[
    ("amqp", 5672, "AMQP_URL"),
    ("http", 8080, "SERVICE_URL"),
    ("https", 8443, "SERVICE_URL"),
    ("mongodb", 27017, "MONGODB_URI"),
    ("mysql", 3306, "DATABASE_URL"),
    ("nats", 4222, "NATS_URL"),
    ("postgres", 5432, "DATABASE_URL"),
    ("redis", 6379, "REDIS_URL"),
];

/// Where images come from, and what lies there.
pub(super) static REGISTRIES: &[(&str, &str)] = &[
    ("docker.io/library/", "Docker's official images"),
    ("docker.io/", "Docker Hub"),
    ("ghcr.io/", "GitHub's registry"),
    ("mcr.microsoft.com/", "Microsoft's registry"),
    ("public.ecr.aws/", "AWS's public registry"),
    ("quay.io/", "Red Hat's registry"),
    ("registry.gitlab.com/", "GitLab's registry"),
];

/// Hosts that agents are often pointed at besides models' APIs, and what each is.
pub(super) static HOSTS: &[(&str, &str)] = &[
    ("*.github.com", "GitHub with its API; `gist.github.com` is among them"),
    ("api.github.com", "GitHub's API"),
    ("*.githubusercontent.com", "files of GitHub's repositories and releases"),
    ("api.bitbucket.org", "Bitbucket's API"),
    ("gitlab.com", "GitLab with its API"),
];

/// Where repositories are cloned from over SSH.
pub(super) static FORGES: &[(&str, &str)] = &[
    ("ssh://git@bitbucket.org/", "Bitbucket"),
    ("ssh://git@codeberg.org/", "Codeberg"),
    ("ssh://git@github.com/", "GitHub"),
    ("ssh://git@gitlab.com/", "GitLab"),
];

/// What no agent should reach, for `refuse`.
pub(super) static FORBIDDEN: &[(&str, &str)] = &[
    ("169.254.169.254", "where clouds hand out credentials"),
    ("10.0.0.1:22", "an address of a private network"),
];
