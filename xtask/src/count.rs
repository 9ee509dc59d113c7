//! `cargo xtask count`: how many instructions and allocations the decision core takes for a question, counted by valgrind. Unlike a time,
//! the numbers are the same on a busy machine; a growth is a change of the code, the compiler or a dependency.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::process::{Command, ExitCode, Stdio};

use anstream::println;
use anyhow::{Context as _, Result, bail, ensure};

use crate::bench::{cargo, target};
use crate::step::root;
use crate::tools::Tool;

/// The committed counts: a line for each question, its name and its counts.
const COMMITTED: &str = "docs/performance/counts.txt";
/// The growth that is no accident, in percent.
const MOST_GROWTH: u64 = 5;
/// How often a question is asked: what comes before the first time does not count.
const TIMES: u64 = 10;

/// What one question takes: instructions, allocations, and the bytes of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts([u64; 3]);

/// What one number of [`Counts`] is called.
const COUNTED: [&str; 3] = ["instructions", "allocations", "bytes allocated"];

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
        fs::write(&path, written(&counted)).with_context(|| format!("cannot write {COMMITTED}"))?;
    }
    let committed = read(&fs::read_to_string(&path).with_context(|| format!("cannot read {COMMITTED}"))?)?;
    if let Some(gone) = committed.keys().find(|name| !counted.contains_key(*name)) {
        bail!("{COMMITTED} has {gone}, which is asked no more: cargo xtask count --write");
    }
    let mut grown = Vec::new();
    for (name, now) in &counted {
        let before = committed.get(name).with_context(|| format!("{COMMITTED} has no {name}: cargo xtask count --write"))?;
        println!("{name}: {}", Beside(*before, *now));
        let more = COUNTED.iter().zip(before.0.into_iter().zip(now.0)).filter(|(_, (before, now))| has_grown(*before, *now));
        grown.extend(more.map(|(what, _)| format!("{name} ({what})")));
    }
    if grown.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("more than {MOST_GROWTH} % more: {}", grown.join(", "));
    println!("where it is worth it, commit what `cargo xtask count --write` writes, and say why");
    Ok(ExitCode::FAILURE)
}

/// What one time takes: the difference between asking often and not at all.
fn count(program: &str, name: &str) -> Result<Counts> {
    let measured = |times| -> Result<[u64; 3]> {
        let said = valgrind(&["--tool=callgrind", "--callgrind-out-file=/dev/null"], program, name, times)?;
        let instructions = instructions(&said).with_context(|| format!("callgrind does not say what it counted: {said}"))?;
        let said = valgrind(&["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"], program, name, times)?;
        let (allocations, bytes) = heap(&said).with_context(|| format!("memcheck does not say what it counted: {said}"))?;
        Ok([instructions, allocations, bytes])
    };
    let (none, all) = (measured(0)?, measured(TIMES)?);
    let mut counts = none.into_iter().zip(all).map(|(none, all)| all.saturating_sub(none) / TIMES);
    Ok(Counts([(); 3].map(|()| counts.next().unwrap_or_default())))
}

/// What valgrind says of a run.
fn valgrind(tool: &[&str], program: &str, name: &str, times: u64) -> Result<String> {
    let output = Command::new("valgrind")
        .args(tool)
        .args([program, name, &times.to_string()])
        // Whatever else is set here would be read, and counted.
        .env_remove("RUST_BACKTRACE")
        .env("RUST_LIB_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .context("cannot run valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{name}: {said}");
    Ok(said)
}

/// The number in callgrind's last words: `==1== Collected : 123`.
fn instructions(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

/// The numbers in memcheck's last words: `==1==   total heap usage: 1,234 allocs, 1,230 frees, 56,789 bytes allocated`.
fn heap(said: &str) -> Option<(u64, u64)> {
    let (_, usage) = said.lines().find_map(|line| line.split_once("total heap usage: "))?;
    let number = |word: &str| usage.split(", ").find_map(|part| part.strip_suffix(word))?.replace(',', "").parse().ok();
    Some((number(" allocs")?, number(" bytes allocated")?))
}

fn written(counted: &BTreeMap<String, Counts>) -> String {
    counted.iter().fold(String::new(), |mut lines, (name, Counts([instructions, allocations, bytes]))| {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{name} {instructions} {allocations} {bytes}");
        lines
    })
}

fn read(text: &str) -> Result<BTreeMap<String, Counts>> {
    let line = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        let numbers: Vec<u64> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
        Some((name, Counts(numbers.try_into().ok()?)))
    };
    text.lines().map(|text| line(text).with_context(|| format!("{COMMITTED}: {text:?} is no name and counts"))).collect()
}

const fn has_grown(before: u64, now: u64) -> bool {
    now.saturating_mul(100) > before.saturating_mul(100 + MOST_GROWTH)
}

/// Counts as they were, and as they are.
struct Beside(Counts, Counts);

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (what, (before, now))) in COUNTED.iter().zip(self.0.0.into_iter().zip(self.1.0)).enumerate() {
            let thousandths = (i128::from(now) - i128::from(before)) * 1000 / i128::from(before.max(1));
            let sign = if thousandths < 0 { '-' } else { '+' };
            let (whole, part) = (thousandths.abs() / 10, thousandths.abs() % 10);
            write!(f, "{}{now} {what} ({sign}{whole}.{part} %)", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_read_from_valgrinds_words() {
        assert_eq!(instructions("==7== Events    : Ir\n==7== Collected : 123456\n==7== \n"), Some(123_456));
        let said = "==7== HEAP SUMMARY:\n==7==   total heap usage: 1,234 allocs, 1,230 frees, 5,056,789 bytes allocated\n";
        assert_eq!(heap(said), Some((1234, 5_056_789)));
        assert_eq!((instructions("valgrind: no such file\n"), heap("valgrind: no such file\n")), (None, None));
    }

    #[test]
    fn five_percent_more_is_no_growth_and_anything_above_is() {
        assert!(!has_grown(1000, 1050) && has_grown(1000, 1051) && !has_grown(1000, 10) && has_grown(0, 1));
        let beside = Beside(Counts([1000, 10, 0]), Counts([1051, 9, 0])).to_string();
        assert_eq!(beside, "1051 instructions (+5.1 %), 9 allocations (-10.0 %), 0 bytes allocated (+0.0 %)");
    }

    #[test]
    fn what_is_written_is_read_and_what_is_no_name_and_counts_is_said() {
        let counted = BTreeMap::from([("a".to_owned(), Counts([1, 2, 3])), ("b".to_owned(), Counts([4, 5, 6]))]);
        assert_eq!(read(&written(&counted)).ok(), Some(counted));
        for line in ["a many 1 2", "a 1", "a 1 2 3 4"] {
            let said = read(line).err().map(|error| error.to_string());
            assert_eq!(said, Some(format!("docs/performance/counts.txt: \"{line}\" is no name and counts")));
        }
    }
}
