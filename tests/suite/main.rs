//! The ordinary tests, one module a part of the program. What is tried case by case, or may be wanting something here,
//! is in `tests/cases.rs`.
#![allow(clippy::disallowed_methods, reason = "tests touch files and run programs")]
#![allow(clippy::unwrap_used, reason = "clippy knows `#[test]` functions only, not what they share")]

mod agents;
mod artifacts;
mod broker;
mod check;
mod cli;
mod compose;
mod denials;
mod diff;
mod docs;
mod enforcement;
mod engine;
mod fix;
mod fmt;
mod formats;
mod graph;
mod harness;
mod images;
mod import;
mod kubernetes;
mod layers;
mod levels;
mod lsp;
mod lsp_completion;
mod lsp_hover;
mod lsp_inlay;
mod lsp_names;
mod lsp_shape;
mod machine;
mod pipelock;
mod plan;
mod reach;
mod report;
mod rules;
mod secrets;
mod stage;
mod stress;
mod supervise;
#[path = "../support/mod.rs"]
mod support;
mod syntax;
mod trace;
mod unseen;
mod watch;
mod workspace;
mod world;
