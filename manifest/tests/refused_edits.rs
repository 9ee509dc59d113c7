//! What people read when a manifest cannot be edited.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_manifest::{ManifestError, ManifestFile};
use json_patch::Patch;
use serde_json::{Value, json};

fn edit_error(text: &str, patch: Value) -> ManifestError {
    let file = ManifestFile::parse("pod.yaml", text).unwrap();
    let pods = file.pods().unwrap();
    let patch: Patch = serde_json::from_value(patch).unwrap();
    file.edited(&[(&pods[0], &patch)]).expect_err(text)
}

const POD: &str = "kind: Pod
metadata:
  name: x
  labels: &labels
    a: b
  annotations: *labels
spec:
  <<: {nodeSelector: {a: b}}
  hostname: |
    x
  containers:
  - name: a
    env: [a]
";

#[test]
fn a_change_that_cannot_be_made_in_place_is_refused() {
    for (patch, message) in [
        (
            json!([{"op": "add", "path": "/metadata/labels/c", "value": "d"}]),
            "pod.yaml:5:5 (document 1): cannot change /metadata/labels/c in place: its text is shared through an anchor (&): write it out",
        ),
        (
            json!([{"op": "add", "path": "/metadata/annotations/c", "value": "d"}]),
            "pod.yaml:6:16 (document 1): cannot change /metadata/annotations/c in place: its text is shared through an alias (*): write it out",
        ),
        (
            json!([{"op": "replace", "path": "/metadata/labels", "value": "d"}]),
            "pod.yaml:5:5 (document 1): cannot change /metadata/labels in place: its text is shared through an anchor (&): write it out",
        ),
        (
            json!([{"op": "add", "path": "/spec/nodeSelector/c", "value": "d"}]),
            "pod.yaml:8:3 (document 1): cannot change /spec/nodeSelector/c in place: its text is shared through a merge key (<<): write it out",
        ),
        (
            json!([{"op": "replace", "path": "/spec/hostname", "value": "d"}]),
            "pod.yaml:8:3 (document 1): cannot write /spec/hostname in place, the text around it is unusual (the value there is a block of lines): write it in plain block style",
        ),
        (
            json!([{"op": "replace", "path": "/spec/containers", "value": []}]),
            "pod.yaml:8:3 (document 1): the change to /spec/containers does not fit the pod: a collection with content is not replaced in place",
        ),
        (
            json!([{"op": "replace", "path": "/spec/subdomain", "value": "d"}]),
            "pod.yaml:8:3 (document 1): the change to /spec/subdomain does not fit the pod: there is nothing to replace",
        ),
        (
            json!([{"op": "replace", "path": "/spec/containers/1", "value": "d"}]),
            "pod.yaml:12:3 (document 1): the change to /spec/containers/1 does not fit the pod: there is nothing to replace",
        ),
        (
            json!([{"op": "add", "path": "/spec/containers/2", "value": "d"}]),
            "pod.yaml:12:3 (document 1): the change to /spec/containers/2 does not fit the pod: the list is shorter than that",
        ),
        (
            json!([{"op": "add", "path": "/spec/containers/first", "value": "d"}]),
            "pod.yaml:12:3 (document 1): the change to /spec/containers/first does not fit the pod: the list is shorter than that",
        ),
        (
            json!([{"op": "add", "path": "/spec/volumes/0", "value": "d"}]),
            "pod.yaml:8:3 (document 1): cannot change /spec/volumes/0 in place: its text is shared through a merge key (<<): write it out",
        ),
        (
            json!([{"op": "add", "path": "/metadata/name/a", "value": "d"}]),
            "pod.yaml:3:9 (document 1): the change to /metadata/name/a does not fit the pod: its parent is neither a mapping nor a list",
        ),
        (
            json!([{"op": "remove", "path": "/metadata/name"}]),
            "pod.yaml:3:3 (document 1): the change to /metadata/name does not fit the pod: only adding and replacing is done in place",
        ),
        (
            json!([{"op": "replace", "path": "", "value": {}}]),
            "pod.yaml:1:1 (document 1): the change to  does not fit the pod: a pod is not replaced as a whole",
        ),
        (
            json!([{"op": "add", "path": "/spec/containers/01", "value": "d"}]),
            "pod.yaml:12:3 (document 1): cannot write /spec/containers/01 in place, the text around it is unusual (operation '/0' failed at path '/spec/containers/01': path is invalid): write it in plain block style",
        ),
    ] {
        assert_eq!(edit_error(POD, patch.clone()).to_string(), message, "{patch}");
    }
}

#[test]
fn text_that_would_read_otherwise_after_the_change_is_never_returned() {
    for (text, path, message) in [
        (
            "kind: Pod\nspec:\n  ? hostname\n  : a\n",
            "/spec/subdomain",
            "pod.yaml:3:5 (document 1): cannot write /spec/subdomain in place, the text around it is unusual (it would read: pod.yaml:5:14 (document 1): not valid YAML: mapping values are not allowed in this context): write it in plain block style",
        ),
        (
            "kind: Pod\nspec: {a}\n",
            "/spec/a",
            "pod.yaml:2:7 (document 1): cannot write /spec/a in place, the text around it is unusual (it would read as something else): write it in plain block style",
        ),
        (
            "kind: Pod\nspec:\n  hostname: |\n    a",
            "/spec/subdomain",
            "pod.yaml:3:3 (document 1): cannot write /spec/subdomain in place, the text around it is unusual (the last line of the file has no line end): write it in plain block style",
        ),
    ] {
        let error = edit_error(text, json!([{"op": "add", "path": path, "value": "x"}]));
        assert_eq!(error.to_string(), message, "{text}");
    }
}

#[test]
fn a_pod_of_another_file_is_refused() {
    let other = ManifestFile::parse("other.yaml", "kind: Pod\nmetadata: {name: other}\n").unwrap().pods().unwrap();
    let file = ManifestFile::parse("pod.yaml", POD).unwrap();
    let error = file.edited(&[(&other[0], &Patch(Vec::new()))]).expect_err("another file");
    assert_eq!(error.to_string(), "pod.yaml: Pod other was not read from this file");
}

#[test]
fn of_several_pods_the_one_that_stands_in_the_way_is_named() {
    let text = "kind: Pod\nspec: {a: b}\n---\nkind: Pod\nspec: {a}\n---\nkind: Pod\nspec: {a: b}\n";
    let file = ManifestFile::parse("pods.yaml", text).unwrap();
    let pods = file.pods().unwrap();
    let patch: Patch = serde_json::from_value(json!([{"op": "replace", "path": "/spec/a", "value": "x"}])).unwrap();
    let edits: Vec<_> = pods.iter().map(|pod| (pod, &patch)).collect();
    let error = file.edited(&edits).expect_err("the second").to_string();
    assert!(error.starts_with("pods.yaml:5:7 (document 2): cannot write /spec/a in place"), "{error}");
}
