//! What people install with: the kustomize base, overlays and components, and the Helm chart, built by the real programs and sent to a
//! real kube-apiserver. No pod is ever sent to it: nothing runs behind the webhook configurations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cert_manager;
mod dry_run;
mod installed;
mod instance_metadata;
mod overlays;
mod programs;
mod refused_values;
mod same_content;
