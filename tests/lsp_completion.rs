//! What could be written, as an editor is told.

#[path = "support/editor.rs"]
mod editor;

use editor::Editor;
use lsp_types::request as ask;
use lsp_types::{
    CompletionItem, CompletionList, CompletionParams, CompletionResponse, CompletionTextEdit, Documentation,
    PartialResultParams, Position, TextEdit, WorkDoneProgressParams,
};

fn complete(editor: &mut Editor, position: Position) -> CompletionList {
    let params = CompletionParams {
        text_document_position: Editor::at("x.kdl", position),
        work_done_progress_params: WorkDoneProgressParams::default(),
        partial_result_params: PartialResultParams::default(),
        context: None,
    };
    match editor.ask::<ask::Completion>(params) {
        Some(CompletionResponse::List(list)) => list,
        other => panic!("a list, not {other:?}"),
    }
}

#[test]
fn look() {
    for text in [
        "<|>", "bottle \"x\" {\n    <|>\n}\n", "bottle \"x\" {\n    engine \"smolvm\" <|>\n}\n","bottle \"x\" {\n    engine \"smolvm\" version=\"<|>\n}\n",
        "bottle \"x\" {\n    egress {\n        allow <|>\n    }\n}\n",
        "bottle \"x\" {\n    sidecar \"db\" image=\"docker.io/library/postgres:17\" {\n        <|>\n    }\n}\n",
        "bottle \"x\" {\n    sidecar \"db\" image=\"docker.io/library/postgres:17\" {\n        port 5432\n expose <|>\n    }\n}\n",
        "bottle \"x\" {\n    sidecar \"db\" image=\"docker.io/library/postgres:17\" {\n        env { <|> } } }",
        "bottle \"x\" {\n    env { <|> } }",
        "bottle \"x\" {\n    env { ANTH from-env=<|> } }",
        "bottle \"x\" {\n    env { ANTH <|> } }",
        "bottle \"x\" {\n  git { repo \"a\" {\n <|>\n} }\n}",
        "bottle \"x\" {\n    accept <|>\n}\n",
        "include \"<|>",
        "bottle \"x\" {\n  git { repo \"a\" {\n identity <|>\n} }\n}",
        "profile \"a\" {}\nprofile \"b\" { extends \"a\"; }\nbottle \"x\" {\n extends <|>\n}",
        "bottle \"x\" {\n    network <|>\n}\n",
        "bottle \"x\" {\n    sidecar \"a\" image=\"<|>\" {} }",
        "bottle \"x\" {\n    artifact <|> }",
        "bottle \"x\" {\n    sidecar \"a\" image=\"\" { needs \"<|>\"; } }",
    ] {
        let mut editor = Editor::new(&[("team.kdl", "profile \"t\" {}\n"), ("sub/a.kdl", ""), ("agent.smolmachine", "")]);
        let position = editor.open_at(text);
        let list = complete(&mut editor, position);
        println!("=== {text}   incomplete {}", list.is_incomplete);
        for item in list.items {
            let Some(CompletionTextEdit::Edit(edit)) = &item.text_edit else { panic!() };
            println!("{:28} {:?} {:?} | {} | {}..{}", item.label, item.sort_text.unwrap(), edit.new_text, item.detail.clone().unwrap_or_default(), edit.range.start.character, edit.range.end.character);
        }
    }
}
