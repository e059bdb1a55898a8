//! Names to what they name: files over their includes, profiles, the needs of sidecars and the order of these.

pub mod graph;
pub mod include;
pub mod members;
pub mod message;
pub mod scope;
