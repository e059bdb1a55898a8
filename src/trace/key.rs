//! Which key of its document each line of a file is about. The documents are ours: each is laid out in the one way that
//! its writer has, and a test reads them again with parsers of others.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::lower::{Path, Step};

/// What each line of a document of a stage is about, by the document's path in the stage. `None` when it is no document
/// of keys.
#[must_use]
pub fn of(file: &str, text: &str) -> Option<Vec<Path>> {
    match file.rsplit_once('.')?.1 {
        "toml" => Some(toml(text)),
        "json" => Some(json(text)),
        "yaml" => Some(yaml(text)),
        _ => None,
    }
}

fn step(key: &str) -> Step {
    Step::Key(key.to_owned())
}

/// The paths of the lines of JSON as `serde_json` lays it out: an entry of an object or a list a line.
fn json(text: &str) -> Vec<Path> {
    let mut open: Path = Vec::new();
    // What is open: `None` is an object, `Some` is a list with as many elements so far.
    let mut containers: Vec<Option<usize>> = Vec::new();
    let mut paths = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['}', ']']) {
            paths.push(open.clone());
            containers.pop();
            open.pop();
            continue;
        }
        let (step, value) = match containers.last_mut() {
            None => (None, line),
            Some(Some(count)) => {
                *count += 1;
                (Some(Step::At(*count - 1)), line)
            }
            Some(None) => {
                let mut keys = serde_json::Deserializer::from_str(line).into_iter::<String>();
                let key = keys.next().and_then(Result::ok).unwrap_or_default();
                let value = line.get(keys.byte_offset()..).unwrap_or("").trim_start_matches([':', ' ']);
                (Some(Step::Key(key)), value)
            }
        };
        let opened = match value {
            "{" => Some(None),
            "[" => Some(Some(0)),
            _ => None,
        };
        paths.push(open.iter().cloned().chain(step.clone()).collect());
        if let Some(container) = opened {
            containers.push(container);
            open.extend(step);
        }
    }
    paths
}

/// What an indented line of YAML is in.
struct Frame {
    indent: usize,
    step: Step,
}

/// The paths of the lines of YAML as [`lower::yaml`](crate::lower) lays it out: block style, lists not indented, every
/// text on one line.
fn yaml(text: &str) -> Vec<Path> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut paths = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim_start_matches(' ');
        let mut indent = line.len() - rest.len();
        if rest.starts_with('#') {
            paths.push(Vec::new());
            continue;
        }
        while let Some(element) = rest.strip_prefix("- ") {
            while frames.last().is_some_and(|frame| frame.indent > indent) {
                frames.pop();
            }
            match frames.last_mut() {
                Some(Frame { indent: at, step: Step::At(n) }) if *at == indent => *n += 1,
                _ => frames.push(Frame { indent, step: Step::At(0) }),
            }
            rest = element;
            indent += 2;
        }
        if let Some(key) = yaml_key(rest) {
            // A list of the key above is over, too: it is indented as the key is.
            let over = |frame: &Frame| frame.indent >= indent;
            while frames.last().is_some_and(over) {
                frames.pop();
            }
            frames.push(Frame { indent, step: Step::Key(key) });
        }
        paths.push(frames.iter().map(|frame| frame.step.clone()).collect());
    }
    paths
}

/// The key that a line begins with. A text is quoted, so nothing else ends with a colon.
fn yaml_key(line: &str) -> Option<String> {
    let ends = |rest: &str| rest == ":" || rest.starts_with(": ");
    let quoted = match line.chars().next()? {
        quote @ ('\'' | '"') => {
            // Keys are names: none holds a quote or an escape.
            let (key, rest) = line[1..].split_once(quote)?;
            return ends(rest).then(|| key.to_owned());
        }
        _ => line.split_once(':'),
    };
    let (key, rest) = quoted?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| key.to_owned())
}

/// The paths of the lines of TOML, by where its parser finds keys and values; of a line with neither, the document's.
fn toml(text: &str) -> Vec<Path> {
    let mut starts = vec![0];
    starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
    let mut paths = vec![Path::new(); text.lines().count()];
    let Ok(document) = DeTable::parse(text) else { return paths };
    let mut mark = |range: Range<usize>, path: &Path| {
        let line = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
        let last = line(range.end.saturating_sub(1).max(range.start));
        for marked in paths.iter_mut().take(last + 1).skip(line(range.start)) {
            // What is deeper says more of the line.
            if marked.len() < path.len() {
                marked.clone_from(path);
            }
        }
    };
    let mut open: Vec<(Path, &DeValue<'_>)> = Vec::new();
    let top = document.get_ref();
    for (key, value) in top {
        let path = vec![step(key.get_ref())];
        mark(key.span(), &path);
        mark(value.span(), &path);
        open.push((path, value.get_ref()));
    }
    while let Some((path, value)) = open.pop() {
        let within = |step: Step| path.iter().cloned().chain([step]).collect::<Path>();
        match value {
            DeValue::Table(table) => {
                for (key, value) in table {
                    let path = within(step(key.get_ref()));
                    mark(key.span(), &path);
                    mark(value.span(), &path);
                    open.push((path, value.get_ref()));
                }
            }
            DeValue::Array(array) => {
                for (at, value) in array.iter().enumerate() {
                    let path = within(Step::At(at));
                    mark(value.span(), &path);
                    open.push((path, value.get_ref()));
                }
            }
            _ => {}
        }
    }
    paths
}
