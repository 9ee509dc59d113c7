//! All targets in one program, so that one build serves them all: the variable `COUNTERSIGN_FUZZ` names the one to run.

#![no_main]

use std::sync::LazyLock;

use countersign_fuzz::{Target, target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("COUNTERSIGN_FUZZ").expect("COUNTERSIGN_FUZZ names a target");
    target(&name).expect("COUNTERSIGN_FUZZ names one of the targets of countersign-fuzz")
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| (TARGET.run)(input));
