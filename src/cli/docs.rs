//! `bottlec explain`, `bottlec completions`, `bottlec man`.

use std::fmt::Write as _;

use bottlec::diagnostic::{did_you_mean, quote};
use bottlec::rules;
use clap::CommandFactory as _;

use super::Outcome;
use super::args::{Arguments, Completions, Explain};
use super::error::Error;
use super::output::Output;

pub(super) fn explain(command: &Explain, output: &Output) -> Result<Outcome, Error> {
    let Some(id) = &command.rule else {
        let width = rules::ALL.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
        let mut text = String::new();
        for rule in rules::ALL {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{:width$}  {:7}  {}", rule.id, rule.level.as_str(), rule.summary);
        }
        output.print(&text)?;
        return Ok(Outcome::Clean);
    };
    let id = id.trim_matches(['[', ']']);
    let Some(rule) = rules::find(id) else {
        let meant = did_you_mean(id, rules::ALL.iter().map(|rule| rule.id))
            .map_or_else(|| String::from("`bottlec explain` lists all"), |meant| format!("did you mean `{meant}`?"));
        return Err(Error::Usage(format!("there is no rule {}: {meant}", quote(id))));
    };
    let mut text = rule.page.trim_end().to_owned();
    let _ = writeln!(text, "\n\nLevel: {}. Since bottlec {}.", rule.level.as_str(), rule.since);
    output.print(&text)?;
    Ok(Outcome::Clean)
}

pub(super) fn completions(command: &Completions, output: &Output) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Arguments::command(), "bottlec", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Clean)
}

pub(super) fn man(output: &Output) -> Result<Outcome, Error> {
    let mut page = Vec::new();
    let command = Arguments::command();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        let name = format!("bottlec {}", subcommand.get_name());
        page.extend(format!(".SH \"{}\"\n", name.to_uppercase()).bytes());
        let man = clap_mangen::Man::new(subcommand.clone().bin_name(name));
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    output.print(&String::from_utf8_lossy(&page))?;
    Ok(Outcome::Clean)
}
