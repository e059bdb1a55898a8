//! Regular expressions in Go's syntax: which spelling of a path is the one that every server reads alike, what an entry of a
//! list lets through, and what a query must not hold. [`PathPattern::matches`] says the same of paths in Rust.

use crate::world::broker::PathPattern;

/// A character that stands for itself in a path (RFC 3986, `pchar`).
const PLAIN: &str = r"[A-Za-z0-9._~!$&'()*+,;=:@-]";

/// A whole character of UTF-8 beyond ASCII, percent-encoded: no overlong form, and no half of one.
const BEYOND_ASCII: &str = r"(?i:%(?:c[2-9a-f]|d[0-9a-f])%[89ab][0-9a-f]|%e0%[ab][0-9a-f]%[89ab][0-9a-f]|%(?:e[1-9a-cef]%[89ab][0-9a-f]|ed%[89][0-9a-f])%[89ab][0-9a-f]|%(?:f0%[9ab][0-9a-f]|f[1-3]%[89ab][0-9a-f]|f4%8[0-9a-f])%[89ab][0-9a-f]%[89ab][0-9a-f])";

/// What of ASCII is percent-encoded because it must be, or may be: never a letter, a digit, or one of `-._~`, which have one
/// spelling; no control character, no backslash, and no percent sign, which would be an encoding of an encoding.
const ENCODED: &str = r"%(?:2[0-46-9A-CFa-cf]|3[A-Fa-f]|40|5[BDEbde]|60|7[B-Db-d])";

/// What stands in a query (RFC 3986, and the brackets that clients leave as they are).
const QUERY: &str = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f][0-9A-Fa-f])*";

/// What `*` takes of what [`canonical`] lets through: within a segment, and nothing encoded that ends a path or a segment
/// where it is decoded (`#`, `/`, `;`, `?`).
const ONE: &str =
    r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?:[4-9A-Fa-f][0-9A-Fa-f]|2[0-246-9A-Ea-e]|3[0-9ACDEacde]))";

/// What `**` takes between two slashes: as `*`, and encoded slashes.
const MANY: &str =
    r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?:[4-9A-Fa-f][0-9A-Fa-f]|2[0-246-9A-Fa-f]|3[0-9ACDEacde]))";

/// Returns what a request's target matches when each of its characters has the one spelling. Neither a URL, nor `*`, nor
/// an authority is a path.
pub(super) fn canonical() -> String {
    format!(r"^/(?:/|{PLAIN}|{ENCODED}|{BEYOND_ASCII})*(?:\?{QUERY})?$")
}

/// What a target matches in which a segment is empty (but for the last), or nothing but dots and blanks, or is that before
/// its parameters: servers take such a segment out, and perhaps the one before it. An encoded slash is one.
pub(super) const LEADS_ELSEWHERE: &str =
    r"^[^?]*(?:(?:/|%2[Ff])(?:(?:\.|%20)*(?:[/;]|%2[Ff]|%3[Bb])|(?:\.|%20)+(?:\?|$))|%2[Ff](?:\?|$))";

/// Returns what a target matches whose path, below the credential's name, one of the patterns lets through.
pub(super) fn target<'a>(name: &str, patterns: impl Iterator<Item = &'a PathPattern>) -> String {
    let paths: Vec<_> = patterns.map(path).collect();
    let path = match &paths[..] {
        [one] => one.clone(),
        several => format!("(?:{})", several.join("|")),
    };
    format!(r"^/{name}{path}(?:\?.*)?$")
}

fn path(pattern: &PathPattern) -> String {
    let segment = |segment: &str| {
        if segment == "**" {
            return format!("/{MANY}+(?:/{MANY}+)*/?");
        }
        let literals: Vec<_> = segment.split('*').map(escape).collect();
        format!("/{}", literals.join(&format!("{ONE}+")))
    };
    pattern.as_str().split('/').skip(1).map(segment).collect()
}

/// Returns a text as a regular expression that matches it alone.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Parameters of a query that are known to hold a credential, in lower case with `_` where words meet: OAuth 2 (RFC 6749,
/// RFC 6750, RFC 7521), OAuth 1 (RFC 5849); Google's system parameters and signed URLs; AWS's signed URLs; Azure's shared
/// access signatures and API management; GitLab's and GitHub's; and what many APIs call theirs. `sudo` is GitLab's way to be
/// somebody else.
const CREDENTIALS: &[&str] = &[
    "access_key",
    "access_token",
    "api_key",
    "api_secret",
    "api_token",
    "app_key",
    "app_secret",
    "application_key",
    "assertion",
    "auth",
    "auth_key",
    "auth_token",
    "authentication",
    "authorization",
    "aws_access_key_id",
    "bearer",
    "bearer_token",
    "client_assertion",
    "client_secret",
    "credential",
    "credentials",
    "deploy_token",
    "feed_token",
    "goog_signature",
    "google_access_id",
    "id_token",
    "job_token",
    "jwt",
    "key",
    "oauth_consumer_key",
    "oauth_signature",
    "oauth_token",
    "passwd",
    "password",
    "personal_access_token",
    "private_key",
    "private_token",
    "pwd",
    "refresh_token",
    "rss_token",
    "secret",
    "secret_key",
    "security_token",
    "session_token",
    "sig",
    "signature",
    "static_object_token",
    "subscription_key",
    "sudo",
    "token",
    "x_access_token",
    "x_amz_credential",
    "x_amz_security_token",
    "x_amz_signature",
    "x_api_key",
    "x_auth_token",
    "x_goog_api_key",
    "x_goog_credential",
    "x_goog_signature",
];

/// Parameters of a query that some servers take for the method, or for fields of the header: Google's (`$httpMethod`,
/// `$httpHeaders`, `$req`), and those of common frameworks beside `_method`, which begins with its `_`.
const OVERRIDES: &[&str] = &[
    "http_headers",
    "http_method",
    "http_method_override",
    "method_override",
    "x_http_method",
    "x_http_method_override",
    "x_method_override",
];

/// Returns what a target matches whose query holds a credential, another method, or a name of which a letter is written in
/// codes, so that it cannot be told. `fields` are those of the header that hold one.
pub(super) fn refused_queries<'a>(fields: impl Iterator<Item = &'a str>) -> [String; 3] {
    let fields: Vec<_> = fields.map(|field| field.replace('-', "_")).collect();
    let fields = fields.iter().map(String::as_str).filter(|field| !CREDENTIALS.contains(field));
    let credentials: Vec<_> = CREDENTIALS.iter().copied().chain(fields).map(spelt).collect();
    let overrides: Vec<_> = OVERRIDES.iter().copied().map(spelt).collect();
    // A name ends at its value, at the next one, or where a server that reads brackets and dots as structure ends it.
    let (begin, end) = (r"(?i)(?:[?&;\[]|%5b)", r"(?:[=&;.+\[\]%]|$)");
    let (credentials, overrides) = (credentials.join("|"), overrides.join("|"));
    [
        format!("{begin}{JOINT}*(?:{credentials}){end}"),
        format!("{begin}(?:{JOINT}*_+method|{JOINT}*(?:{overrides})|{JOINT}*(?:\\$|%24)req){end}"),
        String::from(
            r"(?i)[?&;][^=&;]*%(?:[01][0-9a-f]|2[5de]|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9aef])",
        ),
    ]
}

/// What joins the words of a name, or stands before it, for one server or another.
const JOINT: &str = r"(?:[_.+$-]|%[0-9a-f][0-9a-f])";

/// Returns a name as it may be spelt: its words are joined by anything, or by nothing.
fn spelt(name: &str) -> String {
    name.replace('_', &format!("{JOINT}*"))
}
