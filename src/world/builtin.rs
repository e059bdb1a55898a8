//! The sidecars that come with every bundle, and the names that the compiler owns.

use std::net::Ipv4Addr;

/// The egress proxy: always there.
pub const PIPELOCK: &str = "pipelock";
/// Where pipelock serves its metrics: on the bundle's loopback, which all sidecars share. Without a listener of their own
/// they would be on the port that the agent dials.
pub const PIPELOCK_METRICS: u16 = 9090;
/// The git mirror: there when a repository is declared.
pub const GIT_GATE: &str = "git-gate";
/// The broker of credentials: there when one is declared.
pub const BROKER: &str = "broker";
/// The question to a human: there when asked for.
pub const SUPERVISE: &str = "supervise";
/// The image that supervise runs in when the spec names none: nothing but the Python in it is used. Public repositories
/// agree on tag and digest, which is that of the list for all processors.
pub const SUPERVISE_IMAGE: &str = "docker.io/library/python:3.13.7-alpine3.22@sha256:\
                                   9ba6d8cbebf0fb6546ae71f2a1c14f6ffd2fdab83af7fa5669734ef30ad48844";
/// What the graph calls the agent itself, which needs every sidecar.
pub const AGENT: &str = "agent";
/// What the container is called that owns the bundle's address, beside the sidecars.
pub const BUNDLE: &str = "bundle";

/// A sidecar of ours.
#[derive(Debug)]
pub struct Builtin {
    /// Its name in `needs`, in the plan and in its container's name.
    pub name: &'static str,
    /// The TCP port that it listens on, on the bundle's address.
    pub port: u16,
    /// What stands before `://` in its URL.
    pub scheme: &'static str,
    /// The path of its URL; empty or from `/` on.
    pub path: &'static str,
    /// The agent's variables that hold its URL.
    pub variables: &'static [&'static str],
}

/// The built-in sidecars, by name. Ports and variables: the bundle's first implementation, whose launchers and agents
/// expect them.
pub static BUILTINS: &[Builtin] = &[
    Builtin { name: BROKER, port: 8900, scheme: "http", path: "", variables: &[] },
    Builtin { name: GIT_GATE, port: 9418, scheme: "git", path: "", variables: &["GIT_GATE_URL"] },
    Builtin {
        name: PIPELOCK,
        port: 8888,
        scheme: "http",
        path: "",
        // Programs differ in which spelling they read.
        variables: &["HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "https_proxy"],
    },
    Builtin { name: SUPERVISE, port: 9100, scheme: "http", path: "/", variables: &["MCP_SUPERVISE_URL"] },
];

/// The variables that name what is dialled without the proxy ([`direct`]). Programs differ in which spelling they read.
pub const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// What is dialled without the proxy: the machine itself, at whichever address its servers name, and the bundle, or calls
/// to supervise would go through pipelock. Never `[::1]`: httpx then fails at every request (run).
#[must_use]
pub fn direct(bundle: Ipv4Addr) -> String {
    format!("localhost,127.0.0.1,::1,0.0.0.0,{bundle}")
}

/// The variable, and its value, without which Node's own clients (`fetch`, `http`, `https`) heed no proxy: with it they
/// do on Node 24, and Node 20 ignores it (run).
pub const NODE_PROXY: (&str, &str) = ("NODE_USE_ENV_PROXY", "1");

/// The variable by which every JVM is given options, and the one way to tell it of a proxy.
pub const JAVA_OPTIONS: &str = "JAVA_TOOL_OPTIONS";

/// The system property that a JVM takes its proxy for HTTPS from.
pub const JAVA_PROXY: &str = "https.proxyHost";

/// The options by which a JVM takes the proxy, for all but what is dialled without it (run with Java 17). There an
/// address of version 6 is in brackets, and `|` stands between the hosts.
#[must_use]
pub fn java_options(bundle: Ipv4Addr, port: u16) -> String {
    let of = |scheme: &str| format!("-D{scheme}.proxyHost={bundle} -D{scheme}.proxyPort={port}");
    let direct = format!("localhost|127.*|[::1]|0.0.0.0|{bundle}");
    format!("{} {} -Dhttp.nonProxyHosts={direct}", of("http"), of("https"))
}

/// Where every agent's machine has the MCP servers of its bundle, if there are any.
pub const MCP: &str = "/etc/bottle/mcp.json";

/// Where the agent finds the certificates that it trusts when HTTPS is opened.
pub const CA: &str = "/etc/bottle/ca.pem";

/// The variables by which programs are told of certificates: each reads another one.
pub const CA_VARIABLES: [&str; 6] = [
    "CODEX_CA_CERTIFICATE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
];

/// A program that learns of certificates from a file of its own.
#[derive(Debug)]
pub struct TrustFile {
    /// The program.
    pub program: &'static str,
    /// The variable that names the file.
    pub variable: &'static str,
    /// Its path in the stage.
    pub path: &'static str,
    /// Its path in the machine.
    pub target: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// GNU wget and apt read none of [`CA_VARIABLES`] (run).
pub static TRUST_FILES: [TrustFile; 2] = [
    TrustFile {
        program: "apt",
        variable: "APT_CONFIG",
        path: "agent/apt.conf",
        target: "/etc/bottle/apt.conf",
        text: "Acquire::https::CaInfo \"/etc/bottle/ca.pem\";",
    },
    TrustFile {
        program: "GNU wget",
        variable: "WGETRC",
        path: "agent/wgetrc",
        target: "/etc/bottle/wgetrc",
        text: "ca_certificate = /etc/bottle/ca.pem",
    },
];

/// What tells npm of certificates, before any `.npmrc` of the image. npm reads it in capital letters as well.
pub const NPM_CA: &str = "npm_config_cafile";

/// Whether a variable of the spec's own stands for this computed one.
#[must_use]
pub fn replaces(own: &str, computed: &str) -> bool {
    own == computed || computed == NPM_CA && own.eq_ignore_ascii_case(computed)
}

/// The built-in sidecar of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// Whether the compiler sets this variable of the agent, in this bottle or in another one.
#[must_use]
pub fn owns_variable(name: &str) -> bool {
    NO_PROXY.contains(&name)
        || name == NODE_PROXY.0
        || BUILTINS.iter().any(|builtin| builtin.variables.contains(&name))
}
