//! An edit of the allow-list that could not be read is refused while its author is there to mend it.
//!
//! Nothing depends on it: an edit that comes in while Countersign does not answer is found by the watch, and the last good version
//! stays in force for a while. What is refused is told to the author and counted; the log gets no word of the text.

use countersign_decision::allow_list::RejectedConfigMap;
use countersign_decision::labels;
use countersign_decision::verdict::{Decision, Refusal, Verdict};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::value::RawValue;

use crate::cluster;
use crate::review::Raw;

const ID: &str = "allow-list-malformed";

/// Refuses a `ConfigMap` of the allow-list that the watch would reject, with the same sentence: `ConfigMap`, key, line and column. One
/// that is no list any more passes, and one whose texts stay as they were: what else is changed of it mends nothing and harms nothing.
pub(super) fn check(asked: &Raw<'_>) -> Verdict {
    match problem(asked) {
        None => Verdict { decision: Decision::Admitted, ..Verdict::untouched() },
        Some(because) => {
            tracing::info!(
                endpoint = "allow-list",
                uid = super::short(&asked.uid),
                rules = ID,
                "an edit of the allow-list is refused"
            );
            let next = "Mend the text and apply it again: what is in force stays in force (docs/allow-list.md)";
            Verdict { decision: Decision::Refused, refusals: vec![Refusal::new(ID, because, next)], ..Verdict::untouched() }
        }
    }
}

fn problem(asked: &Raw<'_>) -> Option<String> {
    let edited = match asked.object.map(read) {
        Some(Ok(edited)) => edited,
        Some(Err(error)) => return Some(format!("the ConfigMap cannot be read: {error}")),
        None => return Some("the request has no object".to_owned()),
    };
    let before = asked.old.and_then(|old| read(old).ok());
    let as_it_was =
        |before: ConfigMap| is_listed(&before) && before.data == edited.data && before.binary_data == edited.binary_data;
    if !is_listed(&edited) || before.is_some_and(as_it_was) {
        return None;
    }
    cluster::allow_list::text(edited).read().err().map(|rejected: RejectedConfigMap| rejected.to_string())
}

fn read(object: &RawValue) -> Result<ConfigMap, serde_json::Error> {
    serde_json::from_str(object.get())
}

/// Whether the watch, which selects by the same label, would be told of it.
fn is_listed(config_map: &ConfigMap) -> bool {
    config_map.metadata.labels.as_ref().and_then(|labels| labels.get(labels::ALLOW_LIST)).is_some_and(|value| value == "true")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::review::read_config_map;

    const GOOD: &str = "- {digest: bebb44db3c081a52b5c017c478db4461d956ba38c61003d912a1be089ecc4caf, namespaces: [kafka]}\n";
    const BAD: &str = "- digest: nonsense\n";

    fn config_map(label: &str, text: &str) -> Value {
        json!({"metadata": {"name": "team", "labels": {"countersign.dev/allow-list": label}}, "data": {"a.yaml": text}})
    }

    fn refusal(object: &Value, old: &Value) -> Option<String> {
        let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u", "operation": if old.is_null() { "CREATE" } else { "UPDATE" }, "namespace": "countersign-system",
            "kind": {"group": "", "version": "v1", "kind": "ConfigMap"}, "object": object, "oldObject": old}})
        .to_string();
        let verdict = check(&read_config_map(body.as_bytes()).unwrap());
        (!verdict.allowed()).then(|| verdict.message())
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        assert_eq!(refusal(&config_map("true", GOOD), &Value::Null), None);
        let message = refusal(&config_map("true", BAD), &config_map("true", GOOD)).unwrap();
        let place = "allow-list-malformed: ConfigMap team, key a.yaml, line 1, column 11: [0].digest: ";
        assert!(message.starts_with(place), "{message}");
        let mut binary = config_map("true", GOOD);
        binary["binaryData"] = json!({"b": "AA=="});
        assert!(refusal(&binary, &Value::Null).unwrap().contains("key b: binaryData is not read"));
    }

    #[test]
    fn what_is_no_list_any_more_and_what_did_not_change_passes() {
        assert_eq!(refusal(&config_map("false", BAD), &config_map("true", GOOD)), None, "it is no list any more");
        let mut finalized = config_map("true", BAD);
        finalized["metadata"]["finalizers"] = json!(["a.b/c"]);
        assert_eq!(refusal(&finalized, &config_map("true", BAD)), None, "it was bad before");
        assert!(refusal(&config_map("true", BAD), &config_map("false", BAD)).is_some(), "it becomes a list");
        finalized["binaryData"] = json!({"b": "AA=="});
        assert!(refusal(&finalized, &config_map("true", BAD)).unwrap().contains("key b"), "it is bad in another way");
    }

    #[test]
    fn an_object_that_is_none_is_refused() {
        assert!(refusal(&Value::Null, &Value::Null).unwrap().contains("the request has no object"));
        let message = refusal(&json!({"data": 1}), &Value::Null).unwrap();
        assert!(message.contains("the ConfigMap cannot be read: invalid type: integer `1`"), "{message}");
    }
}
