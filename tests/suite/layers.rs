//! The layers of the source: what a file imports lies below it, and siblings do not import each other in a circle.
//!
//! Imports are read from the code as it is written: `use` declarations with their groups, and paths within expressions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The layers from the ground up, each with its modules. A module may import those of the layers below its own, and
/// none of those beside it.
pub(crate) const LAYERS: &[&[&str]] = &[
    &["text", "path", "source", "digest"],
    &["rule"],
    &["diagnostic"],
    &["syntax"],
    &["format", "world"],
    &["reach"],
    &["schema"],
    &["model"],
    &["resolve"],
    &["check", "plan"],
    &["lower"],
    &["backend"],
    &["compile"],
    &["trace", "diff", "stage", "denial"],
    &["fix"],
    &["propose", "import"],
    &["report"],
    &["lsp"],
    &["lib"],
    &["cli"],
    &["main"],
];

/// The file of each module, by the module's path: `["schema", "nodes"]`. The roots of the two crates are `["lib"]` and
/// `["main"]`.
type Files = BTreeMap<Vec<String>, String>;

/// The modules that each module imports.
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

#[test]
fn nothing_imports_what_is_above_it() {
    let imports = imports(&sources());
    let mut wrong = String::new();
    for (from, to) in imports.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to))) {
        if runs_up(from, to) {
            let _ = writeln!(wrong, "{} imports {}", from.join("::"), to.join("::"));
        }
    }
    assert!(wrong.is_empty(), "what a module imports must lie in a layer below it:\n{wrong}");
}

#[test]
fn every_module_has_its_layer() {
    let modules: BTreeSet<String> = sources().into_keys().map(|path| path[0].clone()).collect();
    let known = || LAYERS.iter().copied().flatten().map(|module| (*module).to_owned());
    assert_eq!(modules, known().collect(), "the modules of src/, and those of the table");
    assert_eq!(known().count(), modules.len(), "a module stands in the table once");
}

#[test]
fn siblings_import_each_other_in_no_circle() {
    let circles = circles(&imports(&sources()));
    assert!(circles.is_empty(), "these import each other in a circle: {circles:#?}");
}

#[test]
fn an_upward_import_is_seen_however_it_is_written() {
    for text in [
        "use crate::plan;",
        "use crate::plan::Plan as Decided;",
        "use crate::{\n    source::{Source, Span},\n    plan::{self, Plan},\n};",
        "pub(crate) use super::super::plan::Plan;",
        "fn f() -> crate::plan::Plan { plan() }",
        "fn f<'a>(c: char) -> bool { c == '\"' || crate::plan::is(c) }",
        "mod tests {\n    use super::super::super::plan::Plan;\n}",
    ] {
        let imports = imports(&planted(text));
        assert!(imports[&path("world::host")].contains(&path("plan")), "{text}");
        assert!(runs_up(&path("world::host"), &path("plan")), "{text}");
    }
}

#[test]
fn what_is_no_code_imports_nothing() {
    for text in [
        "//! See [`crate::plan`].",
        "/* use crate::plan; /* nested */ use crate::plan; */",
        "const TEXT: &str = \"use crate::plan; \\\" crate::plan\";",
        "const RAW: &[u8] = br#\"\" crate::plan::Plan\"#;",
        "mod tests {\n    use super::plan;\n}",
        "fn f(plan: &str) { other::plan::Plan::new(plan) }",
    ] {
        assert_eq!(imports(&planted(text))[&path("world::host")], BTreeSet::new(), "{text}");
    }
}

#[test]
fn a_circle_of_siblings_is_seen() {
    let files = [
        ("diff", "use join::Joined;"),
        ("diff::join", "use super::bottle;"),
        ("diff::bottle", "use super::join::Joined;"),
    ];
    let files = files.into_iter().map(|(module, text)| (path(module), text.to_owned())).collect();
    assert_eq!(circles(&imports(&files)), [vec![path("diff::bottle"), path("diff::join")]]);
}

/// A few modules, one of which holds `text`.
fn planted(text: &str) -> Files {
    let files = [("lib", ""), ("source", ""), ("plan", ""), ("world", ""), ("world::host", text)];
    files.into_iter().map(|(module, text)| (path(module), text.to_owned())).collect()
}

fn path(module: &str) -> Vec<String> {
    module.split("::").map(str::to_owned).collect()
}

/// Whether an import leaves its module for one that is not below it.
fn runs_up(from: &[String], to: &[String]) -> bool {
    let layer = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    from[0] != to[0] && layer(&to[0]) >= layer(&from[0])
}

/// Every file of `src/`.
fn sources() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Files::new();
    let mut open = vec![(root, Vec::new())];
    while let Some((directory, module)) = open.pop() {
        for entry in
            fs::read_dir(directory).expect("src/ is there").map(|entry| entry.expect("it can be read").path())
        {
            let name = entry.file_stem().expect("it has a name").to_str().expect("it is UTF-8").to_owned();
            let mut inner: Vec<String> = module.clone();
            if entry.is_dir() || name != "mod" {
                inner.push(name);
            }
            if entry.is_dir() {
                open.push((entry, inner));
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                files.insert(inner, fs::read_to_string(entry).expect("it can be read"));
            }
        }
    }
    files
}

fn imports(files: &Files) -> Imports {
    let modules: BTreeSet<&[String]> = files.keys().map(Vec::as_slice).collect();
    let of = |(module, text): (&Vec<String>, &String)| {
        let mut found = Reader::new(module, text).imports(&modules);
        found.remove(module);
        (module.clone(), found)
    };
    files.iter().map(of).collect()
}

/// Reads the imports of one file.
struct Reader<'t> {
    module: &'t [String],
    tokens: Vec<String>,
    at: usize,
}

impl<'t> Reader<'t> {
    fn new(module: &'t [String], text: &str) -> Self {
        Self { module, tokens: tokens(text), at: 0 }
    }

    fn imports(mut self, modules: &BTreeSet<&[String]>) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        // The depths at which the modules within the file began.
        let (mut depth, mut inner) = (0, Vec::new());
        while self.at < self.tokens.len() {
            match self.tokens[self.at].as_str() {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inner.pop_if(|began| *began == depth);
                }
                "mod" if self.token(2) == "{" => inner.push(depth),
                _ => {}
            }
            let starts = self.at == 0 || self.tokens[self.at - 1] != "::";
            if starts && self.token(1) == "::" && is_word(self.token(0)) {
                for path in self.paths() {
                    found.extend(self.target(&path, inner.len(), modules));
                }
            } else {
                self.at += 1;
            }
        }
        found
    }

    fn token(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    /// The paths that begin here, of a group one for each of its members.
    fn paths(&mut self) -> Vec<Vec<String>> {
        let mut path = Vec::new();
        loop {
            if is_word(self.token(0)) {
                path.push(self.token(0).to_owned());
                self.at += 1;
            }
            if self.token(0) != "::" {
                return vec![path];
            }
            self.at += 1;
            if self.token(0) == "{" {
                break;
            }
            if !is_word(self.token(0)) {
                return vec![path];
            }
        }
        let mut paths = Vec::new();
        self.at += 1;
        while !matches!(self.token(0), "}" | "") {
            if is_word(self.token(0)) {
                let members = self.paths();
                paths.extend(members.into_iter().map(|member| [path.clone(), member].concat()));
                if self.token(0) == "as" {
                    self.at += 2;
                }
            } else {
                if self.token(0) == "*" {
                    paths.push(path.clone());
                }
                self.at += 1;
            }
        }
        self.at += 1;
        paths
    }

    /// The module that a path leads to or into.
    fn target(&self, path: &[String], inner: usize, modules: &BTreeSet<&[String]>) -> Option<Vec<String>> {
        let binary = matches!(self.module[0].as_str(), "main" | "cli");
        let is_root = matches!(self.module, [root] if root == "main" || root == "lib");
        let mut base: Vec<String> = if is_root { Vec::new() } else { self.module.to_vec() };
        let mut within = inner;
        let mut rest = path;
        match path[0].as_str() {
            "crate" | "bottlec" => base.clear(),
            "self" | "super" => {}
            // A path that begins with a name: of a module in this one, or else of something that a `use` brought.
            name => {
                base.push(name.to_owned());
                return modules
                    .contains(base.as_slice())
                    .then(|| longest(&base[..base.len() - 1], path, modules))
                    .flatten();
            }
        }
        let root = if path[0] == "crate" && binary { "main" } else { "lib" };
        while let [first, after @ ..] = rest {
            match first.as_str() {
                "super" if within > 0 => within -= 1,
                "super" => {
                    base.pop();
                }
                "crate" | "bottlec" | "self" => {}
                _ => break,
            }
            rest = after;
        }
        if within > 0 && path[0] != "crate" && path[0] != "bottlec" {
            return None;
        }
        longest(&base, rest, modules).or_else(|| Some(vec![root.to_owned()]))
    }
}

/// The module that the longest part of a path is.
fn longest(base: &[String], rest: &[String], modules: &BTreeSet<&[String]>) -> Option<Vec<String>> {
    let whole = [base, rest].concat();
    (1..=whole.len()).rev().map(|end| &whole[..end]).find(|path| modules.contains(path)).map(<[_]>::to_vec)
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The words of a text, `::`, and every other character that is no blank; without comments, strings and characters.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = string(rest) {
            length
        } else if first == '\'' {
            character(rest)
        } else if is_word(rest) {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            if !first.is_whitespace() {
                tokens.push(rest[..length].to_owned());
            }
            length
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the comment that `text` begins with; one may stand in another.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        match &text[at..] {
            rest if rest.starts_with("/*") => depth += 1,
            rest if rest.starts_with("*/") => depth -= 1,
            "" => return at,
            rest => {
                at += rest.chars().next().map_or(0, char::len_utf8);
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
}

/// The length of the string that `text` begins with.
fn string(text: &str) -> Option<usize> {
    let unmarked = text.trim_start_matches(['b', 'c']);
    let marks = text.len() - unmarked.len();
    let raw = unmarked.strip_prefix('r').map(|rest| rest.trim_start_matches('#'));
    if let Some(body) = raw.and_then(|rest| rest.strip_prefix('"')).filter(|_| marks < 2) {
        let hashes = unmarked.len() - body.len() - 2;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(text.len() - body.len() + body.find(&end)? + end.len());
    }
    let body = unmarked.strip_prefix('"').filter(|_| marks < 2)?;
    let mut escaped = false;
    let end = body.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    Some(text.len() - body.len() + end? + 1)
}

/// The length of the character or of the lifetime's tick that `text` begins with.
fn character(text: &str) -> usize {
    let mut rest = text[1..].chars();
    match (rest.next(), rest.next()) {
        // The escape's own character may be a tick.
        (Some('\\'), Some(escape)) => {
            let start = 2 + escape.len_utf8();
            text[start..].find('\'').map_or(text.len(), |end| start + end + 1)
        }
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1,
    }
}

/// The circles of imports, leaving out those between a module and one within it: a folder's `mod.rs` speaks for what is
/// in the folder.
fn circles(imports: &Imports) -> Vec<Vec<Vec<String>>> {
    let reachable = |start: &Vec<String>| {
        let mut reached = BTreeSet::new();
        let mut open = vec![start];
        while let Some(from) = open.pop() {
            for to in &imports[from] {
                if !from.starts_with(to) && !to.starts_with(from) && reached.insert(to) {
                    open.push(to);
                }
            }
        }
        reached
    };
    let reachable: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> =
        imports.keys().map(|module| (module, reachable(module))).collect();
    let mut circles = BTreeSet::new();
    for (module, reached) in reachable.iter().filter(|(module, reached)| reached.contains(**module)) {
        let circle = reached.iter().filter(|other| reachable[**other].contains(*module));
        circles.insert(circle.map(|module| (*module).clone()).collect::<Vec<_>>());
    }
    circles.into_iter().collect()
}
