//! Environment variables: one source each, and none that the compiler sets.

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Bottle, Layer, MemberKind, Names, Reference, Spanned, Variable, VariableValue};
use crate::rule::catalogue::{ENV_INTERPOLATION, ENV_OWNED, ENV_REPLACED, ENV_SOURCE};
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::Value;
use crate::text::quote;
use crate::world::builtin::{self, TRUST_FILES};

/// Checks the variables of a layer.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    for variable in &layer.env {
        owned(&variable.name.value, variable.name.span, diagnostics);
        source(variable, diagnostics);
    }
    for credential in &layer.credentials {
        let exposed = credential.exposes.iter().map(|expose| &expose.variable);
        for variable in exposed.chain(&credential.placeholders) {
            owned(&variable.value, variable.span, diagnostics);
        }
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
                .help("remove it: it leads programs to the bundle, and with another value they would go round it"),
        );
    }
}

/// Checks a whole bottle: what the compiler would set, and when HTTPS is opened, what tells programs what to trust.
pub fn check_bottle(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    for variable in bottle.settings.env.values() {
        if let Some((what, help)) = replaced(variable, bottle) {
            let name = &variable.name;
            diagnostics.push(
                Diagnostic::new(
                    &ENV_REPLACED,
                    name.span,
                    format!("{} is the spec's own, so {what}", quote(&name.value)),
                )
                .label("the compiler would set it")
                .help(help),
            );
        }
    }
    let Some(tls) = &bottle.settings.egress.tls else { return };
    let exposed = bottle.members.iter().filter_map(|member| match &member.kind {
        MemberKind::Custom(service) => Some(service),
        MemberKind::Builtin(_) => None,
    });
    let exposed = exposed.flat_map(|service| &service.exposes).map(|expose| &expose.variable);
    for name in bottle.settings.env.values().map(|variable| &variable.name).chain(exposed) {
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

/// What the compiler's value of a variable would have done that the spec's own does not, and what to do.
fn replaced(variable: &Variable, bottle: &Bottle<Names>) -> Option<(String, String)> {
    let name = variable.name.value.as_str();
    let literal = match variable.value() {
        Some(VariableValue::Literal(text)) => text.as_str(),
        _ => "",
    };
    if builtin::replaces(name, builtin::JAVA_OPTIONS) && !literal.contains(builtin::JAVA_PROXY) {
        let port = builtin::find(builtin::PIPELOCK)?.port;
        let options = builtin::java_options(bottle.settings.addresses().bundle(), port);
        return Some((String::from("no JVM is told of the proxy"), format!("add to it: {options}")));
    }
    bottle.settings.egress.tls.as_ref()?;
    if builtin::replaces(name, builtin::NPM_CA) && literal != builtin::CA {
        return Some((
            String::from("npm trusts what that file holds"),
            format!("take it out, and npm trusts {}; or see that its file holds that authority", builtin::CA),
        ));
    }
    let file = TRUST_FILES.iter().find(|file| file.variable == name && file.target != literal)?;
    let what = format!("{} is not told which certificates to trust", file.program);
    Some((what, format!("its file needs the line `{}`", file.text)))
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
