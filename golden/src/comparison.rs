//! Whether everything that a pod says is still there after something was added to it.

use serde_json::Value;

/// What of `part` is missing in `whole` or has another value there, as a path; `None` if all is there. `whole` may have more: other
/// fields, and other elements between those of a list, whose order stays. Null says nothing.
pub fn missing(part: &Value, whole: &Value) -> Option<String> {
    match (part, whole) {
        (Value::Null, _) => None,
        (Value::Object(part), Value::Object(whole)) => part.iter().find_map(|(field, value)| {
            let found = whole.get(field).unwrap_or(&Value::Null);
            missing(value, found).map(|path| format!(".{field}{path}"))
        }),
        (Value::Array(part), Value::Array(whole)) => {
            let mut rest = whole.iter();
            part.iter().enumerate().find_map(|(index, element)| {
                let found = rest.any(|candidate| missing(element, candidate).is_none());
                (!found).then(|| format!("[{index}]"))
            })
        }
        _ => (part != whole).then(|| format!(" is {whole}, not {part}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::missing;

    #[test]
    fn what_was_added_is_not_missing_and_what_was_changed_is() {
        let part = json!({"a": [{"n": 1}, {"n": 2}], "b": null});
        assert_eq!(missing(&part, &json!({"a": [{"n": 0}, {"n": 1, "m": 1}, {"n": 2}], "c": 1})), None);
        assert_eq!(missing(&part, &json!({"a": [{"n": 2}, {"n": 1}]})).as_deref(), Some(".a[1]"));
        assert_eq!(missing(&json!({"a": {"b": 1}}), &json!({"a": {"b": 2}})).as_deref(), Some(".a.b is 2, not 1"));
    }
}
