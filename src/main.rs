//! The command `countersign`.

use std::process::ExitCode;

use clap::Parser;
use countersign::args::Arguments;
use countersign::commands;

fn main() -> ExitCode {
    commands::run(Arguments::parse())
}
