//! The language server, spoken to as an editor speaks to it, without pipes.

#[path = "support/editor.rs"]
mod editor;
mod support;

use editor::Editor;
use lsp_types::{DiagnosticSeverity, NumberOrString, Position, Range};

#[test]
fn a_mistake_is_shown_and_goes_away() {
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", "bottle \"x\" {\n    egres { allow \"api.example.com\"; }\n}\n");
    let found = editor.diagnostics("x.kdl");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].range, Range::new(Position::new(1, 4), Position::new(1, 9)));
    assert_eq!(found[0].severity, Some(DiagnosticSeverity::ERROR));
    assert_eq!(found[0].code, Some(NumberOrString::String("unknown-node".into())));
    assert_eq!(editor.shown["x.kdl"].version, Some(1));
    editor.replace("x.kdl", "bottle \"x\" {\n    egress { allow \"api.example.com\"; }\n}\n");
    assert_eq!(editor.diagnostics("x.kdl"), []);
    assert_eq!(editor.shown["x.kdl"].version, Some(2));
}
