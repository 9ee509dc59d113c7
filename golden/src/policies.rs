//! Policies that a case names instead of carrying them: a person can read the file, and not its base64.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_policy::{Digest, Measured};
use serde_json::json;

use crate::Case;
use crate::folder::{Folder, UnusableCase};
use crate::given::{Given, NAMESPACE};

/// Puts the policy that the case names into the annotation of its pods, and into the allow-list where the case has none of its own.
pub(crate) fn put_in<E>(case: &mut Case<E>) -> Result<(), UnusableCase> {
    let Some(policy) = &case.given.policy else { return Ok(()) };
    let text = Folder::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).text(policy)?;
    for pod in [Some(&mut case.pod), case.old.as_mut()].into_iter().flatten() {
        let Some(metadata) = pod.get_mut("metadata").and_then(|metadata| metadata.as_object_mut()) else { continue };
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(Measured::AgentPolicy.annotation().to_owned(), json!(STANDARD.encode(&text)));
        }
    }
    if case.given.allow_list == Given::default().allow_list {
        let digest = Digest::sha256_of(text.as_bytes()).to_string();
        case.given.allow_list = json!([{"digest": digest, "namespaces": [NAMESPACE]}]);
    }
    Ok(())
}
