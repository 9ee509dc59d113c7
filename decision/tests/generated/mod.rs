//! Pods, entries and digests at random, most of them nearly right.

use countersign_decision::allow_list::{Namespaces, WrittenEntry};
use countersign_decision::names::Name;
use countersign_golden::{Given, POLICY};
use countersign_policy::Digest;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// A pod with what is known beside it; its policy is listed.
pub(crate) fn pods() -> impl Strategy<Value = (Value, Given)> {
    (metadata(), spec(), given()).prop_map(|(metadata, spec, given)| (json!({"metadata": metadata, "spec": spec}), given))
}

fn metadata() -> impl Strategy<Value = Value> {
    let labels = vec(select(vec!["confidential", "trusted-launch", "countersigned"]), 0..3);
    let other = btree_map("[a-z~/]{1,6}", "[a-z<>&\"]{0,6}", 0..3);
    (labels, option::of(other), any::<bool>(), any::<bool>()).prop_map(|(ours, other, profile, null)| {
        let mut labels: Map<String, Value> = other.into_iter().flatten().map(|(key, value)| (key, json!(value))).collect();
        let mut annotations = labels.clone();
        labels.extend(ours.into_iter().map(|label| (format!("countersign.dev/{label}"), json!("true"))));
        annotations.insert("io.katacontainers.config.agent.policy".to_owned(), json!(POLICY));
        if profile {
            annotations.insert("countersign.dev/profile".to_owned(), json!("aks"));
        }
        let labels = if labels.is_empty() && null { Value::Null } else { json!(labels) };
        json!({"name": "consumer", "labels": labels, "annotations": annotations, "fromTheFuture": [null, {"a": 1}]})
    })
}

fn spec() -> impl Strategy<Value = Value> {
    let app = json!({"name": "app", "image": "registry.example/app:1", "fromTheFuture": {"a": []}});
    let skr = json!({"name": "skr", "image": "mcr.microsoft.com/aci/skr:2.7"});
    let containers = select(vec![json!([app]), json!([app, app]), json!([skr, app]), json!([]), Value::Null]);
    let volume = json!({"name": "cache", "emptyDir": {}});
    let ours = json!({"name": "endor-loc", "hostPath": {
        "path": "/opt/confidential-containers/share/kata-containers/reference-info-base64", "type": ""}});
    let volumes = select(vec![Value::Null, json!([]), json!([volume]), json!([volume, ours])]);
    let selected = select(vec!["kubernetes.azure.com/trusted-launch", "kubernetes.azure.com/secure-boot", "example.org/pool"]);
    let selectors = option::of(btree_map(selected, select(vec!["true", "true", "true", "x"]), 0..3));
    let preference = json!({"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}});
    let affinity = select(vec![
        Value::Null,
        json!({}),
        json!({"nodeAffinity": null, "podAffinity": {}}),
        json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preference]}}),
    ]);
    let class = select(vec![Value::Null, Value::Null, json!("kata-cc-isolation"), json!("kata-cc"), json!("runc")]);
    (containers, volumes, selectors, affinity, class).prop_map(|(containers, volumes, selectors, affinity, class)| {
        let mut spec = json!({"containers": containers, "nodeSelector": selectors, "affinity": affinity, "fromTheFuture": {}});
        // Absent and null are the same to the API server, and not to a patch.
        for (field, value) in [("volumes", volumes), ("runtimeClassName", class)] {
            if !value.is_null() {
                spec[field] = value;
            }
        }
        spec
    })
}

fn given() -> impl Strategy<Value = Given> {
    let configuration = |fields: Value| {
        let mut configuration = Given::default().configuration;
        configuration.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        configuration
    };
    let lab = |trusted_launch: Value, sidecar: Value| {
        let profile = json!({"name": "aks-lab", "runtimeClass": "kata-cc", "trustedLaunch": trusted_launch, "sidecar": sidecar,
            "accepts": [{"runtimeClass": "kata-cc", "handlers": ["kata-cc"]}],
            "policyAnnotation": "io.katacontainers.config.agent.policy"});
        configuration(json!({"profiles": [profile], "enabledProfiles": ["aks-lab", "aks"]}))
    };
    let native = json!({"native": true, "container": {"name": "agent", "image": "a:1", "restartPolicy": "Always"}});
    let configurations = vec![
        configuration(json!({})),
        configuration(json!({"defaultMode": "warn"})),
        configuration(json!({"requiredNamespaces": ["kafka"]})),
        lab(json!({"vtpm": "prefer", "secureBoot": "prefer"}), json!(null)),
        lab(json!({"vtpm": "require"}), native),
    ];
    select(configurations).prop_map(|configuration| Given { configuration, ..Given::default() })
}

/// One of two digests, so that entries and applicants meet.
pub(crate) fn digests() -> impl Strategy<Value = Digest> {
    select(vec!["1", "2"]).prop_map(|digit| digit.repeat(64).parse().unwrap())
}

/// A digest of any algorithm.
pub(crate) fn any_digest() -> impl Strategy<Value = Digest> {
    let text = prop_oneof!["sha256:[0-9a-f]{64}", "sha384:[0-9a-f]{96}", "sha512:[0-9a-f]{128}", "sha256:[0-9]{64}"];
    text.prop_filter_map("zeros are no digest", |text: String| text.parse().ok())
}

/// A namespace, a service account and a profile.
pub(crate) fn applicants() -> impl Strategy<Value = (String, String, String)> {
    (select(vec!["a", "b"]), select(vec!["a", "b"]), select(vec!["a", "b"]))
        .prop_map(|(namespace, account, profile)| (namespace.to_owned(), account.to_owned(), profile.to_owned()))
}

/// Entries over few digests and names; revocations among them or not.
pub(crate) fn entries(revocations: bool) -> impl Strategy<Value = Vec<WrittenEntry>> {
    let names = || vec(select(vec!["a", "b", "c"]).prop_map(|name| Name::parse(name).unwrap()), 1..3);
    let namespaces = prop_oneof![Just(Namespaces::All), names().prop_map(Namespaces::These)];
    let time = select(vec!["2000-01-01T00:00:00Z", "2026-12-31T23:59:59.999999999Z", "2999-01-01T00:00:00Z"]);
    let scope = (namespaces, option::of(names()), option::of(names()), option::of(time), any::<bool>());
    let words = select(vec!["x", "true", "1.50", "# no comment", "- a", "'\"\\", "a: b", " padded ", "\u{e9}", "null", "~"]);
    let entry = (digests(), scope, words, prop::bool::weighted(if revocations { 0.2 } else { 0.0 }));
    let entry =
        entry.prop_map(|(digest, (namespaces, service_accounts, profiles, time, permissive), words, revoked)| WrittenEntry {
            digest,
            namespaces: Some(namespaces),
            service_accounts: service_accounts.filter(|_| !revoked),
            name: Some(words.to_owned()),
            profiles: profiles.filter(|_| !revoked),
            not_after: time.filter(|_| !revoked).map(|time| time.parse().unwrap()),
            owner: Some(words.to_owned()),
            permissive: permissive && !revoked,
            revoked,
        });
    vec(entry, 0..5)
}

/// Where a text is changed, and what is written there.
pub(crate) fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, &'static str)>> {
    let written =
        vec!["", "\"", "{", "}", "[", "]", ",", ":", "null", "true", "0", "\\u0000", "\\", "[[[[[[[[", "\"a\":1,", "-1e999"];
    vec((any::<prop::sample::Index>(), 0_usize..12, select(written)), 1..4)
}

/// The text after the changes.
pub(crate) fn broken(text: &str, edits: &[(prop::sample::Index, usize, &'static str)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, length, written) in edits {
        let start = at.index(characters.len() + 1);
        let end = (start + length).min(characters.len());
        characters.splice(start..end, written.chars());
    }
    characters.into_iter().collect()
}

/// The pointers of every object in a pod that may get fields: not of maps from text to text, whose fields are keys, nor of what is
/// compared with the profile whole.
pub(crate) fn levels(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let compared = ["skr", "agent", "endor-loc"].iter().any(|name| value["name"] == **name);
            let keys = ["/labels", "/annotations", "/nodeSelector"].iter().any(|map| pointer.ends_with(map));
            if compared || keys {
                return;
            }
            fields.iter().for_each(|(field, value)| levels(value, format!("{pointer}/{field}"), found));
            found.push(pointer);
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, element)| levels(element, format!("{pointer}/{index}"), found));
        }
        _ => {}
    }
}
