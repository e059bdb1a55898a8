//! Texts of a Compose file: what `$` stands for in them, and the words of commands.

use super::super::document::fits;
use super::super::value::Value;
use super::super::variables::has_secret;
use crate::schema::ValueType;

/// What a text with the references of Compose in it stands for.
pub(super) enum Interpolated {
    Plain(String),
    /// One reference and nothing else; with whether it has a default.
    Reference(String, bool),
    Mixed,
}

pub(super) fn interpolated(text: &str) -> Interpolated {
    if !text.contains('$') {
        return Interpolated::Plain(text.to_owned());
    }
    if !text.replace("$$", "").contains('$') {
        return Interpolated::Plain(text.replace("$$", "$"));
    }
    let is_name = |name: &str| fits(ValueType::EnvName, name).is_ok();
    if let Some(inner) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        if is_name(name) && !rest.contains(['$', '}']) {
            // `:?` and `?` are messages, not values.
            let has_default = !rest.is_empty() && !rest.trim_start_matches(':').starts_with('?');
            return Interpolated::Reference(name.to_owned(), has_default);
        }
    } else if let Some(name) = text.strip_prefix('$').filter(|name| is_name(name)) {
        return Interpolated::Reference(name.to_owned(), false);
    }
    Interpolated::Mixed
}

/// A text without references; with them, the reason.
pub(super) fn plain(value: &Value) -> Result<String, String> {
    let Some(text) = value.text() else { return Err(String::from("it is no text")) };
    match interpolated(&text) {
        Interpolated::Plain(text) => Ok(text),
        _ => Err(String::from("it has a variable of the host in it, which a spec takes for secrets alone")),
    }
}

/// The image that a text names, and whether that is so by the defaults of its references, `${X:-y}` or `${X-y}`.
pub(super) fn image(value: &Value) -> Result<(String, bool), String> {
    let defaults = value.text().and_then(|text| with_defaults(&text));
    let (image, by_default) = match plain(value) {
        Ok(image) => (image, false),
        Err(why) => (defaults.ok_or(why)?, true),
    };
    fits(ValueType::Image, &image)?;
    Ok((image, by_default))
}

/// A text with the defaults of its references in their places; nothing where one has none.
fn with_defaults(text: &str) -> Option<String> {
    let mut parts = text.split('$');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (reference, rest) = part.strip_prefix('{')?.split_once('}')?;
        let (name, default) = reference.split_once('-')?;
        fits(ValueType::EnvName, name.strip_suffix(':').unwrap_or(name)).ok()?;
        out.push_str(default);
        out.push_str(rest);
    }
    Some(out)
}

/// The words of a command: those of a list, and those of a line that needs no shell to be taken apart.
pub(super) fn words(value: &Value) -> Result<Vec<String>, String> {
    let words: Vec<String> = match value {
        Value::List(list) => list.iter().map(plain).collect::<Result<_, _>>()?,
        value => {
            let line = plain(value)?;
            if line.contains(['"', '\'', '\\', '\n']) {
                return Err(String::from(
                    "a line with quotes in it is read as a shell reads it: write its words",
                ));
            }
            line.split_whitespace().map(str::to_owned).collect()
        }
    };
    if has_secret(words.iter().map(String::as_str)) {
        return Err(String::from("it holds what looks like a secret"));
    }
    words.iter().try_for_each(|word| fits(ValueType::Argument, word))?;
    Ok(words)
}

/// A line that a shell of the image reads.
pub(super) fn shell(value: &Value) -> Result<Vec<String>, String> {
    let Some(text) = value.text() else { return Err(String::from("it is no text")) };
    // `$$` is how Compose hands a shell its own.
    let Interpolated::Plain(line) = interpolated(&text) else {
        return Err(String::from("it has a variable of the host in it"));
    };
    if has_secret([line.as_str()]) {
        return Err(String::from("it holds what looks like a secret"));
    }
    fits(ValueType::Argument, &line)?;
    Ok(vec![String::from("sh"), String::from("-c"), line])
}
