//! Each overlay changes what it is for, and nothing else.

use countersign_harness::{ApiServer, Options};
use serde_json::{Value, json};

use crate::programs::{HOME, Objects, apply, kustomize, manifests, objects, repository, stored, stream, succeeded};

const WEBHOOKS: [&str; 2] = ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"];

fn built(folder: &str) -> Objects {
    objects(&kustomize(&repository(folder)))
}

/// The names of the objects that differ from the base; those that are new begin with `+`.
fn changed(overlay: &Objects) -> Vec<String> {
    let base = built("manifests/base");
    assert!(base.keys().all(|name| overlay.contains_key(name)), "an overlay takes nothing away");
    let different = overlay.iter().filter(|(name, object)| base.get(*name) != Some(*object));
    different.map(|(name, _)| if base.contains_key(name) { name.clone() } else { format!("+{name}") }).collect()
}

/// The Deployment serves the files of Secret `countersign-tls`.
fn serves_files(overlay: &Objects) {
    let pod = &overlay["Deployment/countersign-system/countersign"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let arguments = container["args"].as_array().unwrap();
    assert_eq!(arguments[0], "serve");
    for argument in ["--tls-cert=/etc/countersign/tls/tls.crt", "--tls-key=/etc/countersign/tls/tls.key"] {
        assert_eq!(arguments.iter().filter(|given| *given == argument).count(), 1, "{arguments:?}");
    }
    let mounts = container["volumeMounts"].as_array().unwrap();
    assert!(mounts.contains(&json!({"name": "tls", "mountPath": "/etc/countersign/tls", "readOnly": true})), "{mounts:?}");
    let volume = json!({"name": "tls", "secret": {"secretName": "countersign-tls", "defaultMode": 0o440}});
    assert!(pod["volumes"].as_array().unwrap().contains(&volume), "{}", pod["volumes"]);
    assert_eq!(pod["securityContext"]["fsGroup"], 65532);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "what the base says stays");
    may_no_longer_write(overlay);
}

/// Of the rights of the base those are left that are used without certificates of one's own.
fn may_no_longer_write(overlay: &Objects) {
    let base = built("manifests/base");
    let rules = |objects: &Objects, name: &str| objects[name]["rules"].as_array().unwrap().clone();
    let own = ["secrets", "leases", "endpointslices"];
    for name in ["Role/countersign-system/countersign", "ClusterRole/-/countersign"] {
        let mut left = rules(&base, name);
        left.retain(|rule| !own.iter().any(|resource| rule["resources"] == json!([resource])));
        for rule in &mut left {
            rule["verbs"].as_array_mut().unwrap().retain(|verb| verb != "patch");
        }
        assert_eq!(rules(overlay, name), left, "{name}");
    }
}

#[test]
fn the_own_certificate_comes_from_files_and_its_authority_stands_in_every_entry() {
    let overlay = built("manifests/overlays/own-certificate");
    let expected = [
        "ClusterRole/-/countersign",
        "Deployment/countersign-system/countersign",
        "MutatingWebhookConfiguration/-/countersign",
        "Role/countersign-system/countersign",
        "ValidatingWebhookConfiguration/-/countersign",
    ];
    assert_eq!(changed(&overlay), expected);
    serves_files(&overlay);
    let base = built("manifests/base");
    for name in [expected[2], expected[4]] {
        let mut entries = overlay[name]["webhooks"].clone();
        for entry in entries.as_array_mut().unwrap() {
            assert_eq!(entry["clientConfig"].as_object_mut().unwrap().remove("caBundle"), Some(json!("CA_BUNDLE")), "{name}");
        }
        assert_eq!(entries, base[name]["webhooks"], "nothing else of {name} changes");
    }
}

#[test]
fn with_cert_manager_cainjector_is_told_whose_authority_to_write() {
    let overlay = built("manifests/overlays/cert-manager");
    let new = [
        "+Certificate/countersign-system/countersign",
        "+Certificate/countersign-system/countersign-authority",
        "ClusterRole/-/countersign",
        "Deployment/countersign-system/countersign",
        "+Issuer/countersign-system/countersign",
        "+Issuer/countersign-system/countersign-self-signed",
        "MutatingWebhookConfiguration/-/countersign",
        "Role/countersign-system/countersign",
        "ValidatingWebhookConfiguration/-/countersign",
    ];
    assert_eq!(changed(&overlay), new);
    serves_files(&overlay);
    for name in [6, 8].map(|index| new[index]) {
        assert_eq!(
            overlay[name]["metadata"]["annotations"],
            json!({"cert-manager.io/inject-ca-from": "countersign-system/countersign"})
        );
    }
}

/// What AKS's admissions enforcer does to a webhook configuration that does not ask to be left alone.
fn enforce(server: &ApiServer, kind: &str) {
    let mut object = stored(server, &[kind, "countersign"]);
    if object["metadata"]["labels"]["admissions.enforcer/disabled"] == "true" {
        return;
    }
    for entry in object["webhooks"].as_array_mut().unwrap() {
        let expressions = &mut entry["namespaceSelector"]["matchExpressions"];
        let mut wanted = expressions.as_array().cloned().unwrap_or_default();
        wanted.push(json!({"key": "control-plane", "operator": "NotIn", "values": ["true"]}));
        wanted.push(json!({"key": "kubernetes.azure.com/managedby", "operator": "NotIn", "values": ["aks"]}));
        *expressions = Value::Array(wanted);
    }
    let output = server.kubectl_with_input(&["replace", "--field-manager=admissionsenforcer", "-f", "-"], &object.to_string());
    succeeded(output.unwrap());
}

#[test]
fn on_aks_the_admissions_enforcer_changes_nothing_and_the_next_apply_has_no_conflict() {
    let overlay = built("manifests/overlays/aks");
    assert_eq!(
        changed(&overlay),
        ["MutatingWebhookConfiguration/-/countersign", "ValidatingWebhookConfiguration/-/countersign"]
    );
    let server = ApiServer::boot(&Options::default()).unwrap();
    let twice = |what: &Objects| {
        let text = stream(what.values());
        succeeded(apply(&server, &text, &[]));
        for kind in WEBHOOKS {
            enforce(&server, kind);
        }
        let webhooks = WEBHOOKS.map(|kind| stored(&server, &[kind, "countersign"])["webhooks"].to_string());
        (webhooks, apply(&server, &text, &[]))
    };
    let (webhooks, again) = twice(&overlay);
    assert!(webhooks.iter().all(|text| !text.contains("kubernetes.azure.com/managedby")), "{webhooks:?}");
    succeeded(again);
    succeeded(server.kubectl(&["delete", &WEBHOOKS.join(","), "countersign"]).unwrap());
    // Without the overlay they fight: this is why it is there, and what the documents tell.
    let (webhooks, again) = twice(&built("manifests/base"));
    assert!(webhooks.iter().all(|text| text.contains("kubernetes.azure.com/managedby")), "{webhooks:?}");
    let conflict = String::from_utf8(again.stderr).unwrap();
    assert!(conflict.contains("conflict with \"admissionsenforcer\"") && conflict.contains("namespaceSelector"), "{conflict}");
    assert_eq!(stored(&server, &["namespace", HOME])["status"]["phase"], "Active");
}

#[test]
fn the_exec_door_adds_an_entry_a_flag_and_rights_and_changes_nothing_else() {
    let overlay = built("manifests/overlays/exec-door");
    let expected = [
        "+ClusterRole/-/countersign-confidential-exec",
        "+ClusterRole/-/countersign-exec-door",
        "+ClusterRoleBinding/-/countersign-exec-door",
        "Deployment/countersign-system/countersign",
        "ValidatingWebhookConfiguration/-/countersign",
    ];
    assert_eq!(changed(&overlay), expected);
    let base = built("manifests/base");
    let mut entries = overlay[expected[4]]["webhooks"].as_array().unwrap().clone();
    let door = entries.pop().unwrap();
    assert_eq!(Value::Array(entries), base[expected[4]]["webhooks"], "the others stay");
    assert_eq!(door["name"], "guard.ways-into-confidential-pods.countersign.dev");
    assert_eq!((&door["failurePolicy"], &door["clientConfig"]["service"]["path"]), (&json!("Fail"), &json!("/exec")));
    let arguments = |objects: &Objects| objects[expected[3]]["spec"]["template"]["spec"]["containers"][0]["args"].clone();
    let mut wanted = arguments(&base);
    wanted.as_array_mut().unwrap().push(json!("--exec-door"));
    assert_eq!(arguments(&overlay), wanted);
}

#[test]
fn the_components_go_with_an_installation_in_another_namespace() {
    let folder = tempfile::tempdir().unwrap();
    let components = ["exec-door", "certificate-files", "admissions-enforcer"];
    for component in components {
        let copy = folder.path().join(component);
        std::fs::create_dir(&copy).unwrap();
        for file in std::fs::read_dir(repository("manifests/components").join(component)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    std::fs::write(folder.path().join("base.yaml"), manifests(&["-n", "security"])).unwrap();
    let kustomization = format!("resources: [base.yaml]\ncomponents: [{}]\n", components.join(", "));
    std::fs::write(folder.path().join("kustomization.yaml"), kustomization).unwrap();
    let built = objects(&kustomize(folder.path()));
    for (name, object) in &built {
        assert!(!object.to_string().contains(HOME), "{name}: {object}");
    }
    let door = built["ValidatingWebhookConfiguration/-/countersign"]["webhooks"].as_array().unwrap().last().unwrap();
    assert_eq!(door["clientConfig"]["service"]["namespace"], "security");
    assert_eq!(built["ClusterRoleBinding/-/countersign-exec-door"]["subjects"][0]["namespace"], "security");
    let container = &built["Deployment/security/countersign"]["spec"]["template"]["spec"]["containers"][0];
    assert!(container["args"].as_array().unwrap().contains(&json!("--exec-door")), "{container}");
    assert!(container["args"].to_string().contains("--tls-cert="), "{container}");
    let rights = built["Role/security/countersign"]["rules"].to_string();
    assert!(!rights.contains("secrets"), "{rights}");
}
