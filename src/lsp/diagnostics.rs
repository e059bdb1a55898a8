//! Diagnostics, translated to the protocol.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    NumberOrString, Range, Uri,
};

use super::analysis::{Asked, Located};
use super::client::Client;
use crate::diagnostic;
use crate::report::redact::Redacted;
use crate::rule::{Level, Rule, Tag};

/// What a client shows as the origin of a diagnostic.
pub(super) const SOURCE: &str = "bottlec";

/// The diagnostics of an analysis by the URI of the document that they lie in, in the order of `check`.
#[must_use]
pub(super) fn by_document(analysis: &Located, client: &Client) -> BTreeMap<String, Vec<Diagnostic>> {
    let mut found: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    // A message may repeat a part of a credential, and an editor keeps what it shows.
    let quiet = Redacted::new(analysis.diagnostics(), &**analysis);
    for diagnostic in quiet.diagnostics.as_slice() {
        let id = diagnostic.primary.span.source;
        let Some(uri) = analysis.uri(id) else { continue };
        let asked = Asked { analysis, id, encoding: client.encoding };
        found.entry(uri.as_str().to_owned()).or_default().push(translate(diagnostic, asked, client));
    }
    found
}

/// One diagnostic.
#[must_use]
pub(super) fn translate(
    diagnostic: &diagnostic::Diagnostic,
    asked: Asked<'_>,
    client: &Client,
) -> Diagnostic {
    let diagnostic::Diagnostic { rule, level, message, primary, related, help, fix: _, bottle: _ } =
        diagnostic;
    let severity = match level {
        Level::Error => DiagnosticSeverity::ERROR,
        Level::Warning => DiagnosticSeverity::WARNING,
        Level::Advice => DiagnosticSeverity::INFORMATION,
    };
    let mut text = message.clone();
    for line in std::iter::once(&primary.message).filter(|label| !label.is_empty()) {
        text.push('\n');
        text.push_str(line);
    }
    for line in help {
        text.push_str("\nhelp: ");
        text.push_str(line);
    }
    let related: Vec<DiagnosticRelatedInformation> = related
        .iter()
        .filter(|_| client.related)
        .filter_map(|label| {
            let message = label.message.clone();
            Some(DiagnosticRelatedInformation { location: asked.location(label.span)?, message })
        })
        .collect();
    let tag = rule.tag.map(|tag| match tag {
        Tag::Unnecessary => DiagnosticTag::UNNECESSARY,
        Tag::Deprecated => DiagnosticTag::DEPRECATED,
    });
    Diagnostic {
        range: asked.range(primary.span),
        severity: Some(severity),
        code: Some(NumberOrString::String(rule.id.to_owned())),
        code_description: link(rule).filter(|_| client.links),
        source: Some(SOURCE.to_owned()),
        message: text,
        related_information: (!related.is_empty()).then_some(related),
        tags: tag.map(|tag| vec![tag]),
        data: None,
    }
}

/// The page of a rule.
fn link(rule: &Rule) -> Option<CodeDescription> {
    Some(CodeDescription { href: Uri::from_str(&rule.url()?).ok()? })
}

/// What several specs say of one document that they all include, each thing once: the worst of it, as in
/// [`diagnostic::Diagnostics::finish`].
pub(super) fn merge(diagnostics: &mut Vec<Diagnostic>) {
    fn key(it: &Diagnostic) -> (u32, u32, u32, u32, Option<&str>, &str) {
        let Range { start, end } = it.range;
        let code = match &it.code {
            Some(NumberOrString::String(code)) => Some(code.as_str()),
            _ => None,
        };
        (start.line, start.character, end.line, end.character, code, &it.message)
    }
    let severity = |it: &Diagnostic| match it.severity {
        Some(DiagnosticSeverity::ERROR) => 0,
        Some(DiagnosticSeverity::WARNING) => 1,
        _ => 2,
    };
    diagnostics.sort_by(|a, b| key(a).cmp(&key(b)).then(severity(a).cmp(&severity(b))));
    diagnostics.dedup_by(|later, first| key(later) == key(first));
}
