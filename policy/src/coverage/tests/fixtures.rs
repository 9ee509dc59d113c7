//! Real policies of the real generator and their pods, read from `../shared` where it is present.

// The lint keeps files out of the core, not out of its tests.
#![allow(clippy::disallowed_methods)]

use std::path::Path;

use serde_json::{Value, json};

use super::{AskedPod, Coverage, asked, coverage, said};
use crate::coverage::Cause;
use crate::reading::Measured;

/// A pod of the fixtures with its policy: what a Deployment makes of a template has a name that its controllers made.
struct Fixture {
    file: &'static str,
    pod: Value,
    namespace: &'static str,
    coverage: Coverage,
}

/// The manifests, and the namespace that their pods are created in.
const FILES: [(&str, &str); 8] = [
    ("consumer-coco-snp.yaml", "kafka"),
    ("consumer-coco-tdx.yaml", "kafka"),
    ("kata-pod-initdata.yaml", "default"),
    ("consumer-aks.yaml", "kafka"),
    ("consumer-deployment-aks.yaml", "kafka"),
    ("consumer-policy-made-before-injection.yaml", "kafka"),
    ("ms-pod-one-container.yaml", "default"),
    ("ms-deployment-busybox.yaml", "default"),
];

fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    if !folder.is_dir() {
        return Vec::new();
    }
    FILES.into_iter().map(|(file, namespace)| fixture(&folder, file, namespace)).collect()
}

fn fixture(folder: &Path, file: &'static str, namespace: &'static str) -> Fixture {
    let manifest = std::fs::read_to_string(folder.join(file)).unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&manifest).unwrap();
    let document = documents.into_iter().find(|document| document["spec"].is_object()).unwrap();
    let mut pod = document;
    if pod["spec"]["template"].is_object() {
        let name = format!("{}-5d5f8c9b7-bcdfg", pod["metadata"]["name"].as_str().unwrap());
        pod = pod["spec"]["template"].clone();
        pod["metadata"]["name"] = json!(name);
    }
    let annotation = |measured: &Measured| pod["metadata"]["annotations"][measured.annotation()].as_str();
    let measured = Measured::ALL.into_iter().find(|measured| annotation(measured).is_some()).unwrap();
    let coverage = coverage(annotation(&measured).unwrap(), measured);
    Fixture { file, pod, namespace, coverage }
}

fn found(fixture: &Fixture, pod: &AskedPod) -> Vec<String> {
    said(&fixture.coverage.findings(pod))
}

#[test]
fn the_pods_of_the_fixtures_are_covered_but_for_the_injected_sidecar() {
    for fixture in fixtures() {
        let expected: &[&str] = if fixture.file.contains("before-injection") {
            &["Refused container skr, name: the pod has \"skr\", the policy has no such container"]
        } else {
            &[]
        };
        assert_eq!(found(&fixture, &asked(&fixture.pod, fixture.namespace)), expected, "{}", fixture.file);
    }
}

/// A pod with one field changed: where the change is, what it does, and what is found. `{container}` is the last container.
struct Row {
    field: &'static str,
    change: fn(&mut Value),
    /// What every finding begins with, certainty first, in order.
    found: &'static [&'static str],
}

#[test]
fn a_pod_changed_in_one_field_alone_is_found_by_that_field_alone() {
    for fixture in fixtures().iter().filter(|fixture| !fixture.file.contains("before-injection")) {
        for Row { field, change, found } in ROWS {
            let mut pod = fixture.pod.clone();
            change(&mut pod);
            let findings = self::found(fixture, &asked(&pod, fixture.namespace));
            let name = fixture.pod["spec"]["containers"].as_array().unwrap().last().unwrap()["name"].as_str().unwrap();
            let expected: Vec<String> = found.iter().map(|begin| begin.replace("{container}", name)).collect();
            // Containers without a value of their own share the pod's.
            let of_last = findings.iter().filter(|finding| !finding.contains("container skr"));
            let as_expected = of_last.clone().count() == expected.len()
                && of_last.zip(&expected).all(|(found, begin)| found.starts_with(begin));
            // The AKS line looks at no group.
            let overlooked = field.contains("Group") && fixture.file.starts_with("ms-") && findings.is_empty();
            assert!(as_expected || overlooked, "{}, {field}: {findings:?}", fixture.file);
        }
    }
}

#[test]
fn name_and_namespace_are_found_where_the_policy_names_them() {
    for fixture in fixtures() {
        let findings = |pod: AskedPod| -> Vec<String> {
            let found = fixture.coverage.findings(&pod);
            said(&found).into_iter().filter(|said| !said.contains("container skr")).collect()
        };
        let fitting = asked(&fixture.pod, fixture.namespace);
        let named = fixture.file.starts_with("consumer");
        let other = findings(AskedPod { namespace: "elsewhere".to_owned(), ..fitting.clone() });
        assert_eq!(other.len(), usize::from(named), "{}: {other:?}", fixture.file);
        assert!(other.iter().all(|said| said.starts_with("Refused metadata.namespace: the pod has \"elsewhere\", the policy has \"kafka\"")));
        let other = findings(AskedPod { name: "another".to_owned(), ..fitting.clone() });
        let any_name = fixture.file == "ms-deployment-busybox.yaml";
        assert_eq!(other.len(), usize::from(!any_name), "{}: {other:?}", fixture.file);
        assert!(
            other
                .iter()
                .all(|said| said.starts_with("Refused metadata.name: the pod has \"another\", the policy has the pattern ^"))
        );
        if fixture.file == "consumer-deployment-aks.yaml" {
            let generated =
                |prefix: &str| AskedPod { name: String::new(), generate_name: prefix.to_owned(), ..fitting.clone() };
            assert_eq!(findings(generated("kafka-golang-consumer-")), [""; 0]);
            let other = findings(generated("another-"));
            assert!(other[0].starts_with("Unknown metadata.name: the pod has generated from \"another-\""), "{other:?}");
        }
    }
}

#[test]
fn what_other_webhooks_add_is_judged_by_the_policys_own_patterns() {
    let mount = |path: &str| json!({"name": "token", "mountPath": path, "readOnly": true});
    for fixture in fixtures().iter().filter(|fixture| !fixture.file.contains("before-injection")) {
        let mut pod = fixture.pod.clone();
        for container in pod["spec"]["containers"].as_array_mut().unwrap() {
            push(&mut container["volumeMounts"], mount("/var/run/secrets/kubernetes.io/serviceaccount"));
            push(&mut container["volumeMounts"], mount("/var/run/secrets/azure/tokens"));
            push(&mut container["env"], json!({"name": "AZURE_CLIENT_ID", "value": "00000000-0000-0000-0000-000000000000"}));
            push(
                &mut container["env"],
                json!({"name": "AZURE_FEDERATED_TOKEN_FILE", "value": "/var/run/secrets/azure/tokens/azure-identity-token"}),
            );
        }
        assert_eq!(found(fixture, &asked(&pod, fixture.namespace)), [""; 0], "{}", fixture.file);

        let mut pod = fixture.pod.clone();
        push(&mut last(&mut pod)["volumeMounts"], mount("/var/run/secrets/azure/wi"));
        let found = fixture.coverage.findings(&asked(&pod, fixture.namespace));
        assert_eq!(
            found.iter().map(|found| (&*found.field, found.cause)).collect::<Vec<_>>(),
            [("mount /var/run/secrets/azure/wi", Cause::WorkloadIdentity)]
        );
    }
}

fn last(pod: &mut Value) -> &mut Value {
    pod["spec"]["containers"].as_array_mut().unwrap().last_mut().unwrap()
}

fn security(pod: &mut Value) -> &mut Value {
    &mut last(pod)["securityContext"]
}

fn push(list: &mut Value, element: Value) {
    if list.is_null() {
        *list = json!([]);
    }
    list.as_array_mut().unwrap().push(element);
}

const ROWS: &[Row] = &[
    Row {
        field: "name",
        change: |pod| last(pod)["name"] = json!("another"),
        found: &["Refused container another, name:", "Unused the policy describes container {container}"],
    },
    Row {
        field: "image",
        change: |pod| last(pod)["image"] = json!("registry.example/another:1"),
        found: &["Refused container {container}, image:"],
    },
    Row {
        field: "command",
        change: |pod| last(pod)["command"] = json!(["/another"]),
        found: &["Refused container {container}, command:"],
    },
    Row {
        field: "args",
        change: |pod| {
            last(pod).as_object_mut().unwrap().remove("command");
            last(pod)["args"] = json!(["another"]);
        },
        found: &["Refused container {container}, args:"],
    },
    Row {
        field: "env",
        change: |pod| push(&mut last(pod)["env"], json!({"name": "ADDED", "value": "x"})),
        found: &["Refused container {container}, env ADDED:"],
    },
    Row {
        field: "env from a Secret",
        change: |pod| {
            push(&mut last(pod)["env"], json!({"name": "ADDED", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}));
        },
        found: &["Unknown container {container}, env ADDED:"],
    },
    Row {
        field: "workingDir",
        change: |pod| last(pod)["workingDir"] = json!("/another"),
        found: &["Refused container {container}, workingDir:"],
    },
    Row {
        field: "runAsUser",
        change: |pod| security(pod)["runAsUser"] = json!(4711),
        found: &["Refused container {container}, runAsUser:"],
    },
    Row {
        field: "runAsGroup",
        change: |pod| security(pod)["runAsGroup"] = json!(4711),
        found: &["Refused container {container}, runAsGroup:"],
    },
    Row {
        field: "fsGroup",
        change: |pod| pod["spec"]["securityContext"]["fsGroup"] = json!(4711),
        found: &["Refused container {container}, supplementalGroups and fsGroup:"],
    },
    Row {
        field: "capabilities",
        change: |pod| {
            security(pod)["privileged"] = json!(false);
            security(pod)["capabilities"] = json!({"add": ["NET_ADMIN"], "drop": ["ALL"]});
        },
        found: &["Refused container {container}, capabilities:"],
    },
    Row {
        field: "readOnlyRootFilesystem",
        change: |pod| security(pod)["readOnlyRootFilesystem"] = json!(true),
        found: &["Refused container {container}, readOnlyRootFilesystem:"],
    },
    Row {
        field: "allowPrivilegeEscalation",
        change: |pod| security(pod)["allowPrivilegeEscalation"] = json!(false),
        found: &["Refused container {container}, allowPrivilegeEscalation:"],
    },
    Row { field: "tty", change: |pod| last(pod)["tty"] = json!(true), found: &["Refused container {container}, tty:"] },
    Row {
        field: "shareProcessNamespace",
        change: |pod| {
            let shared = pod["spec"]["shareProcessNamespace"] == true;
            pod["spec"]["shareProcessNamespace"] = json!(!shared);
        },
        found: &["Refused container {container}, shareProcessNamespace:"],
    },
    Row {
        field: "mount",
        change: |pod| push(&mut last(pod)["volumeMounts"], json!({"name": "another", "mountPath": "/another"})),
        found: &["Refused container {container}, mount /another:"],
    },
    Row {
        field: "terminationMessagePath",
        change: |pod| last(pod)["terminationMessagePath"] = json!("/another"),
        found: &["Refused container {container}, mount /another:"],
    },
    Row {
        field: "access of a mount",
        change: |pod| {
            push(&mut pod["spec"]["volumes"], json!({"name": "another", "hostPath": {"path": "/x"}}));
            push(&mut last(pod)["volumeMounts"], json!({"name": "another", "mountPath": "/var/run/secrets/azure/tokens"}));
        },
        found: &["Refused container {container}, mount /var/run/secrets/azure/tokens: the pod has \"rw\""],
    },
    Row {
        field: "volume",
        change: |pod| {
            push(&mut pod["spec"]["volumes"], json!({"name": "another", "emptyDir": {}}));
            push(&mut last(pod)["volumeMounts"], json!({"name": "another", "mountPath": "/etc/hosts"}));
        },
        found: &["Unknown container {container}, volume another: the pod has an emptyDir"],
    },
];
