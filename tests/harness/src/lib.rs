//! A real etcd and kube-apiserver on loopback for the tests, and a real cluster of one node.
//!
//! [`ApiServer::boot`] starts both in a few seconds, in a folder of their own; dropping the value, or the end of the
//! process in whatever way, stops them by process id and removes the folder. Nothing but loopback is used.
//! The programs come from `KUBEBUILDER_ASSETS` or are built once from Go modules: see [`Binaries`].
//!
//! [`Cluster::boot`] adds controllers, scheduler, kubelet, kube-proxy and containerd, in namespaces of their own: pods really
//! run, and webhooks are called through their Services. That needs root and Debian.
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
mod admission;
mod api_server;
mod audit;
mod binaries;
mod boot;
mod cache;
mod cluster;
mod door;
mod egress;
mod etcd;
mod forward;
mod go_build;
mod image;
mod install;
mod keys;
mod node;
mod place;
mod process;
pub mod programs;
mod progress;
mod registry;
mod run;
mod space;

pub use access::Options;
pub use api_server::ApiServer;
pub use binaries::{Binaries, NodeBinaries};
pub use cluster::Cluster;
pub use image::{PRODUCT, STAND_IN_IMAGE, static_binary};
pub use install::MANIFESTS;
pub use process::Process;
pub use progress::stage;
