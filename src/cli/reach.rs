//! `bottlec reach`.

use bottlec::Options;
use bottlec::report::reach;
use bottlec::text::quote;
use bottlec::world::host::{Target, TargetHost};

use super::args::{Reach, ReachFormat};
use super::error::Error;
use super::output::Output;
use super::workspace::Workspace;
use super::{Outcome, plans};

pub(super) fn run(command: &Reach, output: &Output) -> Result<Outcome, Error> {
    let target = command.target.as_deref().map(target).transpose()?;
    if let (Some(Target { host: TargetHost::Address(_), .. }), Some(_)) = (&target, command.at) {
        return Err(Error::Usage(String::from(
            "`--at` says what a name resolves to, and this is an address",
        )));
    }
    let workspace = Workspace::of(std::slice::from_ref(&command.spec), None)?;
    let Some(plans) =
        plans::of(&workspace, &command.spec, command.bottle.as_deref(), &Options::default(), output)?
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

fn target(text: &str) -> Result<Target, Error> {
    text.parse::<Target>().map_err(|error| {
        let meant = error.meant.as_deref().map(|meant| format!(": did you mean {}?", quote(meant)));
        Error::Usage(format!("{error}{}", meant.unwrap_or_default()))
    })
}
