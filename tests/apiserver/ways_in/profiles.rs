//! Profiles and runtime classes that are weaker than what is expected of a confidential pod, and the signs of one taken away.

use serde_json::json;

use super::Expected::{Passes, Refused};
use super::{KEY, TENANT, countersigned, edited, hold, namespace, site, tried, unlisted};
use crate::pods::run;
use crate::site::{apply, runtime_class};

#[test]
fn a_weaker_profile_is_chosen_by_nobody() {
    let site = site();
    namespace(site, "narrowed", &[("countersign.dev/profile", "aks")]);
    let choosing = |namespace: &str, profile: &str| {
        edited(unlisted(namespace, "p"), |pod| {
            pod["metadata"]["labels"] = json!({"countersign.dev/confidential": "true"});
            pod["metadata"]["annotations"]["countersign.dev/profile"] = json!(profile);
        })
    };
    hold(
        [
            (
                "known and not enabled",
                "kafka",
                "dev",
                Refused(&["profile-not-enabled: ", "is not enabled: enabled are aks, lab"]),
            ),
            ("unknown", "kafka", "coco-dev", Refused(&["profile-not-enabled: profile \"coco-dev\""])),
            ("spelt otherwise", "kafka", "AKS", Refused(&["profile-not-enabled: "])),
            ("empty", "kafka", "", Refused(&["profile-not-enabled: "])),
            (
                "enabled, and not for this namespace",
                "narrowed",
                "lab",
                Refused(&["profile-not-enabled: ", "namespace narrowed permits only \"aks\" by its label"]),
            ),
            ("the one of the namespace", "narrowed", "aks", Refused(&["policy-not-allowed: "])),
        ]
        .map(|(what, namespace, profile, expected)| {
            (what.to_owned(), expected, tried(site, TENANT, &choosing(namespace, profile)))
        }),
    );
}

#[test]
fn a_pod_with_any_sign_of_a_confidential_one_is_judged() {
    let site = site();
    let class = |name: &str| json!({"runtimeClassName": name, "containers": [{"name": "app", "image": "i"}]});
    let signs = |label: bool, class_name: Option<&str>, policy: bool| {
        edited(unlisted("kafka", "signs"), |pod| {
            if label {
                pod["metadata"]["labels"] = json!({"countersign.dev/confidential": "true"});
            }
            if let Some(name) = class_name {
                pod["spec"] = class(name);
            }
            if !policy {
                pod["metadata"]["annotations"] = json!({});
            }
        })
    };
    let isolation = Some("kata-cc-isolation");
    hold(
        [
            ("class and policy, no label", signs(false, isolation, true), Refused(&["policy-not-allowed: "])),
            ("older class and policy, no label", signs(false, Some("kata-cc"), true), Refused(&["policy-not-allowed: "])),
            ("class alone", signs(false, isolation, false), Refused(&["policy-missing: "])),
            ("policy alone", signs(false, None, true), Refused(&["runtime-class: ", "is not set"])),
            ("label alone", signs(true, None, false), Refused(&["policy-missing: "])),
            ("label and policy", signs(true, None, true), Refused(&["policy-not-allowed: "])),
            ("label and class", signs(true, isolation, false), Refused(&["policy-missing: "])),
            (
                "class of a profile that is not enabled",
                signs(false, Some("kata-dev"), true),
                Refused(&["runtime-class: the pod is confidential but its spec.runtimeClassName is \"kata-dev\""]),
            ),
        ]
        .map(|(what, pod, expected)| (what.to_owned(), expected, tried(site, TENANT, &pod))),
    );
}

#[test]
fn a_confidential_handler_runs_under_no_unknown_name() {
    let site = site();
    let as_admin = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
    hold([(
        "the RuntimeClass".to_owned(),
        Refused(&["unknown-confidential-runtime: handler kata-cc runs confidential pods, and RuntimeClass mine is none of"]),
        run(&site.server, &as_admin, &runtime_class("mine", "kata-cc")),
    )]);
    // One that is older than the policies: here the policy's binding is away for a moment, in a server of its own.
    let own = crate::site::Site::open(None);
    crate::site::without_policies(&own.server);
    own.webhook.has_seen("runtimeclasses", &apply(&own.server, &runtime_class("mine", "kata-cc").to_string()));
    let pod = edited(unlisted("kafka", "p"), |pod| pod["spec"]["runtimeClassName"] = json!("mine"));
    let answer = crate::pods::create(&own.server, &pod, true);
    hold([(
        "a pod of it".to_owned(),
        Refused(&[
            "unknown-confidential-runtime: no profile lists runtime class \"mine\", and its handler \"kata-cc\" runs confidential pods",
        ]),
        answer,
    )]);
}

#[test]
fn the_claim_that_a_pod_is_countersigned_is_earned_in_every_mode() {
    let site = site();
    let claim = |pod: &mut serde_json::Value| pod["metadata"]["labels"]["countersign.dev/countersigned"] = json!("true");
    for (name, labels) in [
        ("claim-enforced", vec![]),
        ("claim-warned", vec![("countersign.dev/mode", "warn")]),
        ("claim-audited", vec![("countersign.dev/mode", "audit")]),
    ] {
        namespace(site, name, &labels);
        let policy = "package agent_policy\n# claimed\n";
        let listed = countersigned(site, name, name);
        let bare = edited(listed.clone(), |pod| {
            pod["metadata"]["labels"] = json!({});
            pod["spec"]["runtimeClassName"] = json!("kata-cc-isolation");
            claim(pod);
        });
        let unlisted = edited(bare.clone(), |pod| pod["metadata"]["annotations"] = json!({KEY: super::policy(policy).0}));
        let ordinary = edited(super::ordinary(name, "o"), claim);
        let opted_in = edited(listed, claim);
        hold([
            (format!("{name}: an ordinary pod"), Refused(&["countersigned-unearned: "]), tried(site, TENANT, &ordinary)),
            (
                format!("{name}: an unlisted policy"),
                Refused(&["countersigned-unearned: ", "policy-not-allowed: "]),
                tried(site, TENANT, &unlisted),
            ),
            (
                format!("{name}: no sidecar"),
                Refused(&["countersigned-unearned: ", "sidecar: ", "node-selectors: "]),
                tried(site, TENANT, &bare),
            ),
            (format!("{name}: a pod that passes every rule"), Passes, tried(site, TENANT, &opted_in)),
        ]);
    }
}
