//! What the API server fills in by itself, put into both sides of a comparison.
//!
//! Source: Kubernetes, `pkg/apis/core/v1/defaults.go`.

use super::json::{Json, Object};

/// A container as the API server stores it: defaults filled in, empty fields left out.
pub(super) fn of_container(mut container: Object<'_>) -> Object<'_> {
    drop_empty(&mut container);
    let image = container.value("image").and_then(Json::as_str).unwrap_or_default();
    let pull = if is_latest(image) { "Always" } else { "IfNotPresent" };
    container.fill_in("imagePullPolicy", Json::text(pull));
    container.fill_in("terminationMessagePath", Json::text("/dev/termination-log"));
    container.fill_in("terminationMessagePolicy", Json::text("File"));
    for_each(&mut container, "ports", |port| port.fill_in("protocol", Json::text("TCP")));
    for_each(&mut container, "env", |variable| {
        let from = variable.value_mut("valueFrom").and_then(Json::as_object_mut);
        if let Some(field) = from.and_then(|from| from.value_mut("fieldRef")).and_then(Json::as_object_mut) {
            field.fill_in("apiVersion", Json::text("v1"));
        }
        // An empty value is left out when the API server writes the pod.
        if variable.value("value").and_then(Json::as_str) == Some("") {
            variable.remove("value");
        }
    });
    for_each(&mut container, "volumeMounts", |mount| {
        if mount.value("readOnly") == Some(&Json::Bool(false)) {
            mount.remove("readOnly");
        }
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.value_mut(probe).and_then(Json::as_object_mut) {
            for (field, value) in
                [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
            {
                probe.fill_in(field, Json::Number(value.into()));
            }
            http_get(probe);
        }
    }
    if let Some(lifecycle) = container.value_mut("lifecycle").and_then(Json::as_object_mut) {
        lifecycle.iter_mut().filter_map(|(_, handler)| handler.as_object_mut()).for_each(http_get);
    }
    request_limits(&mut container);
    container
}

/// A volume as the API server stores it.
pub(super) fn of_volume(mut volume: Object<'_>) -> Object<'_> {
    for (kind, source) in volume.iter_mut() {
        let Some(source) = source.as_object_mut() else { continue };
        match kind {
            "hostPath" => source.fill_in("type", Json::text("")),
            "secret" | "configMap" | "projected" | "downwardAPI" => source.fill_in("defaultMode", Json::Number(0o644.into())),
            _ => {}
        }
        for_each(source, "sources", |projected| {
            if let Some(token) = projected.value_mut("serviceAccountToken").and_then(Json::as_object_mut) {
                token.fill_in("expirationSeconds", Json::Number(3600.into()));
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

fn http_get(handler: &mut Object<'_>) {
    if let Some(get) = handler.value_mut("httpGet").and_then(Json::as_object_mut) {
        get.fill_in("path", Json::text("/"));
        get.fill_in("scheme", Json::text("HTTP"));
    }
}

/// What is limited and not requested is requested in the same amount.
fn request_limits(container: &mut Object<'_>) {
    let Some(resources) = container.value_mut("resources").and_then(Json::as_object_mut) else { return };
    let Some(limits) = resources.value("limits").and_then(Json::as_object).cloned() else { return };
    resources.fill_in("requests", Json::Object(Object::default()));
    if let Some(requests) = resources.value_mut("requests").and_then(Json::as_object_mut) {
        requests.fill_in_all(&limits);
    }
}

/// Leaves out what the API server does not store: null, and empty lists and objects.
fn drop_empty(container: &mut Object<'_>) {
    container.retain(|field, value| match value {
        Json::Null => false,
        Json::List(elements) => !elements.is_empty(),
        Json::Object(fields) => field == "securityContext" || !fields.is_empty(),
        _ => true,
    });
}

fn for_each<'a>(object: &mut Object<'a>, field: &str, each: impl Fn(&mut Object<'a>)) {
    if let Some(Json::List(elements)) = object.value_mut(field) {
        elements.iter_mut().filter_map(Json::as_object_mut).for_each(each);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What a field of a container or a volume becomes.
    fn stored(of: impl FnOnce(Object<'_>) -> Object<'_>, given: &Value, field: &str) -> Value {
        let text = given.to_string();
        let Ok(Json::Object(object)) = serde_json::from_str(&text) else { panic!("{text}") };
        let stored = of(object).value(field).map(ToString::to_string);
        stored.map_or(Value::Null, |stored| serde_json::from_str(&stored).unwrap())
    }

    #[test]
    fn each_default_of_a_container_is_filled_in_and_stands_where_it_is_given() {
        let probe = json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3});
        let with = |more: Value| {
            let mut probe = probe.clone();
            probe.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            probe
        };
        let mut table = vec![
            ("ports", json!([{"containerPort": 1}]), json!([{"containerPort": 1, "protocol": "TCP"}])),
            ("ports", json!([{"containerPort": 1, "protocol": "UDP"}]), json!([{"containerPort": 1, "protocol": "UDP"}])),
            ("env", json!([{"name": "A", "value": ""}]), json!([{"name": "A"}])),
            ("env", json!([{"name": "A", "value": "b"}]), json!([{"name": "A", "value": "b"}])),
            (
                "env",
                json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "p"}}}]),
                json!([{"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "p"}}}]),
            ),
            ("volumeMounts", json!([{"name": "v", "readOnly": false}]), json!([{"name": "v"}])),
            ("volumeMounts", json!([{"name": "v", "readOnly": true}]), json!([{"name": "v", "readOnly": true}])),
            (
                "lifecycle",
                json!({"preStop": {"httpGet": {"port": 1}}}),
                json!({"preStop": {"httpGet": {"port": 1, "path": "/", "scheme": "HTTP"}}}),
            ),
            (
                "resources",
                json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "2"}}),
                json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "2", "memory": "1Gi"}}),
            ),
            ("resources", json!({"limits": {"cpu": "1"}}), json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}})),
            ("terminationMessagePath", json!(null), json!("/dev/termination-log")),
            ("terminationMessagePolicy", json!(null), json!("File")),
            ("terminationMessagePolicy", json!("FallbackToLogsOnError"), json!("FallbackToLogsOnError")),
            ("imagePullPolicy", json!(null), json!("Always")),
            ("args", json!([]), json!(null)),
            ("securityContext", json!({}), json!({})),
        ];
        for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
            table.push((kind, json!({"tcpSocket": {"port": 1}}), with(json!({"tcpSocket": {"port": 1}}))));
            table.push((kind, json!({"httpGet": {"path": "/a"}}), with(json!({"httpGet": {"path": "/a", "scheme": "HTTP"}}))));
            table.push((kind, json!({"periodSeconds": 7}), with(json!({"periodSeconds": 7}))));
        }
        for (field, given, expected) in table {
            assert_eq!(stored(of_container, &json!({field: given}), field), expected, "{field}: {given}");
        }
    }

    #[test]
    fn each_default_of_a_volume_is_filled_in_and_stands_where_it_is_given() {
        for kind in ["secret", "configMap", "projected", "downwardAPI"] {
            assert_eq!(stored(of_volume, &json!({kind: {"a": 1}}), kind), json!({"a": 1, "defaultMode": 420}), "{kind}");
            assert_eq!(stored(of_volume, &json!({kind: {"defaultMode": 1}}), kind), json!({"defaultMode": 1}), "{kind}");
        }
        let token = |more: Value| json!({"sources": [{"serviceAccountToken": more}], "defaultMode": 420});
        let projected =
            |more: Value| stored(of_volume, &json!({"projected": {"sources": [{"serviceAccountToken": more}]}}), "projected");
        assert_eq!(projected(json!({"path": "t"})), token(json!({"path": "t", "expirationSeconds": 3600})));
        assert_eq!(projected(json!({"expirationSeconds": 60})), token(json!({"expirationSeconds": 60})));
        assert_eq!(stored(of_volume, &json!({"hostPath": {"path": "/"}}), "hostPath"), json!({"path": "/", "type": ""}));
        assert_eq!(stored(of_volume, &json!({"emptyDir": {"a": 1}}), "emptyDir"), json!({"a": 1}));
    }

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
