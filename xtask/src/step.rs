//! One row of the table and how it is run.

use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader, stderr};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::tools::{self, Tool};

/// How often a long step says that it is still at work, where there is no terminal.
const EVERY: Duration = Duration::from_mins(1);

/// A part of `cargo xtask test`.
#[derive(Debug)]
pub(crate) struct Step {
    /// What people call it on the command line.
    pub(crate) name: &'static str,
    /// What it makes sure of.
    pub(crate) does: &'static str,
    /// The program and its arguments, as one could type them in the root of the repository.
    pub(crate) command: &'static [&'static str],
    /// Environment variables beside those of the caller.
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// What must be there before any part runs.
    pub(crate) needs: &'static [Tool],
    /// The step is skipped, and that is told, where this is not so.
    pub(crate) only_if: Option<Condition>,
    /// Whether a run in which no test ran is a failure.
    pub(crate) counts_tests: bool,
}

/// Something that must be so for a step to make sense.
#[derive(Debug)]
pub(crate) struct Condition {
    /// Succeeds where it is so.
    pub(crate) command: &'static [&'static str],
    /// What is told where it is not.
    pub(crate) otherwise: &'static str,
}

/// How a step ended; `output` is everything that it said, in lines.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed { output: Vec<String> },
    Failed { output: Vec<String> },
    Skipped { because: String },
}

impl Step {
    /// A step that passes or fails as a whole.
    pub(crate) const CHECK: Self =
        Self { name: "", does: "", command: &[], variables: &[], needs: &[], only_if: None, counts_tests: false };

    /// A step that runs tests.
    pub(crate) const TESTS: Self = Self { counts_tests: true, ..Self::CHECK };

    /// The command as one could type it.
    pub(crate) fn typed(&self) -> String {
        let variables = self.variables.iter().map(|(name, value)| format!("{name}=\"{value}\""));
        let words = self.command.iter().map(|word| if *word == "*" { "'*'".to_owned() } else { (*word).to_owned() });
        variables.chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Runs the step to its end.
    pub(crate) fn run(&self) -> (Outcome, Duration) {
        let started = Instant::now();
        let unmet = self.only_if.as_ref().filter(|condition| !holds(condition));
        let outcome = match unmet {
            Some(condition) => Outcome::Skipped { because: condition.otherwise.to_owned() },
            None => execute(self.command, self.variables),
        };
        (outcome, started.elapsed())
    }
}

fn holds(condition: &Condition) -> bool {
    matches!(execute(condition.command, &[]), Outcome::Passed { .. })
}

fn execute(words: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let failed = |why: String| Outcome::Failed { output: vec![why] };
    let Some((program, arguments)) = words.split_first() else { return failed("the step has no command".to_owned()) };
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().copied()).current_dir(root()).stdin(Stdio::null());
    command.env("PATH", tools::path());
    match captured(command) {
        Ok((status, output)) if status.success() => Outcome::Passed { output },
        Ok((status, mut output)) => {
            output.push(format!("{program} ended with {status}"));
            Outcome::Failed { output }
        }
        Err(error) => failed(format!("cannot run {program}: {error}")),
    }
}

/// Both outputs of the command in one stream, in the order they came.
fn captured(mut command: Command) -> io::Result<(ExitStatus, Vec<String>)> {
    let (reader, writer) = io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // The command holds the writing ends too: the stream would never end.
    drop(command);
    let output = follow(reader);
    Ok((child.wait()?, output))
}

fn follow(reader: PipeReader) -> Vec<String> {
    let spinner = if stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("  {spinner} {elapsed} {wide_msg}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    let mut spoke = Instant::now();
    let mut output = Vec::new();
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        spinner.set_message(line.trim().to_owned());
        if spinner.is_hidden() && spoke.elapsed() > EVERY {
            anstream::println!("  at work: {}", line.trim());
            spoke = Instant::now();
        }
        output.push(line);
    }
    spinner.finish_and_clear();
    output
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}
