//! Other mutating webhooks after Countersign's: the final pod is judged, and what is new in it is named.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::Expected::{Passes, Refused};
use super::other_webhook::{PATCH, register};
use super::{Expected, TENANT, countersigned, edited, hold, namespace, ordinary, site, tried};
use crate::pods::Answer;
use crate::site::{Site, until};

const NAMESPACE: &str = "mutated";
/// What a refusal says of an opt-in that came too late.
const LATE: &str = "when the pod is created, since one that another webhook adds may come too late";

/// The site with a later webhook, and a pod that passes as it is.
fn listed() -> (&'static Site, Value) {
    static POD: OnceLock<Value> = OnceLock::new();
    let site = site();
    let pod = POD.get_or_init(|| {
        namespace(site, NAMESPACE, &[]);
        register(&site.server, NAMESPACE);
        let patch = json!([{"op": "add", "path": "/metadata/annotations/example.org~1called", "value": "x"}]);
        let probe = with(&ordinary(NAMESPACE, "probe"), &patch);
        until("the later webhook is called", || {
            let stored = tried(site, TENANT, &probe).stored.ok()?;
            (stored["metadata"]["annotations"]["example.org/called"] == "x").then_some(())
        });
        countersigned(site, NAMESPACE, "mutated")
    });
    (site, pod.clone())
}

/// The pod with a patch that the later webhook makes of it.
fn with(pod: &Value, patch: &Value) -> Value {
    edited(pod.clone(), |pod| pod["metadata"]["annotations"][PATCH] = json!(patch.to_string()))
}

/// One patch after another.
fn attempts<const N: usize>(patches: [(&str, Value, Expected); N]) -> Vec<(String, Expected, Answer)> {
    let (site, pod) = listed();
    let attempt = |(what, patch, expected): (&str, Value, Expected)| {
        (what.to_owned(), expected, tried(site, TENANT, &with(&pod, &patch)))
    };
    patches.into_iter().map(attempt).collect()
}

fn add(path: &str, value: &Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

#[test]
fn what_a_later_webhook_does_to_the_sidecar_is_refused_by_the_name_of_the_field() {
    let (_, pod) = listed();
    assert_eq!(pod["spec"]["containers"][0]["name"], "app", "the sidecar is Countersign's");
    let variable = |name: &str, value: &str| add("/spec/containers/0/env/-", &json!({"name": name, "value": value}));
    let mount = |path: &str| {
        json!([{"op": "add", "path": "/spec/volumes/-", "value": {"name": "v", "emptyDir": {}}},
               {"op": "add", "path": "/spec/containers/0/volumeMounts/-", "value": {"name": "v", "mountPath": path}}])
    };
    let probe = json!({"exec": {"command": ["sh", "-c", "x"]}});
    hold(attempts([
        ("a preloaded library", variable("LD_PRELOAD", "/x.so"), Refused(&["sidecar: ", "env[1] is {\"name\":\"LD_PRELOAD\""])),
        (
            "its argument a second time",
            variable("SkrSideCarArgs", "e30="),
            Refused(&["sidecar: ", "env[1] is {\"name\":\"SkrSideCarArgs\""]),
        ),
        (
            "its argument changed",
            json!([{"op": "replace", "path": "/spec/containers/0/env/0/value", "value": "e30="}]),
            Refused(&["sidecar: ", "env[0] is {\"name\":\"SkrSideCarArgs\",\"value\":\"e30=\"}, the profile has"]),
        ),
        (
            "envFrom",
            add("/spec/containers/0/envFrom", &json!([{"secretRef": {"name": "s"}}])),
            Refused(&["sidecar: ", "envFrom is [{\"secretRef\""]),
        ),
        ("a mount over /bin", mount("/bin"), Refused(&["sidecar: ", "volumeMounts[1] is {\"mountPath\":\"/bin\""])),
        ("a mount over its binary", mount("/bin/skr"), Refused(&["sidecar: ", "\"/bin/skr\""])),
        (
            "postStart",
            add("/spec/containers/0/lifecycle", &json!({"postStart": probe})),
            Refused(&["sidecar: ", "lifecycle is {\"postStart\""]),
        ),
        (
            "a probe that runs a command",
            add("/spec/containers/0/livenessProbe", &probe),
            Refused(&["sidecar: ", "livenessProbe is "]),
        ),
        (
            "a security context",
            add("/spec/containers/0/securityContext", &json!({"privileged": true})),
            Refused(&["sidecar: ", "securityContext is {\"privileged\":true}"]),
        ),
        (
            "another command",
            json!([{"op": "replace", "path": "/spec/containers/0/command", "value": ["/skr.sh"]}]),
            Refused(&["sidecar: ", "command is [\"/skr.sh\"], the profile has [\"/bin/skr\"]"]),
        ),
        (
            "another image",
            json!([{"op": "replace", "path": "/spec/containers/0/image", "value": "evil:1"}]),
            Refused(&["sidecar: ", "image is \"evil:1\", the profile has"]),
        ),
        (
            "a container before it",
            add("/spec/containers/0", &json!({"name": "first", "image": "i"})),
            Refused(&[
                "sidecar: ",
                "container skr is spec.containers[1], and the attestation sidecar of profile aks comes first",
            ]),
        ),
        (
            "its volume led elsewhere",
            json!([{"op": "replace", "path": "/spec/volumes/1/hostPath/path", "value": "/etc"}]),
            Refused(&["sidecar-volume: volume endor-loc is not the one of profile aks: hostPath is {\"path\":\"/etc\""]),
        ),
    ]));
}

#[test]
fn what_a_later_webhook_does_to_the_rest_is_judged_too() {
    let class = |name: &str| json!([{"op": "replace", "path": "/spec/runtimeClassName", "value": name}]);
    let annotation = |key: &str, value: &str| add(&format!("/metadata/annotations/{}", key.replace('/', "~1")), &json!(value));
    hold(attempts([
        (
            "the selector away",
            json!([{"op": "remove", "path": "/spec/nodeSelector/kubernetes.azure.com~1secure-boot"}]),
            // Countersign is called once more and puts it back.
            Passes,
        ),
        (
            "another selector",
            json!([{"op": "replace", "path": "/spec/nodeSelector/kubernetes.azure.com~1secure-boot", "value": "false"}]),
            Refused(&["kubernetes.azure.com/secure-boot"]),
        ),
        ("another class", class("kata-lab"), Refused(&["runtime-class: spec.runtimeClassName is \"kata-lab\""])),
        (
            "another policy",
            annotation(super::KEY, &super::policy("package agent_policy\n# other\n").0),
            Refused(&["policy-not-allowed: "]),
        ),
        (
            "kernel parameters",
            annotation("io.katacontainers.config.hypervisor.kernel_params", "x"),
            Refused(&["annotation-not-allowed: "]),
        ),
        (
            "what the profile lists, as workload identity adds it",
            add("/spec/containers/0/env/-", &json!({"name": "AZURE_CLIENT_ID", "value": "x"})),
            Passes,
        ),
        ("what no rule reads", annotation("example.org/other", "x"), Passes),
    ]));
}

#[test]
fn an_opt_in_that_a_later_webhook_adds_comes_too_late_and_the_refusal_says_so() {
    let (site, _) = listed();
    let label = json!({"op": "add", "path": "/metadata/labels", "value": {"countersign.dev/confidential": "true"}});
    let class = json!({"op": "add", "path": "/spec/runtimeClassName", "value": "kata-cc-isolation"});
    let policy = json!({"op": "add", "path": "/metadata/annotations/io.katacontainers.config.agent.policy", "value": super::policy("package agent_policy\n# mutated\n").0});
    let plain = edited(ordinary(NAMESPACE, "late"), |pod| pod["metadata"]["annotations"] = json!({"a": "b"}));
    hold([
        // Without a class the API server refuses it by itself, before any webhook judges.
        (
            "the label alone".to_owned(),
            Refused(&["runtime-class: ", "is not set"]),
            tried(site, TENANT, &with(&plain, &json!([label]))),
        ),
        (
            "the label, a class and a listed policy".to_owned(),
            Refused(&["sidecar: the pod has no container skr", LATE]),
            tried(site, TENANT, &with(&plain, &json!([label, class, policy]))),
        ),
    ]);
}
