//! Create with a listed policy, then change the pod before it starts: it waits for its scheduling gate.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::Expected::{Passes, Refused};
use super::{Expected, KEY, TENANT, countersigned, edited, hold, ordinary, policy, site, unlisted_again};
use crate::pods::{Answer, create, run};
use crate::site::Site;

const NAMESPACE: &str = "kafka";
const GATED: &str = "gated";

/// A gated pod, stored, that Countersign has completed and admitted.
fn gated() -> &'static Site {
    static POD: OnceLock<&'static Site> = OnceLock::new();
    POD.get_or_init(|| {
        let site = site();
        store_gated(site, GATED);
        site
    })
}

fn store_gated(site: &Site, name: &str) -> Value {
    let pod = edited(countersigned(site, NAMESPACE, name), |pod| {
        pod["spec"]["schedulingGates"] = json!([{"name": "example.org/wait"}]);
        pod["spec"]["initContainers"] = json!([{"name": "prepare", "image": "registry.example/prepare:1"}]);
    });
    let stored = run(&site.server, &["--context", TENANT, "create", "-o", "json", "-f", "-"], &pod).admitted();
    assert_eq!(stored["metadata"]["labels"]["countersign.dev/countersigned"], "true");
    pod
}

/// Patches the gated pod as the tenant; nothing is stored. `through` is a subresource or nothing.
fn patched(site: &Site, through: &str, form: &str, change: &Value) -> Answer {
    let (flag, form, change) = (format!("--subresource={through}"), format!("--type={form}"), change.to_string());
    let mut arguments = vec!["--context", TENANT, "patch", "pod", "-n", NAMESPACE, GATED, &form, "-p", &change];
    arguments.extend(["--dry-run=server", "-o", "json"]);
    if !through.is_empty() {
        arguments.push(&flag);
    }
    run(&site.server, &arguments, &Value::Null)
}

#[test]
fn a_patch_of_a_gated_pod_changes_nothing_that_it_was_admitted_by() {
    let other = policy("package agent_policy\n# gated\n# another\n").0;
    let metadata = |what: &str, change: Value| json!({"metadata": {what: change}});
    let image = |list: &str, name: &str| json!({"spec": {list: [{"name": name, "image": "registry.example/evil:1"}]}});
    let node_affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]}}});
    let toleration = json!([{"key": "example.org/t", "operator": "Exists"}]);
    // strategic: what kubectl sends by itself, which merges lists by name.
    let attempts: [(&str, Value, Expected); 15] = [
        ("another policy", metadata("annotations", json!({KEY: other})), Refused(&["digest-immutable: ", KEY])),
        ("the policy away", metadata("annotations", json!({KEY: null})), Refused(&["digest-immutable: ", "policy-missing: "])),
        (
            "kernel parameters",
            metadata("annotations", json!({"io.katacontainers.config.hypervisor.kernel_params": "agent.debug_console"})),
            Refused(&["digest-immutable: ", "annotation-not-allowed: "]),
        ),
        (
            "another enabled profile",
            metadata("annotations", json!({"countersign.dev/profile": "lab"})),
            Refused(&["profile-immutable: ", "the profile from aks to lab"]),
        ),
        (
            "a profile that is not enabled",
            metadata("annotations", json!({"countersign.dev/profile": "dev"})),
            Refused(&["profile-not-enabled: ", "profile-immutable: "]),
        ),
        (
            "the opt-in away",
            metadata("labels", json!({"countersign.dev/confidential": null})),
            Refused(&["opt-in-immutable: ", "the opt-in (label countersign.dev/confidential)"]),
        ),
        (
            "the opt-in misspelt",
            metadata("labels", json!({"countersign.dev/confidential": "True"})),
            Refused(&["opt-in-malformed: "]),
        ),
        ("another image", image("containers", "app"), Refused(&["images-immutable: ", "the image of container app from"])),
        (
            "another image of an init container",
            image("initContainers", "prepare"),
            Refused(&["images-immutable: ", "the image of container prepare from"]),
        ),
        ("another image of the sidecar", image("containers", "skr"), Refused(&["images-immutable: ", "sidecar: "])),
        (
            "another selector",
            json!({"spec": {"nodeSelector": {"kubernetes.azure.com/secure-boot": "false"}}}),
            // The API server permits additions alone, and says so before any webhook is asked.
            Refused(&["spec.nodeSelector"]),
        ),
        ("a selector of its own", json!({"spec": {"nodeSelector": {"zone": "a"}}}), Passes),
        ("an affinity of its own", json!({"spec": {"affinity": node_affinity}}), Passes),
        ("a toleration", json!({"spec": {"tolerations": toleration}}), Passes),
        (
            "a deadline, a label, an annotation, a finalizer",
            json!({"metadata": {"labels": {"app": "x"}, "annotations": {"a": "b"}, "finalizers": ["example.org/x"]}, "spec": {"activeDeadlineSeconds": 60}}),
            Passes,
        ),
    ];
    let site = gated();
    hold(
        attempts
            .into_iter()
            .map(|(what, change, expected)| (what.to_owned(), expected, patched(site, "", "strategic", &change))),
    );
}

#[test]
fn server_side_apply_changes_nothing_either() {
    let site = gated();
    let apply = |what: &str, change: Value, expected: Expected| {
        let mut object = change;
        object["apiVersion"] = json!("v1");
        object["kind"] = json!("Pod");
        object["metadata"]["name"] = json!(GATED);
        object["metadata"]["namespace"] = json!(NAMESPACE);
        let arguments = ["--context", TENANT, "apply", "--server-side", "--force-conflicts", "--field-manager=other"];
        let answer = run(&site.server, &[&arguments[..], &["--dry-run=server", "-o", "json", "-f", "-"]].concat(), &object);
        (what.to_owned(), expected, answer)
    };
    let app = json!([{"name": "app", "image": "registry.example/evil:1"}]);
    let profile = json!({"annotations": {"countersign.dev/profile": "lab"}});
    let policy = json!({"annotations": {KEY: policy("package agent_policy\n# other\n").0}});
    hold([
        apply("an image", json!({"spec": {"containers": app}}), Refused(&["images-immutable: "])),
        apply("the policy", json!({"metadata": policy}), Refused(&["digest-immutable: "])),
        apply("the profile", json!({"metadata": profile}), Refused(&["profile-immutable: "])),
        apply("a label of its own", json!({"metadata": {"labels": {"app": "x"}}}), Passes),
    ]);
}

/// What stands in no webhook's rules the API server's policies hold, as they do with the webhook down.
#[test]
fn subresources_are_no_way_round() {
    let site = gated();
    let policy = json!({"metadata": {"annotations": {KEY: policy("package agent_policy\n# other\n").0}}});
    let opt_in = json!({"metadata": {"labels": {"countersign.dev/confidential": null}}});
    hold([("policy", &policy), ("opt-in", &opt_in)].map(|(what, change)| {
        let words = Refused(&["ValidatingAdmissionPolicy 'unchanging-keys.countersign.dev'", "a write to pods/status"]);
        (format!("{what} through pods/status"), words, patched(site, "status", "merge", change))
    }));
    // These take no metadata: the API server keeps what is there.
    for through in ["resize", "ephemeralcontainers"] {
        let kept = patched(site, through, "merge", &policy);
        if let Ok(pod) = kept.stored {
            assert_eq!(pod["metadata"]["annotations"][KEY], super::policy("package agent_policy\n# gated\n").0, "{through}");
        }
    }
    let target = json!({"apiVersion": "v1", "kind": "Node", "name": "n"});
    let mut binding = json!({"apiVersion": "v1", "kind": "Binding", "target": target, "metadata": {"name": GATED}});
    binding["metadata"]["annotations"] = policy["metadata"]["annotations"].clone();
    hold(["pods/gated/binding", "bindings"].map(|path| {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/{path}?dryRun=All");
        let answer = run(&site.server, &["--context", TENANT, "create", "--raw", &path, "-f", "-"], &binding);
        (path, Refused(&["ValidatingAdmissionPolicy 'unchanging-keys.countersign.dev'"]), answer)
    }));
}

#[test]
fn an_ordinary_pod_that_runs_is_not_opted_in_afterwards() {
    let site = site();
    create(&site.server, &ordinary(NAMESPACE, "runs"), false).admitted();
    let label = |value: &str| {
        let arguments = ["--context", TENANT, "label", "pod", "-n", NAMESPACE, "runs", value, "-o", "json"];
        run(&site.server, &arguments, &Value::Null)
    };
    let words = Refused(&["opt-in-immutable: ", "a pod is opted in when it is created", "to one that is there already"]);
    hold([("the opt-in".to_owned(), words, label("countersign.dev/confidential=true"))]);
    label("app=x").admitted();
}

#[test]
fn kubectl_debug_is_refused_on_a_confidential_pod_with_the_reason() {
    let site = gated();
    create(&site.server, &ordinary(NAMESPACE, "debugged"), false).admitted();
    let debug = |pod: &str, target: &str| {
        let target = format!("--target={target}");
        let arguments = ["--context", TENANT, "debug", "-n", NAMESPACE, pod, "--image=registry.example/shell:1", &target];
        run(&site.server, &[&arguments[..], &["--attach=false", "--", "sh"]].concat(), &Value::Null)
    };
    hold([
        ("confidential".to_owned(), Refused(&["ephemeral-containers: ", "the pod is confidential"]), debug(GATED, "app")),
        ("ordinary".to_owned(), Passes, debug("debugged", "app")),
    ]);
}

#[test]
fn what_a_pod_needs_to_end_passes_when_its_entry_is_gone() {
    let site = site();
    let pod = store_gated(site, "outlives");
    unlisted_again(site, "outlives", &edited(pod, |pod| pod["metadata"]["name"] = json!("again")));
    let patch = |change: Value| {
        let change = change.to_string();
        let arguments = ["--context", TENANT, "patch", "pod", "-n", NAMESPACE, "outlives", "-o", "json", "-p", &change];
        run(&site.server, &arguments, &Value::Null)
    };
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u"}]);
    hold([
        ("a finalizer".to_owned(), Passes, patch(json!({"metadata": {"finalizers": ["example.org/x"]}}))),
        ("an owner".to_owned(), Passes, patch(json!({"metadata": {"ownerReferences": owner}}))),
        ("a label of others".to_owned(), Passes, patch(json!({"metadata": {"labels": {"app": "x"}}}))),
        (
            "the gate away".to_owned(),
            Passes,
            patch(json!({"spec": {"schedulingGates": [{"$patch": "delete", "name": "example.org/wait"}]}})),
        ),
        ("the finalizer away".to_owned(), Passes, patch(json!({"metadata": {"finalizers": null}}))),
        (
            "the policy".to_owned(),
            Refused(&["digest-immutable: "]),
            patch(json!({"metadata": {"annotations": {KEY: policy("package agent_policy\n# other\n").0}}})),
        ),
    ]);
}
