//! Variables: one source each, and none that the compiler sets.

use super::rule;
use crate::builtin;
use crate::diagnostic::{Applicability, Diagnostic, Diagnostics, quote};
use crate::schema::ValueType;
use crate::source::Span;
use crate::spec::{Bottle, Layer, MemberKind, Name, Reference, Spanned, Variable, VariableValue};
use crate::syntax::Value;
use crate::variables::{self, Useless};

rule!(
    ENV_INTERPOLATION,
    "env-interpolation",
    Warning,
    "0.1.0",
    "a literal looks like a reference that a shell would expand"
);
rule!(ENV_IGNORED, "env-ignored", Warning, "0.1.0", "a variable that no program of the agent makes use of");
rule!(ENV_OWNED, "env-owned", Error, "0.1.0", "the spec sets a variable that the compiler computes");
rule!(ENV_SOURCE, "env-source", Error, "0.1.0", "a variable has no source, or more than one");

/// Checks the variables of a layer.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    for variable in &layer.env {
        owned(&variable.name.value, variable.name.span, diagnostics);
        ignored(&variable.name, layer, diagnostics);
        source(variable, diagnostics);
    }
    for sidecar in &layer.sidecars {
        for variable in &sidecar.service.env {
            source(variable, diagnostics);
        }
        for expose in &sidecar.service.exposes {
            owned(&expose.variable.value, expose.variable.span, diagnostics);
        }
    }
}

fn owned(name: &str, span: Span, diagnostics: &mut Diagnostics) {
    if builtin::owns_variable(name) {
        diagnostics.push(
            Diagnostic::new(&ENV_OWNED, span, format!("{} is set by the compiler", quote(name)))
                .label("cannot be set here")
                .help("remove it: its value follows from the bottle's addresses, and another one would go round the bundle"),
        );
    }
}

/// Whether a variable of the agent is of no use in a bottle, or a slip of one that is.
fn ignored(name: &Spanned<Name>, layer: &Layer, diagnostics: &mut Diagnostics) {
    let ignored = |message: String| Diagnostic::new(&ENV_IGNORED, name.span, message);
    let shown = quote(&name.value);
    if let Some(why) = variables::useless(&name.value) {
        let (label, help) = match why {
            Useless::OtherProxy => (
                "the machine can dial no proxy but the bundle's",
                "take it out: `HTTP_PROXY` and `HTTPS_PROXY` are set to pipelock for every bottle",
            ),
            Useless::HostSocket => {
                ("a socket of the host's is not in the machine", "take it out: nothing answers there")
            }
            Useless::GitSsh => (
                "git goes to git-gate, and not by SSH",
                "take it out: declare the repository in `git`, whose `identity` stays on the host",
            ),
        };
        diagnostics.push(ignored(format!("{shown} is of no use to the agent")).label(label).help(help));
        return;
    }
    let upper = name.value.to_ascii_uppercase();
    if builtin::owns_variable(&upper) && !builtin::owns_variable(&name.value) {
        diagnostics.push(
            ignored(format!("no program reads {shown}"))
                .label(format!("the compiler sets `{upper}`"))
                .help("take it out"),
        );
        return;
    }
    if let Some(meant) = variables::meant(&name.value) {
        let diagnostic = ignored(format!("no program is known to read {shown}"))
            .label(format!("did you mean `{}`?", meant.name));
        // That one may be there already, and this one be another program's.
        let is_set = layer.env.iter().any(|variable| variable.name.value == meant.name);
        diagnostics.push(if is_set {
            diagnostic.help("take it out, unless a program of your own reads it")
        } else {
            let title = format!("rename it to `{}`", meant.name);
            diagnostic.replace(title, Applicability::Unsafe, name.span, meant.name)
        });
    }
}

/// Checks a whole bottle: when HTTPS is opened the compiler tells programs what to trust.
pub fn check_bottle(bottle: &Bottle<Name>, diagnostics: &mut Diagnostics) {
    let Some(tls) = &bottle.egress.tls else { return };
    let exposed = bottle.members.iter().filter_map(|member| match &member.kind {
        MemberKind::Custom(service) => Some(service),
        MemberKind::Builtin(_) => None,
    });
    let exposed = exposed.flat_map(|service| &service.exposes).map(|expose| &expose.variable);
    for name in bottle.env.values().map(|variable| &variable.name).chain(exposed) {
        if builtin::CA_VARIABLES.contains(&name.value.as_str()) {
            diagnostics.push_error_with(|| {
                Diagnostic::new(
                    &ENV_OWNED,
                    name.span,
                    format!("{} is set by the compiler", quote(&name.value)),
                )
                .label("cannot be set here")
                .related(tls.node, "HTTPS is opened here")
                .help("remove it: it names the certificates of `tls`; `trust` there says which they are")
            });
        }
    }
}

fn source(variable: &Variable, diagnostics: &mut Diagnostics) {
    let says = |value: &VariableValue| match value {
        VariableValue::Literal(_) => "a literal",
        VariableValue::Secret(Reference::Env(_)) => "`from-env`",
        VariableValue::Secret(Reference::File(_)) => "`from-file`",
    };
    match variable.sources.as_slice() {
        [one] => interpolation(one, diagnostics),
        [] if !variable.bare => {}
        [] => diagnostics.push(
            Diagnostic::new(
                &ENV_SOURCE,
                variable.name.span,
                format!("variable {} has no value", quote(&variable.name.value)),
            )
            .label("expected a literal, `from-env=` or `from-file=`")
            .help("an empty value is written `\"\"`"),
        ),
        [first, again, ..] => diagnostics.push(
            Diagnostic::new(
                &ENV_SOURCE,
                again.span,
                format!("variable {} has more than one source", quote(&variable.name.value)),
            )
            .label(format!("{} here", says(&again.value)))
            .related(first.span, format!("{} here", says(&first.value)))
            .help("keep one of them"),
        ),
    }
}

/// Nothing expands a literal: `${TOKEN}` would reach the agent as these eight characters.
fn interpolation(source: &Spanned<VariableValue>, diagnostics: &mut Diagnostics) {
    let VariableValue::Literal(text) = &source.value else { return };
    let Some(rest) = text.strip_prefix('$') else { return };
    let name = rest.strip_prefix('{').map_or(Some(rest), |rest| rest.strip_suffix('}'));
    let Some(name) = name.filter(|name| ValueType::EnvName.check(Value::String(name)).is_ok()) else {
        return;
    };
    diagnostics.push(
        Diagnostic::new(
            &ENV_INTERPOLATION,
            source.span,
            format!("{} is not expanded: the agent would get it as it is written", quote(text)),
        )
        .label("a literal")
        .replace(
            format!("write `from-env=\"{name}\"` for the host's variable"),
            Applicability::Unsafe,
            source.span,
            format!("from-env=\"{name}\""),
        ),
    );
}
