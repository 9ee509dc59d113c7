use serde_json::{Value, json};

use super::differences_of_pod;
use crate::coverage::tests::app;

const SHARED: &str = "$(sfprefix)data$";
const IN_GUEST: &str = "^$(cpath)/$(sandbox-id)/rootfs/data$";

/// Where a mount of a volume of this kind at `/data`, with these fields, differs from the policy's mount there.
fn found(volume: &str, fields: &Value, source: &str, options: &[&str]) -> Vec<String> {
    let mut mount = json!({"name": "v", "mountPath": "/data"});
    mount.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let spec = json!({"volumes": [{"name": "v", volume: {}}]});
    let asking = json!({"terminationMessagePath": "", "volumeMounts": [mount]});
    differences_of_pod(spec, asking, &app(json!({"Mounts": [{"destination": "/data", "source": source, "options": options}]})))
}

#[test]
fn a_mount_is_read_only_where_it_says_so_or_its_volume_is_of_files() {
    let (asked_ro, asked_rw) =
        (r#"mount /data: the pod has "ro", the policy has "rw""#, r#"mount /data: the pod has "rw", the policy has "ro""#);
    for (volume, read_only, policy, expected) in [
        ("configMap", false, "ro", None),
        ("secret", false, "ro", None),
        ("projected", false, "ro", None),
        ("downwardAPI", false, "ro", None),
        ("configMap", false, "rw", Some(asked_ro)),
        ("hostPath", false, "rw", None),
        ("hostPath", true, "ro", None),
        ("hostPath", false, "ro", Some(asked_rw)),
        ("hostPath", true, "rw", Some(asked_ro)),
        // Whether the volume itself is read-only is not known.
        ("persistentVolumeClaim", false, "ro", None),
        ("persistentVolumeClaim", false, "rw", None),
        ("persistentVolumeClaim", true, "ro", None),
        ("persistentVolumeClaim", true, "rw", Some(asked_ro)),
    ] {
        let found = found(volume, &json!({"readOnly": read_only}), SHARED, &["rbind", policy]);
        assert_eq!(found, Vec::from_iter(expected), "{volume}, {read_only}, {policy}");
    }
    let found = |policy: &[&str]| found("emptyDir", &json!({}), IN_GUEST, policy);
    assert_eq!(found(&["rbind", "ro"]), [asked_rw]);
    for taking_both in [&["rbind"][..], &["rw", "ro"]] {
        assert_eq!(found(taking_both), [""; 0], "{taking_both:?}");
    }
}

#[test]
fn a_volume_whose_storage_is_elsewhere_than_the_policys_is_named() {
    let files = "volume v: the pod has files of the cluster, the policy has storage of the guest";
    let host = "volume v: the pod has a hostPath, the policy has storage of the guest";
    let memory = "volume v: the pod has an emptyDir, the policy has files that the host shares";
    let none = json!({});
    for (volume, fields, source, expected) in [
        ("configMap", none.clone(), SHARED, None),
        ("configMap", none.clone(), IN_GUEST, Some(files)),
        ("configMap", none.clone(), "", Some(files)),
        ("configMap", none.clone(), "^/run/sandbox/storage$", Some(files)),
        ("hostPath", json!({"readOnly": true}), SHARED, None),
        ("hostPath", json!({"readOnly": true}), IN_GUEST, Some(host)),
        ("emptyDir", json!({"readOnly": true}), SHARED, Some(memory)),
        ("emptyDir", json!({"readOnly": true}), IN_GUEST, None),
        ("emptyDir", json!({"readOnly": true, "subPath": "a"}), SHARED, None),
        ("emptyDir", json!({"readOnly": true, "subPathExpr": "$(A)"}), SHARED, None),
        ("persistentVolumeClaim", none.clone(), SHARED, None),
        ("persistentVolumeClaim", none.clone(), IN_GUEST, None),
    ] {
        assert_eq!(found(volume, &fields, source, &["ro"]), Vec::from_iter(expected), "{volume}, {fields}, {source}");
    }
}

#[test]
fn what_the_policy_does_not_mount_is_named_by_its_path() {
    let policy = app(json!({"Mounts": [{"destination": "/data"}, {"destination": "/dev/termination-log"}]}));
    let missing = |path: &str| format!("mount {path}: the pod has it, the policy has no such mount");
    for (log, path, expected) in [
        (json!(null), "/data", vec![]),
        (json!(null), "/data/", vec![]),
        (json!(null), "/other", vec![missing("/other")]),
        (json!("/dev/log"), "/data", vec![missing("/dev/log")]),
        (json!(""), "/data", vec![]),
    ] {
        let asking = json!({"terminationMessagePath": log, "volumeMounts": [{"name": "v", "mountPath": path}]});
        assert_eq!(differences_of_pod(json!({}), asking, &policy), expected, "{log}, {path}");
    }
    let without_log = app(json!({"Mounts": []}));
    assert_eq!(differences_of_pod(json!({}), json!({}), &without_log), [missing("/dev/termination-log")]);
    assert_eq!(
        differences_of_pod(json!({}), json!({}), &app(json!({}))),
        [""; 0],
        "a policy without mounts does not judge them"
    );
}
