//! Well-known images, and what each needs in a container that has no capability and may not write to its own files.

/// An image that starts as root and changes to a user of its own.
#[derive(Debug)]
pub struct Image {
    /// Its name behind the registry: `library/postgres`.
    name: &'static str,
    /// That user, as `run-as` takes it.
    user: &'static str,
    /// The same of its images on Alpine.
    alpine: &'static str,
    /// The programs that it changes the user for.
    servers: &'static [&'static str],
    /// Its data, in directories that belong to its user, and a new volume there as well.
    pub data: &'static [&'static str],
    /// What the server writes to besides.
    pub writes: &'static [&'static str],
    /// What stands before `://` in URLs of it, a scheme of [`ports`](super::ports).
    pub scheme: &'static str,
}

const fn image(
    name: &'static str,
    (user, alpine): (&'static str, &'static str),
    servers: &'static [&'static str],
    data: &'static [&'static str],
    writes: &'static [&'static str],
    scheme: &'static str,
) -> Image {
    Image { name, user, alpine, servers, data, writes, scheme }
}

/// The images, by name, as their `Dockerfile`s and entry points have it that were public in spring 2026, and redis's in 2024.
/// Where a `Dockerfile` names no number for a new system user, as that of mariadb, it is the first that Debian and Ubuntu give, 999.
pub static IMAGES: &[Image] = &[
    image(
        "library/mariadb",
        ("999:999", "999:999"),
        &["mariadbd", "mysqld"],
        &["/var/lib/mysql"],
        &["/run/mysqld"],
        "mysql",
    ),
    image(
        "library/mongo",
        ("999:999", "999:999"),
        &["mongod", "mongos"],
        &["/data/db", "/data/configdb"],
        &[],
        "mongodb",
    ),
    image(
        "library/mysql",
        ("999:999", "999:999"),
        &["mysqld"],
        &["/var/lib/mysql"],
        &["/var/run/mysqld"],
        "mysql",
    ),
    image(
        "library/postgres",
        ("999:999", "70:70"),
        &["postgres"],
        &["/var/lib/postgresql"],
        &["/var/run/postgresql"],
        "postgres",
    ),
    image(
        "library/rabbitmq",
        ("999:999", "100:101"),
        &["rabbitmq-server"],
        &["/var/lib/rabbitmq"],
        &[],
        "amqp",
    ),
    image("library/redis", ("999:999", "999:1000"), &["redis-server"], &["/data"], &[], "redis"),
    image("valkey/valkey", ("999:999", "999:1000"), &["valkey-server"], &["/data"], &[], "redis"),
];

/// What makes the server of a well-known image dial, and what takes that from the agent; by the image's short name. From
/// the servers' own manuals; those of `postgres` and `redis` were run.
static DIALS: &[(&str, &str)] = &[
    ("mariadb", DIALS_MYSQL),
    ("mongo", "a new member of a replica set makes it dial: give the agent a user with `readWrite` alone"),
    ("mysql", DIALS_MYSQL),
    (
        "postgres",
        "a superuser's `copy … to program` and `dblink` make it dial: give the agent a role that is none",
    ),
    ("rabbitmq", "an administrator's shovels make it dial: give the agent a user without tags"),
    ("redis", DIALS_REDIS),
    ("valkey", DIALS_REDIS),
];

const DIALS_MYSQL: &str = "replication and tables of another server make it dial: give the agent a user with rights on its \
                           database alone";
const DIALS_REDIS: &str = "`replicaof` and `migrate` make it dial: take both from everybody, with the arguments `\"--user\" \
                           \"default\" \"on\" \"nopass\" \"~*\" \"&*\" \"+@all\" \"-@admin\" \"-migrate\"`";

/// The capabilities without which no program changes its user.
pub const CHANGES_USER: [&str; 2] = ["SETGID", "SETUID"];

/// The well-known image of a reference, wherever it is mirrored to.
#[must_use]
pub fn find(reference: &str) -> Option<&'static Image> {
    let whole = super::container::qualified(reference);
    let path = whole.split('@').next().unwrap_or_default();
    let colon = path.rfind(':').filter(|colon| !path[*colon..].contains('/'));
    let path = &path[..colon.unwrap_or(path.len())];
    IMAGES.iter().find(|image| path.strip_suffix(image.name).is_some_and(|registry| registry.ends_with('/')))
}

impl Image {
    /// Its name as people say it: `postgres`.
    #[must_use]
    pub fn short(&self) -> &'static str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }

    /// What makes it dial, and what takes that from the agent.
    #[must_use]
    pub fn dials(&self) -> Option<&'static str> {
        DIALS.iter().find_map(|(name, how)| (*name == self.short()).then_some(*how))
    }

    /// The user that it changes to.
    #[must_use]
    pub fn user(&self, reference: &str) -> &'static str {
        if reference.contains("alpine") { self.alpine } else { self.user }
    }

    /// Whether it changes the user for a program that is started so: by its own, or by an option of that.
    #[must_use]
    pub fn changes_user_for(&self, first: Option<&str>) -> bool {
        first.is_none_or(|first| first.starts_with('-') || self.servers.contains(&first))
    }
}

/// An image's name without its digest, which says nothing to the eye.
#[must_use]
pub fn without_digest(image: &str) -> &str {
    image.split_once('@').map_or(image, |(name, _)| name)
}

/// Whether a directory lies in another one, or is it: `/var/run` is `/run` in every image here.
#[must_use]
pub fn lies_in(directory: &str, outer: &str) -> bool {
    let short =
        |path: &'_ str| path.strip_prefix("/var/run").map_or(path.to_owned(), |rest| format!("/run{rest}"));
    let (directory, outer) = (short(directory), short(outer));
    directory.strip_prefix(&outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
