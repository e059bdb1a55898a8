//! Arguments, exit codes, and all access to files and to the host. What is to be said of a spec is decided in the
//! library; what is here finds the inputs and carries out what the library says.
#![allow(clippy::disallowed_methods, reason = "the command line is where files and the environment are read")]

#[cfg(not(unix))]
compile_error!(
    "the `bottlec` command writes unix permissions and runs on unix only; the library builds elsewhere"
);

mod args;
mod build;
mod check;
mod checking;
mod denials;
mod diff;
mod docs;
mod each;
mod elsewhere;
mod error;
mod fixing;
mod fleet;
mod fmt;
mod format;
mod git;
mod graph;
mod host;
mod import;
mod init;
mod levels;
mod load;
mod lsp;
mod output;
mod patch;
mod plan;
mod plans;
mod preflight;
mod progress;
mod propose;
mod pull;
mod reach;
mod regular;
mod reports;
mod repository;
mod revision;
mod state;
mod trace;
mod up;
mod verify;
mod walk;
mod watch;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};
use error::Error;
use output::Output;

/// How a run ended. Documented in the help text, the man page and docs/tour.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing is wrong: 0.
    Clean,
    /// The spec, the stage or the host has something that must be fixed: 1.
    Findings,
    /// The tool failed, and has said why: 3.
    Failed,
    /// A program was run, and its exit code is passed through, or `up` failed before.
    Code(u8),
}

/// The exit code of a run whose arguments make no sense; clap ends with the same one.
const USAGE: u8 = 2;
/// The exit code of a run in which the tool itself failed.
const FAILED: u8 = 3;

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::from_environment();
    let outcome = match arguments.command {
        Command::Build(command) => build::run(&command, &output),
        Command::Check(command) => check::run(&command, &output),
        Command::Fmt(command) => fmt::run(&command, &output),
        Command::Plan(command) => plan::run(&command, &output),
        Command::Graph(command) => graph::run(&command, &output),
        Command::Reach(command) => reach::run(&command, &output),
        Command::Diff(command) => diff::run(&command, &output),
        Command::Explain(command) => docs::explain(&command, &output),
        Command::Rules(command) => docs::all(&command, &output),
        Command::Init(command) => init::run(&command, &output),
        Command::Import(command) => import::run(&command, &output),
        Command::Trace(command) => trace::run(&command, &output),
        Command::Verify(command) => verify::run(&command, &output),
        Command::Preflight(command) => preflight::run(&command, &output),
        Command::Up(command) => Ok(up::run(&command, &output)),
        Command::Exec(command) => Ok(up::exec(&command, &output)),
        Command::Status(command) => up::status(&command, &output),
        Command::Logs(command) => up::logs(&command, &output),
        Command::Denials(command) => denials::run(&command, &output),
        Command::Propose(command) => propose::run(&command, &output),
        Command::Stop(command) => up::stop(&command, &output),
        Command::Down(command) => up::down(&command, &output),
        Command::Pull(command) => pull::run(&command, &output),
        Command::Lsp => lsp::run(),
        Command::Completions(command) => docs::completions(&command, &output),
        Command::Man => docs::man(&output),
    };
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Failed) => ExitCode::from(FAILED),
        Ok(Outcome::Code(code)) => ExitCode::from(code),
        Err(error) => {
            output.complain(&error);
            ExitCode::from(if matches!(error, Error::Usage(_)) { USAGE } else { FAILED })
        }
    }
}
