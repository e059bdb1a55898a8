//! The command line of `bottlec`.

mod cli;

fn main() {}
