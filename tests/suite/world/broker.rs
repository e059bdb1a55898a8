//! Upstreams of credentials, and the paths of their lists.

use bottlec::world::broker::{ApiUrl, PathPattern};

#[test]
fn upstreams_are_read_as_people_write_them() {
    for (text, shown) in [
        ("https://api.anthropic.com", "https://api.anthropic.com"),
        ("https://API.Example.com:443/", "https://api.example.com"),
        ("HTTPS://git.example.com:8443/api/v4/", "https://git.example.com:8443/api/v4"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://203.0.113.7", "https://203.0.113.7"),
    ] {
        assert_eq!(text.parse::<ApiUrl>().map(|url| url.to_string()), Ok(shown.to_owned()), "{text}");
    }
    for (text, meant) in [
        ("http://api.example.com", Some("https://api.example.com")),
        ("api.example.com/v1", Some("https://api.example.com/v1")),
        ("https://*.example.com", None),
        ("https://user:hunter2@example.com", None),
        ("https://example.com/?key=1", None),
        ("https://example.com/a/../b", None),
        ("https://example.com//b", None),
        ("https://example.com:0", None),
        ("https://example.com:+443", None),
        ("https://example.com:00443", None),
        ("https://2001:db8::1", None),
        ("https://", None),
        ("https://exa mple.com", None),
    ] {
        let error = text.parse::<ApiUrl>().expect_err(text);
        assert_eq!(error.meant.as_deref(), meant, "{text}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_pattern_lets_through_what_it_says() {
    for (pattern, path, expected) in [
        ("/v1/messages", "/v1/messages", true),
        ("/v1/messages", "/v1/messages/", false),
        ("/v1/messages/", "/v1/messages/", true),
        ("/v1/messages", "/V1/messages", false),
        ("/v1/messages", "/v1/message%73", false),
        ("/v1/models/*", "/v1/models/a", true),
        ("/v1/models/*", "/v1/models/", false),
        ("/v1/models/*", "/v1/models/a/b", false),
        ("/v1/models/*", "/v1/models/..", false),
        ("/v1/models/*", "/v1/models/..;x", false),
        ("/v1/models/*", "/v1/models/a%2fb", false),
        ("/v1/models/*", "/v1/models/a%2Fb", false),
        ("/v1/models/*", "/v1/models/%2e%2e", false),
        ("/v1/models/*", "/v1/models/a%20b", true),
        ("/v1/models/*", "/v1/models/%c3%A9", true),
        ("/v1/models/*", "/v1/models/a%0d%0a", false),
        ("/m/*:generate", "/m/gemini-2:generate", true),
        ("/m/*:generate", "/m/:generate", false),
        ("/m/a*b*c", "/m/axbyc", true),
        ("/m/a*b*c", "/m/abbc", false),
        ("/p/acme%2Fapi/issues", "/p/acme%2Fapi/issues", true),
        ("/p/acme%2Fapi/issues", "/p/acme%2fapi/issues", false),
        ("/p/**", "/p/a/b/c", true),
        ("/p/**", "/p/a/", true),
        ("/p/**", "/p", false),
        ("/p/**", "/p/", false),
        ("/p/**", "/p/a//b", false),
        ("/p/**", "/p/a/../b", false),
        ("/p/**", "/p/src%2fmain.rs/raw", true),
        ("/p/**", "/p/a%2F..%2Fb", false),
        ("/p/**", "/p/a%2F", false),
        ("/p/*/b", "/p/;x/b", false),
        ("/p/*", "/p/..%3Bx", false),
        ("/p/*", "/p/a%3Bx", false),
        ("/p/*", "/p/...", false),
        ("/p/*", "/p/.%20", false),
        ("/p/*", "/p/%C0%AE", false),
        ("/p/*0", "/p/%20", false),
        ("/p/*", "/p/%2", false),
        ("/**", "/a", true),
        ("/", "/", true),
    ] {
        let pattern = PathPattern::parse(pattern).expect(pattern);
        assert_eq!(pattern.matches(path), expected, "{pattern} {path}");
    }
    for text in [
        "v1",
        "/a//b",
        "/a/../b",
        "/a/**/b",
        "/a**",
        "/a?b",
        "/%2e",
        "/%2f",
        "/ä",
        "/a\\b",
        "/..;a",
        "/a%2F..%2Fb",
        "/%C3",
    ] {
        assert!(PathPattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_pattern_covers_what_it_lets_through() {
    for (pattern, other, expected) in [
        ("/a", "/a", true),
        ("/a", "/b", false),
        ("/a/*", "/a/b", true),
        ("/a/*", "/a/x*", true),
        ("/a/*", "/a/**", false),
        ("/a/*", "/a/", false),
        ("/a/x*", "/a/*", false),
        ("/a/x*", "/a/xy", true),
        ("/a/x*", "/a/xy*", false),
        ("/a/**", "/a/b/c", true),
        ("/a/**", "/a/*", true),
        ("/a/**", "/a/**", true),
        ("/a/**", "/a/b/**", true),
        ("/a/**", "/a/b%2Fc", true),
        ("/a/*", "/a/b%2Fc", false),
        ("/a/**", "/a", false),
        ("/a/**", "/a/", false),
        ("/**", "/a/", true),
        ("/a/b/**", "/a/**", false),
        ("/a", "/a/", false),
    ] {
        let [this, that] = [pattern, other].map(|it| PathPattern::parse(it).expect(it));
        assert_eq!(this.covers(&that), expected, "{pattern} {other}");
    }
}
