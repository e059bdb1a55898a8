//! `sidecar` and what stands in it.

use super::{ACCESS, Property, required_property};
use super::{
    Child, Children, ENV, LIMITS, NEEDS, Node, ValueType, many, once, optional_property, repeated, required,
};

/// `sidecar`.
pub(super) static SIDECAR: Node = Node {
    name: "sidecar",
    doc: "A program of your own beside the agent, in the bundle.\n\nAll sidecars share the bundle's one address, so no \
          two listen on one port. It runs with a read-only root file system and an empty `/tmp`, without capabilities, \
          and as the user that its image names: what it needs beyond that it asks for here. Unlike the agent it is not \
          confined: it can reach what the host can, and so can an agent that makes it dial. `no-relay` says that none \
          does.",
    arguments: &[required("name", ValueType::Name, "its name, unique in the bottle")],
    properties: &[required_property(
        "image",
        ValueType::Image,
        "the container image that it runs, with its digest",
    )],
    children: Children::Nodes(SIDECAR_CHILDREN),
    example: "sidecar \"db\" image=\"docker.io/library/postgres:17@sha256:…\" {\n    port 5432 \
              scheme=\"postgres\"\n    run-as \"999:999\"\n    env {\n        POSTGRES_PASSWORD \
              from-env=\"DB_ADMIN_PASSWORD\"\n        APP_PASSWORD from-env=\"DB_PASSWORD\"\n    }\n    volume \
              \"./seed\" \"/docker-entrypoint-initdb.d\"    // makes a role that is no superuser\n    tmpfs \
              \"/var/run/postgresql\"\n    expose \"DATABASE_URL\" path=\"/app\"\n}",
};

static SIDECAR_CHILDREN: &[Child] = &[
    once(&COMMAND),
    once(&RUN_AS),
    once(&PORT),
    once(&HEALTH),
    many(&NEEDS),
    once(&ENV),
    many(&SECRET),
    many(&VOLUME),
    many(&TMPFS),
    once(&LIMITS),
    many(&CAPABILITY),
    once(&NO_RELAY),
    once(&MCP),
    many(&EXPOSE),
];

static COMMAND: Node = Node {
    name: "command",
    doc: "The arguments that the image's entry point gets, instead of the image's own.\n\nThey reach the program as they \
          are, without a shell.",
    arguments: &[repeated("argument", ValueType::Argument, "one argument")],
    properties: &[],
    children: Children::None,
    example: "command \"postgres\" \"-c\" \"shared_buffers=128MB\"",
};

static RUN_AS: Node = Node {
    name: "run-as",
    doc: "The user that the program runs as, inside of the container.\n\nWithout it, the one that the image names. An \
          image whose entry point starts as root and then changes to another user needs either that user here, or the \
          capabilities to change to it.",
    arguments: &[required("user", ValueType::ContainerUser, "a user, or `user:group`, by number or by name")],
    properties: &[],
    children: Children::None,
    example: "run-as \"999:999\"",
};

static PORT: Node = Node {
    name: "port",
    doc: "Where the sidecar listens, on the bundle's address.",
    arguments: &[required(
        "port",
        ValueType::Integer { min: 1, max: 65_535, what: "a port" },
        "the port it listens on",
    )],
    properties: &[optional_property(
        "scheme",
        ValueType::Scheme,
        Some("`http`"),
        "what stands before `://` in its URL",
    )],
    children: Children::None,
    example: "port 5432 scheme=\"postgres\"",
};

const fn seconds(name: &'static str, default: &'static str, doc: &'static str) -> Property {
    let value = ValueType::Integer { min: 1, max: 3600, what: "a number of seconds" };
    optional_property(name, value, Some(default), doc)
}

static HEALTH: Node = Node {
    name: "health",
    doc: "How to tell that the sidecar is ready: a program in its container that ends with 0.\n\nWhat needs the sidecar, \
          and the agent, start when it is. Without it, they start as soon as its container runs.",
    arguments: &[repeated("argument", ValueType::Argument, "the program and its arguments, without a shell")],
    properties: &[
        seconds("interval", "`5`", "seconds between two checks"),
        seconds("timeout", "`3`", "seconds that one check may take"),
        optional_property(
            "retries",
            ValueType::Integer { min: 1, max: 100, what: "a number of checks" },
            Some("`12`"),
            "how many checks in a row must fail until the sidecar counts as unhealthy",
        ),
        seconds("start", "`5`", "seconds in which a failed check does not count yet"),
    ],
    children: Children::None,
    example: "health \"pg_isready\" \"--username=postgres\" interval=2",
};

static SECRET: Node = Node {
    name: "secret",
    doc: "Shows the sidecar a secret as a file: `/run/secrets/<name>`.\n\nMany images read a variable `X_FILE` that names \
          such a file where they would read `X`.",
    arguments: &[required("name", ValueType::Name, "the file's name")],
    properties: &[required_property(
        "from-file",
        ValueType::HostPath,
        "the host's file that holds the secret when the bundle starts",
    )],
    children: Children::None,
    example: "secret \"db-password\" from-file=\"/run/secrets/db\"",
};

static VOLUME: Node = Node {
    name: "volume",
    doc: "Shows the sidecar a directory or a file that outlives it.\n\nA plain name is a volume of this bottle's, which \
          its sidecars share by name and which goes with the bottle. A path is the host's. Read-only, unless it says \
          otherwise.",
    arguments: &[
        required(
            "source",
            ValueType::VolumeSource,
            "a name, or a path on the host: `./seed`, `~/data`, `/srv/data`",
        ),
        required("target", ValueType::ContainerPath, "where the sidecar sees it"),
    ],
    properties: &[optional_property(
        "access",
        ACCESS,
        Some("`read-only`"),
        "whether the sidecar may write to it",
    )],
    children: Children::None,
    example: "volume \"data\" \"/var/lib/postgresql/data\" access=\"read-write\"",
};

static TMPFS: Node = Node {
    name: "tmpfs",
    doc: "Directories in memory that the sidecar may write to, empty at each start.\n\nEvery sidecar has `/tmp`. Each holds 512 MiB, and counts as memory of the sidecar.",
    arguments: &[repeated("path", ValueType::ContainerPath, "where the sidecar sees it")],
    properties: &[],
    children: Children::None,
    example: "tmpfs \"/var/run/postgresql\"",
};

/// The capabilities that a container may be given: those of Docker's default set that concern the container alone. The
/// network namespace is that of the whole bundle, so none that changes or listens to it is among them.
pub static CAPABILITIES: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
    "SYS_NICE",
];

static CAPABILITY: Node = Node {
    name: "capability",
    doc: "Linux capabilities that the sidecar keeps; without this it has none.\n\nOnes that reach beyond the container, \
          such as `SYS_ADMIN` or `NET_ADMIN`, are not given.",
    arguments: &[repeated(
        "name",
        ValueType::Choice { words: CAPABILITIES, what: "capability that a sidecar is given" },
        "its name, without `CAP_`",
    )],
    properties: &[],
    children: Children::None,
    example: "capability \"CHOWN\" \"SETGID\" \"SETUID\"",
};

static NO_RELAY: Node = Node {
    name: "no-relay",
    doc: "Says that the agent cannot make the sidecar open a connection, and why.\n\nA sidecar reaches what the host can, \
          and what the agent makes it dial is on no list: a superuser of PostgreSQL runs programs, `replicaof` makes \
          Redis dial. That cannot be seen from here. Without this node `reach` answers that it depends where it would \
          be refused, and `expect { refuse …; }` does not hold. With it the sidecar is left out of both, and `plan`, \
          `reach` and the plan itself show the reason. It belongs to the sidecar's block: a layer that gives the sidecar \
          anew says it anew.",
    arguments: &[],
    properties: &[required_property(
        "reason",
        ValueType::Text,
        "why, for whoever reviews the spec or the plan",
    )],
    children: Children::None,
    example: "no-relay reason=\"the agent's role is no superuser\"",
};

static MCP: Node = Node {
    name: "mcp",
    doc: "Says that the sidecar is an MCP server, which the agent's client is told of by the sidecar's name.\n\nIt speaks \
          Streamable HTTP at its port and this path, and asks for no login. The client's file is that of the bottle's `agent`, and \
          `/etc/bottle/mcp.json`.",
    arguments: &[],
    properties: &[required_property("path", ValueType::UrlPath, "what follows the port in its URL")],
    children: Children::None,
    example: "mcp path=\"/mcp\"",
};

static EXPOSE: Node = Node {
    name: "expose",
    doc: "Gives the agent the sidecar's URL in an environment variable.\n\nThe host in it is the bundle's address in \
          digits: inside the machine no name resolves. It holds no user and no password, since it is written into the \
          stage: hand them over in the bottle's own `env`, such as `PGUSER \"app\"` and `PGPASSWORD \
          from-env=\"DB_PASSWORD\"`: those of a user that is no superuser, or the agent makes the server dial.",
    arguments: &[required("variable", ValueType::EnvName, "the agent's variable")],
    properties: &[optional_property(
        "path",
        ValueType::UrlPath,
        Some("no path"),
        "what follows the port in the URL",
    )],
    children: Children::None,
    example: "expose \"DATABASE_URL\" path=\"/app\"",
};
