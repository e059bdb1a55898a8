//! `bottlec` compiles one KDL spec into the stage of a bottle: a microVM for an AI coding agent that may dial
//! exactly one address.

pub mod diagnostic;
pub mod lower;
pub mod rules;
pub mod source;
pub mod syntax;
