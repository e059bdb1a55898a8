//! Shared domains, below which anybody can get a host.

/// Those that the Public Suffix List does not have, most of them because a part of the names below is the provider's own:
/// domain, and where it is said that names below it are given to customers.
pub static MORE: &[(&str, &str)] = &[
    ("amazonaws.com", "Amazon S3 User Guide, \"Virtual hosting of general purpose buckets\""),
    ("cloudapp.azure.com", "Azure, \"Create a fully qualified domain name for a VM\""),
    ("core.windows.net", "Azure Storage, \"Storage account overview\": standard endpoints"),
    ("devtunnels.ms", "Microsoft, \"Dev tunnels\": each tunnel gets a name below it"),
    ("googleusercontent.com", "Google Cloud, \"Create a PTR record\": bc.googleusercontent.com"),
    ("lhr.life", "localhost.run, \"Custom domains\": free tunnels get a name below it"),
    ("loca.lt", "localtunnel's README: each tunnel gets a name below it"),
    ("serveo.net", "serveo.net, \"Manual\": each tunnel gets a name below it"),
    ("storage.googleapis.com", "Google Cloud Storage, \"Request endpoints\": a bucket is a name below it"),
];

/// Whether anybody can get a host below `domain`, which is in lower case: a public suffix of more than one label, such as
/// `co.uk` and `github.io`, or one of the domains above. A top-level domain is another matter.
#[must_use]
pub fn is_shared(domain: &str) -> bool {
    domain.contains('.') && (MORE.iter().any(|(more, _)| *more == domain) || is_listed(domain))
}

/// Whether `domain`, or any name of one label more, is a public suffix. The list says the latter as `*.domain`.
fn is_listed(domain: &str) -> bool {
    let suffix =
        |name: &str| psl::suffix(name.as_bytes()).is_some_and(|it| it.is_known() && it == name.as_bytes());
    suffix(domain) || suffix(&format!("0.{domain}"))
}
