//! `cargo xtask instructions`: how many instructions the decision core takes for a question, counted by callgrind. Unlike a time, the number
//! is the same on a busy machine; a growth is a change of the code, the compiler or a dependency.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, ExitCode, Stdio};

use anstream::println;
use anyhow::{Context as _, Result, bail, ensure};

use crate::bench::{cargo, target};
use crate::step::root;
use crate::tools::Tool;

/// The committed counts: a line for each question, its name and its count.
const COMMITTED: &str = "docs/performance/instructions.txt";
/// The growth that is no accident, in percent.
const MOST_GROWTH: u64 = 5;
/// How often a question is asked: what comes before the first time does not count.
const TIMES: u64 = 50;

/// Counts, prints the counts beside the committed ones, and fails where one has grown; `write` commits them instead.
///
/// # Errors
/// When valgrind is missing and cannot be installed, when the program cannot be built or run, or when there are no committed counts.
pub(crate) fn run(write: bool) -> Result<ExitCode> {
    Tool::Valgrind.ensure()?;
    cargo(&["build", "--locked", "--profile", "counted", "--package", "countersign-decision", "--example", "count"])?;
    let program = target().join("counted/examples/count");
    let program = program.to_str().context("the path of the program is no text")?;
    let names = String::from_utf8(Command::new(program).output().context("cannot run the program")?.stdout)?;
    let counted = names.lines().map(|name| Ok((name.to_owned(), count(program, name)?))).collect::<Result<BTreeMap<_, _>>>()?;
    let path = root().join(COMMITTED);
    if write {
        let lines = counted.iter().fold(String::new(), |mut lines, (name, count)| {
            let _ = writeln!(lines, "{name} {count}");
            lines
        });
        fs::write(&path, lines).with_context(|| format!("cannot write {COMMITTED}"))?;
    }
    let committed = read(&fs::read_to_string(&path).with_context(|| format!("cannot read {COMMITTED}"))?)?;
    println!("{:32} {:>12} {:>12}", "instructions for one question", "committed", "now");
    let mut grown = Vec::new();
    for (name, now) in &counted {
        let before =
            committed.get(name).with_context(|| format!("{COMMITTED} has no {name}: cargo xtask instructions --write"))?;
        println!("{name:32} {before:>12} {now:>12} {}", change(*before, *now));
        if has_grown(*before, *now) {
            grown.push(&**name);
        }
    }
    if let Some(gone) = committed.keys().find(|name| !counted.contains_key(*name)) {
        bail!("{COMMITTED} has {gone}, which is asked no more: cargo xtask instructions --write");
    }
    if grown.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("more than {MOST_GROWTH} % more: {}", grown.join(", "));
    println!("where it is worth it, commit what `cargo xtask instructions --write` writes, and say why");
    Ok(ExitCode::FAILURE)
}

/// What one time takes: the difference between asking often and not at all.
fn count(program: &str, name: &str) -> Result<u64> {
    let none = collected(program, name, 0)?;
    let all = collected(program, name, TIMES)?;
    Ok(all.saturating_sub(none) / TIMES)
}

fn collected(program: &str, name: &str, times: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", program, name, &times.to_string()])
        // Whatever else is set here would be read, and counted.
        .env_remove("RUST_BACKTRACE")
        .env("RUST_LIB_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .context("cannot run valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {said}");
    instructions(&said).with_context(|| format!("callgrind does not say what it counted: {said}"))
}

/// The number in callgrind's last words: `==1== Collected : 123`.
fn instructions(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

fn read(text: &str) -> Result<BTreeMap<String, u64>> {
    let line = |line: &str| {
        let (name, count) = line.split_once(' ')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    text.lines().map(|text| line(text).with_context(|| format!("{COMMITTED}: {text:?} is no name and count"))).collect()
}

const fn has_grown(before: u64, now: u64) -> bool {
    now.saturating_mul(100) > before.saturating_mul(100 + MOST_GROWTH)
}

/// In percent, with one decimal.
fn change(before: u64, now: u64) -> String {
    let thousandths = (i128::from(now) - i128::from(before)) * 1000 / i128::from(before.max(1));
    let sign = if thousandths < 0 { '-' } else { '+' };
    format!("{sign}{}.{} %", thousandths.abs() / 10, thousandths.abs() % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_callgrinds_words() {
        assert_eq!(instructions("==7== Events    : Ir\n==7== Collected : 123456\n==7== \n"), Some(123_456));
        assert_eq!(instructions("valgrind: no such file\n"), None);
    }

    #[test]
    fn five_percent_more_is_no_growth_and_anything_above_is() {
        assert!(!has_grown(1000, 1050) && has_grown(1000, 1051) && !has_grown(1000, 10));
        assert_eq!((change(1000, 1051), change(1000, 999)), ("+5.1 %".to_owned(), "-0.1 %".to_owned()));
    }

    #[test]
    fn what_is_no_name_and_count_is_said() {
        assert_eq!(read("a 1\nb 2\n").ok(), Some(BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)])));
        let said = read("a many\n").err().map(|error| error.to_string());
        assert_eq!(said.as_deref(), Some("docs/performance/instructions.txt: \"a many\" is no name and count"));
    }
}
