//! Environment variables: literals, references, and literals that are secrets, whose value is written nowhere.

use super::document::{Block, Node, fits, named};
use crate::schema::ValueType;
use crate::world::{builtin, secret};

/// What a variable is set to.
pub(super) enum Setting {
    /// A text.
    Literal(String),
    /// The host's variable of that name.
    FromEnv(String),
    /// The host's file of that path.
    FromFile(String),
    /// It was asked for when the bottle was launched.
    Asked,
}

/// Whether a text is a secret, by itself or by the name that it is given to. Rather one too many: it is handed over by
/// another way then, and nobody reads it here.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty()
        && (secret::asks_for_one(name)
            || speaks_of_one(name, value)
            || secret::looks_secret(name, value)
            || !secret::all(value).is_empty()
            || secret::likely(value).is_some()
            || holds_one(value))
}

/// Whether a text has a secret in it, by how it is written: the text of a key, a connection string, a login before a host, a
/// long word that nobody would make up.
fn holds_one(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "password=",
        "passwd=",
        "passphrase=",
        "pwd=",
        "secret=",
        "token=",
        "apikey=",
        "api_key=",
        "accountkey=",
        "sharedaccesskey=",
        "signature=",
    ];
    if text.contains("PRIVATE KEY") {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    let is_set = |name: &&str| {
        lower.match_indices(*name).any(|(at, _)| {
            let rest = lower[at + name.len()..].trim_start_matches(['"', '\'', ' ']);
            !rest.is_empty() && !rest.starts_with([';', '&', '$', '{'])
        })
    };
    if NAMES.iter().any(is_set) {
        return true;
    }
    let login = text.split_once('@').is_some_and(|(login, _)| {
        login.split_once(':').is_some_and(|(user, password)| {
            let plain = |text: &str| !text.is_empty() && !text.contains(['/', ' ', '$']);
            plain(user) && plain(password)
        })
    });
    login || !text.contains("://") && text.split([' ', ',', ';', '"', '\'']).any(is_made)
}

/// Whether a word is one of the letters of Base64, long, and mixed as chance mixes them. A digest has no capitals.
fn is_made(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    word.len() >= 32
        && !word.starts_with(['/', '.', '-'])
        && word.bytes().all(letters)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && word.bytes().filter(u8::is_ascii_digit).count() >= 3
}

/// Whether a name speaks of a secret anywhere, as `VAULT_ROOT_TOKEN_ID` does, and the value may be that: no number, no path.
fn speaks_of_one(name: &str, value: &str) -> bool {
    let speaks = name.split(['_', '-', '.']).any(|word| {
        ["token", "password", "passwd", "pw", "secret", "apikey", "auth", "cookie"]
            .iter()
            .any(|it| word.eq_ignore_ascii_case(it))
    });
    let plain = value.contains('/') || value.parse::<f64>().is_ok() || matches!(value, "true" | "false");
    speaks && !plain
}

/// Whether one of these arguments is a secret, or is handed over to an option that asks for one.
pub(super) fn has_secret<'t>(arguments: impl IntoIterator<Item = &'t str>) -> bool {
    /// Programs whose `-a` or `-p` is a password, and curl, whose `-u` has one behind a colon.
    const CLIENTS: &[&str] = &[
        "curl",
        "mariadb",
        "mariadb-admin",
        "mongosh",
        "mysql",
        "mysqladmin",
        "redis-cli",
        "sshpass",
        "valkey-cli",
    ];
    let mut option = String::new();
    let mut is_client = false;
    for argument in arguments {
        let is_password = match option.as_str() {
            "-a" | "-p" => !argument.starts_with('-'),
            "-u" => argument.contains(':'),
            _ => argument
                .strip_prefix("-p")
                .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['=', 'r', 'o'])),
        };
        if is_client && is_password && argument.parse::<u16>().is_err() {
            return true;
        }
        is_client |= CLIENTS.contains(&argument.rsplit('/').next().unwrap_or_default());
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, value),
            None => (option.as_str(), argument),
        };
        let name = name.trim_start_matches('-');
        // An option is followed by a value, or by the next one.
        if !value.starts_with('-') && is_secret(name, value) || is_secret("", argument) {
            return true;
        }
        // Within one argument, as a shell's line has them.
        let words: Vec<&str> = argument.split_whitespace().collect();
        if words.len() > 1 && has_secret(words) {
            return true;
        }
        option = if argument.starts_with('-') { argument.to_owned() } else { String::new() };
    }
    false
}

/// Adds a variable of the agent to its `env`.
pub(super) fn add(env: &mut Block, name: &str, setting: Setting) {
    if builtin::owns_variable(name) {
        return env.lose(&named(name), "the compiler sets it, so that programs are led to the bundle");
    }
    add_to_sidecar(env, name, setting);
}

/// Adds a variable to an `env` of a sidecar's.
pub(super) fn add_to_sidecar(env: &mut Block, name: &str, setting: Setting) {
    let what = named(name);
    if let Err(why) = fits(ValueType::EnvName, name) {
        return env.lose(&what, &why);
    }
    match setting {
        Setting::Literal(value) if is_secret(name, &value) => {
            env.lose(
                &format!("the value of {what}"),
                "it looks like a secret, which no spec holds: set the variable where `up` runs",
            );
            env.push(Node::new(name).property("from-env", name));
        }
        Setting::Literal(value) => match fits(ValueType::EnvValue, &value) {
            Ok(()) => env.push(Node::new(name).text(&value)),
            Err(why) => env.lose(&what, &why),
        },
        Setting::FromEnv(variable) => match fits(ValueType::EnvName, &variable) {
            Ok(()) => env.push(Node::new(name).property("from-env", &variable)),
            Err(why) => env.lose(&what, &why),
        },
        Setting::FromFile(path) => match fits(ValueType::AbsolutePath, &path) {
            Ok(()) => env.push(Node::new(name).property("from-file", &path)),
            Err(why) => env.lose(&what, &why),
        },
        Setting::Asked => {
            env.lose(
                &format!("the question for {what}"),
                "nothing is asked at a launch: set the variable where `up` runs",
            );
            env.push(Node::new(name).property("from-env", name));
        }
    }
}
