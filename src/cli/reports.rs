//! The reports of a run: formats and files, from `--format`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use bottlec::diagnostic::Diagnostics;
use bottlec::report::{self, Style, Unread};
use bottlec::syntax::Trees;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Args, Command, ValueEnum as _};

use super::error::{Error, reason};
use super::format::Format;
use super::output::{Output, Stream};

/// `--format`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Reporting {
    /// How diagnostics are shown, and where: `FORMAT=FILE` writes that one into a file. May be given several times;
    /// `fancy` when not given
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = ReportParser)]
    reports: Vec<Report>,
}

/// One report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    format: Format,
    /// The file that it goes to; without one, where the command shows diagnostics.
    file: Option<PathBuf>,
}

/// Reads `FORMAT` and `FORMAT=FILE`.
#[derive(Clone)]
struct ReportParser;

impl TypedValueParser for ReportParser {
    type Value = Report;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Report, clap::Error> {
        let text = value.to_string_lossy();
        let (name, file) = match text.split_once('=') {
            // A path keeps the bytes that it has.
            Some((name, _)) => (name, Some(value.as_encoded_bytes()[name.len() + 1..].to_vec())),
            None => (&*text, None),
        };
        let parser = clap::builder::EnumValueParser::<Format>::new();
        let format = parser.parse_ref(command, arg, OsStr::new(name))?;
        let file = match file {
            Some(bytes) if bytes.is_empty() => {
                let message = format!("`{name}=` names no file\n");
                return Err(command.clone().error(ErrorKind::InvalidValue, message));
            }
            Some(bytes) => Some(path(bytes)),
            None => None,
        };
        Ok(Report { format, file })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Format::value_variants().iter().filter_map(Format::to_possible_value)))
    }
}

fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

impl Reporting {
    /// The reports of a run. At most one goes to the stream.
    pub(crate) fn reports(&self) -> Result<Vec<Report>, Error> {
        let mut reports = self.reports.clone();
        if reports.is_empty() {
            reports.push(Report::default());
        }
        if reports.iter().filter(|report| report.file.is_none()).count() > 1 {
            let what =
                "two formats without a file would be mixed: write `--format FORMAT=FILE` for all but one";
            return Err(Error::Usage(what.to_owned()));
        }
        Ok(reports)
    }
}

impl Report {
    /// Whether it goes to the terminal, or what stands for it, and is for a person.
    pub(crate) fn is_for_a_person(&self) -> bool {
        self.file.is_none() && matches!(self.format, Format::Fancy)
    }

    /// Whether it goes to the terminal, or what stands for it, and a program reads it there as a whole.
    pub(crate) fn is_for_a_program(&self) -> bool {
        self.file.is_none() && !matches!(self.format, Format::Fancy | Format::Concise | Format::Github)
    }

    /// Writes it, but nothing to the stream when there is nothing to say.
    pub(crate) fn write_if_any(
        &self,
        stream: Stream,
        output: &Output,
        diagnostics: &Diagnostics,
        unread: &[Unread],
        trees: &dyn Trees,
    ) -> Result<(), Error> {
        if self.file.is_none() && diagnostics.is_empty() && unread.is_empty() {
            return Ok(());
        }
        self.write(stream, output, diagnostics, unread, trees)
    }

    /// Writes it.
    pub(crate) fn write(
        &self,
        stream: Stream,
        output: &Output,
        diagnostics: &Diagnostics,
        unread: &[Unread],
        trees: &dyn Trees,
    ) -> Result<(), Error> {
        let format = self.format.into();
        let Some(file) = &self.file else {
            // Who reads the terminal is told on standard error.
            let told = matches!(self.format, Format::Fancy | Format::Concise);
            let unread = if told { &[] } else { unread };
            return Ok(output.diagnostics(stream, format, diagnostics, unread, trees)?);
        };
        let failed = |error: std::io::Error| Error::Write { path: file.clone(), reason: reason(&error) };
        let mut out = BufWriter::new(File::create(file).map_err(failed)?);
        let style = Style { width: 100, unicode: true, ..Style::default() };
        report::render(format, diagnostics, unread, trees, &style, &mut out)
            .and_then(|()| out.flush())
            .map_err(failed)
    }
}
