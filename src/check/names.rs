//! Duplicate names within one layer; a later layer may set a name again.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Layer, Name, Profile, Spanned};
use crate::resolve::message::duplicate;
use crate::rule::catalogue::RESERVED_NAME;
use crate::schema::ValueType;
use crate::syntax::Value;
use crate::text::quote;
use crate::world::{builtin, catalogue};

/// Checks the names of a layer.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    unique("variable", layer.env.iter().map(|variable| &variable.name), diagnostics);
    unique("repository", layer.git.repos.iter().map(|repo| &repo.name), diagnostics);
    unique("credential", layer.credentials.iter().map(|credential| &credential.name), diagnostics);
    unique("sidecar", layer.sidecars.iter().map(|sidecar| &sidecar.name), diagnostics);
    for sidecar in &layer.sidecars {
        unique("variable", sidecar.service.env.iter().map(|variable| &variable.name), diagnostics);
        let name = &sidecar.name.value;
        if is_reserved(name) {
            let help = match name.as_str() {
                builtin::AGENT | builtin::BUNDLE => "choose another name".to_owned(),
                name => format!("the built-in one is set up by a node of its own: `{name}`"),
            };
            diagnostics.push(
                Diagnostic::new(&RESERVED_NAME, sidecar.name.span, reserved(name))
                    .label("expected a name of its own")
                    .help(help),
            );
        }
    }
}

/// Reports profiles of a spec that have the name of a built-in one.
pub fn check_profiles<'a>(profiles: impl Iterator<Item = &'a Profile>, diagnostics: &mut Diagnostics) {
    for Profile { name, .. } in profiles {
        // What cannot be such a name is reported as that.
        if catalogue::place_of(&name.value).is_none()
            || ValueType::ProfileName.check(Value::String(&name.value)).is_err()
        {
            continue;
        }
        let message = format!("no profile of a spec can be called {}", quote(&name.value));
        let mut diagnostic = Diagnostic::new(&RESERVED_NAME, name.span, message)
            .label(format!("`{}` is how the names of built-in profiles begin", catalogue::PREFIX));
        if catalogue::find(&name.value).is_some() {
            diagnostic = diagnostic.help(
                "the built-in one needs no definition: extend it, and say in the bottle, or in a profile of \
                 another name, what is to be otherwise",
            );
        } else {
            diagnostic = diagnostic.help("choose another name");
        }
        diagnostics.push(diagnostic);
    }
}

/// Whether a name is that of a built-in sidecar, or of something else beside the sidecars.
#[must_use]
pub(crate) fn is_reserved(name: &str) -> bool {
    builtin::find(name).is_some() || name == builtin::AGENT || name == builtin::BUNDLE
}

/// "no sidecar can be called `name`".
#[must_use]
pub(crate) fn reserved(name: &str) -> String {
    format!("no sidecar can be called {}", quote(name))
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a Spanned<Name>>, diagnostics: &mut Diagnostics) {
    let mut first: BTreeMap<&str, &Spanned<Name>> = BTreeMap::new();
    for name in names {
        match first.get(name.value.as_str()) {
            Some(first) => diagnostics.push(duplicate(what, name, first)),
            None => {
                first.insert(&name.value, name);
            }
        }
    }
}
