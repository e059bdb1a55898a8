//! The check of a value against its type, with its messages.

use super::{ValueType, path, regex, text, url};
use crate::rule::{ValueError, catalogue};
use crate::syntax::{Value, quoted_string};
use crate::text::{is_unsafe_to_show, quote};
use crate::world::host;

/// The most bytes of any other text: Linux's limit for a path, which no name, URL or key comes near.
const MAX_TEXT: usize = 4096;

impl ValueType {
    /// Holds a value against the type.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(self, value: Value<'_>) -> Result<(), ValueError> {
        match value {
            Value::String(text) if !self.is_number() => self.check_text(text),
            Value::Integer(number) if self.is_number() => self.check_number(number),
            _ => Err(self.wrong_type(value)),
        }
    }

    fn wrong_type(self, value: Value<'_>) -> ValueError {
        let expected = format!("expected {}", self.describe());
        let wrong = |what: String| ValueError::new(&catalogue::WRONG_TYPE, what, &expected);
        // The same value in the right type is offered where it would be allowed.
        let as_text = |problem: ValueError, text: String| match self.check_text(&text) {
            Ok(()) => problem.meant_value(quoted_string(&text)),
            Err(_) => problem,
        };
        match value {
            Value::String(text) => {
                let problem = wrong(format!("{} is a string, not a number", quote(text)));
                match text.parse::<i128>() {
                    Ok(number) if self.check_number(number).is_ok() => {
                        problem.meant_value(number.to_string())
                    }
                    _ => problem,
                }
            }
            Value::Float(_) if self.is_number() => wrong("this number is not whole".into()),
            Value::Bool(value) if self.is_number() => wrong(format!("`#{value}` is no number")),
            Value::Null if self.is_number() => wrong("`#null` is no number".into()),
            Value::Integer(number) => {
                as_text(wrong(format!("`{number}` is a number, not a string")), number.to_string())
            }
            Value::Float(_) => wrong("this is a number, not a string".into()),
            Value::Bool(value) => {
                let problem = wrong(format!("`#{value}` is no string"));
                match self {
                    Self::EnvValue | Self::Text | Self::Argument => as_text(problem, value.to_string()),
                    // What is called `true` may well not be there: that is a guess.
                    _ if self.check_text(&value.to_string()).is_ok() => problem.meant(value.to_string()),
                    _ => problem,
                }
            }
            Value::Null => wrong("`#null` is no string".into()),
        }
    }

    fn check_number(self, number: i128) -> Result<(), ValueError> {
        let (min, max) = match self {
            Self::Integer { min, max, .. } => (min, max),
            _ => (1, 254),
        };
        if !(i128::from(min)..=i128::from(max)).contains(&number) {
            return Err(ValueError::invalid(
                format!("`{number}` is out of range"),
                format!("expected {}", self.describe()),
            ));
        }
        if self == Self::Octet && number == 17 {
            return Err(ValueError::invalid(
                "octet `17` is never given to a bottle",
                format!("expected {}", self.describe()),
            )
            .meant_value("18"));
        }
        Ok(())
    }

    fn check_text(self, text: &str) -> Result<(), ValueError> {
        if self == Self::EnvValue {
            return text::env_value(text);
        }
        // What cannot be seen cannot be reviewed: a path with a direction override in it reads as another one.
        let plain = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if let Some(c) = text.chars().find(|c| !plain && is_unsafe_to_show(*c)) {
            let kind = if c.is_control() { "control" } else { "invisible" };
            return Err(ValueError::invalid(
                format!("{} holds the {kind} character U+{:04X}", quote(text), u32::from(c)),
                format!("expected {}", self.describe()),
            ));
        }
        if text.len() > MAX_TEXT {
            return Err(ValueError::invalid(
                format!("this text is {} bytes long", text.len()),
                format!("expected at most {MAX_TEXT} bytes"),
            ));
        }
        if text.is_empty() && self != Self::Argument {
            return Err(ValueError::invalid("this text is empty", format!("expected {}", self.describe())));
        }
        match self {
            Self::Integer { .. } | Self::Octet | Self::Text | Self::Argument | Self::EnvValue => Ok(()),
            Self::Memory => text::memory(text),
            Self::Name => text::name(text),
            Self::RepoName => text::repo_name(text),
            Self::EnvName => text::env_name(text),
            Self::Backend => text::backend(text),
            Self::Engine => text::engine(text),
            Self::Version => text::version(text),
            Self::RelativePath => path::relative(text),
            Self::AbsolutePath => path::absolute(text),
            Self::HostPath => path::on_host(text),
            Self::PrivateKey => path::private_key(text),
            Self::OwnDirectory => path::own_directory(text),
            Self::Directory => path::bootable(text),
            Self::MachinePath => path::machine(text),
            Self::Image => text::image(text),
            Self::HostPattern => host::check(text),
            Self::HostEntry => host::check_entry(text),
            Self::Target => host::Target::check(text),
            Self::AcceptableRule => text::acceptable_rule(text),
            Self::Rule { set } => text::rule(text, set),
            Self::Upstream => host::check_upstream(text),
            Self::Regex => regex::check(text),
            Self::PatternName => text::pattern_name(text),
            Self::Choice { words, what } => text::choice(text, words, what),
            Self::Scheme => url::scheme(text),
            Self::UrlPath => url::path(text),
            Self::GitUrl => url::git(text),
            Self::HostKey => text::host_key(text),
            Self::Email => text::email(text),
            Self::ContainerUser => text::container_user(text),
            Self::ContainerPath => path::in_container(text),
            Self::VolumeSource => path::volume(text),
            Self::Scanner => text::scanner(text),
        }
    }
}
