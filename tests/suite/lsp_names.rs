//! Names in an editor: where they are defined and used, other names for them, and lists of them.

mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bottlec::Options;
use bottlec::compile::Analysis;
use bottlec::lsp::Encoding;
use bottlec::schema::ValueType;
use bottlec::source::{Source, Sources};
use bottlec::syntax::Value;
use lsp_types::request as ask;
use lsp_types::{
    DocumentChanges, DocumentSymbol, DocumentSymbolResponse, GotoDefinitionResponse, Location, OneOf,
    Position, PrepareRenameResponse, Range, TextEdit, WorkspaceEdit, WorkspaceSymbolResponse,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::support::editor::{Editor, FOLDER, all_capabilities};
use crate::support::{assert_snapshot, compile_file, root, specs};

const TEAM: &str = "profile \"base\" {
    env { TERM \"xterm\"; }
    sidecar \"db\" image=\"db.example.com/db@sha256:00\" { port 5432; expose \"DATABASE_URL\"; }
    git { repo \"api\" { url \"ssh://git@git.example.com/api\"; }; }
    pipelock { needs \"resolver\"; }
}
profile web { extends base; egress { allow \"*.cdn.example.com\"; deny \"x.cdn.example.com\"; }; }
";

const FLEET: &str = "include \"team.kdl\"
bottle \"front\" {
    extends \"web\"
    env { TERM \"dumb\"; }
    sidecar \"db\" image=\"db.example.com/db@sha256:01\" { port 5433; }
    sidecar \"cache\" image=\"db.example.com/cache@sha256:02\" { needs \"db\" #\"pipelock\"# \"supervise\"; }
    git { repo \"api\" { url \"ssh://git@git.example.com/other\"; }; }
    accept \"image-not-pinned\" reason=\"x\"
    expect { allow \"a.cdn.example.com\"; refuse \"x.cdn.example.com:443\" \"10.0.0.1\"; }
}
bottle \"back\" { extends \"base\"; git-gate { needs db; }; supervise { needs \"git-gate\"; }; }
";

/// Two specs that have nothing to do with each other, beside another one that names alike.
const OTHER: &str = "profile \"base\" { sidecar \"db\" image=\"x\" { needs \"pipelock\"; }; }\nbottle \"front\" { extends \"base\"; }\n";

fn workspace() -> BTreeMap<String, String> {
    let files = [("fleet.kdl", FLEET), ("team.kdl", TEAM), ("other.kdl", OTHER)];
    files.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

fn editor_of(files: &BTreeMap<String, String>) -> Editor {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Editor::new(&files)
}

/// The position right behind the `nth` place, from 0 on, where `text` has `found`.
fn behind(text: &str, found: &str, nth: usize) -> Position {
    let (at, _) = text.match_indices(found).nth(nth).unwrap_or_else(|| panic!("{found} in {text}"));
    let offset = u32::try_from(at + found.len()).expect("short");
    Encoding::Utf16.position(&Source::new("", text), offset)
}

fn name_of(uri: &lsp_types::Uri) -> String {
    uri.as_str().strip_prefix(&format!("file://{FOLDER}/")).expect("a file of the workspace").to_owned()
}

fn slice(text: &str, range: Range) -> String {
    let source = Source::new("", text);
    let [start, end] = [range.start, range.end].map(|at| Encoding::Utf16.offset(&source, at) as usize);
    text[start..end].to_owned()
}

/// `file:line text`, lines from 1 on.
fn shown(files: &BTreeMap<String, String>, location: &Location) -> String {
    let name = name_of(&location.uri);
    let text = slice(&files[&name], location.range);
    format!("{name}:{} {text}", location.range.start.line + 1)
}

fn position_params(name: &str, at: Position) -> Json {
    json!({"textDocument": {"uri": Editor::uri(name)}, "position": at})
}

fn definition(
    editor: &mut Editor,
    files: &BTreeMap<String, String>,
    name: &str,
    at: Position,
) -> Vec<String> {
    let params = serde_json::from_value(position_params(name, at)).expect("parameters");
    match editor.ask::<ask::GotoDefinition>(params) {
        None => Vec::new(),
        Some(GotoDefinitionResponse::Link(links)) => {
            let link = |link: &lsp_types::LocationLink| {
                let (whole, inner) = (link.target_range, link.target_selection_range);
                assert!(whole.start <= inner.start && inner.end <= whole.end, "{link:?}");
                let origin = link.origin_selection_range.expect("a range");
                assert!(origin.start <= at && at <= Position::new(origin.end.line, origin.end.character + 2));
                shown(files, &Location { uri: link.target_uri.clone(), range: inner })
            };
            links.iter().map(link).collect()
        }
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_name_leads_to_what_it_names() {
    let files = workspace();
    let mut editor = editor_of(&files);
    for (name, found, nth, expected) in [
        ("fleet.kdl", "\"team.kdl", 0, &["team.kdl:1 "][..]),
        ("fleet.kdl", "extends \"web", 0, &["team.kdl:7 web"]),
        ("team.kdl", "extends bas", 0, &["team.kdl:1 base"]),
        ("fleet.kdl", "extends \"base", 0, &["team.kdl:1 base"]),
        // A definition that overrides another one.
        ("fleet.kdl", "sidecar \"db", 0, &["team.kdl:3 db"]),
        ("fleet.kdl", "env { TER", 0, &["team.kdl:2 TERM"]),
        ("fleet.kdl", "repo \"api", 0, &["team.kdl:4 api"]),
        // One that overrides nothing.
        ("fleet.kdl", "sidecar \"cache", 0, &["fleet.kdl:6 cache"]),
        ("fleet.kdl", "bottle \"front", 0, &["fleet.kdl:2 front"]),
        ("team.kdl", "profile \"base", 0, &["team.kdl:1 base"]),
        // What is in force there.
        ("fleet.kdl", "needs \"db", 0, &["fleet.kdl:5 db"]),
        ("fleet.kdl", "needs db", 0, &["team.kdl:3 db"]),
        ("fleet.kdl", "#\"pipelock", 0, &["team.kdl:5 pipelock"]),
        // The repository asks for it.
        ("fleet.kdl", "needs \"git-gate", 0, &["fleet.kdl:11 git-gate"]),
        // Nothing asks for it in this bottle.
        ("fleet.kdl", "\"supervise", 0, &[]),
        ("team.kdl", "needs \"resolver", 0, &[]),
        ("fleet.kdl", "accept \"image", 0, &[]),
        // The bottle needs a sidecar that is not there, so that nothing can be said of its policy.
        ("fleet.kdl", "allow \"a.cdn", 0, &[]),
    ] {
        let at = behind(&files[name], found, nth);
        assert_eq!(definition(&mut editor, &files, name, at), expected, "{name}: {found}");
    }
    let fixed = FLEET.replace(" \"supervise\"", "");
    let text = TEAM.replace("pipelock { needs \"resolver\"; }", "");
    let files = BTreeMap::from([("fleet.kdl".to_owned(), fixed), ("team.kdl".to_owned(), text)]);
    let mut editor = editor_of(&files);
    for (found, expected) in [
        ("allow \"a.cdn", &["team.kdl:7 \"*.cdn.example.com\""][..]),
        ("refuse \"x.cdn", &["team.kdl:7 \"x.cdn.example.com\""]),
        ("\"10.0", &[]),
    ] {
        let at = behind(&files["fleet.kdl"], found, 0);
        assert_eq!(definition(&mut editor, &files, "fleet.kdl", at), expected, "{found}");
    }
}

#[test]
fn a_client_without_links_gets_places() {
    let mut capabilities = all_capabilities();
    capabilities["textDocument"]["definition"]["linkSupport"] = json!(false);
    let mut editor = Editor::with(&[("fleet.kdl", FLEET), ("team.kdl", TEAM)], &capabilities);
    let params = position_params("fleet.kdl", behind(FLEET, "extends \"web", 0));
    let found = editor.ask::<ask::GotoDefinition>(serde_json::from_value(params).expect("parameters"));
    let Some(GotoDefinitionResponse::Array(found)) = found else { panic!("{found:?}") };
    assert_eq!(found.iter().map(|it| shown(&workspace(), it)).collect::<Vec<_>>(), ["team.kdl:7 web"]);
}

fn references(editor: &mut Editor, name: &str, at: Position, declaration: bool) -> Vec<Location> {
    let mut params = position_params(name, at);
    params["context"] = json!({"includeDeclaration": declaration});
    let params = serde_json::from_value(params).expect("parameters");
    editor.ask::<ask::References>(params).unwrap_or_default()
}

#[test]
fn references_are_found_in_every_spec_that_sees_the_name() {
    let files = workspace();
    let mut editor = editor_of(&files);
    let mut out = String::new();
    for (name, found) in [
        ("team.kdl", "profile \"base"),
        ("other.kdl", "profile \"base"),
        ("team.kdl", "sidecar \"db"),
        ("other.kdl", "sidecar \"db"),
        ("fleet.kdl", "bottle \"front"),
        ("fleet.kdl", "#\"pipelock"),
        ("team.kdl", "env { TERM"),
        ("team.kdl", "repo \"api"),
        ("fleet.kdl", "\"image-not-pinned"),
        ("team.kdl", "expose \"DATABASE_URL"),
        ("fleet.kdl", "needs \"git-gate"),
    ] {
        let at = behind(&files[name], found, 0);
        for declaration in [true, false] {
            let found_places = references(&mut editor, name, at, declaration);
            let places: Vec<String> = found_places.iter().map(|it| shown(&files, it)).collect();
            let what = if declaration { "all" } else { "uses" };
            let _ = writeln!(out, "{name} {found}, {what}: {}", places.join(", "));
        }
    }
    assert_snapshot("lsp_names__references_are_found_in_every_spec_that_sees_the_name", &out);
}

#[test]
fn what_is_named_in_the_same_document_is_marked() {
    let files = workspace();
    let mut editor = editor_of(&files);
    let params = position_params("fleet.kdl", behind(FLEET, "sidecar \"db", 0));
    let params = serde_json::from_value(params).expect("parameters");
    let found = editor.ask::<ask::DocumentHighlightRequest>(params).unwrap_or_default();
    let marks: Vec<(String, String)> = found
        .iter()
        .map(|it| {
            (format!("{} {}", it.range.start.line + 1, slice(FLEET, it.range)), format!("{:?}", it.kind))
        })
        .collect();
    let mark = |place: &str, kind: &str| (place.to_owned(), format!("Some({kind})"));
    assert_eq!(marks, [mark("5 db", "Write"), mark("6 db", "Read"), mark("11 db", "Read")]);
}

#[test]
fn an_include_is_a_link() {
    let text = "include \"team.kdl\"\ninclude #\"./sub/../team.kdl\"#\ninclude \"absent.kdl\"\ninclude \"../out.kdl\"\n/-include \"team.kdl\"\n";
    let mut editor = Editor::new(&[("team.kdl", TEAM)]);
    editor.open("x.kdl", text);
    let params =
        serde_json::from_value(json!({"textDocument": {"uri": Editor::uri("x.kdl")}})).expect("parameters");
    let links = editor.ask::<ask::DocumentLinkRequest>(params).unwrap_or_default();
    let found: Vec<(String, String)> = links
        .iter()
        .map(|link| (slice(text, link.range), name_of(link.target.as_ref().expect("a target"))))
        .collect();
    let pair = |a: &str| (a.to_owned(), "team.kdl".to_owned());
    assert_eq!(found, [pair("team.kdl"), pair("./sub/../team.kdl")]);
}

fn rename(editor: &mut Editor, name: &str, at: Position, new: &str) -> Result<WorkspaceEdit, String> {
    let mut params = position_params(name, at);
    params["newName"] = json!(new);
    let answer = editor.send("textDocument/rename", params).map_err(|error| error.message)?;
    Ok(serde_json::from_value(answer).expect("an edit"))
}

fn edits_of(edit: &WorkspaceEdit) -> BTreeMap<String, Vec<TextEdit>> {
    match &edit.document_changes {
        Some(DocumentChanges::Edits(documents)) => documents
            .iter()
            .map(|document| {
                let edits = document.edits.iter().map(|edit| match edit {
                    OneOf::Left(edit) => edit.clone(),
                    OneOf::Right(_) => panic!("nobody asked for annotations"),
                });
                (name_of(&document.text_document.uri), edits.collect())
            })
            .collect(),
        Some(DocumentChanges::Operations(_)) => panic!("no file is made or moved"),
        None => BTreeMap::new(),
    }
}

/// The files after an edit.
fn applied(files: &BTreeMap<String, String>, edit: &WorkspaceEdit) -> BTreeMap<String, String> {
    let mut files = files.clone();
    for (name, edits) in edits_of(edit) {
        let text = files.get_mut(&name).expect("a file");
        let source = Source::new("", text.as_str());
        let offset = |at| Encoding::Utf16.offset(&source, at) as usize;
        let mut edits: Vec<_> =
            edits.iter().map(|it| (offset(it.range.start)..offset(it.range.end), &it.new_text)).collect();
        edits.sort_by_key(|(range, _)| range.start);
        assert!(edits.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start), "edits overlap");
        for (range, new) in edits.into_iter().rev() {
            text.replace_range(range, new);
        }
    }
    files
}

#[test]
fn a_new_name_is_written_as_the_old_one_was() {
    let text = "profile p { sidecar <|>\"db\" image=\"x\"; }\nbottle a {\n    extends p\n    pipelock { needs db #\"db\"# \"d\\u{62}\" \"\"\"\n        db\n        \"\"\"; }\n}\n";
    let mut editor = Editor::new(&[]);
    let at = editor.open_at(text);
    let files = BTreeMap::from([("x.kdl".to_owned(), text.replace("<|>", ""))]);
    let edit = rename(&mut editor, "x.kdl", at, "cache").expect("a new name");
    let expected = "profile p { sidecar \"cache\" image=\"x\"; }\nbottle a {\n    extends p\n    pipelock { needs cache #\"cache\"# \"cache\" \"cache\"; }\n}\n";
    assert_eq!(applied(&files, &edit)["x.kdl"], expected);
    // A word of KDL's is a name, but not a bare one.
    let edit = rename(&mut editor, "x.kdl", at, "true").expect("a new name");
    assert!(applied(&files, &edit)["x.kdl"].contains("needs \"true\" #\"true\"# \"true\" \"true\"; }"));
}

#[test]
fn edits_carry_the_versions_of_open_documents() {
    let files = workspace();
    let mut editor = editor_of(&files);
    editor.open("fleet.kdl", FLEET);
    editor.replace("fleet.kdl", FLEET);
    let edit =
        rename(&mut editor, "team.kdl", behind(TEAM, "profile \"base", 0), "ground").expect("a new name");
    let Some(DocumentChanges::Edits(documents)) = &edit.document_changes else { panic!("{edit:?}") };
    let versions: Vec<_> =
        documents.iter().map(|it| (name_of(&it.text_document.uri), it.text_document.version)).collect();
    assert_eq!(versions, [("fleet.kdl".to_owned(), Some(2)), ("team.kdl".to_owned(), None)]);

    let mut capabilities = all_capabilities();
    capabilities["workspace"]["workspaceEdit"] = json!({});
    let mut editor = Editor::with(&[("fleet.kdl", FLEET), ("team.kdl", TEAM)], &capabilities);
    let old =
        rename(&mut editor, "team.kdl", behind(TEAM, "profile \"base", 0), "ground").expect("a new name");
    assert_eq!(old.document_changes, None);
    #[allow(clippy::mutable_key_type, reason = "the protocol's own type")]
    let changes = old.changes.expect("changes");
    let changes: BTreeMap<String, Vec<TextEdit>> =
        changes.into_iter().map(|(uri, edits)| (name_of(&uri), edits)).collect();
    assert_eq!(changes, edits_of(&edit));
}

#[test]
fn what_cannot_be_renamed_says_why() {
    let files = workspace();
    let mut editor = editor_of(&files);
    let mut out = String::new();
    for (name, found) in [
        ("fleet.kdl", "#\"pipelock"),
        ("fleet.kdl", "env { TERM"),
        ("fleet.kdl", "\"image-not"),
        ("fleet.kdl", "sidecar \"db"),
        ("fleet.kdl", "extends"),
    ] {
        let at = behind(&files[name], found, 0);
        let answer = editor.send("textDocument/prepareRename", position_params(name, at));
        let says = match answer {
            Err(error) => error.message,
            Ok(Json::Null) => "nothing".to_owned(),
            Ok(answer) => {
                let range: Range = serde_json::from_value(answer["range"].clone()).expect("a range");
                format!("{} at {:?}", answer["placeholder"], slice(&files[name], range))
            }
        };
        let _ = writeln!(out, "{found}: {says}");
    }
    for (name, found, new) in [
        ("fleet.kdl", "sidecar \"db", "Data Base"),
        ("fleet.kdl", "sidecar \"db", "a--b"),
        ("fleet.kdl", "sidecar \"db", "\"; bottle \"x"),
        ("fleet.kdl", "sidecar \"db", "pipelock"),
        ("fleet.kdl", "sidecar \"db", "agent"),
        ("fleet.kdl", "sidecar \"db", "cache"),
        ("team.kdl", "sidecar \"db", "cache"),
        ("team.kdl", "profile \"base", "web"),
        ("fleet.kdl", "bottle \"front", "back"),
        ("team.kdl", "repo \"api", "a/b"),
        ("fleet.kdl", "extends", "x"),
        // Other specs are not in the way, and neither is another kind of thing.
        ("other.kdl", "sidecar \"db", "cache"),
        ("other.kdl", "bottle \"front", "back"),
        ("team.kdl", "sidecar \"db", "web"),
        ("team.kdl", "sidecar \"db", "db"),
    ] {
        let at = behind(&files[name], found, 0);
        let says = rename(&mut editor, name, at, new)
            .map(|edit| edits_of(&edit).values().map(Vec::len).sum::<usize>())
            .map_or_else(|message| message, |edits| format!("{edits} edits"));
        let _ = writeln!(out, "{name} {found} → {new}: {says}");
    }
    assert_snapshot("lsp_names__what_cannot_be_renamed_says_why", &out);
}

#[test]
fn repositories_that_git_takes_for_each_other_collide() {
    let repo = |name: &str| format!("repo \"{name}\" {{ url \"ssh://git@git.example.com/{name}\"; }};");
    let text = format!("bottle \"x\" {{\n    git {{ {} {} }}\n}}\n", repo("<|>one"), repo("two.git"));
    let mut editor = Editor::new(&[]);
    let at = editor.open_at(&text);
    assert_eq!(
        rename(&mut editor, "x.kdl", at, "TWO").expect_err("a collision"),
        "there is a repository `two.git` already, in `x.kdl` on line 2"
    );
    assert_eq!(edits_of(&rename(&mut editor, "x.kdl", at, "ONE").expect("its own name"))["x.kdl"].len(), 1);
}

/// What a compile of each of these files gives: the rules that are broken, and the plans without what follows from the
/// bytes of the sources.
fn compiled(
    files: &BTreeMap<String, String>,
    roots: &[String],
) -> Vec<(Vec<&'static str>, Vec<Vec<String>>)> {
    let compile_root = |root: &String| {
        let mut sources = Sources::new();
        sources.add(Source::new(root.as_str(), files[root].as_str()));
        let mut analysis = Analysis::new(sources, Options::default());
        analysis.follow(|name| {
            let text = files.get(name).ok_or_else(|| String::from("it is not there"))?;
            Ok(Source::new(name, text.as_str()))
        });
        let mut rules: Vec<&str> = analysis.diagnostics().as_slice().iter().map(|it| it.rule.id).collect();
        rules.sort_unstable();
        let plans = analysis.plans().into_iter().map(|plan| {
            let subnet = format!("192.168.{}.", plan.addresses.octet);
            let octet = format!("octet: {}", plan.addresses.octet);
            let text = format!("{plan:#?}").replace(&subnet, "192.168.@.").replace(&octet, "octet: @");
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        (rules, plans.collect())
    };
    roots.iter().map(compile_root).collect()
}

fn is_digest(line: &str) -> bool {
    let text = line.trim().trim_start_matches("sha256: ").trim_end_matches(',').trim_matches('"');
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A longer name moves what stands behind it on its line.
fn is_offset(line: &str) -> bool {
    let offset = line.trim().trim_end_matches(',').split_once(": ");
    offset.is_some_and(|(key, value)| matches!(key, "start" | "end") && value.parse::<u32>().is_ok())
}

/// The lines of all plans with the new name taken back, in any order: what is sorted by name may stand elsewhere.
fn lines(plans: &[Vec<String>], new: &str, old: &str) -> Vec<String> {
    let all = plans.iter().flatten().filter(|line| !is_digest(line) && !is_offset(line));
    let mut lines: Vec<String> = all.map(|line| line.replace(new, old)).collect();
    lines.sort_unstable();
    lines
}

/// Every range of a file that can be renamed, and the name in it.
fn renameable(editor: &mut Editor, name: &str, text: &str) -> Vec<(Position, String)> {
    let source = Source::new("", text);
    let mut found: Vec<(Range, String)> = Vec::new();
    for (at, _) in text.char_indices() {
        let at = Encoding::Utf16.position(&source, u32::try_from(at).expect("short"));
        if found.last().is_some_and(|(range, _)| range.start <= at && at <= range.end) {
            continue;
        }
        let answer = editor.send("textDocument/prepareRename", position_params(name, at));
        let Ok(Ok(answer)) = answer.map(serde_json::from_value::<PrepareRenameResponse>) else { continue };
        let PrepareRenameResponse::RangeWithPlaceholder { range, placeholder } = answer else { panic!() };
        // At a quote the range is that with the quotes.
        if range.start < at || slice(text, range) == placeholder {
            found.push((range, placeholder));
        }
    }
    found.into_iter().map(|(range, name)| (range.start, name)).collect()
}

/// Renames every name of these files and holds what comes out against what was there. Returns how many were renamed.
fn hold_the_law(files: &BTreeMap<String, String>, roots: &[String]) -> usize {
    let before = compiled(files, roots);
    let mut editor = editor_of(files);
    let mut renamed = 0;
    let mut judged = BTreeSet::new();
    for (name, text) in files {
        for (at, old) in renameable(&mut editor, name, text) {
            // A name that is none, or that is taken, is a mistake that another name mends.
            let valid = ValueType::Name.check(Value::String(&old)).is_ok();
            if !valid || ["pipelock", "git-gate", "supervise", "agent", "bundle"].contains(&old.as_str()) {
                continue;
            }
            let fresh = if old.len() < 20 { format!("{old}-renewed") } else { String::from("quite-renewed") };
            let edit = rename(&mut editor, name, at, &fresh).unwrap_or_else(|error| panic!("{old}: {error}"));
            let after = applied(files, &edit);
            assert_ne!(&after, files, "{old}");
            renamed += 1;
            // From each of its places a name becomes the same, which is looked at once.
            if judged.contains(&(name, after.clone())) {
                continue;
            }
            for (was, is) in before.iter().zip(compiled(&after, roots)) {
                assert_eq!(was.0, is.0, "`{old}` at {at:?} of {name}:\n{files:#?}\n{after:#?}");
                let is = lines(&is.1, &fresh, &old);
                assert!(lines(&was.1, &fresh, &old) == is, "`{old}` of {name}: {was:#?}\n{is:#?}");
            }
            let mut editor = editor_of(&after);
            let at = behind(&after[name], &fresh, 0);
            let back = rename(&mut editor, name, at, &old).unwrap_or_else(|error| panic!("{fresh}: {error}"));
            assert_eq!(&applied(&after, &back), files, "`{old}` at {at:?} of {name}");
            judged.insert((name, after));
        }
    }
    renamed
}

#[test]
fn another_name_changes_nothing_else_in_any_case() {
    let mut renamed = 0;
    let mut paths = specs(&root().join("tests/cases"));
    paths.extend(specs(&root().join("examples")));
    for path in paths {
        let shown = path.to_string_lossy().into_owned();
        // Here a name that differs by itself is what mends the mistake; or the text has more bytes than a test wants.
        let by_name = ["/repo-ambiguous/", "/subnet-collision/", "/queue-taken/", "/nesting-too-deep/"];
        if by_name.iter().any(|folder| shown.contains(folder)) {
            continue;
        }
        let (sources, _) = compile_file(&path);
        if sources.iter().any(|(_, source)| !source.invalid_utf8().is_empty() || source.text().len() > 20_000)
        {
            continue;
        }
        let files: BTreeMap<String, String> =
            sources.iter().map(|(_, source)| (source.name().to_owned(), source.text().to_string())).collect();
        let first = sources.get(sources.roots()[0]).name().to_owned();
        renamed += hold_the_law(&files, &[first]);
    }
    assert!(renamed > 200, "{renamed}");
}

/// A workspace of a few files that include, extend, override and need each other, rightly and wrongly.
fn generated() -> impl Strategy<Value = BTreeMap<String, String>> {
    let pick =
        |names: &'static [&'static str], most| prop::collection::vec(prop::sample::select(names), 0..=most);
    let sidecar = (prop::sample::select(&["db", "cache"][..]), pick(&["db", "cache", "pipelock"], 1));
    let layer = (pick(&["p", "q", "r"], 2), prop::collection::vec(sidecar, 0..2), pick(&["db", "cache"], 1));
    let profile = (prop::sample::select(&["p", "q", "r"][..]), layer.clone());
    let bottle = (prop::sample::select(&["a", "b"][..]), layer);
    let file = (
        prop::collection::vec(0..3_usize, 0..3),
        prop::collection::vec(profile, 0..3),
        prop::collection::vec(bottle, 0..2),
    );
    prop::collection::vec(file, 1..4).prop_map(|files| {
        let mut octet = 20;
        let texts = files.iter().enumerate().map(|(at, (includes, profiles, bottles))| {
            let mut text = String::new();
            for include in includes {
                let _ = writeln!(text, "include \"f{include}.kdl\"");
            }
            let layers =
                profiles.iter().map(|it| ("profile", it)).chain(bottles.iter().map(|it| ("bottle", it)));
            for (what, (name, (extends, sidecars, needs))) in layers {
                let _ = writeln!(text, "{what} {name} {{");
                for parent in extends {
                    let _ = writeln!(text, "    extends \"{parent}\"");
                }
                for (sidecar, needs) in sidecars {
                    let image = format!("x.example.com/{}@sha256:{}", "i", "0".repeat(64));
                    let needs = needs.first().map_or(String::new(), |it| format!("needs {it};"));
                    let _ = writeln!(text, "    sidecar \"{sidecar}\" image=\"{image}\" {{ {needs} }}");
                }
                if let Some(needed) = needs.first() {
                    let _ = writeln!(text, "    pipelock {{ needs #\"{needed}\"#; }}");
                }
                if what == "bottle" {
                    octet += 1;
                    let _ = writeln!(text, "    network octet={octet}");
                }
                text.push_str("}\n");
            }
            (format!("f{at}.kdl"), text)
        });
        texts.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn another_name_changes_nothing_else_in_a_workspace(files in generated()) {
        let roots: Vec<String> = files.keys().cloned().collect();
        hold_the_law(&files, &roots);
    }
}

/// One symbol a line, what it holds below it.
fn outline(symbols: &[DocumentSymbol], text: &str, depth: usize, out: &mut String) {
    for symbol in symbols {
        let (range, inner) = (symbol.range, symbol.selection_range);
        assert!(range.start <= inner.start && inner.end <= range.end, "{symbol:?}");
        let detail = symbol.detail.as_deref().map(|detail| format!("  — {detail}")).unwrap_or_default();
        let kind = format!("{:?}", symbol.kind).to_lowercase();
        let _ =
            writeln!(out, "{}{} ({kind}) {:?}{detail}", "  ".repeat(depth), symbol.name, slice(text, inner));
        for child in symbol.children.iter().flatten() {
            assert!(range.start <= child.range.start && child.range.end <= range.end, "{child:?}");
        }
        outline(symbol.children.as_deref().unwrap_or_default(), text, depth + 1, out);
    }
}

fn symbols(editor: &mut Editor, name: &str) -> DocumentSymbolResponse {
    let params = json!({"textDocument": {"uri": Editor::uri(name)}});
    let params = serde_json::from_value(params).expect("parameters");
    editor.ask::<ask::DocumentSymbolRequest>(params).expect("symbols")
}

fn example() -> String {
    let path = root().join("examples/api-dev.kdl");
    let (sources, _) = compile_file(&path);
    sources.get(sources.roots()[0]).text().to_string()
}

#[test]
fn an_example_has_an_outline() {
    let text = example();
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", &text);
    let DocumentSymbolResponse::Nested(found) = symbols(&mut editor, "x.kdl") else { panic!("not nested") };
    let mut out = String::new();
    outline(&found, &text, 0, &mut out);
    assert!(!out.contains("xterm-256color"), "what a variable holds is shown");
    assert_snapshot("lsp_names__an_example_has_an_outline", &out);
}

/// Symbols in a row, each with the name of what holds it.
fn flattened(
    symbols: &[DocumentSymbol],
    within: Option<&str>,
    out: &mut Vec<(String, Range, Option<String>)>,
) {
    for symbol in symbols {
        out.push((symbol.name.clone(), symbol.range, within.map(str::to_owned)));
        flattened(symbol.children.as_deref().unwrap_or_default(), Some(&symbol.name), out);
    }
}

#[test]
fn a_client_without_nesting_gets_the_same_symbols_in_a_row() {
    let text = example();
    let mut capabilities = all_capabilities();
    capabilities["textDocument"]["documentSymbol"] = json!({});
    let mut editor = Editor::with(&[], &capabilities);
    editor.open("x.kdl", &text);
    let DocumentSymbolResponse::Flat(flat) = symbols(&mut editor, "x.kdl") else { panic!("nested") };
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", &text);
    let DocumentSymbolResponse::Nested(nested) = symbols(&mut editor, "x.kdl") else { panic!("not nested") };
    let mut expected = Vec::new();
    flattened(&nested, None, &mut expected);
    let found: Vec<_> = flat.into_iter().map(|it| (it.name, it.location.range, it.container_name)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_broken_text_has_an_outline() {
    let text = "bottle \"a\u{202e}b\" {\n  env { KEY \"s3cret\"; from-env=x\n  sidecar {\n  sidecar \"\" image=\"x\"\n  egres { allow \"x\"; }\n git { repo api {";
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", text);
    let DocumentSymbolResponse::Nested(found) = symbols(&mut editor, "x.kdl") else { panic!("not nested") };
    let mut out = String::new();
    outline(&found, text, 0, &mut out);
    assert!(!out.contains("s3cret"), "{out}");
    assert_snapshot("lsp_names__a_broken_text_has_an_outline", &out);
}

#[test]
fn symbols_of_the_workspace_are_found_by_their_letters() {
    let files = workspace();
    let mut editor = editor_of(&files);
    editor.open("untitled.kdl", "bottle \"front-two\" { sidecar \"browser\" image=\"x\"; }\n");
    let mut out = String::new();
    for query in ["", "front", "DB", "br", "bse", "nothing"] {
        let params = serde_json::from_value(json!({"query": query})).expect("parameters");
        let found = editor.ask::<ask::WorkspaceSymbolRequest>(params).expect("symbols");
        let WorkspaceSymbolResponse::Flat(found) = found else { panic!("{found:?}") };
        let _ = writeln!(out, "{query:?}:");
        for it in found {
            let within = it.container_name.map(|name| format!(" in {name}")).unwrap_or_default();
            let kind = format!("{:?}", it.kind).to_lowercase();
            let place = format!("{}:{}", name_of(&it.location.uri), it.location.range.start.line + 1);
            let _ = writeln!(out, "  {} ({kind}){within} at {place}", it.name);
        }
    }
    assert_snapshot("lsp_names__symbols_of_the_workspace_are_found_by_their_letters", &out);
}

#[test]
fn line_ends_and_wide_characters_are_counted_as_the_editor_counts() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!(
            "\u{feff}/* 🍾 */ profile \"p\" {{{end}  /* 日本 */ sidecar \"db\" image=\"x\"{end}}}{end}bottle a {{{end}  extends /* 🍾🍾 */ \"p\"{end}  pipelock {{ needs /* ü */ \"db\"; }}{end}}}{end}"
        );
        let files = BTreeMap::from([("x.kdl".to_owned(), text.clone())]);
        let mut editor = editor_of(&files);
        for (found, name) in [("sidecar \"d", "db"), ("🍾🍾 */ \"p", "p")] {
            let places = references(&mut editor, "x.kdl", behind(&text, found, 0), true);
            assert_eq!(places.iter().map(|it| slice(&text, it.range)).collect::<Vec<_>>(), [name, name]);
        }
        assert!(hold_the_law(&files, &["x.kdl".to_owned()]) > 3);
    }
}

/// Every range in an answer lies in the text that it is of.
fn in_bounds(answer: &Json, texts: &BTreeMap<String, Source>, own: &str) {
    match answer {
        Json::Object(fields) => {
            let uri = ["uri", "targetUri"].iter().find_map(|key| fields.get(*key)?.as_str());
            let own = uri.and_then(|uri| uri.strip_prefix(&format!("file://{FOLDER}/"))).unwrap_or(own);
            if let (Some(start), Some(end)) = (fields.get("start"), fields.get("end")) {
                let at = |it: &Json| serde_json::from_value::<Position>(it.clone()).expect("a position");
                let (start, end) = (at(start), at(end));
                assert!(start <= end, "{answer}");
                for at in [start, end] {
                    let back = Encoding::Utf16.position(&texts[own], Encoding::Utf16.offset(&texts[own], at));
                    assert_eq!(back, at, "{answer} is out of {own}");
                }
            }
            for (key, value) in fields {
                let of_origin = key == "originSelectionRange";
                in_bounds(value, texts, if of_origin { "x.kdl" } else { own });
            }
        }
        Json::Array(values) => values.iter().for_each(|value| in_bounds(value, texts, own)),
        _ => {}
    }
}

/// Asks everything about a place of `x.kdl`.
fn ask_all(editor: &mut Editor, at: Position, texts: &BTreeMap<String, Source>) {
    for method in [
        "textDocument/definition",
        "textDocument/references",
        "textDocument/documentHighlight",
        "textDocument/prepareRename",
        "textDocument/rename",
    ] {
        let mut params = position_params("x.kdl", at);
        params["context"] = json!({"includeDeclaration": true});
        params["newName"] = json!("renewed");
        if let Ok(answer) = editor.send(method, params) {
            in_bounds(&answer, texts, "x.kdl");
        }
    }
}

#[test]
fn no_place_of_any_text_is_too_much() {
    let mut paths = specs(&root().join("tests/cases"));
    paths.extend(specs(&root().join("examples")));
    let mut asked = 0_usize;
    for (nth, path) in paths.iter().enumerate() {
        let (sources, _) = compile_file(path);
        let whole = sources.get(sources.roots()[0]).text().to_string();
        let whole = &whole[..whole.floor_char_boundary(4000)];
        let mut cuts: Vec<usize> = (0..whole.len()).skip(nth % 97).step_by(997).collect();
        cuts.push(whole.len());
        for cut in cuts {
            let text = &whole[..whole.floor_char_boundary(cut)];
            let source = Source::new("x.kdl", text);
            let texts = BTreeMap::from([
                ("x.kdl".to_owned(), source.clone()),
                ("team.kdl".to_owned(), Source::new("team.kdl", TEAM)),
            ]);
            let mut editor = Editor::new(&[("team.kdl", TEAM)]);
            editor.open("x.kdl", text);
            // Many places of a whole text, some of a cut one.
            let step = if text.len() == whole.len() { 11 } else { 31 };
            for (at, _) in text.char_indices().skip(nth % step).step_by(step) {
                let at = Encoding::Utf16.position(&source, u32::try_from(at).expect("short"));
                ask_all(&mut editor, at, &texts);
                asked += 1;
            }
            for method in ["textDocument/documentSymbol", "textDocument/documentLink"] {
                let params = json!({"textDocument": {"uri": Editor::uri("x.kdl")}});
                in_bounds(&editor.send(method, params).expect("an answer"), &texts, "x.kdl");
            }
        }
    }
    assert!(asked > 4_000, "{asked}");
}
