//! Import: the configuration of another tool as a spec, which never lets through more than that did.
//!
//! Pure: texts in, a text and counts out. One file a kind reads it into nodes; `document` makes the document of the `kdl`
//! crate's model, which [`format`](mod@crate::format) lays out. What cannot be carried over is a comment where it would stand.

mod common;
mod compose;
mod credential;
mod document;
mod egress;
mod manifest;
mod sandbox;
mod smolfile;
mod value;
mod variables;
mod yaml;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeSeed as _;

pub use document::Count;
use document::{Block, Node, named};
use value::{BUDGET, Seed, Value};

use crate::diagnostic::Diagnostics;
use crate::format::{NotTheSame, format};
use crate::schema::{RETIRED, suggest_name};
use crate::source::{Source, Sources};
use crate::syntax;
use crate::text::{is_unsafe_to_show, one_line};

/// The most bytes of a file.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The most bytes of a front matter.
const MAX_FRONT_MATTER: usize = 64 * 1024;

/// What can be imported, for a message.
pub const KINDS: &[&str] = &[
    "an older manifest of bottles, in JSON or as Markdown with front matter",
    "a Smolfile",
    "a Compose file",
    "Claude Code's settings, with `sandbox` or `permissions`",
    "a configuration of sandbox-runtime, with `network` and `filesystem`",
    "a file of the retired design, to be told what took its place",
];

/// A file to import.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its path, which a bottle may be named after.
    pub name: String,
    /// The directory that it lies in, by whose name a bottle is called where the path has none.
    pub directory: String,
    /// Its text.
    pub text: String,
}

/// What was made of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The spec.
    pub text: String,
    /// Of each file, in the order in which they were given.
    pub counts: Vec<Count>,
}

/// Why nothing was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A file is too large.
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// A file is of no kind that is known.
    #[error("it is none of what can be imported: {}", KINDS.join("; "))]
    Unknown,
    /// A file is a spec already.
    #[error("it is a spec already: `bottlec check` says what is wrong with it")]
    Spec,
    /// A file is a spec with nodes of the retired design.
    #[error("it is a spec of the retired gvproxy design: {0}")]
    Retired(String),
    /// A file cannot be read.
    #[error("it is no {0}: {1}")]
    Syntax(&'static str, String),
    /// A front matter that does not end.
    #[error("its front matter has no end within {MAX_FRONT_MATTER} bytes: a line of `---` ends it")]
    NoEnd,
    /// The layout would have changed the document.
    #[error(transparent)]
    Layout(#[from] NotTheSame),
}

/// A bottle that is made.
struct Draft {
    /// As its file calls it.
    name: String,
    extends: Vec<String>,
    block: Block,
}

/// What a file holds.
struct Contents {
    /// Comments that belong to no bottle.
    around: Block,
    bottles: Vec<Draft>,
}

/// Makes one spec of all files, or says which of them cannot be imported.
///
/// # Errors
/// The number of the file, and what is wrong with it.
pub fn import(inputs: &[Input]) -> Result<Imported, (usize, ImportError)> {
    let mut files = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        files.push(read(input).map_err(|error| (at, error))?);
    }
    // The older manifests extend bottles; a spec extends profiles.
    let drafts = || files.iter().flat_map(|file| &file.bottles);
    let given: BTreeSet<String> = drafts().map(|draft| draft.name.clone()).collect();
    let extended: BTreeSet<String> = drafts().flat_map(|draft| draft.extends.iter().cloned()).collect();
    let mut slugs = Slugs::default();
    let mut profiles = BTreeMap::new();
    for name in given.intersection(&extended) {
        profiles.insert(name.clone(), slugs.take(name));
    }
    let mut slugs = Slugs::default();
    let mut document = Block::default();
    let mut counts = Vec::new();
    for (file, input) in files.into_iter().zip(inputs) {
        let before = document.count;
        document.gap();
        document.note(&format!("From {}.", named(&input.name)));
        document.append(file.around);
        for (n, draft) in file.bottles.into_iter().enumerate() {
            if n > 0 {
                document.gap();
            }
            write(draft, &profiles, &mut slugs, &mut document);
        }
        counts.push(Count {
            settings: document.count.settings - before.settings,
            lost: document.count.lost - before.lost,
        });
    }
    let text = document.document().to_string();
    let source = Source::new("", text.trim_start());
    let mut problems = Diagnostics::new();
    let mut sources = Sources::new();
    let id = sources.add(source);
    let tree = syntax::parse(id, sources.get(id), &mut problems);
    let text = if problems.has_errors() { Err(NotTheSame) } else { format(&tree) };
    let text = text.map_err(|error| (0, error.into()))?;
    Ok(Imported { text, counts })
}

/// Writes a bottle; one that others extend as a profile, and a bottle of that.
fn write(draft: Draft, profiles: &BTreeMap<String, String>, slugs: &mut Slugs, document: &mut Block) {
    let Draft { name, extends, block } = draft;
    let mut body = Block::default();
    let known: Vec<&str> = extends.iter().filter_map(|it| profiles.get(it)).map(String::as_str).collect();
    if !known.is_empty() {
        body.push(Node::new("extends").texts(known));
    }
    for missing in extends.iter().filter(|it| !profiles.contains_key(*it)) {
        body.lose(
            &format!("what {} has", named(missing)),
            "it is in none of these files: import it together with this one",
        );
    }
    body.append(block);
    let slug = slugs.take(&name);
    let bottle = Node::new("bottle").text(&slug);
    if let Some(profile) = profiles.get(&name) {
        document.push(Node::new("profile").text(profile).holding(body));
        document.gap();
        let mut only = Block::default();
        only.push(Node::new("extends").text(profile));
        document.push(bottle.holding(only));
    } else {
        document.push(bottle.holding(body));
    }
}

/// The names that are given, each once; with the number that the next one of its kind gets.
#[derive(Default)]
struct Slugs(BTreeMap<String, u32>);

impl Slugs {
    fn take(&mut self, name: &str) -> String {
        let slug = suggest_name(name).unwrap_or_else(|| String::from("imported"));
        let mut free = slug.clone();
        while self.0.contains_key(&free) {
            let n = self.0.entry(slug.clone()).or_insert(1);
            *n += 1;
            let end = format!("-{n}");
            free = format!("{}{end}", slug[..slug.len().min(40 - end.len())].trim_end_matches('-'));
        }
        self.0.insert(free.clone(), 1);
        free
    }
}

/// A scalar as text; of a list or a map, and of nothing, an empty one.
fn text_of(value: &Value) -> Cow<'_, str> {
    value.text().unwrap_or_default()
}

/// Recognises a file by what is in it, and reads it.
fn read(input: &Input) -> Result<Contents, ImportError> {
    let Input { name, directory, text } = input;
    let path = &format!("{directory}/{name}");
    if text.len() > MAX_BYTES {
        return Err(ImportError::TooLarge);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match syntax_of(text) {
        Syntax::Json => {
            let value = json(text).map_err(|why| ImportError::Syntax("JSON", why))?;
            contents(path, &value)
        }
        Syntax::Toml => {
            let value = toml(text).map_err(|why| ImportError::Syntax("TOML", why))?;
            contents(path, &value)
        }
        Syntax::Yaml => {
            let value = yaml::read(text).map_err(|why| ImportError::Syntax("YAML", why))?;
            contents(path, &value)
        }
        Syntax::Fenced => match front_matter(text) {
            Some((front, below)) => {
                let value =
                    yaml::read(front).map_err(|why| ImportError::Syntax("front matter in YAML", why))?;
                markdown(path, &value, below)
            }
            // A document of YAML may begin with the same line.
            None => match yaml::read(text) {
                Ok(value @ Value::Map(_)) => contents(path, &value).map_err(|error| match error {
                    ImportError::Unknown => ImportError::NoEnd,
                    error => error,
                }),
                _ => Err(ImportError::NoEnd),
            },
        },
        Syntax::Other => Err(spec(text)),
    }
}

enum Syntax {
    Json,
    Toml,
    Yaml,
    /// It begins with a line of `---`.
    Fenced,
    Other,
}

/// Which syntax the first line that says anything is of.
fn syntax_of(text: &str) -> Syntax {
    let is_key = |key: &str| {
        let key = key.trim().trim_matches(['"', '\'']);
        !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$'))
    };
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(line) = lines.next() else { return Syntax::Other };
    if line == "---" {
        return Syntax::Fenced;
    }
    if line.starts_with('{') {
        return Syntax::Json;
    }
    let end = line.find(['=', ':']).unwrap_or(line.len());
    match line.as_bytes().get(end) {
        Some(b'=') if is_key(&line[..end]) => Syntax::Toml,
        Some(b':') if is_key(&line[..end]) => Syntax::Yaml,
        _ if line.starts_with('[') && is_key(line.trim_matches(['[', ']'])) => Syntax::Toml,
        _ if line.starts_with('%') || line.starts_with("--- ") => Syntax::Yaml,
        _ => Syntax::Other,
    }
}

fn json(text: &str) -> Result<Value, String> {
    let budget = Cell::new(BUDGET);
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Seed(&budget).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| shown(&error.to_string()))
}

fn toml(text: &str) -> Result<Value, String> {
    let budget = Cell::new(BUDGET);
    let value = ::toml::Deserializer::parse(text).and_then(|reader| Seed(&budget).deserialize(reader));
    value.map_err(|error| shown(error.message()))
}

/// What another reader says, in one line and without what it repeats of the text beyond that.
fn shown(message: &str) -> String {
    one_line(message).chars().take(200).collect()
}

/// The front matter of a text that begins with a line of `---`, and what is below it.
fn front_matter(text: &str) -> Option<(&str, &str)> {
    let start = text.find("---")? + 3;
    let start = start + text[start..].find('\n')? + 1;
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((&text[start..at], &text[at + line.len()..]));
        }
        at += line.len();
        if at - start > MAX_FRONT_MATTER {
            return None;
        }
    }
    None
}

/// What a text is that is of none of the syntaxes.
fn spec(text: &str) -> ImportError {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("", text));
    let tree = syntax::parse(id, sources.get(id), &mut Diagnostics::new());
    let (mut is_spec, mut found) = (false, BTreeMap::new());
    for (_, node) in tree.walk() {
        let name = node.name();
        is_spec |= matches!(name, "bottle" | "profile");
        if let Some(retired) = RETIRED.iter().find(|it| it.name == name) {
            found.insert(name.to_owned(), retired.instead);
        }
    }
    // The other names are those of many things.
    let is_retired = found.contains_key("gvproxy") || found.contains_key("unixgram");
    if is_retired || is_spec && !found.is_empty() {
        let told = found.iter().map(|(name, instead)| format!("{}: {instead}", named(name)));
        return ImportError::Retired(told.collect::<Vec<_>>().join("; "));
    }
    if is_spec { ImportError::Spec } else { ImportError::Unknown }
}

/// Reads Markdown.
fn markdown(path: &str, map: &Value, below: &str) -> Result<Contents, ImportError> {
    if !map.entries().iter().any(|(key, _)| manifest::KEYS.contains(&key.as_str())) {
        return Err(ImportError::Unknown);
    }
    let name = bottle_name(path);
    let mut around = Block::default();
    if manifest::is_agent(map) {
        manifest::agent(&name, &mut around);
        return Ok(Contents { around, bottles: Vec::new() });
    }
    let manifest::Bottle { extends, mut block } = manifest::bottle(map);
    if !below.trim().is_empty() {
        block.lose(
            "the text below the front matter",
            "what the agent is told is a file of its own, in the repository",
        );
    }
    Ok(Contents { around, bottles: vec![Draft { name, extends, block }] })
}

/// Recognises a map by its keys.
fn contents(path: &str, value: &Value) -> Result<Contents, ImportError> {
    let has = |key: &str| value.get(key).is_some_and(|it| matches!(it, Value::Map(_)));
    let network = value.get("network");
    let inner = |map: Option<&Value>, keys: &[&str]| {
        map.is_some_and(|map| keys.iter().any(|key| map.get(key).is_some()))
    };
    let one = |block| {
        let bottles = vec![Draft { name: bottle_name(path), extends: Vec::new(), block }];
        Ok(Contents { around: Block::default(), bottles })
    };
    if has("services") {
        let named = value.get("name").map(text_of).filter(|name| !name.is_empty() && !name.contains('$'));
        let name = named.map_or_else(|| bottle_name(path), Cow::into_owned);
        let block = compose::bottle(value);
        return Ok(Contents {
            around: Block::default(),
            bottles: vec![Draft { name, extends: Vec::new(), block }],
        });
    }
    if has("bottles") {
        return Ok(older(value));
    }
    if has("sandbox") || has("permissions") {
        return one(sandbox::claude(value));
    }
    let of_srt = inner(network, &["allowedDomains", "deniedDomains"])
        || inner(value.get("filesystem"), &["denyRead", "allowRead", "allowWrite", "denyWrite"]);
    if of_srt {
        return one(sandbox::srt(value));
    }
    let is_manifest = ["agent_provider", "git-gate", "egress"].iter().any(|key| has(key));
    if is_manifest {
        return markdown(path, value, "");
    }
    let is_smolfile = |(key, value): &(String, Value)| {
        smolfile::KEYS.contains(&key.as_str()) || smolfile::retired(key, value).is_some()
    };
    let entries = value.entries();
    // A key or two are those of any configuration.
    if !entries.is_empty() && entries.iter().all(is_smolfile)
        || entries.iter().any(|(key, value)| smolfile::retired(key, value).is_some())
        || inner(network, &["allow_hosts", "allow_cidrs", "allow_host_patterns"])
    {
        return one(smolfile::bottle(value));
    }
    Err(ImportError::Unknown)
}

/// The maps `bottles` and `agents`.
fn older(value: &Value) -> Contents {
    let mut around = Block::default();
    let mut bottles = Vec::new();
    for (name, map) in value.get("bottles").map_or(&[][..], Value::entries) {
        let manifest::Bottle { extends, block } = manifest::bottle(map);
        bottles.push(Draft { name: name.clone(), extends, block });
    }
    for (name, _) in value.get("agents").map_or(&[][..], Value::entries) {
        manifest::agent(name, &mut around);
    }
    for (key, value) in value.entries() {
        if !matches!(key.as_str(), "bottles" | "agents" | "$schema" | "version") && !value.is_nothing() {
            around.lose(&named(key), "a spec has no word for it");
        }
    }
    Contents { around, bottles }
}

/// The name of a bottle that only its file's path gives one: the file's, or that of the directory where the file's is the same
/// everywhere.
fn bottle_name(path: &str) -> String {
    const USUAL: &[&str] = &[
        "",
        "bottle",
        "claude-bottle",
        "compose",
        "config",
        "docker-compose",
        "manifest",
        "settings",
        "settings-local",
        "smolfile",
        "srt-settings",
        "stdin",
    ];
    let visible: String = path.chars().filter(|c| !is_unsafe_to_show(*c)).collect();
    for part in visible.rsplit('/') {
        let stem = match part.trim_start_matches('.').rsplit_once('.') {
            Some((stem, _)) => stem,
            None => part,
        };
        match suggest_name(stem) {
            Some(name) if !USUAL.contains(&name.as_str()) => return name,
            _ => {}
        }
    }
    String::from("imported")
}
