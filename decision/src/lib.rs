//! x
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
pub mod allow_list;
pub mod configuration;
pub mod labels;
pub mod names;
pub mod pod;
pub mod request;
pub mod text;
mod yaml;
pub use yaml::YamlError;
