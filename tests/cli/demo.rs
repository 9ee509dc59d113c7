//! `countersign demo`.

use crate::called::countersign;

#[test]
fn the_demo_shows_the_main_job_and_everything_comes_out_as_it_should() {
    let printed = countersign(&["demo"]).printed();
    for line in [
        "The plain consumer, opted in by one label, without a policy\n  completed  spec.runtimeClassName, spec.containers[0], ",
        "The same, with its policy listed\n  completed  ",
        "  admitted   policy sha256:",
        "The same, with a policy that nobody listed\n  completed  ",
        "policy-not-allowed: policy digest sha256:",
        "To allow it, ask the owners",
        "The tutorial's consumer, complete as its author wrote it\n  /mutate    nothing to add\n  admitted",
        "The producer, an ordinary pod\n  /mutate    nothing to add\n  untouched",
        "runtime-class: spec.runtimeClassName is \"runc\"",
        "opt-in-malformed: label countersign.dev/confidential is \"True\"",
        "Everything came out as it should.",
    ] {
        assert!(printed.contains(line), "{line:?} is not in:\n{printed}");
    }
    assert!(!printed.contains('\u{1b}'), "no colour where no terminal is");
}
