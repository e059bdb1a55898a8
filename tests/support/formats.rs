//! What reports are written of, and read again.

use bottlec::diagnostic::{Diagnostic, Diagnostics};
use bottlec::report::{Format, Style, render};
use bottlec::rule;
use bottlec::source::{Source, Sources, Span};
use bottlec::{Compilation, Options, compile};
use serde_json::Value;

use super::{root, specs};

/// All cases that get diagnostics, and some that get none, as the files of one run.
pub(crate) fn everything() -> (Sources, Compilation) {
    let mut sources = Sources::new();
    for path in specs(&root().join("tests/cases/err")).into_iter().chain(specs(&root().join("examples"))) {
        let name = path.strip_prefix(root()).expect("a file of the project").to_string_lossy().into_owned();
        sources.add(Source::from_bytes(name, std::fs::read(&path).expect("readable")));
    }
    let compilation = compile(&sources, &Options::default());
    assert!(compilation.diagnostics.as_slice().len() > 250);
    (compilation.sources.clone(), compilation)
}

pub(crate) fn text(format: Format, diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = Vec::new();
    render(format, diagnostics, &[], sources, &Style::default(), &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("text")
}

pub(crate) fn json(format: Format, diagnostics: &Diagnostics, sources: &Sources) -> Value {
    serde_json::from_str(&text(format, diagnostics, sources)).expect("JSON")
}

/// A file whose name and text would do harm to a careless writer.
pub(crate) fn hostile() -> (Sources, Diagnostics) {
    let mut sources = Sources::new();
    let name = "a b,c:d%/::error::<x y=\"&'\">\u{202e}\u{1b}[2J]]>.kdl";
    let id = sources.add(Source::new(name, "one é\u{1f980} two\nthree\n"));
    let mut diagnostics = Diagnostics::new();
    let message = "`x`\n::error::injected %0A <b>&amp;</b> ]]> \u{1b}[2J \u{202e} \u{0} \u{ffff}";
    for (span, rule) in [(Span::new(id, 4..10), "syntax-error"), (Span::new(id, 11..20), "invalid-name")] {
        let rule = rule::find(rule).expect("a rule");
        diagnostics
            .push(Diagnostic::new(rule, span, message).label(message).help(message).related(span, message));
    }
    (sources, diagnostics)
}
