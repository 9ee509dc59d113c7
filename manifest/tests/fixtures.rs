//! Manifests with real policies, where they are at hand, are edited without the loss of a line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use countersign_manifest::ManifestFile;
use json_patch::Patch;
use serde_json::json;

#[test]
fn every_line_of_real_manifests_survives_in_order() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    let Ok(files) = fs::read_dir(folder) else {
        return;
    };
    let manifests = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "yaml"));
    for path in manifests {
        let text = fs::read_to_string(&path).unwrap();
        let file = ManifestFile::parse(&path.display().to_string(), &text).unwrap();
        let pods = file.pods().unwrap();
        let patch: Patch = serde_json::from_value(json!([
            {"op": "add", "path": "/metadata/labels/countersign.dev~1countersigned", "value": "true"},
            {"op": "add", "path": "/spec/containers/0", "value": {"name": "skr", "command": ["/bin/skr"]}},
        ]))
        .unwrap();
        let edits: Vec<_> = pods.iter().map(|pod| (pod, &patch)).collect();
        let edited = file.edited(&edits).unwrap();

        let mut lines = edited.lines();
        for line in text.lines() {
            assert!(lines.any(|new| new == line), "{}: lost, or out of order: {line:.80}", path.display());
        }
        let added = edited.lines().count() - text.lines().count();
        assert_eq!(added, 4 * pods.len(), "{}: lines added", path.display());
        assert!(edited.contains("countersign.dev/countersigned: \"true\""), "{}", path.display());
    }
}
