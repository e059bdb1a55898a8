//! `broker/caddy.json`: what the broker of credentials lets through, and what it adds to it.
//!
//! Each fact about Caddy here was seen with 2.11.7, before an upstream of the tests' own (`tests/broker`), and read in its
//! source. The request's target is judged as it came (`http.request.orig_uri`): Caddy's own matchers of paths merge slashes,
//! decode, and do not regard letter case, while the upstream is sent what came. A request passes a credential's routes only
//! if it has the launch's token, there is a secret, and a list names it; whatever else falls through to a refusal.

mod caddy;
mod judge;
mod pattern;

pub use judge::judge;

use std::collections::BTreeMap;

use self::caddy::{
    AccessLogs, Admin, Apps, Authorities, AutomaticHttps, Config, Encoder, Errors, Filter, Handler, Http,
    Log, Logging, Logs, Matchers, NetworkProxy, Operation, PathReplacement, Pattern, Persistence,
    ProxyHeaders, ProxyRequestHeader, Replacement, RequestHeader, ResponseHeader, Route, Server, Servers,
    Status, Tls, Transport, Upstream, Variables, Wrapped, Writer,
};
use super::{Draft, Markup, Mode};
use crate::plan::{Plan, PlannedCredential, PlannedLogin, PlannedRequests, Traced};
use crate::world::broker::{self, HEALTHY, METHODS, PathPattern};
use crate::world::builtin::{self, BROKER};

/// Its path in the stage.
pub const PATH: &str = "broker/caddy.json";

/// The field of the access log that says why a request was refused.
pub const REFUSED: &str = "refused";
/// The field of the access log that says which credential it was for.
pub const CREDENTIAL: &str = "credential";

/// The request's target as it came: path and query, or a whole URL.
const TARGET: &str = "{http.request.orig_uri}";

/// What of the agent's header does not go on, by Caddy's patterns: whatever may hold a credential, or act for somebody else
/// (`Impersonate-*` is Kubernetes', `Sudo` GitLab's); where a request comes from; and another method or path, which some
/// frameworks take from there. Fields with `_` or `.` in their names Caddy drops by itself, since servers take them for
/// others. No part of `Idempotency-Key` and `Sec-WebSocket-Key` is among them.
const DROPPED: &[&str] = &[
    "*access-key*",
    "*accesskey*",
    "*account-key*",
    "*admin-key*",
    "*api-key*",
    "*apikey*",
    "*app-key*",
    "*application-key*",
    "*assertion*",
    "*auth*",
    "*client-cert*",
    "*credential*",
    "*jwt*",
    "*license-key*",
    "*master-key*",
    "*method-override*",
    "*passwd*",
    "*password*",
    "*private-key*",
    "*secret*",
    "*service-key*",
    "*signature*",
    "*subscription-key*",
    "*token*",
    "Cf-Connecting-Ip",
    "Client-Ip",
    "Cookie",
    "Cookie2",
    "Dpop",
    "Forwarded",
    "Impersonate-*",
    "Key",
    "Proxy-*",
    "Sudo",
    "True-Client-Ip",
    "X-Client-Ip",
    "X-Cluster-Client-Ip",
    "X-Forwarded-*",
    "X-Functions-Key",
    "X-Host",
    "X-Http-Method",
    "X-Key",
    "X-Original-*",
    "X-Real-Ip",
    "X-Rewrite-*",
];

/// What of an upstream's header does not come back: other ways to it, what a cookie would hold, and who answered.
const KEPT_BACK: &[&str] = &["Alt-Svc", "Server", "Set-Cookie*", "Via"];

/// What Caddy itself adds to a request.
const ADDED: &[&str] = &["Via", "X-Forwarded-*"];

/// Adds the file, when there is a credential.
pub(crate) fn lower(plan: &Plan, draft: &mut Draft) {
    if plan.credentials.is_empty() {
        return;
    }
    let asked = plan.asked(BROKER);
    draft.document(PATH, Mode::Shared, asked, Markup::Json, &config(plan));
}

fn config(plan: &Plan) -> Config {
    let port = builtin::find(BROKER).map_or(0, |broker| broker.port);
    let server = Server {
        listen: [format!(":{port}")],
        // Neither HTTP/2 in clear text, which would be another way of framing requests, nor anything over TLS.
        protocols: ["h1"],
        automatic_https: AutomaticHttps { disable: true },
        read_header_timeout: "10s",
        idle_timeout: "2m",
        max_header_bytes: 64 * 1024,
        logs: AccessLogs {},
        routes: routes(plan),
        errors: Errors { routes: failures() },
    };
    let level = Log {
        level: "INFO",
        writer: Writer { output: "stdout" },
        encoder: Encoder {
            format: "filter",
            wrap: Wrapped { format: "json", time_format: "rfc3339" },
            fields: filters(),
        },
    };
    Config {
        admin: Admin { disabled: true, config: Persistence { persist: false } },
        logging: Logging { logs: Logs { default: level } },
        apps: Apps { http: Http { grace_period: "5s", servers: Servers { broker: server } } },
    }
}

fn routes(plan: &Plan) -> Vec<Route> {
    let credentials = &plan.credentials;
    let mut routes = vec![healthy()];
    routes.extend(credentials.iter().map(entrance));
    routes.push(no_such_credential(credentials));
    // What follows is asked of whoever has the token and asks for a credential whose secret is there.
    routes.extend(refusals(credentials));
    routes.push(Route {
        matches: vec![],
        handle: vec![Handler::Headers {
            request: Some(RequestHeader { delete: DROPPED }),
            response: ResponseHeader { deferred: true, delete: KEPT_BACK, replace: BTreeMap::new() },
        }],
    });
    let broker = plan.sidecars.iter().find(|sidecar| *sidecar.name == BROKER);
    let url = broker.map_or_else(
        || Traced::fixed(String::new()),
        |broker| broker.url.with(broker.url.as_deref().unwrap_or_default().to_owned()),
    );
    routes.extend(credentials.iter().map(|credential| passage(credential, &url)));
    let upgrade = Matchers { header: [("Upgrade", Some([]))].into(), ..Matchers::default() };
    routes.push(refused("upgrade", 403, "no `allow` of it lets this become a WebSocket", vec![upgrade]));
    routes.push(refused("allow", 403, "no `allow` of it names this method and path", vec![]));
    routes
}

/// Answers who asks whether the broker runs, without a line in the log.
fn healthy() -> Route {
    Route {
        matches: vec![of_target(Traced::fixed(format!("^{HEALTHY}$")))],
        handle: vec![
            Handler::Vars(Variables { log_skip: Some(true), ..Variables::default() }),
            answer(Status::Code(200), "ok\n".to_owned()),
        ],
    }
}

/// What a credential's requests must have before anything else of them is looked at: the token, and on the broker's side the
/// secret. Both are read for each request, once, so that what was checked is what is used; a file that cannot be read is
/// empty, of which nothing here takes anything for a match.
fn entrance(credential: &Traced<PlannedCredential>) -> Route {
    let name = credential.name.as_str();
    let directory = broker::MOUNT;
    let login = match *credential.login {
        PlannedLogin::Basic(_) => Some(format!("{{file.{directory}/{name}.token}}")),
        PlannedLogin::Header(_) | PlannedLogin::Bearer => None,
    };
    let variables = Variables {
        credential: Some(credential.with(braced(&format!("credential {name} ({})", credential.origin)))),
        token: Some(format!("{{file.{directory}/{}}}", broker::TOKEN_FILE)),
        login,
        secret: Some(credential.secret.with(format!("{{file.{}}}", credential.path()))),
        ..Variables::default()
    };
    let without_secret = Matchers {
        // Printable ASCII without a blank at its ends: what a header can hold, on one line.
        vars_regexp: [("broker.secret", fixed("^[!-~](?:[ -~]*[!-~])?$"))].into(),
        ..Matchers::default()
    };
    let passed = Variables { passed: Some(credential.name.clone()), ..Variables::default() };
    Route {
        matches: vec![of_target(credential.name.with(format!("^/{name}(?:[/?#]|$)")))],
        handle: vec![
            Handler::LogAppend { key: CREDENTIAL, value: credential.name.clone() },
            Handler::Vars(variables),
            Handler::Subroute {
                routes: vec![
                    refused(
                        "token",
                        401,
                        "the launch's token is missing or wrong",
                        vec![none_of(with_token(credential))],
                    ),
                    refused(
                        "secret",
                        503,
                        "its secret is missing, empty, or no single line of printable ASCII",
                        vec![none_of(vec![without_secret])],
                    ),
                    Route { matches: vec![], handle: vec![Handler::Vars(passed)] },
                ],
            },
        ],
    }
}

/// The forms in which a client may carry the token: as the key, or as a bearer token, for which GitHub's clients say `token`;
/// for a login, as its password. A field that came twice is joined by a comma, and matches nothing.
fn with_token(credential: &PlannedCredential) -> Vec<Matchers> {
    let token = "{http.vars.broker.token}";
    let field = |name: &str| format!("{{http.request.header.{name}}}");
    let authorization = field("Authorization");
    let mut carriers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let bearer = ["Bearer", "bearer"].map(|word| format!("{word} {token}"));
    carriers.entry(authorization.clone()).or_default().extend(bearer);
    let mut forms = vec![];
    match &*credential.login {
        PlannedLogin::Header(name) if name == "authorization" => {
            carriers.entry(authorization).or_default().push(token.to_owned());
        }
        PlannedLogin::Header(name) => {
            carriers.entry(field(name)).or_default().push(token.to_owned());
        }
        PlannedLogin::Bearer => {
            let others = ["Token", "token"].map(|word| format!("{word} {token}"));
            carriers.entry(authorization).or_default().extend(others);
        }
        PlannedLogin::Basic(_) => forms.push(Matchers {
            vars: [(authorization, vec!["Basic {http.vars.broker.login}".to_owned()])].into(),
            vars_regexp: [("broker.login", fixed("^[A-Za-z0-9+/]+=*$"))].into(),
            ..Matchers::default()
        }),
    }
    // An empty file must not be what a request without a token has.
    let vars_regexp = [("broker.token", fixed("^[0-9a-f]{32,}$"))].into();
    forms.push(Matchers { vars: carriers, vars_regexp, ..Matchers::default() });
    forms
}

fn no_such_credential(credentials: &[Traced<PlannedCredential>]) -> Route {
    let begins: Vec<_> = credentials.iter().map(|credential| format!("/{}/", credential.name)).collect();
    let passed = Matchers { vars_regexp: [("broker.passed", fixed("."))].into(), ..Matchers::default() };
    let body = format!("refused by the broker: a path begins with {}\n", begins.join(" or "));
    Route {
        matches: vec![none_of(vec![passed])],
        handle: vec![log(REFUSED, "prefix"), answer(Status::Code(404), body)],
    }
}

/// What no list can let through.
fn refusals(credentials: &[Traced<PlannedCredential>]) -> [Route; 3] {
    let canonical = of_target(Traced::fixed(pattern::canonical()));
    let elsewhere = of_target(Traced::fixed(pattern::LEADS_ELSEWHERE.to_owned()));
    let fields = credentials.iter().filter_map(|credential| match &*credential.login {
        PlannedLogin::Header(name) => Some(name.as_str()),
        PlannedLogin::Bearer | PlannedLogin::Basic(_) => None,
    });
    let queries = pattern::refused_queries(fields).map(|query| of_target(Traced::fixed(query)));
    // Of several fields the first is what is upgraded to: they are looked at as one. Browsers put keys among the protocols.
    let websocket = Matchers {
        method: vec![Traced::fixed("GET".to_owned())],
        vars_regexp: [("{http.request.header.Upgrade}", fixed("^(?i:websocket)$"))].into(),
        ..Matchers::default()
    };
    let upgrades = vec![
        Matchers { header: [("Upgrade", Some([]))].into(), not: vec![websocket], ..Matchers::default() },
        Matchers {
            header_regexp: [("Sec-Websocket-Protocol", fixed("(?i)key|token|bearer|auth|secret"))].into(),
            ..Matchers::default()
        },
    ];
    [
        refused(
            "path",
            403,
            "the path is not spelt in the one way that every server reads alike",
            vec![none_of(vec![canonical]), elsewhere],
        ),
        refused(
            "query",
            403,
            "the query holds a credential or a method, or a name written in codes",
            queries.into(),
        ),
        refused(
            "upgrade",
            403,
            "only WebSockets are upgraded to, and by GET, without a key among the protocols",
            upgrades,
        ),
    ]
}

/// What a credential's list lets through, and how it goes on.
fn passage(credential: &Traced<PlannedCredential>, broker: &Traced<String>) -> Route {
    let PlannedCredential { name, upstream, private: _, ca, login, secret: _, allow, origin: _ } =
        &credential.value;
    let matches = if allow.is_empty() {
        vec![everything(credential)]
    } else {
        allow.iter().map(|requests| entry(name, requests)).collect()
    };
    let host = upstream.host.as_str();
    let dial = if host.contains(':') {
        format!("[{host}]:{}", upstream.port)
    } else {
        format!("{host}:{}", upstream.port)
    };
    let secret = "{http.vars.broker.secret}";
    let (field, value) = match &**login {
        PlannedLogin::Header(field) => (field.as_str(), secret.to_owned()),
        PlannedLogin::Bearer => ("authorization", format!("Bearer {secret}")),
        PlannedLogin::Basic(_) => ("authorization", format!("Basic {secret}")),
    };
    let set =
        [("host".to_owned(), [upstream.with(upstream.authority())]), (field.to_owned(), [login.with(value)])];
    let authorities =
        ca.given().map(|ca| ca.with(Authorities { provider: "file", pem_files: [credential.authorities()] }));
    // A replacement's `$` would be a group of the match.
    let base = upstream.with(upstream.base.replace('$', "$$"));
    Route {
        matches,
        handle: vec![
            Handler::Headers {
                request: None,
                response: ResponseHeader {
                    deferred: true,
                    delete: &[],
                    replace: replacements(credential, broker),
                },
            },
            Handler::Rewrite {
                path_regexp: [PathReplacement { find: name.with(format!("^/{name}")), replace: base }],
            },
            Handler::ReverseProxy {
                upstreams: [Upstream { dial: upstream.with(dial) }],
                headers: ProxyHeaders { request: ProxyRequestHeader { set: set.into(), delete: ADDED } },
                transport: Transport {
                    protocol: "http",
                    compression: false,
                    dial_timeout: "10s",
                    // An answer that is not streamed may be thought about for long.
                    response_header_timeout: "15m",
                    read_timeout: "15m",
                    write_timeout: "5m",
                    network_proxy: NetworkProxy { from: "none" },
                    tls: Tls {
                        server_name: upstream.with(host.to_owned()),
                        handshake_timeout: "10s",
                        ca: authorities,
                    },
                },
            },
        ],
    }
}

/// An entry of a list.
fn entry(name: &str, requests: &Traced<PlannedRequests>) -> Matchers {
    let PlannedRequests { methods, paths, websocket, origin: _ } = &requests.value;
    let target = pattern::target(name, paths.iter().map(|path| &path.value));
    let origins = paths.iter().fold(requests.origins.clone(), |origins, path| origins.and(&path.origins));
    Matchers { method: methods.clone(), ..passing(name, Traced::new(target, origins), **websocket) }
}

/// What stands for a list that there is none of.
fn everything(credential: &Traced<PlannedCredential>) -> Matchers {
    let paths: Vec<_> = PathPattern::parse("/").into_iter().chain([PathPattern::everything()]).collect();
    let target = pattern::target(&credential.name, paths.iter());
    let method = METHODS.iter().map(|method| credential.with((*method).to_owned())).collect();
    Matchers { method, ..passing(&credential.name, credential.with(target), false) }
}

/// What matches a target of a credential whose token and secret were there.
fn passing(name: &str, target: Traced<String>, websocket: bool) -> Matchers {
    let no_upgrade = [("Upgrade", None)];
    Matchers {
        vars: [("broker.passed".to_owned(), vec![name.to_owned()])].into(),
        header: if websocket { BTreeMap::new() } else { no_upgrade.into() },
        ..of_target(target)
    }
}

/// Where an answer names a place inside of the upstream, it names the broker's; a place elsewhere is left as it is. Where it
/// says the secret in its header, that is struck out: what it says in its body is not looked at.
fn replacements(
    credential: &PlannedCredential,
    broker: &Traced<String>,
) -> BTreeMap<&'static str, Vec<Replacement>> {
    let upstream = &credential.upstream;
    let host = match upstream.host.as_str() {
        address if address.contains(':') => format!("[{address}]"),
        name => name.to_owned(),
    };
    let authority = match upstream.port {
        443 => format!("{}(?::443)?", pattern::escape(&host)),
        port => format!("{}:{port}", pattern::escape(&host)),
    };
    let base = pattern::escape(&upstream.base);
    let ours = broker.with(format!("{broker}/{}", credential.name)).and(&credential.name.origins);
    let regexp = |search: String, replace: String| Replacement::Regexp {
        search_regexp: upstream.with(search),
        replace: ours.with(replace),
    };
    let place = || {
        let below = if base.is_empty() { r"(/[^/\\]|/?$)" } else { r"(/|\?|#|$)" };
        vec![
            regexp(format!(r"^(?i:(?:https:)?//{authority}){base}(/|\?|#|$)"), format!("{}$1", *ours)),
            regexp(format!("^{base}{below}"), format!("{}$1", *ours)),
        ]
    };
    let link = regexp(format!(r"<(?i:(?:https:)?//{authority}){base}([/?#>])"), format!("<{}$1", *ours));
    let secret = Replacement::Text { search: "{http.vars.broker.secret}".to_owned(), replace: "***" };
    [("*", vec![secret]), ("Content-Location", place()), ("Link", vec![link]), ("Location", place())].into()
}

/// What is answered when there is no answer, and when a request is none.
fn failures() -> Vec<Route> {
    let statuses = vec!["502".to_owned(), "503".to_owned(), "504".to_owned()];
    let upstream =
        Matchers { vars: [("{http.error.status_code}".to_owned(), statuses)].into(), ..Matchers::default() };
    let status = || Status::Placeholder("{http.error.status_code}");
    vec![
        Route {
            matches: vec![upstream],
            handle: vec![
                log(REFUSED, "upstream"),
                log("error", "{http.error.message}"),
                answer(
                    status(),
                    "the upstream of {http.vars.broker.credential} gave no answer, or a broken one\n"
                        .to_owned(),
                ),
            ],
        },
        Route {
            matches: vec![],
            handle: vec![
                log(REFUSED, "request"),
                answer(status(), "refused by the broker: this is no request that it reads\n".to_owned()),
            ],
        },
    ]
}

/// What the log leaves out: whatever the agent may have put a credential into, and whatever an upstream may say one in. The
/// message of an error cannot be filtered; those of requests are answered by [`failures`], which leaves their lines to a
/// level that is not logged.
fn filters() -> BTreeMap<&'static str, Filter> {
    let regexp = |operations: &[(&'static str, &'static str)]| Filter::MultiRegexp {
        operations: operations.iter().map(|(regexp, value)| Operation { regexp, value }).collect(),
    };
    let path = || {
        regexp(&[
            (r"[?#].*$", ""),
            // What looks like a key, in a path.
            (r"[A-Za-z0-9]{32,}", "***"),
            (
                r"(?i)(?:sk|rk|pk|gh[a-z]|github_pat|gl[a-z]{2,5}|xox[a-z]|npm|pypi|hf|aiza|akia|ya29|eyj|bearer|basic|token|key)[-_.=: ]?[A-Za-z0-9_.=+~-]{16,}",
                "***",
            ),
            (r"^(.{200}).*$", "$1…"),
        ])
    };
    let method = || regexp(&[(r"^(?:(DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT)|.*)$", "$1")]);
    let error = regexp(&[
        // What is quoted came from the other side.
        (r#""(?:[^"\\]|\\.)*""#, "…"),
        (r"(malformed [A-Za-z ]*).*", "$1"),
        (r"^(.{300}).*$", "$1…"),
    ]);
    [
        ("error", error),
        ("headers", Filter::Delete),
        ("method", method()),
        ("request>client_ip", Filter::Delete),
        ("request>headers", Filter::Delete),
        ("request>host", Filter::Delete),
        ("request>method", method()),
        ("request>proto", Filter::Delete),
        ("request>remote_port", Filter::Delete),
        ("request>transfer_encoding", Filter::Delete),
        ("request>uri", path()),
        ("resp_headers", Filter::Delete),
        ("uri", path()),
        ("user_id", Filter::Delete),
    ]
    .into()
}

fn of_target(target: Traced<String>) -> Matchers {
    Matchers { vars_regexp: [(TARGET, Pattern { pattern: target })].into(), ..Matchers::default() }
}

fn none_of(sets: Vec<Matchers>) -> Matchers {
    Matchers { not: sets, ..Matchers::default() }
}

fn fixed(pattern: &str) -> Pattern {
    Pattern { pattern: Traced::fixed(pattern.to_owned()) }
}

fn refused(word: &'static str, status: u16, why: &str, matches: Vec<Matchers>) -> Route {
    Route { matches, handle: vec![log(REFUSED, word), answer(Status::Code(status), said(why))] }
}

/// A line that names the credential and the spec's line, and repeats nothing of the request.
fn said(why: &str) -> String {
    format!("refused by the broker for {{http.vars.broker.credential}}: {why}\n")
}

fn log(key: &'static str, value: &str) -> Handler {
    Handler::LogAppend { key, value: Traced::fixed(value.to_owned()) }
}

fn answer(status_code: Status, body: String) -> Handler {
    let headers = [("Content-Type", ["text/plain; charset=utf-8"])].into();
    Handler::StaticResponse { status_code, headers, body }
}

/// A text without placeholders, whatever its author named his files.
fn braced(text: &str) -> String {
    text.replace('{', "\\{").replace('}', "\\}")
}
