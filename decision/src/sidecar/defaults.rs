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
