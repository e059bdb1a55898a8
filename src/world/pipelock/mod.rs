//! What is known of pipelock, the egress proxy: its versions, the networks that it guards, and what it makes of a host's
//! name.

pub mod guard;
mod ledger;
pub mod name;

pub use ledger::{FACTS, Fact, How, IMAGE, NEWEST, OLDEST, Question, RECORDED, has, image};
