//! Builds the control plane's programs where they are missing, and prints the folder they are in.

use anyhow::Result;
use countersign_harness::Binaries;

fn main() -> Result<()> {
    println!("{}", Binaries::find()?.folder().display());
    Ok(())
}
