//! Name resolution: includes, profiles, and the needs of sidecars with the order in which these start.

pub mod graph;
pub mod include;
pub mod members;
pub mod message;
pub mod scope;
