//! `git` and `git-gate`: repositories, and the mirror that the agent reaches them through.

use super::{ACCESS, LIMITS, NEEDS, many, once, optional_property, required, required_property};
use crate::schema::{Child, Children, Node, Occurs, ValueType};
use crate::world::builtin;

pub(super) static GIT: Node = Node {
    name: "git",
    doc: "Repositories that the agent may fetch from and push to, through git-gate.\n\ngit-gate runs only when a \
          repository is declared. The agent never holds a key: it clones `git://<bundle>:9418/<name>`, or the upstream's own \
          URL in any of its spellings, which its git configuration turns into that one.",
    arguments: &[],
    properties: &[],
    children: Children::Nodes(&[once(&USER), many(&REPO)]),
    example: "git {\n    repo \"api\" {\n        url \"ssh://git@github.com/acme/api.git\"\n        identity \
              \"~/.ssh/id_ed25519\"\n        host-key \"ssh-ed25519 AAAA…\"\n    }\n}",
};

static USER: Node = Node {
    name: "user",
    doc: "Who the agent's commits are by.",
    arguments: &[],
    properties: &[
        required_property("name", ValueType::Text, "the author's name"),
        required_property("email", ValueType::Email, "the author's address"),
    ],
    children: Children::None,
    example: "user name=\"Ada\" email=\"ada@example.com\"",
};

static REPO: Node = Node {
    name: "repo",
    doc: "One repository that git-gate mirrors: an upstream (`url`, `identity`, `host-key`), or one on this host (`path`).\n\n\
          The mirror is brought up to date before each fetch and each push; while that fails nothing is served. What is \
          pushed is scanned for secrets. It is then pushed upstream, and only then in the mirror; what is pushed to a \
          repository on this host stays in the mirror until `bottlec pull` fetches it.",
    arguments: &[required("name", ValueType::RepoName, "what the agent calls it")],
    properties: &[optional_property(
        "access",
        ACCESS,
        Some("`read-write`"),
        "whether the agent may push to it; with `read-only` git-gate refuses each push",
    )],
    children: Children::Nodes(&[
        Child { occurs: Occurs::RequiredUnless(LOCAL), node: &URL },
        Child { occurs: Occurs::RequiredWith(URL.name), node: &IDENTITY },
        Child { occurs: Occurs::SeveralWith(URL.name), node: &HOST_KEY },
        once(&PATH),
    ]),
    example: "repo \"api\" {\n    url \"ssh://git@github.com/acme/api.git\"\n    identity \"~/.ssh/id_ed25519\"\n    \
              host-key \"ssh-ed25519 AAAA…\"\n}",
};

static URL: Node = Node {
    name: "url",
    doc: "Where the upstream repository is.\n\nOnly SSH goes through the gate: a clone over HTTPS would go round it. A URL \
          without a user means the user `git`.",
    arguments: &[required("url", ValueType::GitUrl, "`ssh://user@host[:port]/path`, or `user@host:path`")],
    properties: &[],
    children: Children::None,
    example: "url \"ssh://git@github.com/acme/api.git\"",
};

static IDENTITY: Node = Node {
    name: "identity",
    doc: "The private key that git-gate fetches and pushes with. It stays on the host.\n\nIt has no passphrase, since nobody \
          is there to type one, and nobody but its owner may read it: git-gate does not start otherwise.",
    arguments: &[required(
        "path",
        ValueType::PrivateKey,
        "a path on the host; `~/` is the home of who launches",
    )],
    properties: &[],
    children: Children::None,
    example: "identity \"~/.ssh/id_ed25519\"",
};

static HOST_KEY: Node = Node {
    name: "host-key",
    doc: "The upstream's SSH host key, as `ssh-keyscan` prints it without the host's name.\n\nThere is no trust on \
          first use. A host with several keys, or one that is about to change its key, has several of these; those of \
          two repositories on one host are united.",
    arguments: &[required("key", ValueType::HostKey, "key type and base64 key")],
    properties: &[],
    children: Children::None,
    example: "host-key \"ssh-ed25519 AAAA…\"",
};

/// What a repository on this host has in place of all that an upstream has.
const LOCAL: &str = "path";

static PATH: Node = Node {
    name: LOCAL,
    doc: "A repository on this host, in place of an upstream: its work tree, or itself when it is bare.\n\ngit-gate sees its \
          git directory read-only and fetches its branches and tags. What is not committed does not go along. Whatever \
          the agent pushes stays in the gate under the names that it pushed; `bottlec pull` fetches its branches to \
          `refs/remotes/bottle-<slug>/*`. The gate's branch follows the host's until the agent moves it, and again when \
          the host's contains what the agent pushed. The host's own branches are there beside it, as `refs/host/heads/*`.",
    arguments: &[required(
        "path",
        ValueType::HostPath,
        "a path on the host, relative to this file or absolute; `~/` is the home of who launches",
    )],
    properties: &[],
    children: Children::None,
    example: "path \".\"",
};

pub(super) static GIT_GATE: Node = Node {
    name: builtin::GIT_GATE,
    doc: "Settings of the git mirror, which runs when a repository is declared.\n\nIts image needs `git daemon`, `ssh`, \
          Python 3.9 or newer and the scanner. There is no public one with all of them: the stage holds a \
          `Containerfile` that makes it of the scanner's own image, unless one is named here.",
    arguments: &[],
    properties: &[
        optional_property(
            "scanner",
            ValueType::Scanner,
            Some("`gitleaks`"),
            "what looks for secrets in everything that is pushed: `gitleaks` (8), or its successor `betterleaks` (2)",
        ),
        optional_property(
            "image",
            ValueType::Image,
            Some("built from the stage's `git-gate/Containerfile`"),
            "the container image that it runs, with its digest",
        ),
    ],
    children: Children::Nodes(&[many(&NEEDS), once(&LIMITS)]),
    example: "git-gate scanner=\"betterleaks\" { needs \"pipelock\" }",
};
