//! The command line of `bottlec`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
