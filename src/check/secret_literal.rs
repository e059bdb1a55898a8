//! Credentials written into a spec. No diagnostic of any rule repeats them.

use std::collections::BTreeSet;

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{File, Layer, Reference, Variable, VariableValue, WrittenSecret};
use crate::rule::Level;
use crate::rule::catalogue::SECRET_LITERAL;
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::{Value, quoted_string};
use crate::text::quote;
use crate::world::secret::{self, LIKELY};

/// Checks the texts of a layer.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    let sidecars = layer.sidecars.iter().flat_map(|sidecar| &sidecar.service.env);
    let mut variables = BTreeSet::new();
    for variable in layer.env.iter().chain(sidecars) {
        let [source] = variable.sources.as_slice() else { continue };
        let found = match &source.value {
            VariableValue::Literal(text) => literal(variable, text, source.span),
            VariableValue::Secret(Reference::Env(from)) => pasted(variable, from, source.span),
            VariableValue::Secret(Reference::File(_)) => None,
        };
        if let Some(diagnostic) = found {
            variables.insert(source.span);
            diagnostics.push(diagnostic);
        }
    }
    texts(layer.written_secrets.iter().filter(|it| !variables.contains(&it.span)), diagnostics);
}

/// Checks the texts of a file outside of its profiles and bottles, which reach the plan as well.
pub fn check_file(file: &File, diagnostics: &mut Diagnostics) {
    texts(file.written_secrets.iter(), diagnostics);
}

fn texts<'a>(credentials: impl Iterator<Item = &'a WrittenSecret>, diagnostics: &mut Diagnostics) {
    for WrittenSecret { what, span, is_certain } in credentials {
        let mut diagnostic = Diagnostic::new(&SECRET_LITERAL, *span, format!("{what} is written into the spec"))
            .label("not shown in any report")
            .help("take it out, and revoke it if others may have seen the file")
            .help("a program is handed a secret by reference: `from-env=` in `env`, or `secret … from-file=…` of a sidecar");
        if !is_certain {
            diagnostic.level = Level::Warning;
        }
        diagnostics.push(diagnostic);
    }
}

fn literal(variable: &Variable, text: &str, span: Span) -> Option<Diagnostic> {
    let name = &variable.name.value;
    let (message, level) = if let Some(found) = secret::known(text).first() {
        (format!("{} holds {} itself", quote(name), found.what), SECRET_LITERAL.level)
    } else if let Some(what) = secret::likely(text) {
        (format!("{} holds {what}", quote(name)), Level::Warning)
    } else if secret::looks_secret(name, text) {
        (format!("{} holds {LIKELY}", quote(name)), Level::Warning)
    } else {
        return None;
    };
    let mut diagnostic = Diagnostic::new(&SECRET_LITERAL, span, message)
        .label("not shown in any report")
        .help("revoke it if others may have seen the file: it stays in the history of a repository");
    diagnostic.level = level;
    if ValueType::EnvName.check(Value::String(name)).is_err() {
        return Some(diagnostic);
    }
    let says = format!("from-env={}", quoted_string(name));
    let title = format!("write `{says}`, and set that variable on the host");
    Some(diagnostic.replace(title, Applicability::Unsafe, span, says))
}

/// The value itself, where the name of the host's variable belongs.
fn pasted(variable: &Variable, from: &str, span: Span) -> Option<Diagnostic> {
    let name = &variable.name.value;
    if secret::known(from).is_empty() && !secret::looks_secret(name, from) {
        return None;
    }
    let says = quoted_string(name);
    Some(
        Diagnostic::new(
            &SECRET_LITERAL,
            span,
            format!("`from-env` of {} holds what looks like a secret", quote(name)),
        )
        .label("expected the name of a variable of the host")
        .help("revoke it if others may have seen the file: it stays in the history of a repository")
        .replace(
            format!("write `{says}`, and set that variable on the host"),
            Applicability::Unsafe,
            span,
            says,
        ),
    )
}
