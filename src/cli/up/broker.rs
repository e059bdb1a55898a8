//! What only the broker sees: the launch's token, and the secrets that no file of the host's holds as the broker sends them.
//! A directory of the user's own, in memory where the host has such a place, which is there as long as the bundle.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bottlec::digest::hex;
use bottlec::lower::plan_json::PlanJson;
use bottlec::model::Reference;
use bottlec::plan::{PlannedCredential, PlannedLogin};
use bottlec::text::quote;
use bottlec::world::broker::{DIRECTORY, TOKEN, TOKEN_FILE};

use super::home::home;
use crate::cli::error::{Error, reason};
use crate::cli::regular;
use crate::cli::state;

/// The most bytes of a secret: more is no field of a header that a server takes.
const MAX_SECRET: u64 = 8 * 1024;
/// The random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// The directory of one bottle.
pub(super) struct Vault {
    directory: PathBuf,
}

impl Vault {
    /// Finds that of a bottle, whether it is there or not; of one that has no credential, nothing.
    pub(super) fn of(plan: &PlanJson<'_>) -> Result<Option<Self>, Error> {
        if plan.credentials.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { directory: state::runtime_directory()?.join(&plan.slug.value) }))
    }

    /// Makes it: keeps the token of a bundle that runs, and puts the secrets there as they are now. A secret whose variable is
    /// not set stays as it was; without any the broker answers that there is none. Returns whether the token is a new one,
    /// which neither a broker nor a machine that runs can know.
    pub(super) fn fill(&self, plan: &PlanJson<'_>, stage: &Path) -> Result<bool, Error> {
        state::own_directory(&self.directory)?;
        let (token, is_new) = match self.token() {
            Some(token) => (token, false),
            None => (new_token()?, true),
        };
        if is_new {
            self.put(TOKEN_FILE, &token)?;
        }
        let mut kept = vec![TOKEN_FILE.to_owned()];
        for credential in plan.credentials.iter().filter(|credential| credential.is_written()) {
            let name = credential.name.value.as_str();
            kept.push(name.to_owned());
            let secret = secret(credential, stage)?;
            if let PlannedLogin::Basic(user) = &*credential.login {
                let of_agent = format!("{name}.token");
                self.put(&of_agent, &STANDARD.encode(format!("{user}:{token}")))?;
                kept.push(of_agent);
                if let Some(secret) = secret {
                    self.put(name, &STANDARD.encode(format!("{user}:{secret}")))?;
                }
            } else if let Some(secret) = secret {
                self.put(name, &secret)?;
            }
        }
        // Those of an older spec.
        for entry in self.files()? {
            let is_kept = entry.file_name().is_some_and(|name| kept.iter().any(|kept| name == kept.as_str()));
            if !is_kept {
                fs::remove_file(&entry).map_err(|error| unwritable(&entry, &error))?;
            }
        }
        Ok(is_new)
    }

    /// The variables by which the plan's commands know of it.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let token = self.token().map(|token| (TOKEN, token.into()));
        [(DIRECTORY, self.directory.clone().into_os_string())].into_iter().chain(token).collect()
    }

    /// Removes it: the bundle is gone.
    pub(super) fn remove(&self) -> Result<(), Error> {
        for file in self.files()? {
            fs::remove_file(&file).map_err(|error| unwritable(&file, &error))?;
        }
        match fs::remove_dir(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(&self.directory, &error)),
            _ => Ok(()),
        }
    }

    /// The token, if there is a whole one.
    fn token(&self) -> Option<String> {
        let token = fs::read_to_string(self.directory.join(TOKEN_FILE)).ok()?;
        (token.len() == 2 * TOKEN_BYTES && token.bytes().all(|b| b.is_ascii_hexdigit())).then_some(token)
    }

    fn files(&self) -> Result<Vec<PathBuf>, Error> {
        match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries
                .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
                .map_err(|error| Error::Read { path: self.directory.clone(), reason: reason(&error) }),
        }
    }

    /// Writes a file, whole or not at all, in place of another one: a broker that runs sees it with its next request.
    fn put(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.directory.join(name);
        let written = || -> io::Result<()> {
            // Made for its owner alone.
            let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
            file.write_all(text.as_bytes())?;
            file.as_file().set_permissions(Permissions::from_mode(0o400))?;
            file.persist(&path)?;
            Ok(())
        };
        written().map_err(|error| unwritable(&path, &error))
    }
}

/// The secret of a credential, as it is sent; nothing when its variable is not set.
fn secret(credential: &PlannedCredential, stage: &Path) -> Result<Option<String>, Error> {
    let name = quote(&credential.name);
    let (from, bytes) = match &*credential.secret {
        Reference::Env(variable) => {
            let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else {
                return Ok(None);
            };
            (format!("the variable {variable}"), value.into_encoded_bytes())
        }
        Reference::File(path) => {
            let path = stage.join(home(path)?);
            let bytes = regular::read(&path, MAX_SECRET)
                .map_err(|reason| Error::Read { path: path.clone(), reason })?;
            (String::from("its file"), bytes)
        }
    };
    let text = String::from_utf8(bytes).unwrap_or_default();
    let text = text.strip_suffix('\n').unwrap_or(&text);
    // What ends the field of a header would begin another one.
    let is_plain = text.bytes().all(|b| (b' '..=b'~').contains(&b)) && text.trim() == text;
    if text.is_empty() || !is_plain || text.len() as u64 > MAX_SECRET {
        return Err(Error::Host(format!(
            "the secret of credential {name} in {from} cannot be sent: expected one line of printable ASCII, without blanks \
             at its ends"
        )));
    }
    Ok(Some(text.to_owned()))
}

/// A token that nobody can guess.
fn new_token() -> Result<String, Error> {
    let mut bytes = [0; TOKEN_BYTES];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes)).map_err(|error| {
        Error::Host(format!("no random bytes for the launch's token: {}", reason(&error)))
    })?;
    Ok(hex(&bytes))
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::Write { path: path.to_owned(), reason: reason(error) }
}
