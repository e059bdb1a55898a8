//! The path of keys that each line of a file stands at. The files are our own lowering's, so that each line holds one
//! key or one value, and no text runs over a line end.

/// A step of a path: a key, or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Of a map.
    Key(String),
    /// Of a list.
    Index(usize),
    /// A text that the line holds itself, as the item of a list.
    Text(String),
}

/// From the top of the file to what the line holds.
pub(super) type Path = Vec<Step>;

/// The lines of indented JSON.
pub(super) fn json(text: &str) -> Vec<Path> {
    let mut paths = Vec::new();
    // What is open: the path to it, and the index of its next item when it is a list.
    let mut open: Vec<(Path, Option<usize>)> = Vec::new();
    for line in text.lines() {
        let line = line.trim().trim_end_matches(',');
        if matches!(line, "}" | "]") {
            paths.push(open.pop().map(|(path, _)| path).unwrap_or_default());
            continue;
        }
        let (mut path, index) = match open.last_mut() {
            None => (Path::new(), None),
            Some((path, next)) => {
                let index = *next;
                *next = next.map(|next| next + 1);
                (path.clone(), index)
            }
        };
        path.extend(index.map(Step::Index));
        let value = match (index, key_of(line)) {
            (None, Some((key, value))) => {
                path.push(Step::Key(key));
                value
            }
            _ => line,
        };
        match value {
            "{" => open.push((path.clone(), None)),
            "[" => open.push((path.clone(), Some(0))),
            value if index.is_some() => path.extend(serde_json::from_str(value).ok().map(Step::Text)),
            _ => {}
        }
        paths.push(path);
    }
    paths
}

/// `"key": value` of a line of JSON.
fn key_of(line: &str) -> Option<(String, &str)> {
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<String>();
    let key = values.next()?.ok()?;
    let rest = line.get(values.byte_offset()..)?.strip_prefix(':')?;
    Some((key, rest.trim_start()))
}

/// The lines of YAML in block style, whose lists begin in the column of their key.
pub(super) fn yaml(text: &str) -> Vec<Path> {
    // The keys and items around a line, each with its column. Of one column, a key comes before the item of its list.
    let mut open: Vec<(usize, Step)> = Vec::new();
    let mut path_of = |line: &str| {
        let column = line.len() - line.trim_start().len();
        let rest = line.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            return Path::new();
        }
        let path = |open: &[(usize, Step)]| open.iter().map(|(_, step)| step.clone()).collect::<Path>();
        let Some(item) = rest.strip_prefix("- ") else {
            open.retain(|(at, _)| *at < column);
            open.extend(yaml_key(rest).map(|key| (column, Step::Key(key))));
            return path(&open);
        };
        open.retain(|(at, _)| *at <= column);
        let index = match open.pop_if(|(at, step)| *at == column && matches!(step, Step::Index(_))) {
            Some((_, Step::Index(before))) => before + 1,
            _ => 0,
        };
        open.push((column, Step::Index(index)));
        match yaml_key(item) {
            Some(key) => {
                open.push((column + 2, Step::Key(key)));
                path(&open)
            }
            None => path(&open).into_iter().chain([Step::Text(yaml_text(item))]).collect(),
        }
    };
    text.lines().map(&mut path_of).collect()
}

/// The key of `key: value` or `key:`. Keys that are not plain are in single quotes.
fn yaml_key(line: &str) -> Option<String> {
    if line.starts_with('\'') {
        let end = closing_quote(line)?;
        return line[end..].starts_with(':').then(|| yaml_text(&line[..end]));
    }
    let (key, value) = line.split_once(':')?;
    (value.is_empty() || value.starts_with(' ')).then(|| key.to_owned())
}

/// One past the quote that ends the text in single quotes at the start of `line`; two of them are one in the text.
fn closing_quote(line: &str) -> Option<usize> {
    let mut at = 1;
    loop {
        at += line.get(at..)?.find('\'')? + 1;
        if !line[at..].starts_with('\'') {
            return Some(at);
        }
        at += 1;
    }
}

fn yaml_text(value: &str) -> String {
    match value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(text) => text.replace("''", "'"),
        None => value.to_owned(),
    }
}

/// The lines of a Smolfile.
pub(super) fn toml(text: &str) -> Vec<Path> {
    let mut table = Path::new();
    let mut list: Option<(String, usize)> = None;
    let mut path_of = |line: &str| {
        if let Some((key, next)) = &mut list {
            if line == "]" {
                let path = vec![Step::Key(key.clone())];
                list = None;
                return path;
            }
            let index = Step::Index(*next);
            *next += 1;
            let item = toml_value(line.trim().trim_end_matches(','));
            return vec![Step::Key(key.clone()), index].into_iter().chain(item.map(Step::Text)).collect();
        }
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = header.split('.').map(|key| Step::Key(key.to_owned())).collect();
            return table.clone();
        }
        let Some((key, value)) = line.split_once(" = ") else { return Path::new() };
        if value == "[" {
            list = Some((key.to_owned(), 0));
        }
        table.iter().cloned().chain([Step::Key(key.to_owned())]).collect()
    };
    text.lines().map(&mut path_of).collect()
}

/// A string of TOML.
fn toml_value(value: &str) -> Option<String> {
    let table: toml::Table = format!("it = {value}").parse().ok()?;
    table.get("it")?.as_str().map(str::to_owned)
}

/// The lines of shell assignments, and of comments that name a variable: `# NAME: …`.
pub(super) fn shell(text: &str) -> Vec<Path> {
    let name = |line: &str| match line.strip_prefix("# ") {
        Some(comment) => comment.split_once(": ").map(|(name, _)| name.to_owned()),
        None => line.split_once('=').map(|(name, _)| name.to_owned()),
    };
    text.lines().map(|line| name(line).map(Step::Key).into_iter().collect()).collect()
}
