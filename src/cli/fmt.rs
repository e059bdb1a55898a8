//! `bottlec fmt`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bottlec::Options;
use bottlec::diagnostic::Diagnostics;
use bottlec::format::{NotTheSame, format};
use bottlec::report::Format;
use bottlec::source::{SourceId, Sources};
use bottlec::text::{counted, quote};

use super::Outcome;
use super::args::Fmt;
use super::each::each;
use super::error::Error;
use super::fixing::replace;
use super::load;
use super::output::{Output, Stream};
use super::patch::unified;
use super::walk::{self, Unit, Walked};

/// Files that were looked at.
#[derive(Debug, Default)]
struct Laid {
    sources: Sources,
    diagnostics: Diagnostics,
    /// Those without a syntax error: what they are in the canonical layout.
    texts: BTreeMap<SourceId, Result<String, NotTheSame>>,
}

pub(super) fn run(command: &Fmt, output: &Output) -> Result<Outcome, Error> {
    let paths = walk::asked(&command.files, command.stdin_filename.as_deref())?;
    let stdin = paths.iter().any(|path| path.as_os_str() == "-");
    if stdin && paths.len() > 1 {
        return Err(Error::Usage(String::from(
            "standard input is laid out alone: name no other file beside `-`",
        )));
    }
    let Walked { units, directories: _, skipped: _, mut failed } = walk::units(&paths);
    let laid: Vec<Result<Laid, Error>> = each(&units, |unit| lay(unit, command));
    let mut all = Laid::default();
    for unit in laid {
        match unit {
            Ok(laid) => all.add(laid),
            Err(error) => failed.push(error),
        }
    }
    all.diagnostics.finish();
    output.diagnostics(Stream::Stderr, Format::Fancy, &all.diagnostics, &[], &all.sources)?;
    let mut said = String::new();
    let mut changed = 0;
    for (id, text) in &all.texts {
        let source = all.sources.get(*id);
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                failed.push(Error::Layout { name: source.name().to_owned(), error: *error });
                continue;
            }
        };
        let differs = text.as_bytes() != source.bytes();
        changed += usize::from(differs);
        if command.diff {
            if differs {
                said += &unified(source.name(), source.text(), text);
            }
        } else if command.check {
            if differs {
                // Writing to a `String` cannot fail.
                let _ = writeln!(said, "would lay out {}", quote(source.name()));
            }
        } else if stdin {
            said += text;
        } else if differs && let Err(error) = load::path_of(source).and_then(|path| replace(&path, text)) {
            failed.push(error);
        }
    }
    if !command.diff && !stdin {
        let rest = all.texts.len() - changed;
        let what = if command.check { "to lay out" } else { "laid out" };
        let _ = writeln!(said, "{} {what}, {rest} left as they are", counted(changed, "file", "files"));
    }
    if stdin && !command.check && !command.diff {
        output.print_exactly(&said)?;
    } else {
        output.print(&said)?;
    }
    if all.texts.is_empty() && failed.is_empty() && all.diagnostics.is_empty() {
        let reason = String::from("there is no spec in it");
        return Err(Error::Read { path: paths.into_iter().next().unwrap_or_default(), reason });
    }
    if let Some(last) = failed.pop() {
        for error in &failed {
            output.complain(error);
        }
        return Err(last);
    }
    let asked = command.check || command.diff;
    Ok(if all.diagnostics.has_errors() || asked && changed > 0 { Outcome::Findings } else { Outcome::Clean })
}

/// Lays out the files of one unit.
fn lay(unit: &Unit, command: &Fmt) -> Result<Laid, Error> {
    let mut laid = Laid::default();
    let stdin = command.stdin_filename.as_deref();
    let Some((_, analysis)) = unit.alone(stdin, &Options::default())? else { return Ok(laid) };
    for (id, _) in analysis.sources().files() {
        let problems = analysis.syntax(id);
        laid.diagnostics.append(problems.clone());
        if !problems.has_errors() {
            laid.texts.insert(id, format(analysis.tree(id)));
        }
    }
    laid.sources = analysis.sources().clone();
    Ok(laid)
}

impl Laid {
    fn add(&mut self, other: Self) {
        let ids = self.sources.absorb(other.sources);
        self.diagnostics.append(other.diagnostics.remap_sources(&ids));
        self.texts.extend(other.texts.into_iter().map(|(id, text)| (ids[id.index()], text)));
    }
}
