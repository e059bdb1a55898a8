//! Texts that make a search for credentials begin anew.

use bottlec::report::{self, Format, Style};

use super::{bounded, much};
use crate::support::compile_text;

/// Each of these once made the search begin anew at every repetition.
#[test]
fn hostile_texts_are_searched_in_linear_time() {
    for unit in [
        "xoxb-",
        "SG.",
        "eyJ.",
        "eyJ-",
        "-----BEGIN PRIVATE KEY-----\\\" ",
        "://u:p@",
        "ATATT3=",
        "12345678:AA",
        "_=",
    ] {
        let text = format!(
            "bottle \"x\" {{\n egres\n env {{ A \"{}\"; }}\n}}\n",
            unit.repeat(much(400_000) / unit.len())
        );
        let (sources, compilation) = compile_text("x.kdl", &text);
        let mut out = Vec::new();
        bounded(unit, || {
            report::render(
                Format::Json,
                &compilation.diagnostics,
                &[],
                &sources,
                &Style::default(),
                &mut out,
            )
            .expect("memory can be written to");
        });
    }
}
