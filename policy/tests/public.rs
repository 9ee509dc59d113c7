//! What others rely on: the keys of annotations, what is printed, and how much is remembered.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_policy::{Digest, Limits, Measured, SeenPolicies};

fn policy(number: usize, bytes: usize) -> String {
    STANDARD.encode(format!("{number:05}{}", " ".repeat(bytes - 5)))
}

/// How many of these policies are not read again, after all of them were read and kept.
fn remembered(policies: &[String]) -> usize {
    let seen = SeenPolicies::new();
    let is_read = |policy: &String| {
        let mut read = false;
        let keep = |_: &_| {
            read = true;
            true
        };
        seen.read(Measured::AgentPolicy, policy, Limits::DEFAULT, keep).unwrap();
        read
    };
    for policy in policies {
        assert!(is_read(policy), "read before");
    }
    // From the last one back: what is read again here takes the place of one that was counted already.
    policies.iter().rev().filter(|policy| !is_read(policy)).count()
}

#[test]
fn the_annotations_are_those_that_the_runtimes_read() {
    assert_eq!(Measured::AgentPolicy.annotation(), "io.katacontainers.config.agent.policy");
    assert_eq!(Measured::Initdata.annotation(), "io.katacontainers.config.hypervisor.cc_init_data");
    assert_eq!(Measured::EarlierInitdata.annotation(), "io.katacontainers.config.runtime.cc_init_data");
}

#[test]
fn a_digest_is_shown_to_programmers_as_to_everybody() {
    let digest = Digest::sha256_of(b"a");
    assert_eq!(format!("{digest:?}"), digest.to_string());
}

#[test]
fn the_policies_of_a_large_cluster_are_remembered() {
    let policies: Vec<_> = (0..60).map(|number| policy(number, 50_000)).collect();
    assert_eq!(remembered(&policies), policies.len());
}

#[test]
fn what_is_remembered_stays_within_a_few_megabytes() {
    let policies: Vec<_> = (0..110).map(|number| policy(number, 190_000)).collect();
    let bytes = remembered(&policies) * policies[0].len();
    assert!(bytes <= 20 * 1024 * 1024, "{bytes}");
}
