//! `bottlec explain`, `bottlec completions`, `bottlec man`.

use std::fmt::Write as _;

use bottlec::text::{did_you_mean, one_of, quote};
use bottlec::world::catalogue::{self, BuiltIn};
use bottlec::{report, rule};
use clap::CommandFactory as _;

use super::Outcome;
use super::args::{Arguments, Completions, EXIT_CODES, Explain, Rules, RulesFormat};
use super::error::Error;
use super::output::Output;

pub(super) fn explain(command: &Explain, output: &Output) -> Result<Outcome, Error> {
    let Some(id) = &command.rule else {
        output.print(&listed())?;
        return Ok(Outcome::Clean);
    };
    let id = id.trim_matches(['[', ']']);
    if let Some(profile) = catalogue::find(id) {
        output.print(profile.text)?;
        return Ok(Outcome::Clean);
    }
    let Some(rule) = rule::find(id) else {
        let profiles: Vec<String> = catalogue::ALL.iter().map(BuiltIn::name).collect();
        let known = rule::ALL.iter().map(|rule| rule.id).chain(profiles.iter().map(String::as_str));
        let is_profile = id.starts_with(catalogue::PREFIX);
        let meant = match did_you_mean(id, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if is_profile => format!("expected {}", one_of(profiles.iter().map(String::as_str))),
            None => String::from("`bottlec explain` lists all"),
        };
        let what = if is_profile { "built-in profile" } else { "rule" };
        return Err(Error::Usage(format!("there is no {what} {}: {meant}", quote(id))));
    };
    output.print(rule.page)?;
    Ok(Outcome::Clean)
}

/// `bottlec rules`.
pub(super) fn all(command: &Rules, output: &Output) -> Result<Outcome, Error> {
    output.print(&match command.format {
        RulesFormat::Text => listed(),
        RulesFormat::Markdown => report::rules::index(),
        RulesFormat::Json => report::rules::json(),
    })?;
    Ok(Outcome::Clean)
}

/// A line for each rule.
fn listed() -> String {
    let width = rule::ALL.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rule::ALL {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{:width$}  {:7}  {}", rule.id, rule.level.as_str(), rule.summary);
    }
    text
}

pub(super) fn completions(command: &Completions, output: &Output) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Arguments::command(), "bottlec", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Clean)
}

/// One page for the command and all its subcommands.
pub(super) fn man(output: &Output) -> Result<Outcome, Error> {
    let command = Arguments::command();
    let whole = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    whole.render_options_section(&mut page)?;
    for subcommand in command.get_subcommands() {
        let name = format!("bottlec {}", subcommand.get_name());
        page.extend(format!(".SH \"{}\"\n", name.to_uppercase()).bytes());
        let man = clap_mangen::Man::new(subcommand.clone().bin_name(name));
        let mut part = Vec::new();
        man.render_synopsis_section(&mut part)?;
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        // They are parts of the subcommand's section here, not sections of the page.
        page.extend(String::from_utf8_lossy(&part).replace("\n.SH ", "\n.SS ").bytes());
    }
    page.extend(exit_status().bytes());
    page.extend(section("EXAMPLES", EXAMPLES).bytes());
    page.extend(section("FILES", FILES).bytes());
    whole.render_version_section(&mut page)?;
    output.print(&String::from_utf8_lossy(&page))?;
    Ok(Outcome::Clean)
}

/// What the man page shows of the command at work.
const EXAMPLES: &[(&str, &str)] = &[
    ("bottlec init --agent claude-code", "Write bottle.kdl for an agent of the catalogue."),
    ("bottlec check", "Say what is wrong with bottle.kdl in this directory, and what to write instead."),
    ("bottlec check --fix bottles", "Apply safe fixes to all specs below a directory."),
    (
        "bottlec reach bottle.kdl gist.github.com",
        "Ask whether the agent can reach a host, and by which line.",
    ),
    (
        "bottlec diff --deny-widening HEAD:bottle.kdl bottle.kdl",
        "Fail when a change lets the agent reach more.",
    ),
    ("bottlec build bottle.kdl", "Write the stage of each bottle, below stage/."),
    ("bottlec up", "Launch the bottle of bottle.kdl, and run its agent on this terminal."),
    ("bottlec explain dns-open", "Show the page of a rule."),
];

/// The files that it reads and writes.
const FILES: &[(&str, &str)] = &[
    ("bottle.kdl, *.bottle.kdl", "Specs. bottle.kdl is what commands take when no spec is named."),
    (
        ".git, .bottlec",
        "The nearest directory above a spec with one of them is its workspace: nothing outside is included.",
    ),
    (".gitignore", "What git ignores is left out when a directory is searched for specs."),
    ("stage/BOTTLE/", "The stage of a bottle, in the directory where bottlec is run."),
    ("stage/BOTTLE/plan.json", "Everything that was decided, with the commands that start and undo it."),
    ("stage/BOTTLE/SHA256SUMS", "The digest of each other file of the stage, by which an edit is noticed."),
];

/// A section of the man page: each term with what is said of it.
fn section(title: &str, entries: &[(&str, &str)]) -> String {
    // A hyphen that is typed is no hyphen of a text.
    let typed = |text: &str| text.replace('-', "\\-");
    let mut section = format!(".SH {title}\n");
    for (term, text) in entries {
        let _ = write!(section, ".TP\n\\fB{}\\fR\n{}\n", typed(term), typed(text));
    }
    section
}

/// The exit codes as they stand in the help, in the man page's markup.
fn exit_status() -> String {
    let mut section = String::from(".SH \"EXIT STATUS\"\n");
    let (_, codes) = EXIT_CODES.split_once('\n').unwrap_or_default();
    for line in codes.lines().take_while(|line| !line.is_empty()) {
        let line = line.trim_start();
        if let Some((code, meaning)) = line.split_once("  ") {
            let _ = write!(section, ".TP\n\\fB{code}\\fR\n{meaning}\n");
        } else {
            // What goes on on the next line.
            let _ = writeln!(section, "{line}");
        }
    }
    section
}
