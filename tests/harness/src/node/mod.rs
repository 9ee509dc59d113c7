//! The node of a cluster: what runs on it, one file each.

pub(crate) mod containerd;
pub(crate) mod controllers;
pub(crate) mod kubelet;
pub(crate) mod packages;

/// What the node is called.
pub(crate) const NODE: &str = "node";
