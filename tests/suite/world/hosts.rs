//! Hosts: well-known ones, shared domains, forges, who issues what, and targets.

use bottlec::world::forge::{FORGES, web};
use bottlec::world::host::known::{DROPS, Drop};
use bottlec::world::host::shared::{MORE, is_shared};
use bottlec::world::host::{Target, check};
use bottlec::world::issuers::{ISSUED, Issued};
use proptest::prelude::*;

#[test]
fn each_drop_is_there_once_and_has_a_source() {
    assert!(DROPS.is_sorted_by(|a, b| a.host < b.host));
    for Drop { host, what, source, .. } in DROPS {
        assert!(check(host).is_ok() && what.starts_with("a ") && source.len() > 8, "{host}");
    }
}

#[test]
fn targets_are_read_as_people_write_them() {
    for (text, shown) in [
        ("api.github.com", "api.github.com"),
        ("API.GitHub.com:443", "api.github.com:443"),
        ("10.0.0.1:22", "10.0.0.1:22"),
        ("::1", "::1"),
        ("[::1]:22", "[::1]:22"),
        ("[2001:DB8::0001]", "2001:db8::0001"),
        ("[2001:DB8::0001]:22", "[2001:db8::0001]:22"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("0x7F.1:80", "0x7f.1:80"),
        ("api.github.com.:443", "api.github.com.:443"),
        ("localhost:1", "localhost:1"),
        ("https://API.github.com/v1", "https://api.github.com/v1"),
        ("https://api.github.com", "https://api.github.com/"),
        ("POST https://api.github.com:443/V1/a%2Fb", "POST https://api.github.com/V1/a%2Fb"),
        ("GET  https://[2001:DB8::1]:8443/", "GET https://[2001:db8::1]:8443/"),
    ] {
        assert_eq!(text.parse::<Target>().map(|target| target.to_string()), Ok(shown.to_owned()), "{text}");
    }
}

#[test]
fn what_is_no_target_says_what_is_meant() {
    for (text, meant) in [
        ("http://api.github.com/v1", Some("api.github.com:80")),
        ("api.github.com/v1", Some("api.github.com")),
        ("POST api.github.com/v1", Some("POST https://api.github.com/v1")),
        ("post https://api.github.com/v1", Some("POST https://api.github.com/v1")),
        ("CONNECT https://api.github.com/", None),
        ("GET https://api.github.com/v1?key=1", Some("GET https://api.github.com/v1")),
        ("https://user:hunter2@api.github.com/v1", Some("https://api.github.com/v1")),
        ("https://api.github.com/\u{fc}", None),
        ("https://", None),
        ("GET https://*.github.com/", None),
        ("ssh://git@github.com/acme/api", Some("github.com:22")),
        ("api.github.com..", Some("api.github.com")),
        ("*.github.com", None),
        ("a:0", None),
        ("a:65536", None),
        ("a:+1", None),
        ("", None),
        ("[::1", None),
        ("[::1]x", None),
        ("[a]:1", None),
        ("10.0.0.0/8", Some("10.0.0.0")),
        ("1.2.3.4.5", None),
        ("bücher.example", None),
    ] {
        let error = text.parse::<Target>().expect_err(text);
        assert_eq!(error.meant.as_deref(), meant, "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn what_is_shown_is_read(text in "[a-z0-9.:\\[\\]-]{0,20}|\\PC*") {
        if let Ok(target) = text.parse::<Target>() {
            prop_assert_eq!(target.to_string().parse(), Ok(target));
        }
    }
}

#[test]
fn the_list_knows_registries_hosting_and_wildcards() {
    let shared = ["co.uk", "com.au", "github.io", "vercel.app", "web.app", "pages.dev", "s3.amazonaws.com"];
    for domain in shared.into_iter().chain([
        "run.app",
        "blob.core.windows.net",
        "cloudapp.azure.com",
        "azurecontainer.io",
        "foo.ck",
        "fly.dev",
        "workers.dev",
        "trycloudflare.com",
        "r2.dev",
    ]) {
        assert!(is_shared(domain), "{domain}");
    }
    for domain in ["com", "github.com", "acme.github.io", "example.co.uk", "internal", "corp.internal", ""] {
        assert!(!is_shared(domain), "{domain}");
    }
}

#[test]
fn nothing_is_said_twice() {
    assert!(MORE.is_sorted_by(|a, b| a.0 < b.0));
    // The list says of a domain that it is one, or that all names below it are.
    let suffix =
        |name: &str| psl::suffix(name.as_bytes()).is_some_and(|it| it.is_known() && it == name.as_bytes());
    for (domain, _) in MORE {
        assert!(!suffix(domain) && !suffix(&format!("0.{domain}")), "{domain} is in the Public Suffix List");
    }
}

#[test]
fn a_known_host_has_its_other_ways_in_and_another_one_itself() {
    assert!(web("GitHub.com").any(|host| host == "api.github.com"));
    assert_eq!(web("ssh.dev.azure.com").collect::<Vec<_>>(), ["dev.azure.com"]);
    assert_eq!(web("code.example.com").collect::<Vec<_>>(), ["code.example.com"]);
    assert!(FORGES.iter().all(|forge| forge.source.len() > 6 && forge.tokens.is_sorted()));
}

#[test]
fn each_variable_is_there_once_with_a_place_to_go_and_a_source() {
    assert!(ISSUED.is_sorted_by(|a, b| a.variable < b.variable));
    for Issued { variable, hosts, labels, named_by, source } in ISSUED {
        assert!(!hosts.is_empty() || !named_by.is_empty(), "{variable}");
        assert!(hosts.iter().all(|host| check(host).is_ok()), "{variable}");
        assert!(labels.iter().all(|label| !label.contains('.')), "{variable}");
        assert!(source.len() > 8, "{variable}");
    }
}
