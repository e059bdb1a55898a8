//! `bottlec` compiles one KDL spec into the stage of a bottle: a microVM for an AI coding agent that may dial exactly
//! one address, its bundle of sidecars.
//!
//! ```text
//! text ─lex/parse─▶ Tree ─decode─▶ File ─lay profiles─▶ Bottle<Name> ─resolve─▶ Bottle<MemberId> ─plan─▶ Plan ─lower─▶ Stage
//!         diagnostics accumulate beside every arrow; nothing but `stage` and the command line touches a disk
//! ```
//!
//! The modules, in the order in which a spec goes through them:
//!
//! - [`text`], [`path`], [`source`]: texts in messages, paths with `/`, named texts, spans, lines and columns
//! - [`syntax`]: KDL 2, lossless and error-recovering
//! - [`schema`]: every node of the language, once
//! - [`model`]: the typed model, with the place of every leaf
//! - [`resolve`]: names to what they name, and the order of sidecars
//! - [`rule`]: what a spec can get wrong, and how bad that is; [`check`](mod@check): what holds a spec to it;
//!   [`diagnostic`]: how it is said; [`fix`]: how it is mended; [`mod@format`]: how it is laid out; [`report`]: how it is
//!   shown, and how a plan is: as text, and as a picture in [`report::graph`]
//! - [`world`]: what is known of the world outside
//! - [`reach`]: what the agent can reach, and by which rule
//! - [`diff`]: what a change of plans means
//! - [`plan`]: everything decided; [`lower`]: the files of a stage; [`digest`]: what seals them
//! - [`compile`](mod@compile): all of it in one function
//! - [`trace`]: from a line of a stage back to the spec
//! - [`lsp`]: what an editor asks
//! - [`stage`]: the one place that writes

pub mod check;
pub mod compile;
pub mod diagnostic;
pub mod diff;
pub mod digest;
pub mod fix;
pub mod format;
pub mod lower;
pub mod lsp;
pub mod model;
pub mod path;
pub mod plan;
pub mod reach;
pub mod report;
pub mod resolve;
pub mod rule;
pub mod schema;
pub mod source;
pub mod stage;
pub mod syntax;
pub mod text;
pub mod trace;
pub mod world;

pub use compile::{Checked, Compilation, Options, check, compile};
