//! A real etcd and kube-apiserver on loopback for the tests.
//!
//! [`ApiServer::boot`] starts both in a few seconds, in a folder of their own; dropping the value, or the end of the
//! process in whatever way, stops them by process id and removes the folder. Nothing but loopback is used.
//! The programs come from `KUBEBUILDER_ASSETS` or are built once from Go modules: see [`Binaries`].
//!
//! One server for all tests of a file:
//!
//! ```no_run
//! use std::sync::OnceLock;
//! use countersign_harness::{ApiServer, Options};
//!
//! static SERVER: OnceLock<ApiServer> = OnceLock::new();
//!
//! fn server() -> &'static ApiServer {
//!     SERVER.get_or_init(|| ApiServer::boot(&Options::default().user("ann", &["developers"])).unwrap())
//! }
//! ```
//!
//! A static is never dropped: there the watchdog of the run folder stops the server when the test process is gone.

mod access;
mod api_server;
mod audit;
mod binaries;
mod boot;
mod egress;
mod etcd;
mod go_build;
mod keys;
mod process;
pub mod programs;
mod run;

pub use access::Options;
pub use api_server::ApiServer;
pub use binaries::Binaries;
pub use process::Process;
