//! Kubernetes manifests as files: reading with positions, editing with comments kept.
//!
//! Text goes in and text comes out; nothing here touches a file, and nothing knows why a pod is changed.
//!
//! ```
//! use countersign_manifest::ManifestFile;
//!
//! let text = "kind: Pod\nmetadata:\n  name: web   # the shop\nspec: {containers: []}\n";
//! let file = ManifestFile::parse("web.yaml", text)?;
//! let pods = file.pods()?;
//! let patch = serde_json::from_str(r#"[{"op": "add", "path": "/metadata/labels", "value": {"a": "true"}}]"#)?;
//! let edited = file.edited(&[(&pods[0], &patch)])?;
//! assert_eq!(
//!     edited,
//!     "kind: Pod\nmetadata:\n  name: web   # the shop\n  labels:\n    a: \"true\"\nspec: {containers: []}\n",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod edit;
mod error;
mod file;
mod plain;
mod pods;
mod source;
mod texts;
mod tree;
mod value;

pub use error::{ManifestError, Position};
pub use file::ManifestFile;
pub use pods::PodInFile;
pub use texts::TextInFile;
