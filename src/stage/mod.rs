//! The stage on disk: the only place that writes.
//!
//! A stage is the directory `<out>/<slug>/`. Its `SHA256SUMS` holds the digest of every other file, `plan.json` every
//! path and mode, so that a stage says by itself whether anybody touched it since it was written.
//!
//! * **Whole or not at all.** Everything is written and synced in `<out>/.bottlec.tmp/` (0700), then each stage's
//!   directory is exchanged for the old one in one step (`renameat2` with `RENAME_EXCHANGE`). Where the file system
//!   knows no exchange the old directory is moved aside first: a reader may then find no stage for a moment, never
//!   half of one, and a run that is killed in that moment is repaired by the next.
//! * **All that can fail comes before the first exchange**; when an exchange itself fails, those before it are
//!   undone. A kill between two exchanges leaves some stages new and some old, each of them whole.
//! * **One writer at a time**: an advisory lock on `<out>/.bottlec.lock`, which is never removed, because removing
//!   it would let two writers lock two files of that name.
//! * **What did not change stays**: a directory of a stage whose files are the same is the same directory afterwards,
//!   where the file system knows an exchange. A running container is shown the directory, whatever is in its place later.
//! * **No check-then-use**: `<out>` is opened once, without following a link, and everything below goes through that
//!   descriptor. What was inspected is inspected again after it was swapped out, and put back if it changed.
//! * A directory is 0755 even if it holds 0600 files: a sidecar may run as another user and must reach its own 0644
//!   file; the names are no secret. What is private is private by its own mode, from the first byte.
//!
//! A reader outside this crate that wants several files of one stage opens the stage's directory once and reads
//! through it; when a file is gone, the stage was replaced meanwhile and it starts again.
//!
//! Writing needs unix permissions and links, so [`write()`], [`write_listed`], [`write_with`], [`inspect`], [`compare`] and [`verify()`] exist on unix only.
#![allow(clippy::disallowed_methods, reason = "this is the one place that writes")]

#[cfg(unix)]
mod dir;
#[cfg(unix)]
mod error;
#[cfg(unix)]
mod lock;
#[cfg(unix)]
mod snapshot;
#[cfg(unix)]
mod swap;
#[cfg(unix)]
mod verify;
#[cfg(unix)]
mod write;

#[cfg(unix)]
pub use error::{Difference, EditedStage, StageError};
#[cfg(unix)]
pub use lock::{Hold, hold};
#[cfg(unix)]
pub use swap::Exchange;
#[cfg(unix)]
pub use verify::verify;
#[cfg(unix)]
pub use write::{Index, State, Written, compare, inspect, is_listed, write, write_listed, write_with};

/// The most bytes that one file of a stage may have.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The most bytes that a stage may have.
pub const MAX_STAGE_BYTES: u64 = 256 * 1024 * 1024;

/// The most files and directories that a stage may have.
pub const MAX_ENTRIES: usize = 4_096;

/// How many directories deep a file of a stage may lie.
pub const MAX_DEPTH: usize = 16;
