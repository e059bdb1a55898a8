//! `bottlec reach`.

use std::path::{Path, PathBuf};

use bottlec::Options;
use bottlec::report::reach;
use bottlec::text::quote;
use bottlec::world::host::{Target, TargetHost};

use super::args::{Reach, ReachFormat, SPEC};
use super::error::Error;
use super::output::Output;
use super::workspace::Workspace;
use super::{Outcome, plans};

pub(super) fn run(command: &Reach, output: &Output) -> Result<Outcome, Error> {
    // The first argument is a spec by its name, or else what is asked for.
    let (spec, first) = match &command.spec {
        Some(one) if !is_spec(one) => (PathBuf::from(SPEC), Some(one.to_string_lossy())),
        spec => (spec.clone().unwrap_or_else(|| PathBuf::from(SPEC)), None),
    };
    let texts = first.as_deref().into_iter().chain(command.targets.iter().map(String::as_str));
    let targets = texts.map(target).collect::<Result<Vec<_>, _>>()?;
    if command.at.is_some() && targets.is_empty() {
        return Err(Error::Usage(String::from("`--at` is about a host: name it")));
    }
    let is_address = |target: &Target| matches!(target.host, TargetHost::Address(_));
    if command.at.is_some() && targets.iter().any(is_address) {
        return Err(Error::Usage(String::from(
            "`--at` says what a name resolves to, and an address resolves to nothing else",
        )));
    }
    let workspace = Workspace::of(std::slice::from_ref(&spec), None)?;
    let Some(plans) = plans::of(&workspace, &spec, command.bottle.as_deref(), &Options::default(), output)?
    else {
        return Ok(Outcome::Findings);
    };
    let report = reach::report(&plans, &targets, command.at);
    let printed = match command.format {
        ReachFormat::Text => reach::render(&report, &output.stdout),
        ReachFormat::Json => reach::json(&report),
    };
    output.print(&printed)?;
    Ok(Outcome::Clean)
}

fn is_spec(path: &Path) -> bool {
    // What is there is what is meant, and of the rest a URL is none.
    let is_url = path.to_string_lossy().contains("://");
    path.as_os_str() == "-" || path.exists() || !is_url && path.extension().is_some_and(|kind| kind == "kdl")
}

fn target(text: &str) -> Result<Target, Error> {
    text.parse::<Target>().map_err(|error| {
        let meant = error.meant.as_deref().map(|meant| format!(": did you mean {}?", quote(meant)));
        Error::Usage(format!("{error}{}", meant.unwrap_or_default()))
    })
}
