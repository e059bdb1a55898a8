//! Provenance: values with the lines of the specs, or the reasons of the compiler, that decided them.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;
use std::slice;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::ser::SerializeTupleStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::source::Span;

/// Of what no spec has a say in.
static FIXED: Origin = Origin::compiler("bottlec, for every bottle");
/// Of a setting that the spec is silent about.
static DEFAULT: Origin = Origin::compiler("the default: no spec says anything else");
/// Of a value whose origins are not known any more.
static READ: Origin = Origin::compiler("read from a file");

/// A cause of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A line of a spec.
    Spec {
        /// The source's name.
        source: Arc<str>,
        /// The line, from 1 on.
        line: u32,
        /// The place itself.
        span: Span,
    },
    /// The compiler, and why it decided so.
    Compiler(Cow<'static, str>),
}

impl Origin {
    /// Creates the origin of a value that the compiler decided, with its reason.
    #[must_use]
    pub const fn compiler(why: &'static str) -> Self {
        Self::Compiler(Cow::Borrowed(why))
    }
}

/// `file:line`, or `computed`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec { source, line, span: _ } => write!(f, "{source}:{line}"),
            Self::Compiler(_) => f.write_str("computed"),
        }
    }
}

/// The causes of a value: first the setting itself, then what it was computed from. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Causes);

/// Most values have the one cause that others have as well: what is copied with each is small.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Causes {
    Compiler(&'static Origin),
    All(Arc<[Origin]>),
}

impl Origins {
    /// Creates the origins of a value with one cause.
    #[must_use]
    pub fn of(origin: Origin) -> Self {
        Self(Causes::All(Arc::new([origin])))
    }

    /// Creates the origins of a value that the compiler decided.
    #[must_use]
    pub const fn compiler(why: &'static Origin) -> Self {
        Self(Causes::Compiler(why))
    }

    /// Returns the origins of a value that no spec can set.
    #[must_use]
    pub const fn fixed() -> Self {
        Self::compiler(&FIXED)
    }

    /// Returns the origins of a setting that the spec leaves to its default.
    #[must_use]
    pub const fn default_setting() -> Self {
        Self::compiler(&DEFAULT)
    }

    /// Adds the causes of something else that the value was computed from, each once.
    #[must_use]
    pub fn and(self, others: &Self) -> Self {
        let mut more = others.all().iter().filter(|other| !self.all().contains(other)).peekable();
        if more.peek().is_none() {
            return self;
        }
        let all = self.all().iter().chain(more).cloned().collect();
        Self(Causes::All(all))
    }

    /// Returns the setting itself.
    #[must_use]
    pub fn first(&self) -> &Origin {
        &self.all()[0]
    }

    /// Returns all causes, the setting itself first.
    #[must_use]
    pub fn all(&self) -> &[Origin] {
        match &self.0 {
            Causes::Compiler(origin) => slice::from_ref(*origin),
            Causes::All(origins) => origins,
        }
    }
}

impl Serialize for Origins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.all().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Origins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Arc::<[Origin]>::deserialize(deserializer)?;
        if all.is_empty() {
            return Err(D::Error::invalid_length(0, &"one origin or more"));
        }
        Ok(Self(Causes::All(all)))
    }
}

/// A value and where it comes from. It serialises as the value, as it does in each artifact; to a recorder of origins,
/// which says that it is not human readable, as the tuple struct [`TRACED`] of origins and value. Two are equal when the
/// values are.
#[derive(Clone, Debug)]
pub struct Traced<T> {
    /// The value.
    pub value: T,
    /// Its origins.
    pub origins: Origins,
}

/// The name by which a recorder knows a traced value.
pub const TRACED: &str = "bottlec::Traced";

impl<T> Traced<T> {
    /// Creates a value with its origins.
    #[must_use]
    pub fn new(value: T, origins: Origins) -> Self {
        Self { value, origins }
    }

    /// Creates a value that no spec can set.
    #[must_use]
    pub fn fixed(value: T) -> Self {
        Self::new(value, Origins::fixed())
    }

    /// Creates the default of a setting that the spec leaves out.
    #[must_use]
    pub fn default_setting(value: T) -> Self {
        Self::new(value, Origins::default_setting())
    }

    /// Creates another value with the same origins.
    #[must_use]
    pub fn with<U>(&self, value: U) -> Traced<U> {
        Traced::new(value, self.origins.clone())
    }

    /// Applies a function to the value.
    #[must_use]
    pub fn map<U>(self, function: impl FnOnce(T) -> U) -> Traced<U> {
        Traced { value: function(self.value), origins: self.origins }
    }

    /// Adds the origins of something else that the value was computed from.
    #[must_use]
    pub fn and(self, others: &Origins) -> Self {
        Self { value: self.value, origins: self.origins.and(others) }
    }
}

impl<T> Traced<Option<T>> {
    /// Returns the value, when there is one, with the origins.
    #[must_use]
    pub fn given(&self) -> Option<Traced<&T>> {
        self.value.as_ref().map(|value| self.with(value))
    }
}

impl<T> Deref for Traced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Traced<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Traced<T> {}

impl<T: fmt::Display> fmt::Display for Traced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Borrow<str> for Traced<String> {
    fn borrow(&self) -> &str {
        &self.value
    }
}

impl<T: Serialize> Serialize for Traced<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.value.serialize(serializer);
        }
        let mut pair = serializer.serialize_tuple_struct(TRACED, 2)?;
        pair.serialize_field(&self.origins)?;
        pair.serialize_field(&self.value)?;
        pair.end()
    }
}

/// The origins of a value that is read are not known any more.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Traced<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self::new(value, Origins::compiler(&READ)))
    }
}

impl<T: JsonSchema> JsonSchema for Traced<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
