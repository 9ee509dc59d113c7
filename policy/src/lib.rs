//! Reading of the security policies that confidential pods carry.
//!
//! An annotation's text goes in; a [`PolicyReading`] with the [`Digest`] that the hardware will report and the decoded [`Document`]
//! comes out, or a [`MalformedPolicy`] that says where the text goes wrong. Nothing here knows of pods, clusters or clocks.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod base64_text;
mod carried;
pub mod coverage;
pub mod data;
mod digest;
pub mod engine;
pub mod examined;
mod gzip;
mod hardware;
mod initdata;
mod malformed;
mod reading;
mod seen;

pub use carried::SeveralPolicies;
pub use digest::{Algorithm, Digest, Hexadecimal, MalformedDigest};
pub use hardware::Hardware;
pub use initdata::Initdata;
pub use malformed::MalformedPolicy;
pub use reading::{Document, Limits, Measured, PolicyReading};
pub use seen::SeenPolicies;
