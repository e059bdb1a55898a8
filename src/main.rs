//! The `bottlec` command.

mod cli;

fn main() {}
