//! The checks, one per file.

pub mod accept;
pub mod boot;
pub(crate) mod cascade;
pub mod container;
mod edit;
pub mod egress;
pub mod egress_scan;
pub mod engine;
pub mod env;
pub mod env_ignored;
pub mod expect;
pub mod expose;
pub mod fleet;
pub mod levels;
pub mod lint;
pub mod loss;
pub mod names;
pub mod personal;
pub mod port_taken;
pub mod queue;
pub mod repo;
pub mod secret_literal;
pub mod unused;
