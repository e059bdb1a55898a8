//! Text types: names, values and keys, with their checks and messages.

use ipnet::{IpNet, Ipv4Net};

use super::ValueType;
use crate::rule::{self, InvalidLevel, LevelSource, Setting, ValueError};
use crate::text::{counted, did_you_mean, quote};
use crate::world::catalogue;
use crate::world::cluster::LONGEST_PREFIX;
use crate::world::container::{MAX_MEMORY, mebibytes};
use crate::world::engine::{SMOLVM, Version};
use crate::world::host_key::{self, KeyError};
use crate::world::machine::{Gibibytes, gibibytes};
use crate::world::pipelock::guard::{internal, within};
use crate::world::pipelock::{NEWEST, OLDEST};
use crate::world::{backend as registry, secret_scanner};

/// The most characters of a name: the shortest limit of any released smolvm (≤ 0.5.14) for a machine's name.
const MAX_NAME: usize = 40;
/// The most bytes of a variable's name, and of its value, that smolvm takes (read in its source, 0.1.0–1.9.3).
const MAX_ENV_NAME: usize = 256;
const MAX_ENV_VALUE: usize = 32 * 1024;

/// Names of bottles, profiles and sidecars: safe as a machine's name in every smolvm, as part of a container's name,
/// as a path component and as an argument.
pub(super) fn name(text: &str) -> Result<(), ValueError> {
    let problem = |message: &str| {
        let problem = ValueError::new(
            &rule::catalogue::INVALID_NAME,
            format!("{} is not a valid name: {message}", quote(text)),
            format!("expected {}", ValueType::Name.describe()),
        );
        match suggest_name(text) {
            Some(name) => problem.meant(name),
            None => problem,
        }
    };
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(problem("it must begin with a lower-case letter"));
    }
    if let Some(c) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return Err(problem(&format!("{} is not allowed in it", quote(&c.to_string()))));
    }
    if text.len() > MAX_NAME {
        return Err(problem(&format!("it is {} characters long, {MAX_NAME} are allowed", text.len())));
    }
    if text.contains("--") {
        return Err(problem("it holds `--`"));
    }
    if text.ends_with('-') {
        return Err(problem("it ends with `-`"));
    }
    Ok(())
}

/// Names of profiles: a built-in one's is a name behind its prefix.
pub(super) fn profile_name(text: &str) -> Result<(), ValueError> {
    match text.strip_prefix(catalogue::PREFIX) {
        None => name(text),
        Some(rest) if name(rest).is_ok() => Ok(()),
        Some(_) => Err(ValueError::new(
            &rule::catalogue::INVALID_NAME,
            format!("{} is not the name of a built-in profile", quote(text)),
            format!("expected one such as `{}{}`", catalogue::PREFIX, catalogue::ALL[0].word),
        )),
    }
}

/// The valid name that is nearest to `text`, if it has letters enough for one.
#[must_use]
pub fn suggest_name(text: &str) -> Option<String> {
    if text.len() > 4 * MAX_NAME {
        return None;
    }
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let name = &name[..name.len().min(MAX_NAME)];
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

/// Git refuses some of these itself; dots at the edges confuse it or hide a directory from a listing.
pub(super) fn repo_name(text: &str) -> Result<(), ValueError> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let odd = text.starts_with(['-', '.']) || text.ends_with('.') || text.contains("..");
    if plain && !odd && text.len() <= 100 {
        return Ok(());
    }
    Err(ValueType::RepoName.none(text, "repository name"))
}

pub(super) fn env_name(text: &str) -> Result<(), ValueError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let why = if text.len() > MAX_ENV_NAME {
        format!("it is {} bytes long, the engine takes {MAX_ENV_NAME}", text.len())
    } else if text.starts_with(|c: char| c.is_ascii_digit()) {
        String::from("it begins with a digit")
    } else if text == "_" {
        String::from("shells set it themselves, to what they ran last")
    } else if let Some(c) = text.chars().find(|c| !allowed(*c)) {
        format!("{} is not allowed in it", quote(&c.to_string()))
    } else {
        return Ok(());
    };
    let problem = ValueError::new(
        &rule::catalogue::INVALID_NAME,
        format!("{} is not a valid variable name: {why}", quote(text)),
        format!("expected {}", ValueType::EnvName.describe()),
    );
    let meant = text.replace(['-', '.', ' '], "_");
    let valid =
        meant.len() <= MAX_ENV_NAME && meant != "_" && !meant.starts_with(|c: char| c.is_ascii_digit());
    Err(if valid && meant.chars().all(allowed) { problem.meant(meant) } else { problem })
}

pub(super) fn env_value(text: &str) -> Result<(), ValueError> {
    let altered = |message: &str, help: &str| {
        Err(ValueError::new(
            &rule::catalogue::ENV_VALUE_ALTERED,
            message,
            format!("expected {}", ValueType::EnvValue.describe()),
        )
        .help(help)
        .meant(text.trim()))
    };
    if text.len() > MAX_ENV_VALUE {
        return Err(ValueError::invalid(
            format!("this value is {} bytes long", text.len()),
            format!("the engine takes {MAX_ENV_VALUE} bytes at most"),
        ));
    }
    // `trim` cuts what Unicode calls white space, exactly as the engine does.
    if text.trim_end() != text {
        return altered(
            "the white space at the end of this value would be lost",
            "smolvm trims each entry of the agent's environment, and readers of environment files do the same; leave it out, or encode the value",
        );
    }
    if text.trim_start() != text {
        return altered(
            "the white space at the start of this value may be lost",
            "smolvm keeps it, readers of environment files may not; leave it out, or encode the value",
        );
    }
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\t') {
        return Err(ValueError::invalid(
            format!("this value holds the control character U+{:04X}", u32::from(c)),
            format!("expected {}", ValueType::EnvValue.describe()),
        )
        .help("an environment file has one line a variable; encode the value, for example in base64"));
    }
    Ok(())
}

pub(super) fn backend(text: &str) -> Result<(), ValueError> {
    if registry::find(text).is_some() {
        return Ok(());
    }
    let problem = ValueError::new(
        &rule::catalogue::UNKNOWN_BACKEND,
        format!("unknown backend {}", quote(text)),
        format!("expected {}", ValueType::Backend.describe()),
    );
    Err(if text == "gvproxy" {
        problem.help(
            "the gvproxy design is retired: `smolmachines` confines by the engine's own allow list, without a \
             gateway process",
        )
        .meant(registry::DEFAULT)
    } else {
        match did_you_mean(text, registry::names()) {
            Some(name) => problem.meant(name),
            None => problem,
        }
    })
}

/// A name as Kubernetes takes it of most objects: a subdomain of RFC 1123.
pub(super) fn object_name(text: &str) -> Result<(), ValueError> {
    let is_label = |label: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(is_label) {
        return Ok(());
    }
    Err(ValueType::ObjectName.none(text, "name of an object of Kubernetes"))
}

pub(super) fn service_range(text: &str) -> Result<(), ValueError> {
    let none = || ValueType::ServiceRange.none(text, "range of Services");
    let range: Ipv4Net = text.parse().map_err(|_| none())?;
    if range.addr() != range.network() {
        return Err(none().meant(range.trunc().to_string()));
    }
    if range.prefix_len() > LONGEST_PREFIX {
        return Err(none().help(
            "only of a range of /20 or wider does a cluster leave the lowest 256 addresses to those who ask for one",
        ));
    }
    if !within(internal(), &IpNet::from(range)) {
        return Err(none()
            .help("Services have private addresses: the cluster's `--service-cluster-ip-range` says which"));
    }
    Ok(())
}

pub(super) fn engine(text: &str) -> Result<(), ValueError> {
    if text == SMOLVM {
        return Ok(());
    }
    let expected = format!("expected {}", ValueType::Engine.describe());
    Err(ValueError::new(
        &rule::catalogue::UNKNOWN_ENGINE,
        format!("unknown engine {}", quote(text)),
        expected,
    )
    .meant(SMOLVM))
}

pub(super) fn version(text: &str) -> Result<(), ValueError> {
    let Err(error) = text.parse::<Version>() else { return Ok(()) };
    let expected = format!("expected {}", ValueType::Version.describe());
    let problem = ValueError::invalid(format!("{} is no version: {error}", quote(text)), expected);
    let trimmed = text.trim_start_matches(['v', 'V', '=', ' ']).trim_end();
    Err(match trimmed.parse::<Version>() {
        Ok(version) => problem.meant(version.to_string()),
        Err(_) => problem,
    })
}

/// A version of pipelock: its decoder is strict, so a configuration is for versions that were looked at.
pub(super) fn pipelock_version(text: &str) -> Result<(), ValueError> {
    let expected = format!("expected {}", ValueType::PipelockVersion.describe());
    version(text).map_err(|error| ValueError { expected: expected.clone(), ..error })?;
    let known = text.parse::<Version>().is_ok_and(|version| (OLDEST..=NEWEST).contains(&version));
    let unknown = || {
        ValueError::invalid(format!("pipelock {text} was not looked at"), expected).help(format!(
            "name one of these for what the configuration is written for, such as {NEWEST}, and by `image` what runs"
        ))
    };
    if known { Ok(()) } else { Err(unknown()) }
}

/// An amount of memory, of so many MiB at least.
pub(super) fn memory(text: &str, least: u32) -> Result<(), ValueError> {
    let problem = || ValueType::Memory { least }.none(text, "amount of memory");
    match mebibytes(text) {
        Some(size) if (least..=MAX_MEMORY).contains(&size) => Ok(()),
        Some(_) => Err(out_of_range(text, &format!("{least}MiB"), &format!("{}GiB", MAX_MEMORY / 1024))),
        None => {
            let meant = respelled(text).filter(|meant| mebibytes(meant).is_some());
            Err(meant.into_iter().fold(problem(), ValueError::meant))
        }
    }
}

/// The size of a disk, which engines count in GiB.
pub(super) fn disk(text: &str) -> Result<(), ValueError> {
    let (least, most) = (Gibibytes::LEAST, Gibibytes::MOST);
    match gibibytes(text) {
        Some(size) if (least..=most).contains(&size) => Ok(()),
        Some(_) => Err(out_of_range(text, &least.to_string(), &most.to_string())),
        None => {
            let whole = |text: &str| {
                let mebibytes = mebibytes(text).filter(|size| size.is_multiple_of(1024));
                Some(text.to_owned())
                    .filter(|text| gibibytes(text).is_some())
                    .or_else(|| Some(format!("{}GiB", mebibytes? / 1024)))
            };
            let meant = whole(text).or_else(|| whole(&respelled(text)?));
            Err(meant.into_iter().fold(ValueType::Disk.none(text, "size of a disk"), ValueError::meant))
        }
    }
}

fn out_of_range(text: &str, least: &str, most: &str) -> ValueError {
    ValueError::invalid(
        format!("{} is out of range", quote(text)),
        format!("expected between {least} and {most}"),
    )
}

/// An amount that is spelled as other programs do, in our units.
fn respelled(text: &str) -> Option<String> {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let number = number.trim();
    match unit.to_ascii_lowercase().as_str() {
        "m" | "mb" | "mi" | "mib" => Some(format!("{number}MiB")),
        "g" | "gb" | "gi" | "gib" => Some(format!("{number}GiB")),
        "t" | "tb" | "ti" | "tib" => {
            let tebibytes: u32 = number.parse().ok()?;
            Some(format!("{}GiB", tebibytes.checked_mul(1024)?))
        }
        _ => None,
    }
}

/// An image reference: host, path, tag and digest, by the grammar of the OCI distribution specification, but for the
/// limits of each part's length.
pub(super) fn image(text: &str) -> Result<(), ValueError> {
    let expected = || format!("expected {}", ValueType::Image.describe());
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    let path_bytes = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let mut parts: Vec<&str> = rest.split('/').collect();
    let mut last = parts.pop().unwrap_or("");
    let mut tag = None;
    if let Some((name, given)) = last.split_once(':') {
        (last, tag) = (name, Some(given));
    }
    let named = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(path_bytes)
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let host = |part: &&str| {
        let (name, port) = part.split_once(':').map_or((*part, None), |(name, port)| (name, Some(port)));
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && port.is_none_or(|port| port.parse::<u16>().is_ok())
    };
    let path_ok = named(&last)
        && parts.iter().skip(1).all(named)
        && parts.first().is_none_or(|first| named(first) || host(first));
    let tag_ok = tag.is_none_or(|tag| {
        !tag.is_empty()
            && tag.len() <= 128
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && !tag.starts_with(['.', '-'])
    });
    if !path_ok || !tag_ok {
        return Err(ValueError::invalid(format!("{} is no image reference", quote(text)), expected()).help(
            "it is written `registry.example.com/path/name:tag@sha256:…`, in lower case but for the tag",
        ));
    }
    let hex =
        |digest: &str| digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match digest.map(|digest| digest.strip_prefix("sha256:")) {
        None => Ok(()),
        Some(Some(digest)) if hex(digest) => Ok(()),
        Some(_) => Err(ValueError::invalid(format!("the digest of {} is none", quote(text)), expected())
            .help("a digest is `sha256:` and 64 digits of lower-case hexadecimal")),
    }
}

/// A host key: a type, and base64 of what that type is made of. Any other one would be refused on the first connection,
/// which is made when the agent waits for it.
pub(super) fn host_key(text: &str) -> Result<(), ValueError> {
    const PRINTS: &str = "`ssh-keyscan HOST` prints it: leave out the host's name, and check it against what the host publishes";
    let (kind, key) = match text.split_once(' ') {
        Some((kind, key)) if host_key::is_type(kind) && !key.contains(char::is_whitespace) => (kind, key),
        _ => {
            let problem = ValueType::HostKey.none(text, "host key").help(PRINTS);
            return Err(match host_key::within(text) {
                Some(meant) => problem.meant(meant),
                None => problem,
            });
        }
    };
    let Err(error) = host_key::check(kind, key) else { return Ok(()) };
    let message = match &error {
        KeyError::NoBase64 => format!("the key behind `{kind}` is no base64"),
        KeyError::CutShort(bytes) => {
            format!(
                "the key behind `{kind}` is cut short: it ends after {}",
                counted(*bytes, "byte", "bytes")
            )
        }
        KeyError::OtherType(own) => format!("`{kind}` stands before a key of the type `{own}`"),
        KeyError::Malformed => format!("the key behind `{kind}` is none of that type"),
        KeyError::Surplus(bytes) => {
            format!("the key behind `{kind}` goes on for {} after its end", counted(*bytes, "byte", "bytes"))
        }
        KeyError::Modulus(bits) => {
            format!("the key behind `{kind}` has {}, and OpenSSH refuses it", counted(*bits, "bit", "bits"))
        }
    };
    let problem =
        ValueError::invalid(message, format!("expected {}", ValueType::HostKey.describe())).help(PRINTS);
    Err(match error {
        KeyError::OtherType(own) if host_key::check(&own, key).is_ok() => {
            problem.meant(format!("{own} {key}"))
        }
        _ => problem,
    })
}

pub(super) fn email(text: &str) -> Result<(), ValueError> {
    let plain = !text.contains([' ', '<', '>', '"']);
    if plain && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()) {
        return Ok(());
    }
    Err(ValueType::Email.none(text, "mail address"))
}

/// The most characters of a pattern's name, which stands in each line of the log that speaks of it.
const MAX_PATTERN_NAME: usize = 64;
pub(super) fn pattern_name(text: &str) -> Result<(), ValueError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b" ._-".contains(&b);
    if text.len() <= MAX_PATTERN_NAME && text.bytes().all(plain) && text.trim() == text {
        return Ok(());
    }
    Err(ValueType::PatternName
        .none(text, "name of a pattern")
        .help(format!("it stands in the log: at most {MAX_PATTERN_NAME} plain characters")))
}

pub(super) fn choice(
    text: &str,
    words: &'static [&'static str],
    what: &'static str,
) -> Result<(), ValueError> {
    if words.contains(&text) {
        return Ok(());
    }
    let problem = ValueType::Choice { words, what }.none(text, what);
    // A capability is also written `CAP_CHOWN` and in lower case.
    let upper = text.to_ascii_uppercase();
    let near = [text, upper.strip_prefix("CAP_").unwrap_or(&upper)];
    Err(match near.iter().find_map(|text| did_you_mean(text, words.iter().copied())) {
        Some(word) => problem.meant(word),
        None => problem,
    })
}
/// `user` or `user:group`, each a number or a name as `useradd` takes it.
pub(super) fn container_user(text: &str) -> Result<(), ValueError> {
    let part = |part: &str| {
        let number = part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u32>().is_ok();
        let name = part.len() <= 32
            && part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
        number || name
    };
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    if part(user) && group.is_none_or(part) {
        return Ok(());
    }
    Err(ValueType::ContainerUser.none(text, "user of a container"))
}
pub(super) fn scanner(text: &str) -> Result<(), ValueError> {
    if secret_scanner::find(text).is_some() {
        return Ok(());
    }
    let problem = ValueType::Scanner.none(text, "scanner that git-gate knows");
    Err(match did_you_mean(text, secret_scanner::names()) {
        Some(name) => problem.meant(name),
        None => problem,
    })
}

/// The id of a rule that a spec may accept.
pub(super) fn acceptable_rule(text: &str) -> Result<(), ValueError> {
    if rule::acceptable().any(|id| id == text) {
        return Ok(());
    }
    let expected = format!("expected {}", ValueType::AcceptableRule.describe());
    if rule::find(text).is_some() {
        let message = format!("{} cannot be accepted: it is no matter of confinement", quote(text));
        return Err(ValueError::invalid(message, expected).help("fix what it reports"));
    }
    let problem = ValueError::invalid(format!("there is no rule {}", quote(text)), expected);
    Err(match did_you_mean(text, rule::acceptable()) {
        Some(meant) => problem.meant(meant),
        None => problem,
    })
}

/// The id of a rule whose level a spec may set so.
pub(super) fn rule(text: &str, set: Setting) -> Result<(), ValueError> {
    let Err(InvalidLevel { message, help, meant }) = set.rule(text, LevelSource::Spec) else { return Ok(()) };
    let problem = ValueError::invalid(message, format!("expected {}", ValueType::Rule { set }.describe()));
    let problem = match help {
        Some(help) => problem.help(help),
        None => problem,
    };
    Err(match meant {
        Some(meant) => problem.meant(meant),
        None => problem,
    })
}
