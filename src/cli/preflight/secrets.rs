//! The secret files on the host: each exists and holds what it is for, and nobody else can read the keys among them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use bottlec::plan::{Plan, Purpose, SecretUse};
use bottlec::text::{quote, quote_path};
use bottlec::world::handed_over;

use super::{Finding, handed, on_host};

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

    /// What a file of that kind must and must not hold, as far as its text tells, and what is wrong with one.
    fn misfit(self, path: &Path) -> io::Result<Option<&'static str>> {
        /// Where the text of a key or of a certificate begins; what stands before it is a comment.
        const LONGEST: u64 = 1 << 20;
        if self == Self::Secret {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
        let has = |text: &str| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
        let key = has("PRIVATE KEY-----");
        Ok(match self {
            Self::Certificate if key => Some("holds a private key, which would be handed over with it"),
            Self::Certificate if !has("-----BEGIN CERTIFICATE-----") => Some("is no certificate in PEM"),
            Self::Identity if has("-----BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") => {
                Some("is locked with a passphrase, and nobody is there to type it")
            }
            Self::Identity | Self::AuthorityKey if !key => Some("is no private key"),
            // Another form, PKCS 8 or RSA, ends it again and again (certgen.go:186 at 2.3.0; run).
            Self::AuthorityKey if !has("-----BEGIN EC PRIVATE KEY-----") => {
                Some("is not in the one form that pipelock reads: SEC 1, which says `BEGIN EC PRIVATE KEY`")
            }
            _ => None,
        })
    }

    /// What the table of what is handed over calls it.
    fn handed_over(self) -> handed_over::Role {
        match self {
            Self::Identity => handed_over::Role::Identity,
            Self::AuthorityKey => handed_over::Role::AuthorityKey,
            Self::Secret => handed_over::Role::Secret,
            Self::Certificate => handed_over::Role::Certificate,
        }
    }

    fn how_to_make(self) -> &'static str {
        match self {
            Self::Identity => {
                "make it with `ssh-keygen -t ed25519 -N ''`, and give its public half to the upstream"
            }
            Self::AuthorityKey => {
                "`pipelock tls init` makes an authority; `openssl ec -in KEY -out NEW` writes a key of another form anew"
            }
            Self::Certificate => "`pipelock tls init` makes an authority",
            Self::Secret => "write the secret into it, for nobody but you to read",
        }
    }
}

/// Looks at each file once, whatever uses it.
pub(super) fn check(plans: &[Plan]) -> Vec<Finding> {
    let mut users: BTreeMap<(Role, &str), (String, bool)> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for plan in plans {
        let accepted = handed::is_accepted(plan);
        let slug = quote(&plan.slug);
        for SecretUse { receiver, purpose, variable: _, file, origins: _ } in plan.secrets() {
            let Some(file) = file else { continue };
            if let Purpose::File(_) = purpose {
                unreadable.extend(not_for_its_user(plan, receiver, file));
            }
            let (role, user) = match purpose {
                Purpose::Identity(repo) => (Role::Identity, format!("{} of {slug}", quote(repo))),
                Purpose::Authority => (Role::AuthorityKey, slug.clone()),
                Purpose::Credential(name) => {
                    (Role::Secret, format!("the credential {} of {slug}", quote(name)))
                }
                Purpose::Variable(_) | Purpose::File(_) => {
                    (Role::Secret, format!("{} of {slug}", quote(receiver)))
                }
            };
            users.entry((role, file)).or_insert((user, accepted));
        }
        for file in plan.egress.tls.iter().flat_map(|tls| [&tls.ca_cert, &tls.trust]) {
            users.entry((Role::Certificate, &file.value)).or_insert_with(|| (slug.clone(), accepted));
        }
        for (name, file) in plan.credentials.iter().filter_map(|it| Some((&it.name, it.ca.as_ref()?))) {
            let user = || (format!("the credential {} of {slug}", quote(name)), accepted);
            users.entry((Role::Certificate, file)).or_insert_with(user);
        }
    }
    let looked = users.into_iter().map(|((role, file), (user, accepted))| look(role, file, &user, accepted));
    looked.chain(unreadable).collect()
}

/// A file that the user whom a sidecar runs as may not read: the container sees it with the owner and the mode that it has
/// here, and the sidecar ends again and again (run).
fn not_for_its_user(plan: &Plan, receiver: &str, file: &str) -> Option<Finding> {
    let sidecar = plan.sidecars.iter().find(|sidecar| *sidecar.name == receiver)?;
    let run_as = sidecar.container.as_ref()?.run_as.value.as_deref()?;
    let (user, group) = run_as.split_once(':').unwrap_or((run_as, ""));
    let user: u32 = user.parse().ok()?;
    let path = on_host(file)?;
    let meta = fs::metadata(&path).ok()?;
    let (owner, its_group, mode) = owner(&meta);
    let may_read = user == 0
        || if owner == user {
            mode & 0o400 != 0
        } else if group.parse() == Ok(its_group) {
            mode & 0o040 != 0
        } else {
            mode & 0o004 != 0
        };
    (!may_read).then(|| {
        let shown = quote_path(&path);
        Finding::missing(
            format!(
                "the secret {shown} cannot be read by {} of {}, which runs as {}: it is {owner}'s, with mode {mode:04o}",
                quote(receiver),
                quote(&plan.slug),
                quote(run_as)
            ),
            format!("make a copy for it: `sudo install -m 0400 -o {user}` of {shown}, and name that"),
        )
    })
}

fn look(role: Role, file: &str, user: &str, accepted: bool) -> Finding {
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
            _ if !accepted && let Some(why) = handed::refused(&path, role.handed_over()) => Finding::missing(
                format!("{name} {shown} for {user} leads to what is not handed over: {}", why.reason),
                why.help.to_owned(),
            ),
            _ => match role.misfit(&path) {
                Ok(None) => there(role, &shown, user),
                Ok(Some(wrong)) => missing(format!("{name} {shown} for {user} {wrong}"), role.how_to_make()),
                Err(error) => missing(
                    format!("{name} {shown} for {user} cannot be read: {error}"),
                    "look at it yourself",
                ),
            },
        },
    }
}

fn there(role: Role, shown: &str, user: &str) -> Finding {
    let private = if role.forbidden() == 0 { "" } else { ", and private" };
    Finding::ready(format!("{} {shown} for {user} is there{private}", role.name()))
}

/// Whose a file is, and what may be done with it.
fn owner(meta: &fs::Metadata) -> (u32, u32, u32) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.uid(), meta.gid(), meta.mode() & 0o777)
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
