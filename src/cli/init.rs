//! `bottlec init`.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use bottlec::Analysis;
use bottlec::model::{Credential, Reference};
use bottlec::schema::suggest_name;
use bottlec::text::{harmless, quote};
use bottlec::world::catalogue::{self, BuiltIn};

use super::args::Init;
use super::error::{Error, reason};
use super::output::Output;
use super::{Outcome, repository};

/// The starter spec. The tests compile it.
const STARTER: &str = include_str!("../../examples/starter.kdl");

/// The bottle's name in it, and that of a bottle in a directory that gives it none.
const SLUG: &str = "my-agent";

pub(super) fn run(command: &Init, output: &Output) -> Result<Outcome, Error> {
    let path = command.directory.join("bottle.kdl");
    let failed = |error: &io::Error| Error::Write {
        path: path.clone(),
        reason: match error.kind() {
            io::ErrorKind::AlreadyExists => String::from("it is there already, and is not overwritten"),
            _ => reason(error),
        },
    };
    fs::create_dir_all(&command.directory).map_err(|error| Error::Write {
        path: command.directory.clone(),
        reason: match error.kind() {
            io::ErrorKind::AlreadyExists => String::from("it is no directory"),
            _ => reason(&error),
        },
    })?;
    let slug = slug(&command.directory);
    let text = match command.agent.as_deref().and_then(catalogue::of_agent) {
        Some(profile) => of_agent(profile, &slug, repository::is_work_tree(&command.directory)),
        None => STARTER.replace(SLUG, &slug),
    };
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| failed(&error))?;
    if let Err(error) = file.write_all(text.as_bytes()) {
        // Half a spec would be refused to be overwritten the next time. When it cannot be removed, that is said then.
        let _ = fs::remove_file(&path);
        return Err(failed(&error));
    }
    let shown = path.to_string_lossy();
    let plain = harmless(&shown);
    // A directory whose name begins with a dash would be taken for an option.
    let word = bottlec::lower::shell::word(&plain);
    let here = if word.starts_with('-') { "./" } else { "" };
    let ask =
        if command.agent.is_some() { format!("  bottlec preflight {here}{word}\n") } else { String::new() };
    output.print(&format!(
        "wrote {}: look through it, then run\n{ask}  bottlec up {here}{word}\n",
        quote(&shown)
    ))?;
    Ok(Outcome::Clean)
}

/// The name of a bottle in a directory: the directory's own, as far as it can be one.
fn slug(directory: &Path) -> String {
    let real = fs::canonicalize(directory).ok();
    let name = real.as_ref().and_then(|real| real.file_name()).map(|name| name.to_string_lossy());
    name.and_then(|name| suggest_name(&name)).unwrap_or_else(|| SLUG.to_owned())
}

/// A spec for an agent of the catalogue, in a directory that is a repository's or is none.
fn of_agent(profile: &BuiltIn, slug: &str, is_repository: bool) -> String {
    let BuiltIn { word: agent, .. } = profile;
    let (name, title) = (profile.name(), profile.title());
    let (analysis, id) = Analysis::of_built_in(profile);
    let layer = analysis.file(id).profiles.first().map(|profile| &profile.layer);
    let key = layer.and_then(|layer| layer.agent.as_ref()?.api_key.as_ref());
    let mut text = format!(
        "// {title}.
//
//   bottlec check              says what is wrong
//   bottlec explain {name}
//                              prints the profile: what the agent may reach, and what it is told
//   bottlec preflight          asks this host whether it is ready, and says how to make what is missing
//   bottlec up                 writes stage/{slug}/, launches it, and runs the agent

bottle \"{slug}\" {{
    extends \"{name}\"

    // What it boots from: made of bottlec's examples/images/{agent}.Containerfile.
    rootfs \"../bottles/{agent}\"
    resources cpus=4 memory=\"8GiB\"
"
    );
    if let Some(key) = key {
        let key = &key.value;
        // Writing to a `String` cannot fail.
        let _ = match brokered(&analysis, key) {
            Some(from) => write!(
                text,
                "
    // `{from}` of this host is the key of its model, read when the bundle starts. The broker holds it.
"
            ),
            None => write!(
                text,
                "
    // Of this host, read when the machine starts. Who logs in instead takes it out.
    env {{
        {key} from-env=\"{key}\"
    }}
    lint {{ allow \"credential-in-machine\" reason=\"the agent takes no other place of its API\" }}
"
            ),
        };
    }
    text.push_str(
        "
    // Hosts beside those of the profile.
    // egress {
    //     allow \"docs.example.com\"
    // }
",
    );
    if is_repository {
        let _ = write!(
            text,
            "
    // This repository: the agent clones it, and what it pushes is scanned and stays in the gate until `bottlec pull`.
    git {{
        // user name=\"Your Name\" email=\"you@example.com\"
        repo \"{slug}\" {{ path \".\" }}
    }}
"
        );
    }
    text.push_str("\n    // Lets the agent ask a human for more.\n    // supervise\n}\n");
    text
}

/// The host's variable with the key that the agent gets a token for in this variable.
fn brokered<'a>(analysis: &'a Analysis, variable: &str) -> Option<&'a str> {
    let profiles = analysis.files().values().flat_map(|file| &file.profiles);
    let credentials = profiles.flat_map(|profile| &profile.layer.credentials);
    let mut holding = credentials.filter(|it| it.placeholders.iter().any(|it| it.value == variable));
    match &holding.find_map(Credential::login)?.1.value {
        Reference::Env(name) => Some(name),
        Reference::File(_) => None,
    }
}
