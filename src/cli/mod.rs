//! The command line: arguments, exit codes, and all access to files, terminal and environment.

#[allow(dead_code, reason = "for the commands that write diagnostics")]
pub(crate) mod terminal;
