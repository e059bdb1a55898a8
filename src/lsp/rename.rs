//! Rename.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr as _;

use lsp_types::{
    DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Position, PrepareRenameResponse,
    TextDocumentEdit, TextEdit, Uri, WorkspaceEdit,
};

use super::analysis::Asked;
use super::client::Client;
use super::document::Document;
use super::names::{Kind, Names, Occurrence, unquoted, within};
use super::refusal::Refusal;
use crate::check::{names as rules, repo};
use crate::schema::ValueType;
use crate::syntax::{Value, is_bare_word, quoted_string};
use crate::text::quote;
use crate::world::catalogue;

/// Finds the name that a rename at a position would change.
pub(super) fn prepare(
    asked: Asked<'_>,
    position: Position,
) -> Result<Option<PrepareRenameResponse>, Refusal> {
    let names = Names::new(asked.analysis);
    let offset = asked.offset(position);
    let Some(at) = names.at(asked.id, offset) else { return Ok(None) };
    let Occurrence { kind, text, span, .. } = *names.get(at);
    value_type(asked, kind, text)?;
    let inner = unquoted(asked, text, span);
    // An editor expects the range to hold the position, which may be at a quote.
    let holds = inner.start <= offset && offset <= inner.end;
    Ok(Some(PrepareRenameResponse::RangeWithPlaceholder {
        range: asked.range(if holds { inner } else { span }),
        placeholder: text.to_owned(),
    }))
}

/// Every edit that a new name takes.
pub(super) fn rename(
    asked: Asked<'_>,
    position: Position,
    new_name: &str,
    documents: &BTreeMap<String, Document>,
    client: &Client,
) -> Result<Option<WorkspaceEdit>, Refusal> {
    let names = Names::new(asked.analysis);
    let nothing = || Refusal::invalid("there is no name here that could be another one");
    let at = names.at(asked.id, asked.offset(position)).ok_or_else(nothing)?;
    let Occurrence { kind, text, .. } = *names.get(at);
    let value = value_type(asked, kind, text)?;
    value.check(Value::String(new_name)).map_err(|problem| Refusal::failed(problem.message))?;
    if kind == Kind::Sidecar && rules::is_reserved(new_name) {
        return Err(Refusal::failed(rules::reserved(new_name)));
    }
    if new_name == text {
        return Ok(Some(WorkspaceEdit::default()));
    }
    let same = names.same(at);
    let new_plain = repo::plain_name(new_name);
    let collision = names.collision(&same, |other| match kind {
        // Git, and file systems, do not tell all names apart.
        Kind::Repository => repo::plain_name(other) == new_plain,
        _ => other == new_name,
    });
    if let Some(first) = collision {
        return Err(Refusal::failed(taken(asked, first)));
    }
    let mut edits: BTreeMap<&str, Vec<TextEdit>> = BTreeMap::new();
    for at in same {
        let Occurrence { text, span, .. } = *names.get(at);
        let source = asked.analysis.sources().get(span.source);
        let uri = asked.analysis.uri(span.source).filter(|_| source.invalid_utf8().is_empty());
        let Some(uri) = uri else {
            let name = quote(source.name());
            return Err(Refusal::failed(format!(
                "{} is named in {name}, which cannot be edited",
                quote(text)
            )));
        };
        let new_text = rewritten(&source.text()[span.range()], text, new_name);
        edits.entry(uri.as_str()).or_default().push(TextEdit { range: asked.range(span), new_text });
    }
    Ok(Some(workspace_edit(edits, documents, client)))
}

/// What a new name must be.
fn value_type(asked: Asked<'_>, kind: Kind, text: &str) -> Result<ValueType, Refusal> {
    let name = quote(text);
    match kind {
        Kind::Credential if is_built_in(asked, text) => Err(Refusal::failed(format!(
            "{name} is the name of a built-in profile's credential, too: under another one it would be none of that"
        ))),
        Kind::Profile if catalogue::place_of(text).is_some() => {
            Err(Refusal::failed(format!("{name} is built in: its name is the compiler's")))
        }
        Kind::Bottle | Kind::Profile | Kind::Sidecar | Kind::Credential => Ok(ValueType::Name),
        Kind::Repository => Ok(ValueType::RepoName),
        Kind::Builtin => Err(Refusal::failed(format!("{name} is built in: its name is the compiler's"))),
        Kind::Variable => Err(Refusal::failed(format!("programs look for {name} by this name"))),
        Kind::Pattern => {
            Err(Refusal::failed(format!("the log calls the pattern {name}, and nothing here does")))
        }
        Kind::Rule => Err(Refusal::failed(format!("{name} is a rule of the compiler's"))),
    }
}

/// Whether a built-in profile that the spec extends has a credential of that name.
fn is_built_in(asked: Asked<'_>, name: &str) -> bool {
    let files = asked.analysis.files().iter();
    let built_in = files.filter(|(id, _)| asked.analysis.sources().get(**id).is_built_in());
    let profiles = built_in.flat_map(|(_, file)| &file.profiles);
    profiles.flat_map(|profile| &profile.layer.credentials).any(|it| it.name.value == name)
}

fn taken(asked: Asked<'_>, first: &Occurrence<'_>) -> String {
    let source = asked.analysis.sources().get(first.span.source);
    let line = source.position(first.span.start).line + 1;
    let (what, name) = (first.kind.noun(), quote(first.text));
    format!("there is a {what} {name} already, in {} on line {line}", quote(source.name()))
}

/// `new` in place of `old`, in the quotes that it is `written` in.
fn rewritten(written: &str, old: &str, new: &str) -> String {
    match within(written, old) {
        Some(range) if range.start == 0 && is_bare_word(new) => new.to_owned(),
        // Nothing that a name may hold ends a raw string.
        Some(range) if written.starts_with('#') => {
            format!("{}{new}{}", &written[..range.start], &written[range.end..])
        }
        _ => quoted_string(new),
    }
}

fn workspace_edit(
    edits: BTreeMap<&str, Vec<TextEdit>>,
    documents: &BTreeMap<String, Document>,
    client: &Client,
) -> WorkspaceEdit {
    let of_uri = edits.into_iter().filter_map(|(uri, edits)| Some((Uri::from_str(uri).ok()?, edits)));
    if !client.versioned_edits {
        #[allow(clippy::mutable_key_type, reason = "the protocol's own type; nothing changes a key in it")]
        let changes: HashMap<Uri, Vec<TextEdit>> = of_uri.collect();
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let changes = of_uri.map(|(uri, edits)| {
        // A document that is not open has no version.
        let version = documents.get(uri.as_str()).map(|document| document.version);
        TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier { uri, version },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        }
    });
    WorkspaceEdit {
        document_changes: Some(DocumentChanges::Edits(changes.collect())),
        ..WorkspaceEdit::default()
    }
}
