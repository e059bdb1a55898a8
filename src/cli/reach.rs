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
    let (spec, target) = match (&command.spec, &command.target) {
        // One argument alone is a spec by its name, or else what is asked for.
        (Some(one), None) if !is_spec(one) => (PathBuf::from(SPEC), Some(one.to_string_lossy().into_owned())),
        (spec, target) => (spec.clone().unwrap_or_else(|| PathBuf::from(SPEC)), target.clone()),
    };
    let target = target.as_deref().map(self::target).transpose()?;
    if command.at.is_some() && target.is_none() {
        return Err(Error::Usage(String::from("`--at` is about one host: name it")));
    }
    if let (Some(Target { host: TargetHost::Address(_), .. }), Some(_)) = (&target, command.at) {
        return Err(Error::Usage(String::from(
            "`--at` says what a name resolves to, and this is an address",
        )));
    }
    let workspace = Workspace::of(std::slice::from_ref(&spec), None)?;
    let Some(plans) = plans::of(&workspace, &spec, command.bottle.as_deref(), &Options::default(), output)?
    else {
        return Ok(Outcome::Findings);
    };
    let report = reach::report(&plans, target.as_ref(), command.at);
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
