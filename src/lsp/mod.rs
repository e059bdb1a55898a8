//! The language server: what an editor asks about a spec, answered by what the compiler knows of it.
//!
//! ```text
//! message ─▶ Server ─▶ Workspace ─▶ Analysis ─▶ one file a feature ─▶ message
//!                 Work (compiles, beside the conversation) ─▶ Done
//! ```
//!
//! A [`Server`] takes messages and gives messages; it reads no file itself ([`Disk`] does), starts no thread and knows no
//! clock, so that a test drives it as the command line does. An [`Analysis`](crate::Analysis) is one spec with what it includes; it has a
//! tree, and what can be made out of it, also while the text is broken, which it is most of the time while somebody
//! types. Diagnostics are those of a compile, translated and nothing else.

mod actions;
mod analysis;
mod around;
mod artifacts;
mod capabilities;
mod client;
mod commands;
mod completion;
mod cursor;
mod diagnostics;
mod disk;
mod document;
mod edits;
mod hover;
mod inlay;
mod layout;
mod names;
mod navigate;
mod position;
mod prose;
mod publish;
mod refusal;
mod rename;
mod requests;
mod server;
mod slashdash;
mod structure;
mod symbols;
mod tokens;
mod uri;
mod workspace;

pub use analysis::{Asked, Located};
pub use client::Client;
pub use disk::{DirectoryEntry, Disk};
pub use document::{Document, LANGUAGE};
pub use position::Encoding;
pub use server::{Done, Exit, Server, Work};
