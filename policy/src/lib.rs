//! Reading of the security policies that confidential pods carry.
//!
//! An annotation's text goes in; a [`PolicyReading`] with the [`Digest`] that the hardware will report comes out, or a
//! [`MalformedPolicy`] that says where the text goes wrong. Nothing here knows of pods, clusters or clocks.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod agent_policy;
pub mod data;
mod digest;
pub mod engine;
mod reading;
mod seen;

pub use agent_policy::MalformedPolicy;
pub use digest::{Algorithm, Digest, MalformedDigest};
pub use reading::{Measured, PolicyReading};
pub use seen::SeenPolicies;
