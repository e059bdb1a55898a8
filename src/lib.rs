//! `bottlec` compiles one KDL spec into the stage of a bottle: a microVM for an AI coding agent that may dial exactly
//! one address, its bundle of sidecars.
//!
//! ```text
//! text ─lex/parse─▶ Tree ─decode─▶ File ─lay profiles─▶ Bottle<Names> ─resolve─▶ Bottle<Needs> ─plan─▶ Plan ─lower─▶ Stage
//!         diagnostics accumulate beside every arrow; nothing but `stage` and the command line touches a disk
//! ```
//!
//! The modules, layer by layer from the ground; each imports those above its own line, and a test holds that:
//!
//! - [`text`], [`path`], [`source`], [`digest`]: texts in messages, paths with `/`, named texts with spans, SHA-256
//! - [`rule`]: the catalogue of what a spec can get wrong, and how bad that is
//! - [`diagnostic`]: how it is said, and the fixes of it
//! - [`syntax`]: KDL 2, lossless and error-recovering
//! - [`mod@format`]: how a text is laid out; [`world`]: what is known of the world outside
//! - [`reach`]: what the agent can reach, and by which rule
//! - [`schema`]: every node of the language, once
//! - [`model`]: the typed spec, with the place of every leaf
//! - [`resolve`]: names to what they name, and the order of sidecars
//! - [`check`](mod@check): what holds a spec to the rules; [`plan`]: everything decided
//! - [`lower`]: the files that every backend has; [`backend`]: what each makes of a plan
//! - [`compile`](mod@compile): all of it in one function
//! - [`trace`]: from a line of a stage back to the spec; [`diff`]: what a change of plans means; [`stage`]: the one
//!   place that writes; [`denial`]: what was refused, by the records of pipelock and the engine
//! - [`fix`]: fixes, applied
//! - [`propose`]: what to allow, after it was refused; [`import`]: a spec of another tool's configuration
//! - [`report`]: how all of it is shown: as text, for programs, and as a picture in [`report::graph`]
//! - [`lsp`]: what an editor asks

pub mod backend;
pub mod check;
pub mod compile;
pub mod denial;
pub mod diagnostic;
pub mod diff;
pub mod digest;
pub mod fix;
pub mod format;
pub mod import;
pub mod lower;
pub mod lsp;
pub mod model;
pub mod path;
pub mod plan;
pub mod propose;
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

pub use compile::{Analysis, Compilation, Options, compile};
