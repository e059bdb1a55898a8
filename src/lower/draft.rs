//! Drafts: the files of a stage while they are made, with their provenance when that is asked for.

use std::collections::BTreeMap;

use erased_serde::Serialize;

use super::recorder::{self, Places};
use super::{Artifact, Bytes, Constant, Mode, yaml};
use crate::plan::{Origins, Traced};

/// The origins of the parts of a file.
#[derive(Clone, Debug)]
pub enum Parts {
    /// Of a document of keys: its values by their places.
    Document(Places),
    /// Of any other text: its lines, in order.
    Lines(Vec<Origins>),
    /// It is the same in every stage that has it.
    Constant,
}

/// The provenance of a file.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Why the file is there, and all in it that has no origins of its own.
    pub asked: Origins,
    /// What decided each part of it.
    pub parts: Parts,
}

/// What a document is written in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Markup {
    /// Indented, an entry a line.
    Json,
    /// TOML, a list's entry a line.
    Toml,
    /// YAML 1.1 and 1.2 at once, below a comment.
    Yaml(&'static str),
}

/// The files of a stage.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    files: BTreeMap<String, Artifact>,
    asked: BTreeMap<String, Origins>,
    parts: BTreeMap<String, Parts>,
    /// Whether it is asked where things come from.
    traces: bool,
}

impl Draft {
    /// Creates a draft without a file; `traces` is whether provenance is recorded.
    pub(crate) fn new(traces: bool) -> Self {
        Self { traces, ..Self::default() }
    }

    fn add(&mut self, path: &str, mode: Mode, asked: Origins, bytes: Bytes, parts: impl FnOnce() -> Parts) {
        if self.traces {
            self.parts.insert(path.to_owned(), parts());
        }
        self.files.insert(path.to_owned(), Artifact { bytes, mode });
        self.asked.insert(path.to_owned(), asked);
    }

    /// Adds a document of keys.
    pub(crate) fn document(
        &mut self,
        path: &str,
        mode: Mode,
        asked: Origins,
        markup: Markup,
        document: &dyn Serialize,
    ) {
        // Text, numbers, lists, and maps with text keys: each of the three holds them.
        let bytes = match markup {
            Markup::Json => {
                let mut json = Vec::with_capacity(8 * 1024);
                if serde_json::to_writer_pretty(&mut json, document).is_err() {
                    json.clear();
                }
                json.push(b'\n');
                json
            }
            Markup::Toml => toml::to_string_pretty(document).unwrap_or_default().into_bytes(),
            Markup::Yaml(heading) => {
                let mut yaml = heading.as_bytes().to_vec();
                yaml.extend(yaml::write(document));
                yaml
            }
        };
        self.add(path, mode, asked, bytes.into(), || Parts::Document(recorder::record(document)));
    }

    /// Adds a text of lines, each without its end. One of them may be several lines of the file.
    pub(crate) fn lines(&mut self, path: &str, mode: Mode, asked: Origins, lines: &[Traced<String>]) {
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        self.add(path, mode, asked, text.into(), || {
            let of_line = |line: &Traced<String>| {
                std::iter::repeat_n(line.origins.clone(), line.split('\n').count()).collect::<Vec<_>>()
            };
            Parts::Lines(lines.iter().flat_map(of_line).collect())
        });
    }

    /// Adds a file that is the same in every stage that has it.
    pub(crate) fn constant(&mut self, path: &str, mode: Mode, asked: Origins, constant: &'static Constant) {
        self.add(path, mode, asked, constant.into(), || Parts::Constant);
    }

    /// Returns the files so far, by path.
    pub(crate) fn files(&self) -> &BTreeMap<String, Artifact> {
        &self.files
    }

    /// Returns the modes of the files so far, by path, each with what asks for the file.
    pub(crate) fn modes(&self) -> impl Iterator<Item = (&String, Traced<Mode>)> {
        let files = self.files.iter().zip(self.asked.values());
        files.map(|((path, file), asked)| (path, Traced::new(file.mode, asked.clone())))
    }

    /// Returns the files, and their provenance if that was recorded.
    pub(crate) fn finish(self) -> (BTreeMap<String, Artifact>, BTreeMap<String, Provenance>) {
        let Self { files, mut asked, parts, traces: _ } = self;
        let provenance = parts.into_iter().filter_map(|(path, parts)| {
            let asked = asked.remove(&path)?;
            Some((path, Provenance { asked, parts }))
        });
        let provenance = provenance.collect();
        (files, provenance)
    }
}
