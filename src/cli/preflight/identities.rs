//! The private keys that git-gate uses: there, and nobody else's business.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bottlec::diagnostic::quote;
use bottlec::plan::Plan;

use super::Finding;

/// Looks at each identity once, whichever repositories use it.
pub(super) fn check(plans: &[Plan]) -> Vec<Finding> {
    let mut users: BTreeMap<&str, String> = BTreeMap::new();
    for plan in plans {
        for repo in &plan.repos {
            users
                .entry(&repo.identity)
                .or_insert_with(|| format!("{} of {}", quote(&repo.name), quote(&plan.slug)));
        }
    }
    users.into_iter().map(|(identity, user)| look(identity, &user)).collect()
}

fn look(identity: &str, user: &str) -> Finding {
    let Some(path) = on_host(identity) else {
        return Finding::missing(
            format!("the identity {} for {user} cannot be looked for", quote(identity)),
            String::from("HOME is not set, so there is no telling what `~` is"),
        );
    };
    let shown = quote(&path.to_string_lossy());
    let missing = |what: String, help: &str| Finding::missing(what, help.to_owned());
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => missing(
            format!("the identity {shown} for {user} is not there"),
            "make it with `ssh-keygen -t ed25519 -N ''`, and give its public half to the upstream",
        ),
        Err(error) => missing(
            format!("the identity {shown} for {user} cannot be looked at: {error}"),
            "look at it yourself",
        ),
        Ok(meta) if !meta.is_file() => missing(
            format!("the identity {shown} for {user} is no regular file"),
            "name the private key itself",
        ),
        Ok(meta) => match mode(&meta) & 0o777 {
            mode if mode & 0o077 != 0 => Finding::missing(
                format!(
                    "the identity {shown} for {user} can be used by others than its owner: its mode is {mode:04o}"
                ),
                format!("run `chmod 600` on {shown}; git-gate and ssh refuse it as it is"),
            ),
            mode if mode & 0o400 == 0 => Finding::missing(
                format!("the identity {shown} for {user} cannot be read: its mode is {mode:04o}"),
                format!("run `chmod 600` on {shown}"),
            ),
            _ => Finding::ready(format!("the identity {shown} for {user} is there, and private")),
        },
    }
}

#[cfg(unix)]
fn mode(meta: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode()
}

/// Elsewhere permissions are not bits: there is nothing to hold against the rule.
#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0o600
}

/// An identity as a plan has it: from the home of who launches, absolute, or relative to the stage's directory. That
/// one is `stage/<slug>/`, two levels below the workspace that this is run in.
fn on_host(identity: &str) -> Option<PathBuf> {
    if let Some(rest) = identity.strip_prefix("~/") {
        return Some(PathBuf::from(env::var_os("HOME")?).join(rest));
    }
    if identity.starts_with('/') {
        return Some(PathBuf::from(identity));
    }
    Some(Path::new(".").join(identity.strip_prefix("../../").unwrap_or(identity)))
}
