//! The commands, one file each. They read input, call the decision core and print; they decide nothing themselves.

mod allow;
mod carried;
mod cluster;
mod demo;
mod digest;
mod doctor;
mod explain;
mod input;
mod manifests;
mod offline;
mod render;
mod review;
mod schema;
mod serve;

use std::process::ExitCode;

pub use schema::schema_text;

use anstyle::{AnsiColor, Style};

use crate::args::{Arguments, Command};
use crate::evaluator;

const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const CAREFUL: Style = AnsiColor::Yellow.on_default().bold();
const TITLE: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Done; every pod is admitted.
    Done,
    /// A pod is refused.
    Refused,
    /// An installation is at fault.
    Faulty,
}

/// Runs a command. An error is printed to standard error and ends with exit code 2.
pub fn run(Arguments { command }: Arguments) -> ExitCode {
    let ended = match command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Demo => demo::run(),
        Command::Render(arguments) => render::run(&arguments),
        Command::Digest(arguments) => digest::run(&arguments),
        Command::Review(arguments) => review::run(&arguments),
        Command::Allow(arguments) => allow::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::EvaluatePolicy => evaluator::run().map(|()| End::Done),
        Command::Manifests(arguments) => manifests::run(&arguments),
        Command::Schema { of } => schema::run(of),
        Command::Completion { shell } => schema::completion(shell),
    };
    match ended {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Refused | End::Faulty) => ExitCode::from(1),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{BAD}error:{BAD:#} {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether the reader of our output went away (`| head`): that is no error of ours.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
