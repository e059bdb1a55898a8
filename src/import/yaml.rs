//! YAML, of the parser's events: aliases are resolved here, under the budget.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::value::{BUDGET, TOO_MUCH, Value};

/// How deep collections may nest.
const DEPTH: usize = 64;

/// A collection that is not closed yet.
struct Open {
    anchor: usize,
    items: Items,
}

enum Items {
    List(Vec<Value>),
    /// With the key of what comes next, if that is its value.
    Map(Vec<(String, Value)>, Option<String>),
}

/// Reads a text of one document.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    let mut reader =
        Reader { open: Vec::new(), anchors: BTreeMap::new(), budget: BUDGET, root: None, documents: 0 };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        reader.take(event)?;
    }
    reader.root.ok_or_else(|| String::from("it is empty"))
}

struct Reader {
    open: Vec<Open>,
    /// What is anchored, by the number of its anchor.
    anchors: BTreeMap<usize, Value>,
    budget: usize,
    root: Option<Value>,
    documents: usize,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(String::from("it holds several documents"));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.add(scalar(&text, style, tag.as_deref())?, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(anchor, tag.as_deref(), Items::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.begin(anchor, tag.as_deref(), Items::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.items {
                    Items::List(list) => Value::List(list),
                    Items::Map(entries, _) => Value::Map(merged(entries)?),
                };
                self.place(value, open.anchor)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).ok_or("an alias stands within what it stands for")?;
                let cost = value.cost();
                if cost > self.budget {
                    return Err(TOO_MUCH.to_owned());
                }
                let value = value.clone();
                self.add(value, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, tag: Option<&Tag>, items: Items) -> Result<(), String> {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix().is_none()) {
            return Err(unknown(tag));
        }
        self.spend(1)?;
        if self.open.len() >= DEPTH {
            return Err(format!("it nests deeper than {DEPTH}"));
        }
        self.open.push(Open { anchor, items });
        Ok(())
    }

    /// Takes a whole value, which is paid for now.
    fn add(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        self.spend(value.cost())?;
        self.place(value, anchor)
    }

    fn spend(&mut self, cost: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(cost).ok_or(TOO_MUCH)?;
        Ok(())
    }

    fn place(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            self.spend(value.cost())?;
            self.anchors.insert(anchor, value.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        match &mut open.items {
            Items::List(list) => list.push(value),
            Items::Map(entries, key) => {
                if let Some(key) = key.take() {
                    entries.push((key, value));
                } else {
                    let text = value.text().ok_or("a key is no plain text")?;
                    *key = Some(text.into_owned());
                }
            }
        }
        Ok(())
    }
}

/// Takes in what `<<` names: keys that are not there already.
fn merged(entries: Vec<(String, Value)>) -> Result<Vec<(String, Value)>, String> {
    let (mut own, mut brought) = (Vec::new(), Vec::new());
    let mut known = BTreeSet::new();
    for (key, value) in entries {
        if key == "<<" {
            for map in value.members() {
                let Value::Map(map) = map else { return Err(String::from("`<<` takes in what is no map")) };
                brought.extend(map.iter().cloned());
            }
        } else if known.insert(key.clone()) {
            own.push((key, value));
        } else {
            return Err(String::from("a key is given twice"));
        }
    }
    for (key, value) in brought {
        if known.insert(key.clone()) {
            own.push((key, value));
        }
    }
    Ok(own)
}

/// A scalar by the core schema of YAML 1.2.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let plain = match tag {
        None => style == ScalarStyle::Plain,
        Some(tag) => match tag.core_suffix() {
            Some("str") => false,
            Some(_) => true,
            None => return Err(unknown(tag)),
        },
    };
    if !plain {
        return Ok(Value::Text(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if text.parse::<i64>().is_ok()
            || text.parse::<f64>().is_ok() && text.contains(|c: char| c.is_ascii_digit()) =>
        {
            Value::Number(text.to_owned())
        }
        _ => Value::Text(text.to_owned()),
    })
}

fn unknown(tag: &Tag) -> String {
    format!("it has the tag {}, which says what only one program knows", crate::text::quote(&tag.original()))
}
