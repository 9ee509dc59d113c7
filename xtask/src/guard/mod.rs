//! `cargo xtask guard`: takes each row out of the tables of changes and rules, one at a time, and expects the tests to fail.
//!
//! A copy of the work tree is built once, in which each row asks a variable whether it is in force; the tests of the core then run
//! once for each row. The product itself has no such switch.

mod copy;
mod tables;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use anstream::println;
use anyhow::{Context as _, Result, bail, ensure};

use self::copy::Copy;
use self::tables::{TABLES, VARIABLE};
use crate::bench::target;

/// The package whose tests must miss each row.
const PACKAGE: &str = "countersign-decision";

/// The test program that reads the golden cases: the quickest to miss a row, so it is asked first.
const FIRST: &str = "golden";

/// Runs the tests without each row in turn and prints what missed it; fails if nothing did.
///
/// # Errors
/// When the copy cannot be made or built, when a table is not written as expected, or when the tests fail with every row in force.
pub(crate) fn run() -> Result<ExitCode> {
    let copy = Copy::of_work_tree(&target().join("guard"))?;
    let mut rows = Vec::new();
    for table in &TABLES {
        rows.extend(copy.rewrite(table.file, |text| table.with_switches(text))?);
    }
    let programs = programs(&copy)?;
    if let Some(missed) = missed(&programs, "")? {
        bail!("the tests fail with every row in force: {missed}");
    }
    let mut green = Vec::new();
    for row in &rows {
        let missed = missed(&programs, row)?;
        println!("{row:<64} {}", missed.as_deref().unwrap_or("NOT MISSED: every test passes without it"));
        if missed.is_none() {
            green.push(row.as_str());
        }
    }
    println!("\n{} rows, {} that no test misses{}", rows.len(), green.len(), named(&green));
    Ok(if green.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn named(rows: &[&str]) -> String {
    if rows.is_empty() { String::new() } else { format!(": {}", rows.join(", ")) }
}

/// Builds the test programs of the copy.
fn programs(copy: &Copy) -> Result<Vec<PathBuf>> {
    println!("building the tests of {PACKAGE} in {}", copy.folder().display());
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--locked", "--no-run", "--lib", "--tests", "--package", PACKAGE]);
    cargo.current_dir(copy.folder()).env("CARGO_TARGET_DIR", copy.folder().with_extension("target"));
    let built = cargo.output().context("cannot run cargo")?;
    let said = String::from_utf8_lossy(&built.stderr);
    ensure!(built.status.success(), "the copy does not build; is a table written in another way?\n{said}");
    let mut programs: Vec<PathBuf> = said.lines().filter_map(executable).map(|path| copy.folder().join(path)).collect();
    ensure!(programs.iter().any(|program| is_first(program)), "cargo names no test program {FIRST}:\n{said}");
    programs.sort_by_key(|program| !is_first(program));
    Ok(programs)
}

/// The path in cargo's line `Executable tests/golden.rs (target/debug/deps/golden-0123)`.
fn executable(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("Executable ")?.rsplit_once('(')?.1.strip_suffix(')')
}

fn is_first(program: &Path) -> bool {
    program.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FIRST))
}

/// What fails first without this row: the test program's failed tests, or none where all of them pass.
fn missed(programs: &[PathBuf], row: &str) -> Result<Option<String>> {
    for program in programs {
        let ran =
            Command::new(program).env(VARIABLE, row).output().with_context(|| format!("cannot run {}", program.display()))?;
        if !ran.status.success() {
            return Ok(Some(failed(program, &ran)));
        }
    }
    Ok(None)
}

/// The failed tests by their names, or how the program ended where it names none.
fn failed(program: &Path, ran: &Output) -> String {
    let out = String::from_utf8_lossy(&ran.stdout);
    let tests: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED")).collect();
    match tests.as_slice() {
        [] => format!("{} ended with {}", program.display(), ran.status),
        [first] => format!("missed by {first}"),
        [first, rest @ ..] => format!("missed by {first} and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::executable;

    #[test]
    fn the_paths_of_test_programs_are_read_from_what_cargo_says() {
        let said = "  Executable unittests src/lib.rs (/tmp/a b/debug/deps/countersign_decision-01)";
        assert_eq!(executable(said), Some("/tmp/a b/debug/deps/countersign_decision-01"));
        assert_eq!(executable("   Compiling countersign-decision v0.1.0 (/tmp/a)"), None);
    }
}
