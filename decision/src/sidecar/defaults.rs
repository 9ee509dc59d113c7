//! What the API server fills in by itself, put into both sides of a comparison.
//!
//! Source: Kubernetes, `pkg/apis/core/v1/defaults.go`.

use serde_json::{Map, Value, json};

/// A container as the API server stores it: defaults filled in, empty fields left out.
pub(super) fn of_container(mut container: Map<String, Value>) -> Map<String, Value> {
    drop_empty(&mut container);
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let pull = if is_latest(image) { "Always" } else { "IfNotPresent" };
    default(&mut container, "imagePullPolicy", json!(pull));
    default(&mut container, "terminationMessagePath", json!("/dev/termination-log"));
    default(&mut container, "terminationMessagePolicy", json!("File"));
    for_each(&mut container, "ports", |port| default(port, "protocol", json!("TCP")));
    for_each(&mut container, "env", |variable| {
        let field = variable.get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef")).and_then(Value::as_object_mut);
        if let Some(field) = field {
            default(field, "apiVersion", json!("v1"));
        }
        // An empty value is left out when the API server writes the pod.
        if variable.get("value") == Some(&json!("")) {
            variable.remove("value");
        }
    });
    for_each(&mut container, "volumeMounts", |mount| {
        if mount.get("readOnly") == Some(&Value::Bool(false)) {
            mount.remove("readOnly");
        }
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) {
            for (field, value) in
                [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
            {
                default(probe, field, json!(value));
            }
            http_get(probe);
        }
    }
    if let Some(lifecycle) = container.get_mut("lifecycle").and_then(Value::as_object_mut) {
        lifecycle.values_mut().filter_map(Value::as_object_mut).for_each(http_get);
    }
    request_limits(&mut container);
    container
}

/// A volume as the API server stores it.
pub(super) fn of_volume(mut volume: Map<String, Value>) -> Map<String, Value> {
    for (kind, source) in &mut volume {
        let Some(source) = source.as_object_mut() else { continue };
        match kind.as_str() {
            "hostPath" => default(source, "type", json!("")),
            "secret" | "configMap" | "projected" | "downwardAPI" => default(source, "defaultMode", json!(0o644)),
            _ => {}
        }
        for_each(source, "sources", |projected| {
            if let Some(token) = projected.get_mut("serviceAccountToken").and_then(Value::as_object_mut) {
                default(token, "expirationSeconds", json!(3600));
            }
        });
    }
    volume
}

/// Whether the image is pulled always by default: its tag is `latest` (whatever its digest), or it has neither tag nor digest.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    match name.rsplit('/').next().unwrap_or(name).split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => digest.is_none(),
    }
}

fn http_get(handler: &mut Map<String, Value>) {
    if let Some(get) = handler.get_mut("httpGet").and_then(Value::as_object_mut) {
        default(get, "path", json!("/"));
        default(get, "scheme", json!("HTTP"));
    }
}

/// What is limited and not requested is requested in the same amount.
fn request_limits(container: &mut Map<String, Value>) {
    let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) else { return };
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    if let Some(requests) = requests.as_object_mut() {
        for (resource, amount) in limits {
            requests.entry(resource).or_insert(amount);
        }
    }
}

/// Leaves out what the API server does not store: null, and empty lists and objects.
fn drop_empty(container: &mut Map<String, Value>) {
    container.retain(|field, value| match value {
        Value::Null => false,
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(fields) => field == "securityContext" || !fields.is_empty(),
        _ => true,
    });
}

fn default(map: &mut Map<String, Value>, field: &str, value: Value) {
    map.entry(field).or_insert(value);
}

fn for_each(map: &mut Map<String, Value>, field: &str, each: impl Fn(&mut Map<String, Value>)) {
    if let Some(Value::Array(elements)) = map.get_mut(field) {
        elements.iter_mut().filter_map(Value::as_object_mut).for_each(each);
    }
}

#[cfg(test)]
mod tests {
    use super::is_latest;

    #[test]
    fn the_tag_latest_and_no_tag_are_pulled_always() {
        for image in ["app", "registry.example:5000/app", "app:latest", "app:latest@sha256:ab"] {
            assert!(is_latest(image), "{image}");
        }
        for image in ["app:1", "registry.example:5000/app:1", "app@sha256:ab", "app:1@sha256:ab"] {
            assert!(!is_latest(image), "{image}");
        }
    }
}
