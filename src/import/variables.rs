//! Environment variables: literals, references, and literals that are secrets, whose value is written nowhere.

use super::document::{Block, Node, fits, named};
use crate::schema::ValueType;
use crate::world::secret;

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
            || secret::likely(value).is_some())
}

/// Whether a name speaks of a secret anywhere, as `VAULT_ROOT_TOKEN_ID` does, and the value may be that: no number, no path.
fn speaks_of_one(name: &str, value: &str) -> bool {
    let speaks = name.split(['_', '-', '.']).any(|word| {
        ["token", "password", "passwd", "secret", "apikey"].iter().any(|it| word.eq_ignore_ascii_case(it))
    });
    let plain = value.contains('/') || value.parse::<f64>().is_ok() || matches!(value, "true" | "false");
    speaks && !plain
}

/// Whether one of these arguments is a secret, or is handed over to an option that asks for one.
pub(super) fn has_secret<'t>(arguments: impl IntoIterator<Item = &'t str>) -> bool {
    let mut option = String::new();
    for argument in arguments {
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

/// Adds a variable to an `env`.
pub(super) fn add(env: &mut Block, name: &str, setting: Setting) {
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
