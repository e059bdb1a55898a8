//! Caddy's configuration: the part of its JSON that the broker needs. Names and meanings were read in Caddy's source at
//! 2.11, and each part was run with 2.11.7 (`tests/broker`).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::Traced;

/// The whole file.
#[derive(Debug, Serialize)]
pub(super) struct Config {
    pub(super) admin: Admin,
    pub(super) logging: Logging,
    pub(super) apps: Apps,
}

/// The interface by which a running Caddy is given another configuration.
#[derive(Debug, Serialize)]
pub(super) struct Admin {
    pub(super) disabled: bool,
    pub(super) config: Persistence,
}

/// Whether the configuration is written down to be taken up again.
#[derive(Debug, Serialize)]
pub(super) struct Persistence {
    pub(super) persist: bool,
}

/// The logs.
#[derive(Debug, Serialize)]
pub(super) struct Logging {
    pub(super) logs: Logs,
}

/// The one log, which everything goes to.
#[derive(Debug, Serialize)]
pub(super) struct Logs {
    pub(super) default: Log,
}

/// Where a log goes, and how its lines are written.
#[derive(Debug, Serialize)]
pub(super) struct Log {
    pub(super) level: &'static str,
    pub(super) writer: Writer,
    pub(super) encoder: Encoder,
}

/// Where a log goes.
#[derive(Debug, Serialize)]
pub(super) struct Writer {
    pub(super) output: &'static str,
}

/// A line is filtered field by field, then written.
#[derive(Debug, Serialize)]
pub(super) struct Encoder {
    pub(super) format: &'static str,
    pub(super) wrap: Wrapped,
    pub(super) fields: BTreeMap<&'static str, Filter>,
}

/// How what is left of a line is written.
#[derive(Debug, Serialize)]
pub(super) struct Wrapped {
    pub(super) format: &'static str,
    pub(super) time_format: &'static str,
}

/// What becomes of a field of the log.
#[derive(Debug, Serialize)]
#[serde(tag = "filter", rename_all = "snake_case")]
pub(super) enum Filter {
    Delete,
    MultiRegexp { operations: Vec<Operation> },
}

/// A replacement in a field of the log.
#[derive(Debug, Serialize)]
pub(super) struct Operation {
    pub(super) regexp: &'static str,
    pub(super) value: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Apps {
    pub(super) http: Http,
}

/// What serves HTTP.
#[derive(Debug, Serialize)]
pub(super) struct Http {
    /// How long requests under way may go on when it is told to end; without one, for ever.
    pub(super) grace_period: &'static str,
    pub(super) servers: Servers,
}

#[derive(Debug, Serialize)]
pub(super) struct Servers {
    pub(super) broker: Server,
}

/// A listener, and what becomes of what comes in.
#[derive(Debug, Serialize)]
pub(super) struct Server {
    pub(super) listen: [String; 1],
    pub(super) protocols: [&'static str; 1],
    pub(super) automatic_https: AutomaticHttps,
    pub(super) read_header_timeout: &'static str,
    pub(super) idle_timeout: &'static str,
    pub(super) max_header_bytes: u32,
    /// Present, so that there is an access log.
    pub(super) logs: AccessLogs,
    /// In order; each that matches wraps those after it, until one answers.
    pub(super) routes: Vec<Route>,
    pub(super) errors: Errors,
}

#[derive(Debug, Serialize)]
pub(super) struct AutomaticHttps {
    pub(super) disable: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct AccessLogs {}

/// What answers in place of a handler that failed.
#[derive(Debug, Serialize)]
pub(super) struct Errors {
    pub(super) routes: Vec<Route>,
}

/// Handlers, for what one of the sets matches; without a set, for everything.
#[derive(Debug, Serialize)]
pub(super) struct Route {
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub(super) matches: Vec<Matchers>,
    pub(super) handle: Vec<Handler>,
}

/// Matchers, all of which must match. Of the entries of one map any is enough, but for those of `header`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Matchers {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) method: Vec<Traced<String>>,
    /// Fields that are there, or with `null` are not.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) header: BTreeMap<&'static str, Option<[&'static str; 0]>>,
    /// Fields of which a value matches.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) header_regexp: BTreeMap<&'static str, Pattern>,
    /// Variables, or placeholders, that are one of the values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) vars: BTreeMap<String, Vec<String>>,
    /// Variables, or placeholders, that match.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) vars_regexp: BTreeMap<&'static str, Pattern>,
    /// None of these sets matches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) not: Vec<Self>,
}

/// A regular expression in Go's syntax.
#[derive(Debug, Serialize)]
pub(super) struct Pattern {
    pub(super) pattern: Traced<String>,
}

/// What is done with a request.
#[derive(Debug, Serialize)]
#[serde(tag = "handler", rename_all = "snake_case")]
pub(super) enum Handler {
    /// Adds a field to the request's line in the access log. A value that is the name of a variable is that variable's.
    LogAppend {
        key: &'static str,
        value: Traced<String>,
    },
    /// Sets variables.
    Vars(Variables),
    Subroute {
        routes: Vec<Route>,
    },
    /// Answers.
    StaticResponse {
        status_code: Status,
        headers: BTreeMap<&'static str, [&'static str; 1]>,
        body: String,
    },
    /// Changes the request's header here, and the answer's when it is written: of early hints as well.
    Headers {
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<RequestHeader>,
        response: ResponseHeader,
    },
    /// Replaces in the path, as it came.
    Rewrite {
        path_regexp: [PathReplacement; 1],
    },
    ReverseProxy {
        upstreams: [Upstream; 1],
        headers: ProxyHeaders,
        transport: Transport,
    },
}

/// The variables of a request. Their names have a dot, so that none is the name of a credential.
#[derive(Debug, Default, Serialize)]
pub(super) struct Variables {
    #[serde(rename = "broker.credential", skip_serializing_if = "Option::is_none")]
    pub(super) credential: Option<Traced<String>>,
    #[serde(rename = "broker.token", skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(rename = "broker.login", skip_serializing_if = "Option::is_none")]
    pub(super) login: Option<String>,
    #[serde(rename = "broker.secret", skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<Traced<String>>,
    #[serde(rename = "broker.passed", skip_serializing_if = "Option::is_none")]
    pub(super) passed: Option<Traced<String>>,
    /// Caddy's own: no line in the access log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_skip: Option<bool>,
}

/// The status of an answer.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Status {
    Code(u16),
    Placeholder(&'static str),
}

#[derive(Debug, Serialize)]
pub(super) struct RequestHeader {
    pub(super) delete: &'static [&'static str],
}

#[derive(Debug, Serialize)]
pub(super) struct ResponseHeader {
    pub(super) deferred: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) delete: &'static [&'static str],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) replace: BTreeMap<&'static str, Vec<Replacement>>,
}

/// A replacement in a field of the header.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Replacement {
    Text { search: String, replace: &'static str },
    Regexp { search_regexp: Traced<String>, replace: Traced<String> },
}

#[derive(Debug, Serialize)]
pub(super) struct PathReplacement {
    pub(super) find: Traced<String>,
    pub(super) replace: Traced<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Upstream {
    pub(super) dial: Traced<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ProxyHeaders {
    pub(super) request: ProxyRequestHeader,
}

/// What is set here arrives, whatever the agent's `Connection` names: that is taken out before. Of one field, `set` comes
/// before `delete`.
#[derive(Debug, Serialize)]
pub(super) struct ProxyRequestHeader {
    pub(super) set: BTreeMap<String, [Traced<String>; 1]>,
    pub(super) delete: &'static [&'static str],
}

/// How an upstream is spoken to.
#[derive(Debug, Serialize)]
pub(super) struct Transport {
    pub(super) protocol: &'static str,
    /// Whether an encoding is asked for that the agent did not ask for.
    pub(super) compression: bool,
    pub(super) dial_timeout: &'static str,
    pub(super) response_header_timeout: &'static str,
    pub(super) read_timeout: &'static str,
    pub(super) write_timeout: &'static str,
    pub(super) network_proxy: NetworkProxy,
    pub(super) tls: Tls,
}

/// Where a proxy is named, which would be between the broker and its upstream.
#[derive(Debug, Serialize)]
pub(super) struct NetworkProxy {
    pub(super) from: &'static str,
}

/// TLS to an upstream: its certificate is checked, for this name.
#[derive(Debug, Serialize)]
pub(super) struct Tls {
    pub(super) server_name: Traced<String>,
    pub(super) handshake_timeout: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca: Option<Traced<Authorities>>,
}

/// The authorities that may sign for an upstream.
#[derive(Debug, Serialize)]
pub(super) struct Authorities {
    pub(super) provider: &'static str,
    pub(super) pem_files: [String; 1],
}
