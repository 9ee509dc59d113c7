//! `countersign render`.

use serde_json::{Value, json};

use crate::called::{countersign, countersign_with, file, fixture};

const PLAIN: &str = "manifests/samples/consumer-plain.yaml";

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

#[test]
fn the_plain_consumer_becomes_the_tutorials_pod() {
    let (Some(plain), Some(tutorial)) =
        (fixture("seed-manifests/consumer-plain.yaml"), fixture("seed-manifests/consumer.yaml"))
    else {
        return;
    };
    let rendered = countersign(&["render", "-f", &plain]).printed();
    let mut pod = documents(&rendered).remove(0);
    let added = [
        ("/metadata/labels", "countersign.dev/confidential"),
        ("/metadata/labels", "countersign.dev/countersigned"),
        ("/spec", "nodeSelector"),
        ("/metadata", "annotations"),
    ];
    for (map, key) in added {
        let gone = pod.pointer_mut(map).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        if key == "nodeSelector" {
            assert_eq!(
                gone,
                json!({"kubernetes.azure.com/trusted-launch": "true", "kubernetes.azure.com/secure-boot": "true"})
            );
        }
        if key == "annotations" {
            assert!(gone.as_object().unwrap().keys().all(|key| key.starts_with("countersign.dev/")), "{gone}");
        }
    }
    assert_eq!(pod, documents(&std::fs::read_to_string(tutorial).unwrap())[0]);
    let service = |text: &str| text.split("\n---\n").nth(1).unwrap().to_owned();
    assert_eq!(service(&rendered), service(&std::fs::read_to_string(plain).unwrap()), "the Service is not touched");
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    let once = countersign(&["render", "-f", PLAIN]).printed();
    assert_ne!(once, std::fs::read_to_string(PLAIN).unwrap());
    assert_eq!(countersign_with(&once, &["render", "-f", "-"]).printed(), once);
}

#[test]
fn every_original_line_survives_in_order() {
    let before = std::fs::read_to_string(PLAIN).unwrap();
    let after = countersign(&["render", "-f", PLAIN]).printed();
    let mut lines = after.lines();
    for line in before.lines() {
        assert!(lines.any(|rendered| rendered == line), "{line:?} is lost or moved in:\n{after}");
    }
}

#[test]
fn an_ordinary_manifest_comes_out_byte_for_byte() {
    let producer = "manifests/samples/producer.yaml";
    assert_eq!(countersign(&["render", "-f", producer]).printed(), std::fs::read_to_string(producer).unwrap());
}

#[test]
fn templates_of_workloads_are_completed() {
    let text = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly, namespace: kafka}\nspec:\n  schedule: \"0 0 * * *\"\n  jobTemplate:\n    spec:\n      template:\n        metadata:\n          labels: {countersign.dev/confidential: \"true\"}\n        spec:\n          restartPolicy: Never\n          containers:\n          - name: app # ours\n            image: app:1\n";
    let rendered = countersign_with(text, &["render", "-f", "-"]).printed();
    let job = &documents(&rendered)[0];
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"];
    assert_eq!(pod["spec"]["containers"][0]["name"], "skr", "{rendered}");
    assert_eq!(pod["spec"]["runtimeClassName"], "kata-cc-isolation");
    assert!(rendered.contains("- name: app # ours"), "{rendered}");
}

#[test]
fn diff_shows_only_what_changes() {
    let diff = countersign(&["render", "-f", PLAIN, "--diff"]).printed();
    assert!(diff.lines().any(|line| line.trim_start_matches('+').trim() == "runtimeClassName: kata-cc-isolation"), "{diff}");
    assert!(diff.lines().all(|line| !line.starts_with('-')), "nothing is taken away: {diff}");
    assert!(!diff.contains('\u{1b}'), "no colour where no terminal is");
}

#[test]
fn a_conflict_is_refused_with_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(PLAIN).unwrap().replace("spec:\n", "spec:\n  runtimeClassName: runc\n");
    let called = countersign(&["render", "-f", &file(folder.path(), "pod.yaml", &text)]);
    assert_eq!(called.code, 1);
    assert!(called.out.is_empty());
    assert!(
        called
            .err
            .contains("runtime-class: spec.runtimeClassName is \"runc\", and profile aks accepts kata-cc-isolation, kata-cc"),
        "{}",
        called.err
    );
}

#[test]
fn a_pod_of_upstream_gets_its_class_and_no_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration, enabledProfiles: [coco-snp]}";
    let configuration = file(folder.path(), "coco.yaml", configuration);
    let rendered = countersign(&["render", "-f", PLAIN, "--config", &configuration]).printed();
    let (pod, plain) = (documents(&rendered).remove(0), documents(&std::fs::read_to_string(PLAIN).unwrap()).remove(0));
    assert_eq!(pod["spec"]["runtimeClassName"], "kata-qemu-snp");
    assert_eq!(pod["metadata"]["annotations"]["countersign.dev/profile"], "coco-snp");
    assert_eq!(pod["spec"]["containers"], plain["spec"]["containers"]);
    assert_eq!(pod["spec"]["nodeSelector"], Value::Null);
}
