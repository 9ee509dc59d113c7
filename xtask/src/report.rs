//! What `cargo xtask test` tells: a line per step as it goes, and at the end a summary that stands by itself.

use std::process::ExitCode;
use std::time::Duration;

use anstream::println;
use anstyle::{AnsiColor, Style};

use crate::step::{Outcome, Step};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ASIDE: Style = AnsiColor::Yellow.on_default().bold();

/// The lines told so far and the sums over them.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<String>,
    total: Tests,
    failed_steps: usize,
    skipped_steps: usize,
}

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tests {
    passed: usize,
    failed: usize,
}

impl Report {
    /// Says what is going to happen.
    pub(crate) fn begin(steps: &[&Step]) -> Self {
        for step in steps {
            println!("{:<14} {}", step.name, step.does);
        }
        println!();
        Self::default()
    }

    /// Says how a step ended; of a failed one, everything that it said.
    pub(crate) fn end(&mut self, step: &Step, outcome: Outcome, took: Duration) {
        let seconds = took.as_secs_f64();
        let (style, word, rest) = match outcome {
            Outcome::Skipped { because } => {
                self.skipped_steps += 1;
                (ASIDE, "skipped", because)
            }
            Outcome::Passed { output } => self.judge(step, &output),
            Outcome::Failed { output } => {
                println!("{}", output.join("\n"));
                self.fail(tests(&output))
            }
        };
        let line = format!("{style}{word:<8}{style:#} {:<14} {seconds:>6.1} s  {rest}", step.name);
        println!("{}\n", line.trim_end());
        self.lines.push(line.trim_end().to_owned());
    }

    /// The summary. Its last line says the same as the exit code: a failed step without a failed test counts as one failed.
    pub(crate) fn finish(self) -> ExitCode {
        println!("summary");
        for line in &self.lines {
            println!("{line}");
        }
        println!("{} steps, {} failed, {} skipped", self.lines.len(), self.failed_steps, self.skipped_steps);
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        if self.failed_steps == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// A step that succeeded and should have run tests has run some.
    fn judge(&mut self, step: &Step, output: &[String]) -> (Style, &'static str, String) {
        if !step.counts_tests {
            return (GOOD, "ok", String::new());
        }
        for line in output.iter().filter(|line| is_heading(line) || is_scene(line) || result_of(line).is_some()) {
            println!("{line}");
        }
        let tests = tests(output);
        if !output.iter().any(|line| result_of(line).is_some()) {
            return self.fail(tests);
        }
        self.total.passed += tests.passed;
        (GOOD, "ok", tests.told())
    }

    fn fail(&mut self, tests: Tests) -> (Style, &'static str, String) {
        self.failed_steps += 1;
        self.total.passed += tests.passed;
        self.total.failed += tests.failed.max(1);
        (BAD, "FAILED", if tests == Tests::default() { String::new() } else { tests.told() })
    }
}

impl Tests {
    fn told(self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

/// The sum over the `test result:` lines that cargo test prints, one for each test program.
fn tests(output: &[String]) -> Tests {
    output
        .iter()
        .filter_map(|line| result_of(line))
        .fold(Tests::default(), |sum, tests| Tests { passed: sum.passed + tests.passed, failed: sum.failed + tests.failed })
}

/// The numbers in `test result: ok. 9 passed; 0 failed; 1 ignored; …`.
fn result_of(line: &str) -> Option<Tests> {
    let numbers = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let number = |what: &str| numbers.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok());
    Some(Tests { passed: number("passed")?, failed: number("failed")? })
}

/// A line with the numbers that a scene has seen: they are worth knowing when all is well, too.
fn is_scene(line: &str) -> bool {
    line.starts_with("scene ")
}

fn is_heading(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("Running ") || line.starts_with("Doc-tests ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_results_of_all_test_programs_are_summed() {
        let output = lines(
            "running 2 tests\n\
             test result: ok. 9 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 6.87s\n\
             test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        assert_eq!(super::tests(&output), Tests { passed: 12, failed: 2 });
    }

    #[test]
    fn a_line_that_only_looks_like_a_result_does_not_count() {
        assert_eq!(result_of("test result: unknown"), None);
        assert_eq!(result_of("  test result: ok. 1 passed; 0 failed"), None);
    }

    #[test]
    fn a_failed_step_without_tests_counts_as_one_failure() {
        let mut report = Report::default();
        report.end(&Step::CHECK, Outcome::Failed { output: lines("error: could not compile") }, Duration::ZERO);
        assert_eq!(report.total, Tests { passed: 0, failed: 1 });
        assert_eq!(format!("{:?}", report.finish()), format!("{:?}", ExitCode::FAILURE));
    }

    #[test]
    fn a_test_step_in_which_no_test_program_ran_has_failed() {
        let mut report = Report::default();
        report.end(&Step::TESTS, Outcome::Passed { output: lines("Finished `test` profile") }, Duration::ZERO);
        assert_eq!(report.failed_steps, 1);
    }
}
