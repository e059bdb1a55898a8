//! Code actions.

mod accept;
mod fixes;
mod hosts;
mod pin;
mod secret;

use std::collections::BTreeMap;
use std::sync::Arc;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionTriggerKind, Command,
    Diagnostic, NumberOrString,
};

use super::analysis::{Asked, Located};
use super::client::Client;
use super::cursor::Cursor;
use super::document::Document;
use super::{commands, edits};
use crate::diagnostic::{self, Edit};
use crate::rule::Rule;
use crate::source::Span;

/// Lists the code actions for a range. `whole` gives everything in the folder of the document, also what it does not include.
#[must_use]
pub(super) fn actions(
    asked: Asked<'_>,
    params: &CodeActionParams,
    documents: &BTreeMap<String, Document>,
    client: &Client,
    whole: &dyn Fn() -> Option<Arc<Located>>,
) -> Vec<CodeActionOrCommand> {
    let span = asked.span(params.range);
    let found = asked.analysis.diagnostics().as_slice().iter().filter(|it| {
        let place = it.primary.span;
        place.source == asked.id && place.start <= span.end && span.start <= place.end
    });
    let mut menu = Menu { asked, params, documents, client, found: found.collect(), offered: Vec::new() };
    if client.action_literals {
        fixes::offer(&mut menu);
        if edits::is_editable(asked.source()) {
            let cursor = Cursor::new(asked.tree(), span.start);
            accept::offer(&mut menu);
            pin::octet(&mut menu, &cursor, whole);
            pin::engine(&mut menu, &cursor);
            hosts::deny(&mut menu, &cursor);
            secret::offer(&mut menu, &cursor);
        }
        fixes::all(&mut menu);
    }
    explain(&mut menu);
    menu.offered
}

/// What is being put together for one request.
struct Menu<'a> {
    asked: Asked<'a>,
    params: &'a CodeActionParams,
    documents: &'a BTreeMap<String, Document>,
    client: &'a Client,
    /// What `check` says of the range.
    found: Vec<&'a diagnostic::Diagnostic>,
    offered: Vec<CodeActionOrCommand>,
}

/// A change that is offered.
struct Offer<'a> {
    title: String,
    kind: CodeActionKind,
    edits: Vec<Edit>,
    /// What it is done about.
    about: Vec<&'a diagnostic::Diagnostic>,
    /// Whether it is surely what is wanted.
    preferred: bool,
}

impl<'a> Menu<'a> {
    /// Whether the client wants actions of a kind: it may have asked for some only.
    fn wants(&self, kind: &CodeActionKind) -> bool {
        self.params.context.only.as_ref().is_none_or(|only| only.iter().any(|wanted| is_of(kind, wanted)))
    }

    /// Whether the client asks by itself, as it does whenever the cursor moves.
    fn is_unasked(&self) -> bool {
        let automatic = self.params.context.trigger_kind == Some(CodeActionTriggerKind::AUTOMATIC);
        automatic && self.params.context.only.is_none()
    }

    /// Those of the client's own diagnostics that a diagnostic of the compiler is.
    fn of_client(&self, diagnostic: &diagnostic::Diagnostic) -> impl Iterator<Item = &'a Diagnostic> {
        let range = self.asked.range(diagnostic.primary.span);
        let id = diagnostic.rule.id;
        self.params.context.diagnostics.iter().filter(move |it| {
            it.range == range && matches!(&it.code, Some(NumberOrString::String(code)) if code == id)
        })
    }

    /// Offers a change.
    fn offer(&mut self, offer: Offer<'_>) {
        let Offer { title, kind, edits, about, preferred } = offer;
        if edits.is_empty() || !self.wants(&kind) {
            return;
        }
        let edit = edits::workspace_edit(self.asked, &edits, self.documents, self.client);
        let Some(edit) = edit else { return };
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for diagnostic in about.into_iter().flat_map(|it| self.of_client(it)) {
            if !diagnostics.contains(diagnostic) {
                diagnostics.push(diagnostic.clone());
            }
        }
        self.offered.push(CodeActionOrCommand::CodeAction(CodeAction {
            title,
            kind: Some(kind),
            diagnostics: (!diagnostics.is_empty()).then_some(diagnostics),
            edit: Some(edit),
            is_preferred: preferred.then_some(true),
            ..CodeAction::default()
        }));
    }

    /// Whether something of that title is offered.
    fn has(&self, title: &str) -> bool {
        self.offered.iter().any(|it| match it {
            CodeActionOrCommand::CodeAction(action) => action.title == title,
            CodeActionOrCommand::Command(command) => command.title == title,
        })
    }

    /// The diagnostics of a rule in the range.
    fn of_rule(&self, rule: &Rule, place: impl Fn(Span) -> bool) -> Vec<&'a diagnostic::Diagnostic> {
        self.found.iter().filter(|it| it.rule == rule && place(it.primary.span)).copied().collect()
    }
}

/// Whether a kind is the one that is wanted, or one below it: `source.fixAll.bottlec` is of `source`.
fn is_of(kind: &CodeActionKind, wanted: &CodeActionKind) -> bool {
    let rest = kind.as_str().strip_prefix(wanted.as_str());
    rest.is_some_and(|rest| rest.is_empty() || wanted.as_str().is_empty() || rest.starts_with('.'))
}

/// Offers the page of each rule that is broken. A client that knows of commands only gets just these.
fn explain(menu: &mut Menu<'_>) {
    if !menu.wants(&CodeActionKind::QUICKFIX) {
        return;
    }
    let mut rules: BTreeMap<&str, Vec<Diagnostic>> = BTreeMap::new();
    for diagnostic in &menu.found {
        rules.entry(diagnostic.rule.id).or_default().extend(menu.of_client(diagnostic).cloned());
    }
    for (id, diagnostics) in rules {
        let title = format!("explain `{id}`");
        let command = Command::new(title.clone(), commands::EXPLAIN.to_owned(), Some(vec![id.into()]));
        menu.offered.push(if menu.client.action_literals {
            CodeActionOrCommand::CodeAction(CodeAction {
                title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: (!diagnostics.is_empty()).then_some(diagnostics),
                command: Some(command),
                ..CodeAction::default()
            })
        } else {
            CodeActionOrCommand::Command(command)
        });
    }
}
