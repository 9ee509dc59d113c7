//! `cargo xtask fuzz`: every target of `fuzz/` under libFuzzer, for a time, with a report of inputs and crashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use anstream::println;
use anyhow::{Context as _, Result, ensure};

use crate::bench::target;
use crate::step::root;
use crate::tools::{self, Tool};

/// Where the fuzzed program is, with a lock file of its own.
const FUZZED: &str = "fuzz/libfuzzer";

/// Runs each target for `seconds`, or those named; fails if one crashes. What the runs found interesting is kept in cargo's target
/// folder, and is where the next run begins.
///
/// # Errors
/// When cargo-fuzz is missing and cannot be installed, when the program cannot be built, or when a name is that of no target.
pub(crate) fn run(seconds: u32, chosen: &[String]) -> Result<ExitCode> {
    Tool::Cargo(tools::CARGO_FUZZ).ensure()?;
    let folder = target().join("fuzz");
    let targets = write_seeds(&folder.join("seeds"))?;
    let unknown = chosen.iter().find(|name| !targets.contains(name));
    ensure!(unknown.is_none(), "there is no target {}: {}", unknown.map_or("", String::as_str), targets.join(", "));
    build(&folder)?;
    let mut crashed = 0;
    for name in targets.iter().filter(|name| chosen.is_empty() || chosen.contains(name)) {
        println!("{name}: {seconds} s");
        let ran = fuzz(&folder, name, seconds)?;
        let said = String::from_utf8_lossy(&ran.stderr);
        let log = folder.join(format!("{name}.log"));
        fs::write(&log, said.as_bytes()).with_context(|| format!("cannot write {}", log.display()))?;
        let tried = tried(&said).unwrap_or_else(|| "an unknown number of".to_owned());
        if ran.status.success() {
            println!("{name}: {tried} inputs, 0 crashes");
        } else {
            crashed += 1;
            println!("{name}: {tried} inputs, CRASHED: {} has the input and the cause", log.display());
        }
    }
    println!("{crashed} targets crashed");
    Ok(if crashed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the inputs to begin with; gives the names of the targets.
fn write_seeds(into: &Path) -> Result<Vec<String>> {
    let written = Command::new("cargo")
        .args(["run", "--quiet", "--locked", "--package", "countersign-fuzz", "--"])
        .arg(into)
        .current_dir(root())
        .output()
        .context("cannot run cargo")?;
    ensure!(written.status.success(), "the seeds cannot be written: {}", String::from_utf8_lossy(&written.stderr));
    Ok(String::from_utf8_lossy(&written.stdout).lines().map(str::to_owned).collect())
}

fn build(folder: &Path) -> Result<()> {
    println!("building {FUZZED}");
    let status = cargo_fuzz("build", folder).arg("any").status().context("cannot run cargo fuzz")?;
    ensure!(status.success(), "{FUZZED} does not build: cargo fuzz ended with {status}");
    Ok(())
}

fn fuzz(folder: &Path, name: &str, seconds: u32) -> Result<Output> {
    let corpus = made(folder.join("corpus").join(name))?;
    let crashes = made(folder.join("crashes").join(name))?;
    cargo_fuzz("run", folder)
        .arg("any")
        .args([&corpus, &folder.join("seeds").join(name)])
        .arg("--")
        .args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", crashes.display())])
        // An input that takes longer than this is a crash too.
        .args(["-print_final_stats=1", "-timeout=10"])
        .env("COUNTERSIGN_FUZZ", name)
        .output()
        .context("cannot run cargo fuzz")
}

/// The address sanitizer watches the decoders that are not safe Rust. It is the compiler's own and not yet declared stable: the
/// variable asks for it of the pinned compiler, where a nightly one would be a second.
fn cargo_fuzz(command: &str, folder: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["fuzz", command, "--fuzz-dir", FUZZED, "--sanitizer", "address", "--target-dir"]).arg(folder.join("build"));
    cargo.env("RUSTC_BOOTSTRAP", "1").env("PATH", tools::path()).current_dir(root());
    cargo
}

fn made(folder: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The number of inputs in libFuzzer's last word, or in its last line before a crash.
fn tried(said: &str) -> Option<String> {
    let last = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let before = || said.lines().rev().find_map(|line| line.strip_prefix('#')?.split_whitespace().next());
    last.or_else(before).map(|number| number.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::tried;

    #[test]
    fn the_number_of_inputs_is_read_from_libfuzzers_words() {
        assert_eq!(tried("#2\tINITED cov: 5\nstat::number_of_executed_units: 314\n").as_deref(), Some("314"));
        assert_eq!(tried("#2\tINITED cov: 5\n#128\tpulse  cov: 6\nSUMMARY: deadly signal\n").as_deref(), Some("128"));
        assert_eq!(tried("error: could not compile\n"), None);
    }
}
