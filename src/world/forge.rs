//! Forges: where the same repositories are served that git-gate carries, and what is written there with.

/// A host of repositories that has more ways in than SSH.
#[derive(Debug)]
pub struct Forge {
    /// The hosts that a repository's URL names.
    pub git: &'static [&'static str],
    /// The hosts that serve the same over HTTPS: repositories, their files, and the API.
    pub web: &'static [&'static str],
    /// The variables by which programs are given a token for it.
    pub tokens: &'static [&'static str],
    /// Where that is said.
    pub source: &'static str,
}

/// The forges that are known.
pub static FORGES: &[Forge] = &[
    Forge {
        git: &["github.com", "ssh.github.com"],
        web: &[
            "github.com",
            "api.github.com",
            "codeload.github.com",
            "uploads.github.com",
            "objects.githubusercontent.com",
            "raw.githubusercontent.com",
        ],
        tokens: &["GH_TOKEN", "GITHUB_PAT", "GITHUB_PERSONAL_ACCESS_TOKEN", "GITHUB_TOKEN"],
        source: "GitHub Docs, \"Self-hosted runners reference\": accessible domains; GitHub CLI manual, \"gh environment\"; \
                 GitHub's MCP server, README",
    },
    Forge {
        git: &["gitlab.com", "altssh.gitlab.com"],
        web: &["gitlab.com"],
        tokens: &["GITLAB_ACCESS_TOKEN", "GITLAB_TOKEN"],
        source: "GitLab Docs, \"REST API\"; glab's README, \"Environment variables\"",
    },
    Forge {
        git: &["bitbucket.org", "altssh.bitbucket.org"],
        web: &["bitbucket.org", "api.bitbucket.org"],
        tokens: &[],
        source: "Bitbucket Cloud, \"REST API\"",
    },
    Forge {
        git: &["ssh.dev.azure.com", "vs-ssh.visualstudio.com"],
        web: &["dev.azure.com"],
        tokens: &["AZURE_DEVOPS_EXT_PAT"],
        source: "Azure DevOps, \"Allowed domain URLs\"; Azure DevOps CLI, \"Sign in with a personal access token\"",
    },
];

/// The forge of a repository's host.
#[must_use]
pub fn find(host: &str) -> Option<&'static Forge> {
    FORGES.iter().find(|forge| forge.git.iter().any(|git| git.eq_ignore_ascii_case(host)))
}

/// The hosts that serve over HTTPS what a repository's host has: of one that is not known, itself.
pub fn web(host: &str) -> impl Iterator<Item = &str> {
    let (known, itself) = match find(host) {
        Some(forge) => (forge.web, None),
        None => (&[][..], Some(host)),
    };
    known.iter().copied().chain(itself)
}
