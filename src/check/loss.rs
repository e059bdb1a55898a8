//! Enforcement losses: settings that the target enforces more strictly, or less, than written.

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Host, Layer};
use crate::rule::catalogue::{STRICTER_THAN_WRITTEN, WIDER_THAN_WRITTEN};
use crate::rule::{Level, Rule};
use crate::syntax::quoted_string;
use crate::text::quote;
use crate::world::host::Lost;

/// Checks the lists of a layer. `strict` makes what is wider an error.
pub fn check(layer: &Layer, strict: bool, diagnostics: &mut Diagnostics) {
    for entry in &layer.egress.allow {
        let Some(lost) = entry.lost else { continue };
        let mut diagnostic = whole(&WIDER_THAN_WRITTEN, entry, lost, "allowed")
            .label("wider than written: every port and every path of it");
        if strict {
            diagnostic.level = Level::Error;
        }
        diagnostics.push(diagnostic);
    }
    for entry in &layer.egress.deny {
        let Some(lost) = entry.lost else { continue };
        diagnostics.push(
            whole(&STRICTER_THAN_WRITTEN, entry, lost, "denied")
                .label("stricter than written: every port and every path of it"),
        );
    }
}

fn whole(rule: &'static Rule, entry: &Host, lost: Lost, what: &str) -> Diagnostic {
    let message =
        format!("{} is {what} as a whole: pipelock cannot hold {}", quote(&entry.value), lost.describe());
    let written = quoted_string(&entry.value);
    Diagnostic::new(rule, entry.span, message)
        .help("say that the whole host is meant, or let a sidecar be the way to the part of it")
        // It says what is done already: only whoever wrote it knows whether that is meant.
        .replace(format!("write `{written}`"), Applicability::Unsafe, entry.span, written)
}
