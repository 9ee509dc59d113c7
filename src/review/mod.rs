//! The wire format of admission reviews (`admission.k8s.io/v1`): the one module that knows it.
//!
//! Source: Kubernetes, "Dynamic Admission Control"; API group admission.k8s.io, version v1.

mod answer;
mod exec;
mod question;

pub use answer::{answer, refusal};
pub use exec::{WayIn, read_way_in};
pub(crate) use question::VERSION;
pub use question::{Unreadable, read};

#[cfg(test)]
mod tests;
