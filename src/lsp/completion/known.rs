//! Well-known values that completion offers: variables of images, URL schemes, registries, hosts and forges.

use crate::world::variables::{self, Known, secret, setting};

/// What well-known images read: a word of the image's name, and its variables. From the images' own pages.
pub(in crate::lsp) static IMAGES: &[(&str, &[Known])] = &[
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
            secret("POSTGRES_PASSWORD", "The password of `POSTGRES_USER`, who is a superuser."),
            setting(
                "POSTGRES_PASSWORD_FILE",
                Some("/run/secrets/db-password"),
                "The file that holds the password: one that a `secret` shows.",
            ),
            setting(
                "POSTGRES_USER",
                Some("postgres"),
                "The superuser. The agent's role is another: a script in `/docker-entrypoint-initdb.d` makes it.",
            ),
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

/// Looks up a well-known variable, of agents or of any image.
#[must_use]
pub(in crate::lsp) fn variable(name: &str) -> Option<&'static Known> {
    let images = IMAGES.iter().flat_map(|(_, variables)| *variables);
    variables::AGENT.iter().map(|read| &read.variable).chain(images).find(|variable| variable.name == name)
}

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
