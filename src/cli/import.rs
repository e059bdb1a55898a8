//! `bottlec import`.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::Path;

use bottlec::import::{Input, MAX_BYTES, import};
use bottlec::report::Format;
use bottlec::source::{Source, Sources};
use bottlec::text::{counted, quote};
use bottlec::{Analysis, Options};

use super::args::Import;
use super::error::{Error, reason};
use super::output::{Output, Stream};
use super::{Outcome, regular};

/// What the spec is called in what is said of it.
const NAME: &str = "<stdout>";

pub(super) fn run(command: &Import, output: &Output) -> Result<Outcome, Error> {
    let mut inputs = Vec::new();
    for path in &command.files {
        let bytes = read(path).map_err(|reason| Error::Read { path: path.clone(), reason })?;
        let name = if path.as_os_str() == "-" { "<stdin>".into() } else { path.to_string_lossy() };
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::Read { path: path.clone(), reason: String::from("it is no UTF-8") })?;
        inputs.push(Input { name: name.into_owned(), directory: directory(path), text });
    }
    let imported =
        import(&inputs).map_err(|(at, reason)| Error::Import { path: command.files[at].clone(), reason })?;
    let mut sources = Sources::new();
    sources.add(Source::new(NAME, &*imported.text));
    let analysis = Analysis::new(sources, Options::default());
    output.print_exactly(&imported.text)?;
    let mut said = String::new();
    let mut lost = 0;
    for (input, count) in inputs.iter().zip(&imported.counts) {
        lost += count.lost;
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            said,
            "imported {}: {}, {} not carried over",
            quote(&input.name),
            counted(count.settings, "setting", "settings"),
            count.lost
        );
    }
    output.say(Stream::Stderr, &said)?;
    let diagnostics = analysis.diagnostics();
    output.diagnostics(Stream::Stderr, Format::Concise, diagnostics, &[], &analysis)?;
    if diagnostics.has_errors() {
        output.say(Stream::Stderr, "it does not compile yet: what is to be decided is above\n")?;
    }
    let strict = command.strict && lost > 0;
    Ok(if strict || diagnostics.has_errors() { Outcome::Findings } else { Outcome::Clean })
}

/// The name of the directory that a file lies in; of what is read from elsewhere, nothing.
fn directory(path: &Path) -> String {
    let Some(parent) = path.parent().filter(|_| path.as_os_str() != "-") else { return String::new() };
    let whole = if parent.as_os_str().is_empty() { Path::new(".") } else { parent }.canonicalize();
    let name = whole.ok().and_then(|whole| whole.file_name().map(|name| name.to_string_lossy().into_owned()));
    name.unwrap_or_default()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let most = MAX_BYTES as u64;
    if path.as_os_str() != "-" {
        return regular::read(path, most);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(most + 1).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
    if bytes.len() > MAX_BYTES {
        return Err(format!("it is larger than {most} bytes"));
    }
    Ok(bytes)
}
