//! Kubernetes manifests as files: reading with positions, editing with comments kept.
