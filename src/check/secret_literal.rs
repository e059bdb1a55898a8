//! Credentials written into a spec. No diagnostic of any rule repeats them.

use std::collections::BTreeSet;

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Credential, Layer, Reference, Variable, VariableValue};
use crate::rule::Level;
use crate::rule::catalogue::SECRET_LITERAL;
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::{Value, quoted_string};
use crate::text::quote;
use crate::world::secret;

/// The shortest password of a URL that may be more than a default for tests.
const SHORTEST_PASSWORD: usize = 8;

/// Checks the texts of a layer.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    let sidecars = layer.sidecars.iter().flat_map(|sidecar| &sidecar.service.env);
    let mut variables = BTreeSet::new();
    for variable in layer.env.iter().chain(sidecars) {
        let [source] = variable.sources.as_slice() else { continue };
        variables.insert(source.span);
        let found = match &source.value {
            VariableValue::Literal(text) => literal(variable, text, source.span),
            VariableValue::Secret(Reference::Env(from)) => pasted(variable, from, source.span),
            VariableValue::Secret(Reference::File(_)) => None,
        };
        if let Some(diagnostic) = found {
            diagnostics.push(diagnostic);
        }
    }
    for Credential { what, span } in layer.credentials.iter().filter(|it| !variables.contains(&it.span)) {
        diagnostics.push_error_with(|| {
            Diagnostic::new(&SECRET_LITERAL, *span, format!("{what} is written into the spec"))
                .label("not shown in any report")
                .help("take it out, and revoke it if others may have seen the file")
                .help("a program is handed a secret by reference: `from-env=` in `env`, or `secret … from-file=…` of a sidecar")
        });
    }
}

fn literal(variable: &Variable, text: &str, span: Span) -> Option<Diagnostic> {
    let name = &variable.name.value;
    let (message, level) = if let Some(found) = secret::known(text).first() {
        (format!("{} holds {} itself", quote(name), found.what), SECRET_LITERAL.level)
    } else if holds_password(text) {
        (format!("{} holds a URL with a password", quote(name)), Level::Warning)
    } else if secret::looks_secret(name, text) {
        (format!("{} holds what looks like a secret", quote(name)), Level::Warning)
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

/// Whether a URL in it has a password that is more than `postgres`.
fn holds_password(text: &str) -> bool {
    secret::passwords(text).into_iter().any(|range| {
        let password = &text[range];
        password.len() >= SHORTEST_PASSWORD
            && password.contains(|c: char| c.is_ascii_digit())
            && password.contains(|c: char| c.is_ascii_alphabetic())
    })
}
