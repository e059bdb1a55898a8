//! The secret files on the host: each exists, and nobody else can read the keys among them.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use bottlec::plan::{Plan, Purpose, SecretUse};
use bottlec::text::{quote, quote_path};

use super::{Finding, on_host};

/// What a file is to the bundle: decides how it is called, what its mode must be, and how it is made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Identity,
    AuthorityKey,
    Secret,
    Certificate,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "the identity",
            Self::AuthorityKey => "the authority's key",
            Self::Secret => "the secret",
            Self::Certificate => "the certificate",
        }
    }

    /// The permissions that it must not have. ssh refuses a key that others can use at all, pipelock 2.3.0 one that is
    /// wider than 0640.
    fn forbidden(self) -> u32 {
        match self {
            Self::Identity => 0o077,
            Self::AuthorityKey => 0o137,
            Self::Secret | Self::Certificate => 0,
        }
    }

    fn how_to_make(self) -> &'static str {
        match self {
            Self::Identity => {
                "make it with `ssh-keygen -t ed25519 -N ''`, and give its public half to the upstream"
            }
            Self::AuthorityKey | Self::Certificate => "`pipelock tls init` makes an authority",
            Self::Secret => "write the secret into it, for nobody but you to read",
        }
    }
}

/// Looks at each file once, whatever uses it.
pub(super) fn check(plans: &[Plan]) -> Vec<Finding> {
    let mut users: BTreeMap<(Role, &str), String> = BTreeMap::new();
    for plan in plans {
        let slug = quote(&plan.slug);
        for SecretUse { receiver, purpose, variable: _, file, origins: _ } in plan.secrets() {
            let Some(file) = file else { continue };
            let (role, user) = match purpose {
                Purpose::Identity(repo) => (Role::Identity, format!("{} of {slug}", quote(repo))),
                Purpose::Authority => (Role::AuthorityKey, slug.clone()),
                Purpose::Variable(_) | Purpose::File(_) => {
                    (Role::Secret, format!("{} of {slug}", quote(receiver)))
                }
            };
            users.entry((role, file)).or_insert(user);
        }
        for file in plan.egress.tls.iter().flat_map(|tls| [&tls.ca_cert, &tls.trust]) {
            users.entry((Role::Certificate, &file.value)).or_insert_with(|| slug.clone());
        }
    }
    users.into_iter().map(|((role, file), user)| look(role, file, &user)).collect()
}

fn look(role: Role, file: &str, user: &str) -> Finding {
    let name = role.name();
    let Some(path) = on_host(file) else {
        return Finding::missing(
            format!("{name} {} for {user} cannot be looked for", quote(file)),
            String::from("HOME is not set, so there is no telling what `~` is"),
        );
    };
    let shown = quote_path(&path);
    let missing = |what: String, help: &str| Finding::missing(what, help.to_owned());
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            missing(format!("{name} {shown} for {user} is not there"), role.how_to_make())
        }
        Err(error) => {
            missing(format!("{name} {shown} for {user} cannot be looked at: {error}"), "look at it yourself")
        }
        Ok(meta) if !meta.is_file() => {
            missing(format!("{name} {shown} for {user} is no regular file"), "name the file itself")
        }
        Ok(meta) => match mode(&meta) & 0o777 {
            mode if mode & role.forbidden() != 0 => Finding::missing(
                format!(
                    "{name} {shown} for {user} can be used by others than its owner: its mode is {mode:04o}"
                ),
                format!("run `chmod 600` on {shown}; what uses it refuses it as it is"),
            ),
            mode if mode & 0o400 == 0 => Finding::missing(
                format!("{name} {shown} for {user} cannot be read: its mode is {mode:04o}"),
                format!("run `chmod 600` on {shown}"),
            ),
            _ if role.forbidden() == 0 => Finding::ready(format!("{name} {shown} for {user} is there")),
            _ => Finding::ready(format!("{name} {shown} for {user} is there, and private")),
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
