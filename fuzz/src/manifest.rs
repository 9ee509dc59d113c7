//! Manifests as people keep them: what is added to a text is all that its reading gains.

use countersign_manifest::ManifestFile;
use json_patch::Patch;

use crate::cases;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let cases = cases::all();
    cases::yaml(cases.iter().map(|case| &case.pod)).into_iter().chain(cases::samples("yaml")).collect()
}

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(file) = ManifestFile::parse("any.yaml", text) else { return };
    let _ = file.config_map_texts();
    let Ok(pods) = file.pods() else { return };
    let Some(pod) = pods.first() else { return };
    let patch: Patch = serde_json::from_str(r#"[{"op": "add", "path": "/fromTheFuzzer", "value": [{"a": "b"}]}]"#).unwrap();
    let Ok(edited) = file.edited(&[(pod, &patch)]) else { return };
    let mut expected = pod.pod.clone();
    json_patch::patch(&mut expected, &patch).expect("what is edited in the text can be patched in the value");
    let again = ManifestFile::parse("any.yaml", &edited).unwrap().pods().unwrap();
    assert_eq!(again[0].pod, expected, "{edited}");
    assert_eq!(again.len(), pods.len(), "{edited}");
}
