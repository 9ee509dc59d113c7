//! What a fuzzer asks of everything that reads strangers' bytes.
//!
//! A [`Target`] is a function over any bytes that panics when something does not hold, and the inputs to begin with. Each is one
//! file and one row of [`TARGETS`]. `tests/smoke.rs` runs them with few inputs on every change; `cargo xtask fuzz` runs them with
//! libFuzzer for as long as one likes (`libfuzzer/`, a workspace of its own).

// What does not hold has to end the program: that is how a fuzzer hears of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod allow_list;
mod annotation;
mod cases;
mod configuration;
mod initdata;
mod manifest;
mod policy;
mod review;

/// Something that reads bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// The inputs to begin with; made from the golden cases and the samples, so that nothing is kept twice.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads `input` and checks what must hold of every input.
    ///
    /// # Panics
    /// When something does not hold.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 7] = [
    Target { name: "review", seeds: review::seeds, run: review::run },
    Target { name: "annotation", seeds: annotation::seeds, run: annotation::run },
    Target { name: "initdata", seeds: initdata::seeds, run: initdata::run },
    Target { name: "policy", seeds: policy::seeds, run: policy::run },
    Target { name: "allow-list", seeds: allow_list::seeds, run: allow_list::run },
    Target { name: "configuration", seeds: configuration::seeds, run: configuration::run },
    Target { name: "manifest", seeds: manifest::seeds, run: manifest::run },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
