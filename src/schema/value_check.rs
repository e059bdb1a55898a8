//! The check of a value against its type, with its messages.

use super::{ValueType, path, regex, text, url};
use crate::rule::{ValueError, catalogue};
use crate::syntax::{Entry, Value, quoted_string};
use crate::text::{is_unsafe_to_show, quote, quote_whole};
use crate::world::{broker, host};

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

    /// Holds the value of an entry against the type. A number in place of a text is offered as that text, as it is
    /// written: `1.10` and `0755` are other texts than the numbers that they are.
    pub(super) fn check_entry(self, entry: Entry<'_>) -> Result<(), ValueError> {
        match entry.value() {
            Value::Integer(_) | Value::Number(_) if !self.is_number() => {
                Err(self.number_for_text(entry.raw_value()))
            }
            value => self.check(value),
        }
    }

    fn number_for_text(self, written: &str) -> ValueError {
        let problem = ValueError::new(
            &catalogue::WRONG_TYPE,
            format!("{} is a number, not a string", quote_whole(written)),
            format!("expected {}", self.describe()),
        );
        if self.check_text(written).is_err() {
            return problem;
        }
        let plain = written.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
        if plain { problem.meant_value(quoted_string(written)) } else { problem.meant(written) }
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
            Value::Number(text) if self.is_number() => {
                let whole = !text.starts_with('#') && (text.contains('x') || !text.contains(['.', 'e', 'E']));
                if whole {
                    return ValueError::invalid(format!("{} is out of range", quote_whole(text)), expected);
                }
                wrong(format!("{} is no whole number", quote_whole(text)))
            }
            Value::Bool(value) if self.is_number() => wrong(format!("`#{value}` is no number")),
            Value::Null if self.is_number() => wrong("`#null` is no number".into()),
            Value::Integer(number) => self.number_for_text(&number.to_string()),
            Value::Number(number) => self.number_for_text(number),
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

    /// Checks a text that stands in no spec, such as an argument of the command line.
    ///
    /// # Errors
    /// When no spec could hold it there.
    pub fn check_argument(self, text: &str) -> Result<(), ValueError> {
        self.check_text(text)
    }

    fn check_text(self, text: &str) -> Result<(), ValueError> {
        // What cannot be seen cannot be reviewed: a path with a direction override in it reads as another one.
        let plain = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        let of_env = self == Self::EnvValue;
        if let Some(c) = text.chars().find(|c| !plain && is_unsafe_to_show(*c) && !(of_env && c.is_control()))
        {
            let kind = if c.is_control() { "control" } else { "invisible" };
            // A literal may be a secret, of which no message repeats more than it must.
            let subject = if of_env { String::from("this value") } else { quote(text) };
            let problem = ValueError::invalid(
                format!("{subject} holds the {kind} character U+{:04X}", u32::from(c)),
                format!("expected {}", self.describe()),
            );
            return Err(if of_env { problem.help("leave it out, or encode the value") } else { problem });
        }
        if of_env {
            return text::env_value(text);
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
            Self::Memory { least } => text::memory(text, least),
            Self::Disk => text::disk(text),
            Self::Name => text::name(text),
            Self::ProfileName => text::profile_name(text),
            Self::RepoName => text::repo_name(text),
            Self::EnvName => text::env_name(text),
            Self::Backend => text::backend(text),
            Self::ObjectName => text::object_name(text),
            Self::ServiceRange => text::service_range(text),
            Self::Engine => text::engine(text),
            Self::Version => text::version(text),
            Self::PipelockVersion => text::pipelock_version(text),
            Self::RelativePath => path::relative(text),
            Self::AbsolutePath => path::absolute(text),
            Self::HostPath => path::on_host(text),
            Self::PrivateKey => path::private_key(text),
            Self::OwnDirectory => path::own_directory(text),
            Self::Directory => path::bootable(text),
            Self::MachineVolume => path::machine_volume(text),
            Self::MachinePlace => path::in_machine(text),
            Self::MachineFile => path::file_in_machine(text),
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
            Self::ApiUrl => broker::check_upstream(text),
            Self::HeaderName => broker::check_header(text),
            Self::LoginUser => broker::check_user(text),
            Self::MethodOrPath => broker::check_method_or_path(text),
        }
    }
}
