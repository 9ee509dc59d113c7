//! However it is installed, it is the same.

use serde_json::Value;

use crate::programs::{HOME, Objects, kustomize, manifests, objects, repository, succeeded, template};

/// Fails with the first object that differs, both sides shown.
fn same(left: &Objects, right: &Objects) {
    let names = |objects: &Objects| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right));
    for (name, object) in left {
        assert_eq!(
            serde_json::to_string_pretty(&sorted(object)).unwrap(),
            serde_json::to_string_pretty(&sorted(&right[name])).unwrap(),
            "{name}"
        );
    }
}

/// The same value with the keys of every object in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The objects without the namespace, which is Helm's to make.
fn but_the_namespace(mut objects: Objects) -> Objects {
    objects.retain(|name, _| !name.starts_with("Namespace/"));
    objects
}

#[test]
fn the_base_built_by_kustomize_is_install_yaml() {
    let install = std::fs::read_to_string(repository("manifests/install.yaml")).unwrap();
    same(&objects(&kustomize(&repository("manifests/base"))), &objects(&install));
}

#[test]
fn the_chart_with_its_defaults_is_the_base() {
    let base = objects(&kustomize(&repository("manifests/base")));
    assert!(base.contains_key("Namespace/-/countersign-system"));
    same(&objects(&succeeded(template(&[]))), &but_the_namespace(base));
}

#[test]
fn the_chart_with_the_values_of_a_configuration_is_what_the_program_prints_for_it() {
    let configurations = [
        "defaultMode: warn\nrequiredNamespaces: [payments, \"123\"]\n",
        "defaultMode: audit\nlimits: {drainFor: 1m 30s, maxBytesInFlight: 1073741824}\n\n# the last line\n",
        "profiles:
- name: plain
  runtimeClass: kata-other
  accepts:
  - {runtimeClass: kata-other, handlers: [kata, kata-cc]}
  policyAnnotation: io.katacontainers.config.agent.policy
enabledProfiles: [plain, aks]
",
    ];
    let folder = tempfile::tempdir().unwrap();
    for (number, rest) in configurations.iter().enumerate() {
        let file = folder.path().join(format!("{number}.yaml")).display().to_string();
        std::fs::write(&file, format!("apiVersion: countersign.dev/v1alpha1\nkind: Configuration\n{rest}")).unwrap();
        let values = folder.path().join("values.yaml").display().to_string();
        std::fs::write(&values, manifests(&["--config", &file, "--output", "helm-values"])).unwrap();
        let printed = objects(&manifests(&["--config", &file]));
        assert!(printed.contains_key(&format!("ConfigMap/{HOME}/countersign-configuration")));
        same(&objects(&succeeded(template(&["--values", &values]))), &but_the_namespace(printed));
    }
}

#[test]
fn image_replicas_resources_and_namespace_are_the_users() {
    let arguments = [
        "--namespace",
        "guard",
        "--set",
        "image.repository=registry.example/countersign,image.tag=1.2.3,replicas=5",
        "--set",
        "resources.limits.memory=2Gi,resources.requests.cpu=1",
    ];
    let rendered = objects(&succeeded(template(&arguments)));
    let deployment = &rendered["Deployment/guard/countersign"];
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(deployment["spec"]["replicas"], 5);
    assert_eq!(container["image"], "registry.example/countersign:1.2.3");
    assert_eq!(
        container["resources"],
        serde_json::json!({"requests": {"cpu": 1, "memory": "128Mi"}, "limits": {"memory": "2Gi"}})
    );
    assert!(rendered.values().all(|object| !object.to_string().contains(HOME)), "another namespace is named nowhere");
    let digest = format!("sha256:{}", "0".repeat(64));
    let pinned = objects(&succeeded(template(&["--set", &format!("image.digest={digest}")])));
    let image = &pinned["Deployment/countersign-system/countersign"]["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(*image, format!("countersign@{digest}"));
}
