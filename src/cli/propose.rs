//! `bottlec propose`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bottlec::Analysis;
use bottlec::denial::Denials;
use bottlec::lower::shell;
use bottlec::propose::{self, Candidates};
use bottlec::report::{Format, propose as report};
use bottlec::text::quote;
use bottlec::world::host::HostPattern;
use serde::Deserialize;

use super::args::{Propose, RecordsFormat, SPEC};
use super::error::{Error, reason};
use super::output::{Output, Stream};
use super::workspace::Workspace;
use super::{Outcome, denials, fixing, load, plans, preflight, up};

/// The most that is read of a file of a queue: the server itself takes no more.
const MAX_BYTES: u64 = 1 << 20;
/// The most files of a queue that are looked at. The server keeps 500.
const MAX_FILES: usize = 2_000;

pub(super) fn run(command: &Propose, output: &Output) -> Result<Outcome, Error> {
    let spec = &command.bottle.spec;
    let specs = std::slice::from_ref(spec);
    let workspace = Workspace::of(specs, None)?;
    let analysis = load::load(&workspace, specs, &command.bottle.which.leveling.options())?;
    if analysis.diagnostics().has_errors() {
        output.diagnostics(Stream::Stderr, Format::Fancy, analysis.diagnostics(), &[], &analysis)?;
        return Ok(Outcome::Findings);
    }
    let plans = analysis.plans();
    let plan = plans::one(&plans, command.bottle.which.bottle.as_deref())?;
    let mut candidates = Candidates::default();
    // The queue alone is enough, where no bottle runs that could be asked.
    if command.queue.is_none() || !command.records.from.is_empty() || super::state::is_launched(&plan.slug) {
        let mut refused = Denials::default();
        if command.records.from.is_empty() {
            let Some(running) = up::refused(&command.bottle, &[], output)? else {
                return Ok(Outcome::Findings);
            };
            refused = running.denials;
        }
        for file in &command.records.from {
            denials::read(file, &mut refused)?;
        }
        candidates.refused(&refused);
    }
    if let Some(queue) = &command.queue {
        let queue = match queue {
            Some(queue) => queue.clone(),
            None => own_queue(&analysis, &workspace, &plan.slug)?,
        };
        approved(&queue, &mut candidates)?;
    }
    if !command.apply.is_empty() {
        return apply(command, &analysis, &plan.slug, &candidates, output);
    }
    let Some(found) = propose::propose(&analysis, &plan.slug, &candidates) else {
        return Err(Error::Host(String::from("the spec has no plan")));
    };
    output.print(&match command.format {
        RecordsFormat::Text => report::render(&found, &again(command), &output.page),
        RecordsFormat::Json => report::json(&found),
    })?;
    Ok(Outcome::Clean)
}

/// The same command once more, as a shell reads it.
fn again(command: &Propose) -> String {
    let Propose { bottle, records, queue, apply: _, format: _ } = command;
    let mut words = vec![String::from("bottlec"), String::from("propose")];
    words.extend((bottle.spec.as_os_str() != SPEC).then(|| bottle.spec.to_string_lossy().into_owned()));
    if let Some(slug) = &bottle.which.bottle {
        words.extend([String::from("--bottle"), slug.clone()]);
    }
    for file in &records.from {
        words.extend([String::from("--from"), file.to_string_lossy().into_owned()]);
    }
    match queue {
        Some(Some(queue)) => words.push(format!("--queue={}", queue.to_string_lossy())),
        Some(None) => words.push(String::from("--queue")),
        None => {}
    }
    words.iter().map(|word| shell::pasted(word)).collect::<Vec<_>>().join(" ")
}

/// Writes what is named, if the spec compiles with it.
fn apply(
    command: &Propose,
    analysis: &Analysis,
    slug: &str,
    candidates: &Candidates,
    output: &Output,
) -> Result<Outcome, Error> {
    if command.bottle.spec.as_os_str() == "-" {
        return Err(Error::Usage(String::from("`--apply` cannot write to standard input")));
    }
    let hosts: BTreeSet<HostPattern> =
        command.apply.iter().map(|host| HostPattern::new(host.clone())).collect();
    let (source, edited) = propose::apply(analysis, slug, candidates, &hosts)
        .map_err(|refusal| Error::Usage(format!("{refusal}; nothing is written")))?;
    if edited.diagnostics().has_errors() {
        output.diagnostics(Stream::Stderr, Format::Fancy, edited.diagnostics(), &[], &edited)?;
        output.complain(&"with that the spec would not compile; nothing is written");
        return Ok(Outcome::Findings);
    }
    let source = edited.sources().get(source);
    fixing::replace(&load::path_of(source)?, source.text())?;
    let hosts: Vec<String> = hosts.iter().map(|host| quote(host)).collect();
    output.print(&format!(
        "{} {} allowed by {}: `bottlec up` takes it up\n",
        hosts.join(", "),
        if hosts.len() == 1 { "is" } else { "are" },
        quote(source.name())
    ))?;
    Ok(Outcome::Clean)
}

/// The queue of the bottle, as it is seen from here.
fn own_queue(analysis: &Analysis, workspace: &Workspace, slug: &str) -> Result<PathBuf, Error> {
    let plans = analysis.plans_seen_from(&workspace.way_from_here()?, &|_| None);
    let plan = plans::one(&plans, Some(slug))?;
    let Some(asks) = plan.supervise.given() else {
        return Err(Error::Usage(String::from(
            "the bottle has no `supervise`, so the agent could ask nobody: name another queue with `--queue=DIR`",
        )));
    };
    preflight::on_host(&asks.queue)
        .ok_or_else(|| Error::Host(String::from("HOME is not set, and the queue is in it")))
}

/// A file of a proposal or of a decision, as supervise writes it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    id: String,
    kind: String,
    what: String,
    decision: String,
}

/// Takes the hosts of a queue that a human approved. The agent's container writes there: a name is an id or nothing, and a link
/// is not followed.
fn approved(queue: &Path, candidates: &mut Candidates) -> Result<(), Error> {
    let decisions = queue.join("decisions");
    let entries = fs::read_dir(&decisions).map_err(|error| Error::Read {
        path: decisions.clone(),
        reason: format!("{}: a queue has decisions in it", reason(&error)),
    })?;
    let id_of = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        let id = name.strip_suffix(".json")?;
        (id.len() == 8 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
            .then(|| id.to_owned())
    };
    for id in entries.take(MAX_FILES).filter_map(id_of) {
        let belongs = |entry: &Entry| entry.id == id;
        let decided = entry(&decisions.join(format!("{id}.json"))).filter(belongs);
        let asked = entry(&queue.join("proposals").join(format!("{id}.json"))).filter(belongs);
        if let (Some(decided), Some(asked)) = (decided, asked)
            && decided.decision == "approved"
            && asked.kind == "allow-host"
        {
            candidates.approved(&id, &asked.what);
        }
    }
    Ok(())
}

/// A file of a queue; nothing where there is none, or something else.
fn entry(path: &Path) -> Option<Entry> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    plain(file)
}

fn plain(file: File) -> Option<Entry> {
    let mut text = Vec::new();
    file.metadata().ok().filter(fs::Metadata::is_file)?;
    file.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
