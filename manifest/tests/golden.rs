//! Each folder of `tests/golden` is a file, a patch for each pod in it, and the file after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use countersign_manifest::ManifestFile;
use json_patch::Patch;

struct Case {
    name: String,
    before: String,
    patch: Patch,
    after: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.iter().map(|folder| case(folder)).collect()
}

fn case(folder: &Path) -> Case {
    let extension = if folder.join("in.json").exists() { "json" } else { "yaml" };
    let read = |name: String| {
        let path = folder.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    Case {
        name: folder.file_name().unwrap().to_string_lossy().into_owned(),
        before: read(format!("in.{extension}")),
        patch: serde_json::from_str(&read("patch.json".to_owned())).unwrap(),
        after: read(format!("out.{extension}")),
    }
}

fn edit(case: &Case, text: &str) -> String {
    let file = ManifestFile::parse("in.yaml", text).unwrap();
    let pods = file.pods().unwrap();
    let edits: Vec<_> = pods.iter().map(|pod| (pod, &case.patch)).collect();
    file.edited(&edits).unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

#[test]
fn each_file_becomes_the_one_beside_it() {
    for case in cases() {
        assert_eq!(edit(&case, &case.before), case.after, "{}", case.name);
    }
}

#[test]
fn line_ends_of_windows_stay() {
    for case in cases() {
        let windows = |text: &str| text.replace('\n', "\r\n");
        assert_eq!(edit(&case, &windows(&case.before)), windows(&case.after), "{}", case.name);
    }
}

#[test]
fn a_byte_order_mark_stays() {
    for case in cases() {
        let marked = |text: &str| format!("\u{feff}{text}");
        assert_eq!(edit(&case, &marked(&case.before)), marked(&case.after), "{}", case.name);
    }
}

#[test]
fn a_missing_line_end_at_the_end_stays_missing() {
    for case in cases() {
        let cut = |text: &str| text.trim_end().to_owned();
        assert_eq!(edit(&case, &cut(&case.before)), cut(&case.after), "{}", case.name);
    }
}

#[test]
fn an_empty_patch_changes_no_byte_of_an_edited_file() {
    for case in cases() {
        let nothing = Case { patch: Patch(Vec::new()), ..case };
        assert_eq!(edit(&nothing, &nothing.after), nothing.after, "{}", nothing.name);
    }
}

#[test]
fn patches_of_one_pod_are_applied_in_their_order() {
    let file = ManifestFile::parse("pod.yaml", "kind: Pod\nspec:\n  args: []\n").unwrap();
    let pod = &file.pods().unwrap()[0];
    let add = |text: &str| -> Patch {
        serde_json::from_value(serde_json::json!([{"op": "add", "path": "/spec/args/0", "value": text}])).unwrap()
    };
    let edited = file.edited(&[(pod, &add("second")), (pod, &add("first"))]).unwrap();
    assert_eq!(edited, "kind: Pod\nspec:\n  args:\n  - first\n  - second\n");
}
