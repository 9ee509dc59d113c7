//! Few inputs for every target, the same on each run: the seeds, and the seeds with pieces changed, doubled, lost and exchanged.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_fuzz::{TARGETS, Target};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// How many changed inputs each target gets.
const CHANGED: usize = 1500;

/// Pieces that readers trip over.
const PIECES: [&str; 18] = [
    "", "\"", "{", "}", "[", "]", ",", ": ", "\n", "null", "true", "-1", "\\u0000", "\u{2028}", "[[[[[[[[", "\n---\n", "&a *a",
    "-1e999",
];

/// One change: in place of some bytes, a piece or bytes from elsewhere.
type Change = (Index, usize, Option<&'static str>, Index);

fn changed(seeds: &[Vec<u8>], seed: Index, changes: &[Change]) -> Vec<u8> {
    let mut input = seed.get(seeds).clone();
    for (at, length, piece, from) in changes {
        let start = at.index(input.len() + 1);
        let end = (start + length).min(input.len());
        let other = from.get(seeds);
        let begins = from.index(other.len() + 1);
        let written =
            piece.map_or_else(|| other[begins..(begins + 16).min(other.len())].to_vec(), |piece| piece.as_bytes().to_vec());
        input.splice(start..end, written);
    }
    input
}

fn smoke(target: &Target) {
    let seeds = (target.seeds)();
    assert!(seeds.len() > 2, "{} has few seeds", target.name);
    for seed in &seeds {
        (target.run)(seed);
    }
    let mut runner = TestRunner::deterministic();
    let changes = vec((any::<Index>(), 0..12_usize, proptest::option::of(select(PIECES.to_vec())), any::<Index>()), 1..5);
    let inputs = (any::<Index>(), changes);
    for _ in 0..CHANGED {
        let (seed, changes) = inputs.new_tree(&mut runner).unwrap().current();
        let input = changed(&seeds, seed, &changes);
        let ran = std::panic::catch_unwind(|| (target.run)(&input));
        assert!(ran.is_ok(), "{}: what must hold does not hold of {:?}", target.name, String::from_utf8_lossy(&input));
    }
}

#[test]
fn what_must_hold_of_every_input_holds_of_the_seeds_and_of_seeds_that_were_changed() {
    for target in &TARGETS {
        smoke(target);
    }
}
