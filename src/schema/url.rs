//! URLs and their parts.

use super::ValueType;
use crate::rule::ValueError;
use crate::text::quote;

pub(super) fn scheme(text: &str) -> Result<(), ValueError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b);
    if text.len() <= 32 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(ValueType::Scheme.none(text, "URL scheme"))
}

pub(super) fn path(text: &str) -> Result<(), ValueError> {
    let problem = || ValueType::UrlPath.none(text, "URL path");
    // RFC 3986, `pchar`, `/` and the query's `?`; others must be percent-encoded.
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%?".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(
            problem().help("write blanks and other special characters percent-encoded, such as `%20`")
        );
    }
    if !text.starts_with('/') {
        return Err(problem().meant(format!("/{text}")));
    }
    Ok(())
}

/// An SSH URL, or the short form `user@host:path`. The alphabet is that of names, so nothing of it reaches a shell or
/// is read as an option.
pub(super) fn git(text: &str) -> Result<(), ValueError> {
    let expected = format!("expected {}", ValueType::GitUrl.describe());
    let invalid = |message: &str| ValueError::invalid(format!("{} {message}", quote(text)), expected.clone());
    for scheme in ["https://", "http://", "git://", "file://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            let problem = invalid("does not go over SSH")
                .help("git-gate pushes over SSH with a key that the agent never sees; any other way would go round it");
            return Err(match rest.split_once('/') {
                Some((host, path)) if scheme.starts_with("http") && !host.contains('@') => {
                    problem.meant(format!("ssh://git@{host}/{path}"))
                }
                _ => problem,
            });
        }
    }
    // `ssh://user@host:port/path` or `user@host:path`; the alphabet is that of names, so nothing reaches a shell.
    let (authority, path) = match text.strip_prefix("ssh://") {
        Some(rest) => match rest.split_once('/') {
            Some((authority, path)) => (authority, path),
            None => return Err(invalid("has no path")),
        },
        None => match text.split_once(':') {
            Some((authority, path)) if authority.contains('@') => {
                let port = path.split_once('/').filter(|(port, _)| matches!(port.parse::<u16>(), Ok(1..)));
                if let Some((port, rest)) = port {
                    return Err(invalid(&format!(
                        "has a directory {} where a port seems meant",
                        quote(port)
                    ))
                    .help(format!(
                        "a port needs the long form; a directory is written `ssh://{authority}/{path}`"
                    ))
                    .meant(format!("ssh://{authority}:{port}/{}", rest.trim_start_matches('/'))));
                }
                (authority, path)
            }
            _ => return Err(invalid("is no SSH URL")),
        },
    };
    let (user, host_port) = authority.split_once('@').unwrap_or(("git", authority));
    let (host, port) = host_port.split_once(':').map_or((host_port, None), |(host, port)| (host, Some(port)));
    let word = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    if !word(user, b"._-") || !word(host, b".-") {
        return Err(invalid("has no plain user and host"));
    }
    if port.is_some_and(|port| !matches!(port.parse::<u16>(), Ok(1..))) {
        let problem = invalid("has a port that is none");
        // The short form behind `ssh://`.
        return Err(match port {
            Some(step) if word(step, b"._-") && !step.bytes().all(|b| b.is_ascii_digit()) => {
                problem.meant(format!("ssh://{user}@{host}/{step}/{path}"))
            }
            _ => problem,
        });
    }
    let plain = |step: &str| {
        !step.is_empty()
            && !step.starts_with('-')
            && step != ".."
            && step.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let path_ok = path.trim_start_matches(['/', '~']).split('/').all(plain);
    if !path_ok {
        return Err(invalid(
            "has a path that is none: its parts are of letters, digits, `.`, `_` and `-`, and begin with no dash",
        ));
    }
    Ok(())
}
