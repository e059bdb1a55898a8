//! A serializer that writes nothing and records the place of each value in a document, with the origins of traced ones.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::ser::{
    self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use crate::plan::{Origins, TRACED};

/// A step from a container to what is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The value of a key.
    Key(String),
    /// An element, from 0 on.
    At(usize),
}

/// The way from the document to a value in it. Empty is the document itself.
pub type Path = Vec<Step>;

/// The values of a document, by their places, each with its origins if it has some of its own.
pub type Places = BTreeMap<Path, Option<Origins>>;

/// Records the values of a document.
pub(super) fn record(document: &dyn erased_serde::Serialize) -> Places {
    let mut recorder = Recorder { path: Path::new(), places: Places::new() };
    // What cannot be recorded is not found in the record, and is then told to be unknown.
    let _ = document.serialize(&mut recorder);
    recorder.places
}

struct Recorder {
    path: Path,
    places: Places,
}

/// A key or an origin that is none of ours.
#[derive(Debug)]
struct Unrecordable(String);

impl fmt::Display for Unrecordable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unrecordable {}

impl ser::Error for Unrecordable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl From<serde_json::Error> for Unrecordable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl Recorder {
    /// A value is here.
    fn visit(&mut self) {
        self.places.entry(self.path.clone()).or_default();
    }

    fn within(&mut self, step: Step, value: &(impl Serialize + ?Sized)) -> Result<(), Unrecordable> {
        self.path.push(step);
        let done = value.serialize(&mut *self);
        self.path.pop();
        done
    }

    fn container(&mut self, traced: bool) -> Container<'_> {
        if !traced {
            self.visit();
        }
        Container { recorder: self, next: 0, key: String::new(), traced }
    }
}

/// A list, a map, a struct, or the pair that a traced value is.
struct Container<'r> {
    recorder: &'r mut Recorder,
    next: usize,
    key: String,
    traced: bool,
}

impl Container<'_> {
    fn element(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Unrecordable> {
        let at = self.next;
        self.next += 1;
        if !self.traced {
            return self.recorder.within(Step::At(at), value);
        }
        if at > 0 {
            return value.serialize(&mut *self.recorder);
        }
        let origins = serde_json::from_value(serde_json::to_value(value)?)?;
        self.recorder.places.insert(self.recorder.path.clone(), Some(origins));
        Ok(())
    }

    fn entry(&mut self, key: String, value: &(impl Serialize + ?Sized)) -> Result<(), Unrecordable> {
        self.recorder.within(Step::Key(key), value)
    }
}

/// Methods of a serializer for values that hold no other.
macro_rules! leaves {
    ($($method:ident($($type:ty),*);)*) => {$(
        fn $method(self $(, _: $type)*) -> Result<(), Unrecordable> {
            self.visit();
            Ok(())
        }
    )*};
}

/// A serializer's trait for one sort of container, by the method that takes a part of it.
macro_rules! containers {
    ($($trait:ident { $method:ident($($key:ident: $type:ty),*) => $take:ident($($given:expr),*) })*) => {$(
        impl $trait for Container<'_> {
            type Ok = ();
            type Error = Unrecordable;

            fn $method<T: Serialize + ?Sized>(&mut self $(, $key: $type)*, value: &T) -> Result<(), Unrecordable> {
                self.$take($($given,)* value)
            }

            fn end(self) -> Result<(), Unrecordable> {
                Ok(())
            }
        }
    )*};
}

impl<'r> ser::Serializer for &'r mut Recorder {
    type Ok = ();
    type Error = Unrecordable;
    type SerializeSeq = Container<'r>;
    type SerializeTuple = Container<'r>;
    type SerializeTupleStruct = Container<'r>;
    type SerializeTupleVariant = Container<'r>;
    type SerializeMap = Container<'r>;
    type SerializeStruct = Container<'r>;
    type SerializeStructVariant = Container<'r>;

    leaves! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unrecordable> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unrecordable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unrecordable> {
        self.container(false).entry(variant.to_owned(), value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Container<'r>, Unrecordable> {
        Ok(self.container(false))
    }

    fn serialize_tuple(self, _: usize) -> Result<Container<'r>, Unrecordable> {
        Ok(self.container(false))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Container<'r>, Unrecordable> {
        Ok(self.container(name == TRACED))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Container<'r>, Unrecordable> {
        Ok(self.container(false))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Container<'r>, Unrecordable> {
        Ok(self.container(false))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Container<'r>, Unrecordable> {
        Ok(self.container(false))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Container<'r>, Unrecordable> {
        Ok(self.container(false))
    }
}

containers! {
    SerializeSeq { serialize_element() => element() }
    SerializeTuple { serialize_element() => element() }
    SerializeTupleStruct { serialize_field() => element() }
    SerializeTupleVariant { serialize_field() => element() }
    SerializeStruct { serialize_field(key: &'static str) => entry(key.to_owned()) }
    SerializeStructVariant { serialize_field(key: &'static str) => entry(key.to_owned()) }
}

impl SerializeMap for Container<'_> {
    type Ok = ();
    type Error = Unrecordable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unrecordable> {
        self.key = serde_json::from_value(serde_json::to_value(key)?)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unrecordable> {
        let key = std::mem::take(&mut self.key);
        self.entry(key, value)
    }

    fn end(self) -> Result<(), Unrecordable> {
        Ok(())
    }
}
