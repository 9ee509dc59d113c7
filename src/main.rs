//! Admission control for confidential pods on Kubernetes.
fn main() {}
