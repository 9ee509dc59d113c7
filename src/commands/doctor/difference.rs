//! How an object in the cluster differs from the one that was rendered.
//!
//! What the API server adds by itself is no difference: empty values, and the defaults of the kinds that are compared. All else
//! is, additions too: an `objectSelector` that nobody rendered narrows a webhook.

use serde_json::Value;

/// Fields that the API server or others fill in, whatever their value.
const FILLED_IN: [&str; 9] =
    ["caBundle", "metadata", "status", "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "apiVersion", "kind"];

/// What the API server writes where nothing was written.
///
/// Source: Kubernetes, `pkg/apis/admissionregistration/v1/defaults.go`, `pkg/apis/core/v1/defaults.go`.
const DEFAULTS: [(&str, &str); 11] = [
    ("failurePolicy", "\"Fail\""),
    ("internalTrafficPolicy", "\"Cluster\""),
    ("matchPolicy", "\"Equivalent\""),
    ("port", "443"),
    ("protocol", "\"TCP\""),
    ("reinvocationPolicy", "\"Never\""),
    ("scope", "\"*\""),
    ("sessionAffinity", "\"None\""),
    ("sideEffects", "\"Unknown\""),
    ("timeoutSeconds", "10"),
    ("type", "\"ClusterIP\""),
];

/// Each field that differs: where, and how, as a sentence has it.
pub(super) fn differences(rendered: &Value, found: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    walk("", rendered, found, &mut differences);
    differences
}

fn walk(path: &str, wanted: &Value, found: &Value, out: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, wanted) in wanted.iter().filter(|(key, _)| !FILLED_IN.contains(&key.as_str())) {
                let path = join(path, key);
                match found.get(key) {
                    Some(found) => walk(&path, wanted, found, out),
                    None if is_default(key, wanted) => {}
                    None => out.push(format!("{path} is missing, and should be {}", shown(wanted))),
                }
            }
            for (key, found) in found {
                if !wanted.contains_key(key) && !FILLED_IN.contains(&key.as_str()) && !is_default(key, found) {
                    out.push(format!("{} is {}, and should not be there", join(path, key), shown(found)));
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) => walk_lists(path, wanted, found, out),
        (Value::String(wanted), Value::String(found)) if wanted.trim() == found.trim() => {}
        (wanted, found) if wanted == found => {}
        (wanted, found) => out.push(format!("{path} is {}, and should be {}", shown(found), shown(wanted))),
    }
}

/// Lists of named things are compared by name, other lists of things in order, and lists of words as sets.
fn walk_lists(path: &str, wanted: &[Value], found: &[Value], out: &mut Vec<String>) {
    // A selector may have two expressions for one key: they have no names.
    let names = |key: &&str| [wanted, found].into_iter().all(|list| are_unique(list.iter().map(|item| item.get(key))));
    if let Some(key) = ["name", "key"].into_iter().find(names) {
        let named = |list: &[Value], name: &Value| list.iter().find(|item| item.get(key) == Some(name)).cloned();
        for item in wanted {
            let name = item.get(key).unwrap_or(&Value::Null);
            let path = format!("{path}[{}]", name.as_str().unwrap_or_default());
            match named(found, name) {
                Some(found) => walk(&path, item, &found, out),
                None => out.push(format!("{path} is missing")),
            }
        }
        for item in found {
            let name = item.get(key).unwrap_or(&Value::Null);
            if named(wanted, name).is_none() {
                out.push(format!("{path}[{}] should not be there", name.as_str().unwrap_or_default()));
            }
        }
    } else if wanted.iter().chain(found).all(|item| !item.is_object()) {
        let sorted = |list: &[Value]| {
            let mut texts: Vec<_> = list.iter().map(Value::to_string).collect();
            texts.sort();
            texts
        };
        if sorted(wanted) != sorted(found) {
            out.push(format!("{path} is {}, and should be {}", shown(&found.into()), shown(&wanted.into())));
        }
    } else if wanted.len() == found.len() {
        for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
            walk(&format!("{path}[{index}]"), wanted, found, out);
        }
    } else {
        out.push(format!("{path} has {} items, and should have {}", found.len(), wanted.len()));
    }
}

/// Whether each is there, and none twice.
fn are_unique<'a>(names: impl Iterator<Item = Option<&'a Value>>) -> bool {
    let names: Vec<_> = names.collect();
    names.iter().enumerate().all(|(index, name)| name.is_some() && !names.iter().take(index).any(|earlier| earlier == name))
}

fn is_default(key: &str, value: &Value) -> bool {
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty() || fields.iter().all(|(key, value)| is_default(key, value)),
        Value::Bool(_) | Value::Number(_) => false,
    };
    empty || DEFAULTS.iter().any(|(known, default)| *known == key && *default == format!("{value}"))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value in one line that a terminal holds.
fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"));
    if text.chars().count() <= 120 { text } else { text.chars().take(117).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn webhook() -> Value {
        json!({"webhooks": [{
            "name": "a", "failurePolicy": "Fail", "rules": [{"operations": ["CREATE", "UPDATE"], "resources": ["pods"]}],
            "clientConfig": {"service": {"name": "countersign"}}
        }]})
    }

    #[test]
    fn what_the_api_server_fills_in_is_no_difference() {
        let mut found = webhook();
        let entry = &mut found["webhooks"][0];
        entry["objectSelector"] = json!({});
        entry["matchPolicy"] = json!("Equivalent");
        entry["timeoutSeconds"] = json!(10);
        entry["clientConfig"]["caBundle"] = json!("Zg==");
        entry["rules"][0]["operations"] = json!(["UPDATE", "CREATE"]);
        entry["rules"][0]["scope"] = json!("*");
        found["metadata"] = json!({"uid": "x"});
        assert_eq!(differences(&webhook(), &found), [] as [&str; 0]);
    }

    #[test]
    fn changes_removals_and_additions_are_named_with_their_place() {
        let changed = |change: fn(&mut Value)| {
            let mut found = webhook();
            change(&mut found["webhooks"][0]);
            differences(&webhook(), &found)
        };
        assert_eq!(
            changed(|entry| entry["failurePolicy"] = json!("Ignore")),
            ["webhooks[a].failurePolicy is \"Ignore\", and should be \"Fail\""]
        );
        assert_eq!(
            changed(|entry| entry["objectSelector"] = json!({"matchLabels": {"a": "b"}})),
            ["webhooks[a].objectSelector is {\"matchLabels\":{\"a\":\"b\"}}, and should not be there"]
        );
        assert_eq!(
            changed(|entry| entry["rules"][0]["operations"] = json!(["CREATE"])),
            ["webhooks[a].rules[0].operations is [\"CREATE\"], and should be [\"CREATE\",\"UPDATE\"]"]
        );
        assert_eq!(changed(|entry| entry["name"] = json!("b")), ["webhooks[a] is missing", "webhooks[b] should not be there"]);
        assert_eq!(changed(|entry| entry["rules"] = json!([])), ["webhooks[a].rules has 0 items, and should have 1"]);
    }

    #[test]
    fn expressions_for_one_key_are_compared_one_by_one() {
        let selector = |expressions: Value| json!({"matchExpressions": expressions});
        let (exists, not_in) =
            (json!({"key": "a", "operator": "Exists"}), json!({"key": "a", "operator": "NotIn", "values": ["b"]}));
        let both = selector(json!([exists, not_in]));
        assert_eq!(differences(&both, &both), [] as [&str; 0]);
        assert_eq!(differences(&both, &selector(json!([exists]))), ["matchExpressions has 1 items, and should have 2"]);
        assert_eq!(differences(&selector(json!([exists])), &both), ["matchExpressions has 2 items, and should have 1"]);
    }
}
