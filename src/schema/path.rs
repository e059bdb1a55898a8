//! Paths: which files a spec may name, and how.

use super::ValueType;
use crate::rule::ValueError;
use crate::text::quote;
use crate::world::machine;

pub(super) fn relative(text: &str) -> Result<(), ValueError> {
    if text.starts_with(['/', '~']) {
        let problem = ValueType::RelativePath.none(text, "relative path");
        return Err(problem.help("name the file from the directory of this one on"));
    }
    if text.contains('\\') {
        let problem = ValueType::RelativePath.none(text, "path that every platform reads alike");
        return Err(problem.meant(text.replace('\\', "/")));
    }
    Ok(())
}

pub(super) fn absolute(text: &str) -> Result<(), ValueError> {
    if text.starts_with('/') {
        return Ok(());
    }
    Err(ValueType::AbsolutePath
        .none(text, "absolute path")
        .help("the engine reads the file when the machine starts and takes absolute paths only"))
}

/// A path that becomes an argument of a program: it must not look like an option, nor like a home directory that
/// only a shell knows.
pub(super) fn on_host(text: &str) -> Result<(), ValueError> {
    let invalid = |message: &str| {
        ValueError::invalid(
            format!("{} {message}", quote(text)),
            format!("expected {}", ValueType::HostPath.describe()),
        )
    };
    if text.starts_with('-') {
        return Err(invalid("begins with a dash and would be read as an option").meant(format!("./{text}")));
    }
    if text.starts_with('~') && !text.starts_with("~/") {
        return Err(invalid("names another user's home").help("write the absolute path"));
    }
    if text.trim() != text {
        return Err(invalid("begins or ends with a blank"));
    }
    Ok(())
}

/// The private key of a repository, by its name: what usually lies beside one is none.
pub(super) fn private_key(text: &str) -> Result<(), ValueError> {
    on_host(text)?;
    let invalid = |message: &str| {
        let expected = format!("expected {}", ValueType::PrivateKey.describe());
        ValueError::invalid(format!("{} {message}", quote(text)), expected)
    };
    let private = text.strip_suffix("-cert.pub").or_else(|| text.strip_suffix(".pub"));
    if let Some(private) = private.filter(|private| !private.is_empty() && !private.ends_with('/')) {
        let problem = invalid("is the public half of a key");
        return Err(problem
            .help("git-gate logs in with the private half, which stays on the host")
            .meant(private));
    }
    match text.rsplit('/').next().unwrap_or_default() {
        "" | "." | ".." => Err(invalid("is a directory, and no key")),
        "authorized_keys" | "config" | "known_hosts" | "known_hosts.old" => Err(invalid("is no key")),
        name if std::path::Path::new(name).extension().is_some_and(|end| end == "ppk") => {
            Err(invalid("is a key for PuTTY, which OpenSSH does not read")
                .help("`puttygen KEY.ppk -O private-openssh -o KEY` writes the same key for OpenSSH"))
        }
        _ => Ok(()),
    }
}

/// A directory that a sidecar may write to: a whole home, or the root, must not be given away by a slip.
pub(super) fn own_directory(text: &str) -> Result<(), ValueError> {
    on_host(text)?;
    let named = text.split('/').rfind(|part| !matches!(*part, "" | "."));
    if matches!(named, None | Some("~" | "..")) {
        let expected = format!("expected {}", ValueType::OwnDirectory.describe());
        return Err(ValueError::invalid(format!("{} is no directory of its own", quote(text)), expected)
            .help(
                "what lies in it would be in reach of a sidecar: name a directory that holds nothing else",
            ));
    }
    Ok(())
}

/// A path that the engine opens: it takes no `~`, which only a shell expands.
pub(super) fn bootable(text: &str) -> Result<(), ValueError> {
    on_host(text)?;
    if text.starts_with('~') {
        let expected = "expected an absolute path, or one relative to this file";
        return Err(ValueError::invalid(format!("{} would not be found", quote(text)), expected)
            .help("the engine takes the path as it is, and only a shell knows what `~` is"));
    }
    Ok(())
}

/// A directory that the engine shows the machine. It has no volumes by name, and takes the host's part, the machine's and
/// the kind of access in one word, with colons between them.
pub(super) fn machine_volume(text: &str) -> Result<(), ValueError> {
    let expected = "expected a path on the host such as `./data`";
    if !is_host_path(text) {
        return Err(ValueError::invalid(format!("{} is a name, and no path", quote(text)), expected)
            .help("the engine knows no volume by name: what the machine keeps for itself is on its own disk, whatever size \
                   `resources storage=` gives it")
            .meant(format!("./{text}")));
    }
    bootable(text)?;
    if text.contains([':', '\\']) {
        return Err(ValueError::invalid(
            format!("{} holds a character that the engine reads as something else", quote(text)),
            expected,
        )
        .help("call the directory otherwise: between its colons the engine looks for the machine's path"));
    }
    Ok(())
}

/// A path inside of the machine at which something of the host is shown.
pub(super) fn in_machine(text: &str) -> Result<(), ValueError> {
    mounted(text, ValueType::MachinePlace, "the whole of the machine", "the engine reads")?;
    match machine::kept(text) {
        None => Ok(()),
        Some(why) => Err(ValueError::invalid(
            format!("{} {why}", quote(text)),
            format!("expected {}", ValueType::MachinePlace.describe()),
        )
        .help("name a directory for it alone, such as `/work/data`")),
    }
}

/// A file of the machine that is written there before the agent starts.
pub(super) fn file_in_machine(text: &str) -> Result<(), ValueError> {
    mounted(text, ValueType::MachineFile, "the whole of the machine", "the engine reads")?;
    match machine::unwritable(text) {
        None => Ok(()),
        Some(why) => Err(ValueError::invalid(
            format!("{} {why}", quote(text)),
            format!("expected {}", ValueType::MachineFile.describe()),
        )
        .help("name a file in a directory of the program's own, such as `/etc/goose/mcp.json`")),
    }
}

/// A packed machine.
pub(super) fn machine(text: &str) -> Result<(), ValueError> {
    bootable(text)?;
    if std::path::Path::new(text).extension().is_some_and(|end| end == "smolmachine") {
        return Ok(());
    }
    Err(ValueType::MachinePath
        .none(text, "packed machine")
        .help("an unpacked root file system goes into `rootfs`, a container image into `image`"))
}

/// A path inside of a container that something is mounted at.
pub(super) fn in_container(text: &str) -> Result<(), ValueError> {
    mounted(text, ValueType::ContainerPath, "the whole root file system", "container engines read")?;
    let mut steps = text.split('/').skip(1);
    let kernel = steps.next().is_some_and(|first| matches!(first, "proc" | "sys" | "dev"));
    if kernel && text != "/dev/shm" {
        return Err(ValueError::invalid(
            format!("{} lies in a directory of the kernel's", quote(text)),
            format!("expected {}", ValueType::ContainerPath.describe()),
        ));
    }
    Ok(())
}

/// An absolute path without detours, of something that has a root of its own.
fn mounted(text: &str, value: ValueType, whole: &str, who_reads: &str) -> Result<(), ValueError> {
    let expected = format!("expected {}", value.describe());
    let invalid = |message: &str| ValueError::invalid(format!("{} {message}", quote(text)), expected.clone());
    let Some(rest) = text.strip_prefix('/') else {
        return Err(invalid("is no absolute path").meant(format!("/{text}")));
    };
    if rest.is_empty() {
        return Err(invalid(&format!("is {whole}")));
    }
    if rest.split('/').any(|step| matches!(step, "" | "." | "..")) {
        let steps: Vec<&str> = rest.split('/').filter(|step| !matches!(*step, "" | ".")).collect();
        let problem = invalid("has an empty part, `.` or `..` in it");
        return Err(if steps.contains(&"..") || steps.is_empty() {
            problem
        } else {
            problem.meant(format!("/{}", steps.join("/")))
        });
    }
    // The engines' short forms separate their parts by colons and commas.
    if rest.contains([':', ',', '\\']) || text.trim() != text {
        return Err(invalid(&format!("holds a character that {who_reads} as something else")));
    }
    Ok(())
}

/// Whether the source of a volume is a path of the host, and no volume's name.
#[must_use]
pub fn is_host_path(source: &str) -> bool {
    source.contains('/') || source.starts_with(['.', '~'])
}

/// A volume's name, or a path on the host.
pub(super) fn volume(text: &str) -> Result<(), ValueError> {
    if is_host_path(text) {
        return on_host(text);
    }
    super::text::name(text).map_err(|problem| {
        problem.help(format!("a path on the host has a `/` in it: `./{}`", text.trim_start_matches('-')))
    })
}
