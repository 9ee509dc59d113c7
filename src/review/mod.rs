//! The wire format of admission reviews (`admission.k8s.io/v1`): the one module that knows it.
//!
//! Source: Kubernetes, "Dynamic Admission Control"; API group admission.k8s.io, version v1.

mod answer;
mod body;
mod exec;
mod question;
mod warnings;

pub use answer::{answer, refusal};
pub use body::Body;
pub use exec::{WayIn, read_way_in};
pub(crate) use question::VERSION;
pub use question::{Raw, Unreadable, read, read_config_map, read_workload};

#[cfg(test)]
mod tests;
