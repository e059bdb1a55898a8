//! `agent/apt.conf`, `agent/wgetrc`: which certificates programs trust that learn it from a file of their own.

use super::{Draft, Mode};
use crate::model::VariableValue;
use crate::plan::{Plan, Traced};
use crate::world::builtin::{TRUST_FILES, TrustFile};

/// The files of a plan, each with what asks for it: those that the agent's variables name.
pub fn files(plan: &Plan) -> impl Iterator<Item = Traced<&'static TrustFile>> {
    let asked = |file: &'static TrustFile| {
        let variable = plan.env.get(file.variable)?;
        // One of the spec's own leads elsewhere.
        let is_ours = matches!(&variable.value.value, VariableValue::Literal(path) if path == file.target);
        is_ours.then(|| variable.with(file))
    };
    TRUST_FILES.iter().filter(|_| plan.egress.tls.is_some()).filter_map(asked)
}

/// Adds the files.
pub(crate) fn lower(plan: &Plan, draft: &mut Draft) {
    for file in files(plan) {
        let lines = [file.with(file.text.to_owned())];
        draft.lines(file.path, Mode::Shared, file.origins.clone(), &lines);
    }
}
