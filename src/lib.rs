//! Admission control for confidential pods on Kubernetes.
//!
//! The library behind the command `countersign`; the decisions are in the crate `countersign-decision`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod args;
pub mod certs;
pub mod cluster;
pub mod commands;
pub mod evaluator;
pub mod exec_door;
pub mod generated;
pub mod http;
pub mod judge;
pub mod knowledge;
pub mod manifests;
pub mod metrics;
pub mod review;
pub mod standalone;
