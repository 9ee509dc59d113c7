//! Whoever can reach the port tries to take it down: a real `countersign serve --standalone`, over loopback.
//!
//! Each scene is bounded in connections, bytes and time. What must hold in all of them: the memory of the process stays within a
//! bound, the health port answers, and the API server is served again by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod crowds;
mod hostile_json;
mod hostile_policies;
mod sample;
mod server;
mod slow;
