//! The command line: arguments, exit codes, and all that is asked of the host.
#![allow(
    clippy::disallowed_methods,
    reason = "the command line is where files, programs and the environment are met"
)]

#[cfg(not(unix))]
compile_error!(
    "the `bottlec` command writes unix permissions and runs on unix only; the library builds elsewhere"
);

#[cfg_attr(not(test), expect(dead_code, reason = "`preflight` asks it"))]
pub(crate) mod host;
