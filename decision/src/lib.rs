//! The admission decisions of Countersign as pure functions.
//!
//! A [`request::PodRequest`] and the facts as [`facts::Known`] go in; a [`verdict::Verdict`] comes out: [`mutate()`] completes a pod,
//! [`validate()`] judges it, and [`creation()`] is both in one. There is no clock, no file system, no network and no environment
//! here; the webhook and the command line call the same functions.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod allow_list;
mod asked;
pub mod changes;
pub mod configuration;
mod creation;
mod edits;
pub mod exec;
pub mod facts;
pub mod labels;
mod mutate;
pub mod names;
mod node_labels;
pub mod pod;
pub mod request;
pub mod rules;
mod scheduling;
mod sidecar;
mod subject;
pub mod text;
mod validate;
pub mod verdict;
pub mod warnings;
mod yaml;

pub use asked::asked_pod;
pub use creation::{Uncreatable, creation};
pub use mutate::mutate;
pub use validate::{validate, validate_at_once};
pub use yaml::YamlError;
