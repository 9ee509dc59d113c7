//! Writes the inputs that a fuzzer begins with: `countersign-fuzz FOLDER` makes a folder for each target in it, and prints their
//! names.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use countersign_fuzz::TARGETS;

fn main() -> Result<()> {
    let into = std::env::args_os().nth(1).map(PathBuf::from).context("name the folder to write into")?;
    for target in TARGETS {
        let folder = into.join(target.name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("{number:04}")), seed)?;
        }
        writeln!(std::io::stdout(), "{}", target.name)?;
    }
    Ok(())
}
