//! Commands: the files that a bottle would be compiled to now, each line with the lines that make it, and the page of a
//! rule.

use std::str::FromStr as _;

use lsp_types::{ExecuteCommandParams, Position, Uri};
use serde_json::{Value, json};

use super::analysis::Asked;
use super::commands::{ARTIFACTS, EXPLAIN};
use super::refusal::Refusal;
use super::server::Server;
use crate::backend;
use crate::model::BottleDecl;
use crate::plan::Plan;
use crate::rule;
use crate::text::quote;
use crate::trace::{Line, LineOrigin, Tracer};

/// Carries out a command.
pub(super) fn execute(server: &mut Server, params: &ExecuteCommandParams) -> Result<Option<Value>, Refusal> {
    match params.command.as_str() {
        ARTIFACTS => artifacts(server, &params.arguments).map(Some),
        EXPLAIN => explain(&params.arguments).map(Some),
        command => Err(Refusal::invalid(format!("there is no command `{command}`"))),
    }
}

/// The page of a rule, as Markdown.
fn explain(arguments: &[Value]) -> Result<Value, Refusal> {
    let [Value::String(id)] = arguments else {
        return Err(Refusal::invalid(format!("`{EXPLAIN}` takes the name of one rule")));
    };
    let rule = rule::find(id).ok_or_else(|| Refusal::invalid(format!("there is no rule {}", quote(id))))?;
    Ok(json!({"rule": rule.id, "text": rule.page, "url": rule.url()}))
}

fn artifacts(server: &mut Server, arguments: &[Value]) -> Result<Value, Refusal> {
    let expected = || Refusal::invalid("expected the URI of a spec and a position in it");
    let [uri, position, rest @ ..] = arguments else { return Err(expected()) };
    let uri = uri.as_str().and_then(|uri| Uri::from_str(uri).ok()).ok_or_else(expected)?;
    let position: Position = serde_json::from_value(position.clone()).map_err(|_| expected())?;
    let wanted = rest.first().and_then(Value::as_str);
    let about = server.about(&uri)?;
    let asked = about.asked();
    let plan = plan_at(asked, position)?;
    let tracer = Tracer::new(&plan, &**asked.analysis);
    let paths: Vec<&str> = match wanted {
        Some(path) if tracer.stage().files.contains_key(path) => vec![path],
        Some(path) => return Err(Refusal::invalid(format!("no compile writes `{path}`"))),
        None => backend::of(&plan).shown.to_vec(),
    };
    let files: Vec<Value> = paths.iter().map(|path| file(&tracer, path, asked)).collect();
    let all: Vec<&String> = tracer.stage().files.keys().collect();
    Ok(json!({"bottle": *plan.slug, "files": files, "all": all}))
}

/// The plan of the bottle at a position, or of the only one.
fn plan_at(asked: Asked<'_>, position: Position) -> Result<Plan, Refusal> {
    let offset = asked.offset(position);
    let bottles = &asked.analysis.file(asked.id).bottles;
    let holds = |bottle: &&BottleDecl| {
        let end = bottle.block.map_or(bottle.head.end, |block| block.end);
        bottle.head.start <= offset && offset <= end
    };
    let bottle = bottles.iter().find(holds).or(match bottles.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    let Some(bottle) = bottle else { return Err(Refusal::failed("there is no bottle at the cursor")) };
    let mut plans = asked.analysis.plans().into_iter();
    let plan = plans.find(|plan| *plan.slug == bottle.slug.value);
    plan.ok_or_else(|| Refusal::failed("the spec has errors, beside which nothing is compiled"))
}

/// A file as it would be written now.
fn file(tracer: &Tracer<'_>, path: &str, asked: Asked<'_>) -> Value {
    let lines = tracer.lines(path).unwrap_or_default();
    let text: String = lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect();
    let origin = |LineOrigin { place, what }: &LineOrigin| json!({"what": what, "location": place.and_then(|place| asked.location(place))});
    let origins = |line: &Line| line.origins.iter().map(origin).collect::<Vec<_>>();
    let made: Vec<Vec<Value>> = lines.iter().map(origins).collect();
    json!({"name": path, "language": language(path), "text": text, "lines": made})
}

/// What an editor calls the language of a file.
fn language(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("toml") => "toml",
        Some("json") => "json",
        Some("yaml") => "yaml",
        Some("env") => "shellscript",
        Some("py") => "python",
        _ => "plaintext",
    }
}
