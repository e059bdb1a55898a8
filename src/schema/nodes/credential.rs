//! `credential` and `broker`: keys that the agent never holds.

use super::{LIMITS, NEEDS, Property, many, once, optional_property, repeated, required, required_property};
use crate::schema::{Children, Node, ValueType};
use crate::world::builtin;

/// `credential`.
pub(super) static CREDENTIAL: Node = Node {
    name: "credential",
    doc: "A key or a token for an API, which the agent never holds.\n\nThe bundle's `broker` takes the agent's request over plain \
          HTTP, below a path of the credential's name, if it carries the token of this launch. It refuses what no `allow` \
          names, drops every credential that the request has, sets the real one, and speaks TLS to the upstream and to \
          nothing else. No pipelock scans what goes this way, so its host needs no `allow` in `egress`, and is better without \
          one. Exactly one of `header`, `bearer` and `basic` says how the API is given the secret. Of one name in several \
          layers, lists are united, and of everything else the last one wins.",
    arguments: &[required(
        "name",
        ValueType::Name,
        "its name, unique in the bottle, and the path below which it is used",
    )],
    properties: &[],
    children: Children::Nodes(&[
        once(&UPSTREAM),
        once(&PRIVATE),
        once(&CA),
        once(&HEADER),
        once(&BEARER),
        once(&BASIC),
        many(&ALLOW),
        many(&EXPOSE),
        many(&PLACEHOLDER),
    ]),
    example: "credential \"anthropic\" {\n    upstream \"https://api.anthropic.com\"\n    header \"x-api-key\" \
              from-env=\"ANTHROPIC_API_KEY\"\n    allow \"POST\" \"/v1/messages\"\n    expose \"ANTHROPIC_BASE_URL\"\n    \
              placeholder \"ANTHROPIC_API_KEY\"\n}",
};

static UPSTREAM: Node = Node {
    name: "upstream",
    doc: "Where the requests go: one host, over TLS, whose name and certificate are checked.\n\nA path in it is where all of \
          them begin, such as `/api/v4`. An address that hands out credentials of the cloud, loopback and a wildcard are \
          errors; a host on a private network needs `private`, and `ca`, since no public authority signs for it.",
    arguments: &[required("url", ValueType::ApiUrl, "`https://host`, perhaps with a port and a path")],
    properties: &[],
    children: Children::None,
    example: "upstream \"https://api.anthropic.com\"",
};

static PRIVATE: Node = Node {
    name: "private",
    doc: "Says that the upstream is on a private network, and meant to be.",
    arguments: &[],
    properties: &[],
    children: Children::None,
    example: "private",
};

static CA: Node = Node {
    name: "ca",
    doc: "The authorities that may sign for the upstream, instead of those that the broker's image trusts.",
    arguments: &[required("path", ValueType::HostPath, "the host's file with their certificates, in PEM")],
    properties: &[],
    children: Children::None,
    example: "ca \"./forge-ca.pem\"",
};

const FROM_ENV: Property = optional_property(
    "from-env",
    ValueType::EnvName,
    None,
    "the variable of who launches that holds the secret when the bundle starts",
);

const FROM_FILE: Property = optional_property(
    "from-file",
    ValueType::HostPath,
    None,
    "the host's file that holds the secret; changed in place, the next request has the new one",
);

static HEADER: Node = Node {
    name: "header",
    doc: "The header field in which the API takes the secret, as it is.",
    arguments: &[required("name", ValueType::HeaderName, "the field's name")],
    properties: &[FROM_ENV, FROM_FILE],
    children: Children::None,
    example: "header \"x-api-key\" from-env=\"ANTHROPIC_API_KEY\"",
};

static BEARER: Node = Node {
    name: "bearer",
    doc: "The API takes the secret as a bearer token: `Authorization: Bearer …`.",
    arguments: &[],
    properties: &[FROM_ENV, FROM_FILE],
    children: Children::None,
    example: "bearer from-file=\"~/.config/acme/token\"",
};

static BASIC: Node = Node {
    name: "basic",
    doc: "The API takes a user and the secret as a login: `Authorization: Basic …`.\n\nThe two are put together by `up`, so a new \
          secret counts from the next `up` on.",
    arguments: &[],
    properties: &[required_property("user", ValueType::LoginUser, "the user"), FROM_ENV, FROM_FILE],
    children: Children::None,
    example: "basic user=\"ada\" from-env=\"JIRA_TOKEN\"",
};

static ALLOW: Node = Node {
    name: "allow",
    doc: "Requests that are let through: methods, and paths below the upstream's own.\n\nA text that begins with `/` is a path, the \
          others are methods, and each of these may be used with each path beside it. In a path, `*` stands for one or more \
          characters inside of a segment, and `**` at its end for one or more segments. What cannot be read in one way alone, \
          such as `..`, `//` or a letter in percent-encoding, is refused. The query is free, but for what is known to carry a \
          credential. Without any `allow`, every request to the upstream is let through.",
    arguments: &[repeated("request", ValueType::MethodOrPath, "a method, or a path")],
    properties: &[optional_property(
        "upgrade",
        ValueType::Choice { words: &["websocket"], what: "protocol that a request may become" },
        Some("a request stays what it is"),
        "that these requests may become WebSockets, whose messages nothing looks at",
    )],
    children: Children::None,
    example: "allow \"GET\" \"/v1/models\" \"/v1/models/*\"",
};

static EXPOSE: Node = Node {
    name: "expose",
    doc: "Gives the agent the URL of the credential in an environment variable: the broker's address in digits, and the \
          credential's name.",
    arguments: &[required("variable", ValueType::EnvName, "the agent's variable")],
    properties: &[optional_property("path", ValueType::UrlPath, Some("no path"), "what follows in the URL")],
    children: Children::None,
    example: "expose \"OPENAI_BASE_URL\" path=\"/v1\"",
};

static PLACEHOLDER: Node = Node {
    name: "placeholder",
    doc: "Gives the agent the token of its launch in the variable in which its program looks for the key.\n\nThe token is good for \
          nothing but the broker of this bottle, as long as the bundle runs.",
    arguments: &[required("variable", ValueType::EnvName, "the agent's variable")],
    properties: &[],
    children: Children::None,
    example: "placeholder \"ANTHROPIC_API_KEY\"",
};

pub(super) static BROKER: Node = Node {
    name: builtin::BROKER,
    doc: "Settings of the broker of credentials, which runs when a `credential` is declared.\n\nIts program is Caddy, 2.11 or newer. \
          Without `image` the official image runs, by its tag: name it with the digest that your registry gives, to have what \
          runs decided by the spec.",
    arguments: &[],
    properties: &[optional_property(
        "image",
        ValueType::Image,
        Some("Caddy's official image, `caddy:2.11.7-alpine`, by its tag"),
        "the container image that it runs in, with its digest",
    )],
    children: Children::Nodes(&[many(&NEEDS), once(&LIMITS)]),
    example: "broker { needs \"pipelock\" }",
};
