//! Entries of the allow-list that do not fit: what is refused, and what of the list is told to whom.

use serde_json::{Value, json};

use super::{KEY, TENANT, config_map, edited, namespace, ordinary, policy, site, tried};
use crate::allow_list::list;
use crate::site::until;

/// A confidential pod of a namespace with this policy; what only opted-in pods need is a warning.
fn pod(namespace: &str, annotation: &str) -> Value {
    edited(ordinary(namespace, "asking"), |pod| {
        pod["metadata"]["annotations"] = json!({KEY: annotation});
        pod["spec"]["runtimeClassName"] = json!("kata-cc-isolation");
    })
}

#[test]
fn only_entries_of_the_pods_own_namespace_are_named() {
    let site = site();
    namespace(site, "snooping", &[]);
    let (annotation, digest) = policy("package agent_policy\n# secret_of_payments\n");
    let entry = |more: Value| {
        let mut entry = json!({"digest": digest, "name": "secret name", "owner": "secret@example.org"});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([entry])
    };
    let listed = |entries: &Value| list(&site.server, &site.webhook, &config_map("named", entries));
    let refusal = |namespace: &str| tried(site, TENANT, &pod(namespace, &annotation)).refused();
    for foreign in [
        json!({"namespaces": ["payments"]}),
        json!({"namespaces": ["payments"], "serviceAccounts": ["secret-account"]}),
        json!({"namespaces": ["payments"], "notAfter": "2001-01-01T00:00:00Z"}),
    ] {
        listed(&entry(foreign));
        let told = refusal("snooping");
        assert!(told.contains("policy-not-allowed: ") && told.contains("(it is listed for another namespace)"), "{told}");
        assert!(!told.contains("payments") && !told.contains("secret") && !told.contains("2001"), "{told}");
    }
    for (own, nearest) in [
        (
            json!({"namespaces": ["snooping"], "notAfter": "2001-01-01T00:00:00Z"}),
            "(nearest: \"secret name\", expired 2001-01-01T00:00:00Z)",
        ),
        (
            json!({"namespaces": ["snooping"], "serviceAccounts": ["other"]}),
            "(nearest: \"secret name\", for service account other)",
        ),
        (json!({"namespaces": ["snooping"], "profiles": ["lab"]}), "(nearest: \"secret name\", for profile lab)"),
    ] {
        listed(&entry(own));
        let told = refusal("snooping");
        assert!(told.contains("policy-not-allowed: ") && told.contains(nearest), "{told}");
        assert!(!told.contains("secret@example.org"), "{told}");
    }
}

/// The second that `notAfter` names still counts, and the next does not. The clock is the webhook's, on the same machine.
#[test]
fn an_entry_ends_with_the_second_that_it_names() {
    let site = site();
    namespace(site, "ending-soon", &[]);
    let (annotation, digest) = policy("package agent_policy\n# ends_soon\n");
    let last = jiff::Timestamp::now().as_second() + 3;
    let not_after = jiff::Timestamp::from_second(last).unwrap().to_string();
    let entry = json!([{"digest": digest, "namespaces": ["ending-soon"], "name": "soon", "notAfter": not_after}]);
    list(&site.server, &site.webhook, &config_map("ending-soon", &entry));
    let pod = pod("ending-soon", &annotation);
    tried(site, TENANT, &pod).admitted();
    let refusal = until("it has ended", || {
        let asked = jiff::Timestamp::now().as_second();
        let refusal = tried(site, TENANT, &pod).stored.err();
        assert!(refusal.is_some() || asked <= last, "admitted at {asked}, after {last}");
        assert!(refusal.is_none() || jiff::Timestamp::now().as_second() >= last, "refused before {last}");
        refusal
    });
    assert!(refusal.contains(&format!("(nearest: \"soon\", expired {not_after})")), "{refusal}");
}

/// A longer digest that begins like a listed one, or a listed one that begins like a longer digest, is another digest.
#[test]
fn an_entry_counts_by_algorithm_and_whole_digest() {
    let site = site();
    namespace(site, "longer", &[]);
    let (annotation, digest) = policy("package agent_policy\n# whole_digest\n");
    let longer = format!("sha512:{}{}", digest.strip_prefix("sha256:").unwrap(), "00".repeat(32));
    list(&site.server, &site.webhook, &config_map("longer", &json!([{"digest": longer, "namespaces": ["longer"]}])));
    let told = tried(site, TENANT, &pod("longer", &annotation)).refused();
    assert!(told.contains(&format!("policy-not-allowed: policy digest {digest}")) && !told.contains("nearest"), "{told}");
}
