//! A value of JSON, TOML or YAML: what the readers have in common, with a bound on how much there is.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How much one file may hold: a value counts as one, and so do each 32 bytes of a text. Aliases of YAML count as what they
/// stand for, each time.
pub(super) const BUDGET: usize = 200_000;

/// Why a file that holds more is not read.
pub(super) const TOO_MUCH: &str = "it holds more than any configuration would";

/// A value, and the entries of a map in the order in which they are written. No key is given twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    /// What counts as one in the budget.
    pub(super) fn cost_of_text(text: &str) -> usize {
        1 + text.len() / 32
    }

    /// Its share of the budget, with all that is in it.
    pub(super) fn cost(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Number(text) | Self::Text(text) => Self::cost_of_text(text),
            Self::List(list) => 1 + list.iter().map(Self::cost).sum::<usize>(),
            Self::Map(map) => {
                1 + map.iter().map(|(key, value)| Self::cost_of_text(key) + value.cost()).sum::<usize>()
            }
        }
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns the entries of a map; of everything else, none.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(map) => map,
            _ => &[],
        }
    }

    /// Returns the members of a list. What is no list is a list of one, and nothing is an empty one.
    pub(super) fn members(&self) -> &[Self] {
        match self {
            Self::List(list) => list,
            Self::Null => &[],
            one => std::slice::from_ref(one),
        }
    }

    /// Returns a scalar as text: also a number or a truth value, as programs take them for one.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(Cow::Borrowed(text)),
            Self::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Whether it is `true`.
    pub(super) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    /// Whether it says nothing: null, `false`, an empty text, list or map.
    pub(super) fn is_nothing(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) => true,
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Bool(true) | Self::Number(_) => false,
        }
    }
}

/// Reads a value of any format of serde's, as long as the budget lasts.
#[derive(Clone, Copy)]
pub(super) struct Seed<'b>(pub(super) &'b Cell<usize>);

impl Seed<'_> {
    fn spend<E: Error>(self, cost: usize) -> Result<(), E> {
        let left = self.0.get().checked_sub(cost).ok_or_else(|| E::custom(TOO_MUCH))?;
        self.0.set(left);
        Ok(())
    }

    fn scalar<E: Error>(self, value: Value) -> Result<Value, E> {
        self.spend(value.cost())?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(Value::Number(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.scalar(Value::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(Value::Number(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.scalar(Value::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.spend(1)?;
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.spend(1)?;
        let (mut entries, mut known) = (Vec::new(), BTreeSet::new());
        while let Some(key) = map.next_key::<String>()? {
            self.spend(Value::cost_of_text(&key))?;
            // Readers differ in which of the two counts.
            if !known.insert(key.clone()) {
                return Err(A::Error::custom("a key is given twice"));
            }
            entries.push((key, map.next_value_seed(self)?));
        }
        Ok(Value::Map(entries))
    }
}
