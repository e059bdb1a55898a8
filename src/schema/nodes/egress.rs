//! `egress`: what pipelock is told.

use super::{many, once, optional_property, repeated, required, required_property};
use crate::schema::{Children, Node, ValueType};

/// What happens to a response that looks like an attack, from the strictest on.
const RESPONSE_ACTIONS: &[&str] = &["block", "strip", "warn"];
/// What happens to a request whose body holds a secret, from the strictest on.
const BODY_ACTIONS: &[&str] = &["block", "warn"];
/// How bad a match of a pattern is.
const SEVERITIES: &[&str] = &["critical", "high", "medium", "low"];
/// What is logged.
const LOGGED: &[&str] = &["all", "blocked"];

/// A day: nothing that an agent does takes longer.
const MAX_SECONDS: u32 = 86_400;

pub(super) static EGRESS: Node = Node {
    name: "egress",
    doc: "What the agent may reach beyond the bundle, through pipelock.\n\nNothing that is not allowed here can be \
          reached, and without any `allow` nothing can: the one entry of the list is then an address that is refused. A \
          `deny` beats every `allow`, whichever layer it comes from. Over profiles, lists are united and of a number \
          the last one wins; of `scan-responses`, `scan-bodies` and `log` the strictest one stays, so that no layer \
          loosens what a profile under it tightened.",
    arguments: &[],
    properties: &[],
    children: Children::Nodes(&[
        many(&ALLOW),
        many(&DENY),
        many(&PRIVATE),
        once(&RATE_LIMIT),
        once(&DATA_BUDGET),
        once(&DLP),
        once(&SCAN_BODIES),
        once(&SCAN_RESPONSES),
        once(&TLS),
        once(&TUNNEL),
        once(&LOG),
    ]),
    example: "egress {\n    allow \"api.anthropic.com\" \"*.github.com\"\n    deny \"gist.github.com\"\n}",
};

static ALLOW: Node = Node {
    name: "allow",
    doc: "Hosts that may be reached.\n\n`*.github.com` stands for `github.com` and every name below it. Ports are not \
          enforced by pipelock: an allowed host can be reached on each. An entry with a port or a path is taken, as \
          its host, and a warning says that this is wider than written.",
    arguments: &[repeated("host", ValueType::HostEntry, "a host, `*.` and a domain, or an IP address")],
    properties: &[],
    children: Children::None,
    example: "allow \"packages.example.com\" \"*.github.com\"",
};

static DENY: Node = Node {
    name: "deny",
    doc: "Hosts that may not be reached, even when something allows them.\n\nAn entry with a port or a path is taken, as \
          its host, and a warning says that this is stricter than written.",
    arguments: &[repeated("host", ValueType::HostEntry, "a host, `*.` and a domain, or an IP address")],
    properties: &[],
    children: Children::None,
    example: "deny \"gist.github.com\"",
};

static PRIVATE: Node = Node {
    name: "private",
    doc: "Addresses on a private network that allowed hosts may have.\n\npipelock refuses every name that resolves to a \
          private address, even an allowed one, so that nobody reaches an inner network by a name of his own. The \
          addresses and ranges here may be reached: by every allowed name that resolves to one, since pipelock opens \
          addresses and not names. A host may stand before its addresses, to say whose they are. Each host still needs \
          its `allow`. Loopback, link-local addresses and services of metadata, where clouds hand out credentials, \
          cannot be named, and are left out of a range that holds them.",
    arguments: &[repeated(
        "upstream",
        ValueType::Upstream,
        "a private address or range; before it, the host that has it",
    )],
    properties: &[],
    children: Children::None,
    example: "allow \"db.internal.example.com\"\nprivate \"db.internal.example.com\" \"10.1.2.3\"",
};

static RATE_LIMIT: Node = Node {
    name: "rate-limit",
    doc: "How many requests a minute pipelock lets through to one registrable domain.\n\nAn HTTPS connection counts \
          as one request, however much goes through it. Without this node it is 600: pipelock's own default of 60 is \
          used up by one installation of packages.",
    arguments: &[required(
        "requests",
        ValueType::Integer { min: 1, max: 1_000_000, what: "a number of requests a minute" },
        "requests a minute",
    )],
    properties: &[],
    children: Children::None,
    example: "rate-limit 600",
};

static DATA_BUDGET: Node = Node {
    name: "data-budget",
    doc: "How many bytes a minute may go over pipelock for one registrable domain.\n\nWithout it there is no budget.",
    arguments: &[required(
        "bytes",
        ValueType::Integer { min: 1, max: u32::MAX, what: "a number of bytes a minute" },
        "bytes a minute",
    )],
    properties: &[],
    children: Children::None,
    example: "data-budget 104857600",
};

static DLP: Node = Node {
    name: "dlp",
    doc: "Secrets that must not leave, besides those that pipelock knows.\n\nIts own patterns (keys of clouds, model \
          APIs and forges, private keys and more) are always on. Without `tls` it sees the host's name of an HTTPS \
          request and nothing else.",
    arguments: &[],
    properties: &[],
    children: Children::Nodes(&[many(&PATTERN)]),
    example: "dlp {\n    pattern \"acme token\" regex=\"acme_[a-z0-9]{32}\" severity=\"critical\"\n}",
};

static PATTERN: Node = Node {
    name: "pattern",
    doc: "One pattern of your own.\n\nIn pipelock's log it is called `bottle: ` and its name, so that none of its own \
          patterns can be replaced by it. Case is not regarded.",
    arguments: &[required("name", ValueType::PatternName, "what the log calls it")],
    properties: &[
        required_property("regex", ValueType::Regex, "what such a secret looks like"),
        optional_property(
            "severity",
            ValueType::Choice { words: SEVERITIES, what: "severity" },
            Some("`high`"),
            "how bad it is, for who reads the log; every match is acted upon alike",
        ),
    ],
    children: Children::None,
    example: "pattern \"acme token\" regex=\"acme_[a-z0-9]{32}\" severity=\"critical\"",
};

static SCAN_BODIES: Node = Node {
    name: "scan-bodies",
    doc: "What happens to a request that carries a secret in its body or its headers.\n\nIt is always looked for; \
          without this node such a request is blocked. Over several layers the strictest action stays. Without `tls` \
          only plain HTTP is seen.",
    arguments: &[required(
        "action",
        ValueType::Choice { words: BODY_ACTIONS, what: "action" },
        "what is done: `warn` logs and lets it through",
    )],
    properties: &[optional_property(
        "max-bytes",
        ValueType::Integer { min: 1024, max: 1_073_741_824, what: "a number of bytes" },
        Some("5242880"),
        "the size in bytes above which a body is blocked unread",
    )],
    children: Children::None,
    example: "scan-bodies \"block\" max-bytes=10485760",
};

static SCAN_RESPONSES: Node = Node {
    name: "scan-responses",
    doc: "What happens to a response that looks like a prompt injection.\n\nIt is always looked for; without this \
          node such a response is blocked. Over several layers the strictest action stays. Without `tls` only plain \
          HTTP is seen.",
    arguments: &[required(
        "action",
        ValueType::Choice { words: RESPONSE_ACTIONS, what: "action" },
        "what is done: `strip` takes the passage out, `warn` logs and lets it through",
    )],
    properties: &[],
    children: Children::None,
    example: "scan-responses \"strip\"",
};

static TLS: Node = Node {
    name: "tls",
    doc: "Opens HTTPS, so that it can be scanned.\n\npipelock answers the agent with certificates of an authority of \
          yours, which the agent must trust. The authority is made on the host, with `pipelock tls init`; its key \
          never enters the machine. pipelock refuses a key that others may read, write or run: give it mode 0600.\n\nWhat \
          does not go to an opened host, so that it is `passthrough` or not used: a credential that pipelock knows, also \
          to who issued it; a WebSocket; a body that is compressed. What does not come back: an answer above 5 MiB, or \
          one that is compressed though nobody asked for it, since pipelock takes `Accept-Encoding` off the request. \
          Over plain HTTP it leaves that on, and a server that compresses is refused: ask with `Accept-Encoding: \
          identity`. What comes back is scanned at some 10 seconds of a processor for each MiB of text.",
    arguments: &[],
    properties: &[],
    children: Children::Nodes(&[once(&CA_CERT), once(&CA_KEY), once(&TRUST), many(&PASSTHROUGH)]),
    example: "tls {\n    ca-cert \"~/.pipelock/ca.pem\"\n    ca-key \"~/.pipelock/ca-key.pem\"\n    passthrough \
              \"api.anthropic.com\"\n}",
};

static CA_CERT: Node = Node {
    name: "ca-cert",
    doc: "The authority's certificate, in PEM.",
    arguments: &[required(
        "path",
        ValueType::HostPath,
        "a path on the host; `~/` is the home of who launches",
    )],
    properties: &[],
    children: Children::None,
    example: "ca-cert \"~/.pipelock/ca.pem\"",
};

static CA_KEY: Node = Node {
    name: "ca-key",
    doc: "The authority's private key, in PEM. It stays on the host; only pipelock reads it.\n\nIts form is SEC 1, which says `BEGIN EC PRIVATE KEY`: the only one that pipelock reads. `openssl ec -in KEY -out NEW` writes another one anew.",
    arguments: &[required(
        "path",
        ValueType::HostPath,
        "a path on the host; `~/` is the home of who launches",
    )],
    properties: &[],
    children: Children::None,
    example: "ca-key \"~/.pipelock/ca-key.pem\"",
};

static TRUST: Node = Node {
    name: "trust",
    doc: "The certificates that the agent trusts, in PEM.\n\nThe agent gets this file and variables that name it, such as \
          `SSL_CERT_FILE`; most programs then trust nothing else. Without it the file is the authority's certificate \
          alone. With `passthrough` the public authorities must be in it as well: `cat \
          /etc/ssl/certs/ca-certificates.crt ca.pem` makes such a file.",
    arguments: &[required(
        "path",
        ValueType::HostPath,
        "a path on the host; `~/` is the home of who launches",
    )],
    properties: &[],
    children: Children::None,
    example: "trust \"~/.pipelock/trusted.pem\"",
};

static PASSTHROUGH: Node = Node {
    name: "passthrough",
    doc: "Hosts whose HTTPS stays closed: nothing in it is scanned.\n\nFor hosts whose certificates are pinned, and \
          for model APIs, whose requests carry the very key that is looked for. Here `*.example.com` stands for the \
          names below `example.com` only, not for `example.com` itself.",
    arguments: &[repeated("host", ValueType::HostPattern, "a host, or `*.` and a domain")],
    properties: &[],
    children: Children::None,
    example: "passthrough \"api.anthropic.com\"",
};

static TUNNEL: Node = Node {
    name: "tunnel",
    doc: "How long an HTTPS connection through pipelock may live.",
    arguments: &[],
    properties: &[
        optional_property(
            "max-seconds",
            ValueType::Integer { min: 1, max: MAX_SECONDS, what: "a number of seconds" },
            Some("3600"),
            "its whole life, in seconds, however busy it is",
        ),
        optional_property(
            "idle-seconds",
            ValueType::Integer { min: 1, max: MAX_SECONDS, what: "a number of seconds" },
            Some("3600, or `max-seconds` where that is less,"),
            "how long one direction may be silent, in seconds: a model that thinks is silent, too",
        ),
    ],
    children: Children::None,
    example: "tunnel max-seconds=7200 idle-seconds=900",
};

static LOG: Node = Node {
    name: "log",
    doc: "What pipelock logs, as lines of JSON on its standard output.\n\nWhat is blocked always is. Over several \
          layers `all` stays.",
    arguments: &[required(
        "what",
        ValueType::Choice { words: LOGGED, what: "extent of the log" },
        "`all` without this node",
    )],
    properties: &[],
    children: Children::None,
    example: "log \"blocked\"",
};
