//! The command line as people call it: the real binary, its output and its exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod allow;
mod bad_input;
mod called;
mod coverage;
mod demo;
mod digest;
mod documents;
mod evaluator;
mod explain;
mod manifests;
mod render;
mod review;
mod secrets;
mod serve;
mod threat_model;
