//! The one comparison of a pod's sidecar and volumes with those of its profile, shared by /mutate and /validate.

mod defaults;
mod json;
mod stored;

use serde_json::{Map, Value};

use crate::configuration::{Additions, Sidecar};
use crate::pod::{Container, Pod};

use json::{Json, Object};

pub(crate) use stored::Stored;

/// Where a pod has the profile's sidecar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placement<'a> {
    /// Nowhere.
    Absent,
    /// Where it belongs: the first of its list. The container as JSON.
    First(&'a str),
    /// Somewhere else; the field as a path.
    Elsewhere(String),
}

/// Finds the container of the sidecar's name. A second one of that name cannot be: the API server refuses it.
pub(crate) fn placement<'a>(pod: &'a Pod<'_>, sidecar: &Sidecar) -> Placement<'a> {
    let lists = [("initContainers", &pod.spec.init_containers), ("containers", &pod.spec.containers)];
    for (list, containers) in lists {
        let containers: &[Container<'_>] = containers.as_deref().unwrap_or_default();
        if let Some((index, container)) =
            containers.iter().enumerate().find(|(_, container)| *container.name == *sidecar.name())
        {
            return if list == sidecar.list() && index == 0 {
                Placement::First(container.json.get())
            } else {
                Placement::Elsewhere(format!("spec.{list}[{index}]"))
            };
        }
    }
    Placement::Absent
}

/// The JSON of the pod's volume with the name of `wanted`, if it has one.
pub(crate) fn volume<'a>(pod: &'a Pod<'_>, wanted: &Map<String, Value>) -> Option<&'a str> {
    let name = volume_name(wanted);
    pod.spec.volumes.as_deref().unwrap_or_default().iter().find(|volume| *volume.name == *name).map(|volume| volume.json.get())
}

/// The name of a profile's volume.
pub(crate) fn volume_name(volume: &Map<String, Value>) -> &str {
    volume.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// How a pod's volume differs from the profile's, in words, if it does.
pub(crate) fn volume_difference(wanted: &Map<String, Value>, found: &str) -> Option<String> {
    let found = match Object::read(found) {
        Ok(found) => defaults::of_volume(found),
        Err(error) => return Some(error.to_string()),
    };
    first_difference(&defaults::of_volume(Object::of(wanted)), &found, &[])
}

/// How a pod's sidecar container differs from the profile's, in words, if it does: but for what the API server fills in, the
/// service-account mount and the additions that the profile lists, each once.
pub(crate) fn difference(sidecar: &Sidecar, found: &str) -> Option<String> {
    let mut found = match Object::read(found) {
        Ok(found) => defaults::of_container(found),
        Err(error) => return Some(error.to_string()),
    };
    let wanted = sidecar.stored.container(&sidecar.container);
    if wanted.value("resources").is_none() && found.value("resources").is_some_and(only_amounts) {
        found.remove("resources");
    }
    list_difference(wanted, &found, "env", |added| is_added_variable(added, &sidecar.additions))
        .or_else(|| list_difference(wanted, &found, "volumeMounts", |added| is_added_mount(added, &sidecar.additions)))
        .or_else(|| first_difference(wanted, &found, &["env", "volumeMounts"]))
}

/// Whether resources are nothing but amounts that a LimitRange fills in where the profile sets none, and that no policy measures.
/// Anything else (a device, a resource claim) gives the container more than the profile has.
fn only_amounts(resources: &Json<'_>) -> bool {
    let plain = |amounts: &Json<'_>| {
        amounts.as_object().is_some_and(|amounts| {
            amounts.iter().all(|(resource, _)| matches!(resource, "cpu" | "memory" | "ephemeral-storage"))
        })
    };
    resources
        .as_object()
        .is_some_and(|fields| fields.iter().all(|(field, amounts)| matches!(field, "limits" | "requests") && plain(amounts)))
}

/// How the list `field` of the two containers differs. What is listed must stand in the profile's order; between, `may_be_added`
/// says under which key an element may be added, once.
fn list_difference(
    wanted: &Object<'_>,
    found: &Object<'_>,
    field: &str,
    may_be_added: impl Fn(&Json<'_>) -> Option<String>,
) -> Option<String> {
    let (wanted, found) = (elements(wanted, field), elements(found, field));
    // What the profile sets itself counts as there already: the last of two variables would win.
    let mut there: Vec<String> = wanted.iter().filter_map(named).filter_map(Json::as_str).map(str::to_owned).collect();
    let mut wanted = wanted.iter().peekable();
    for (index, element) in found.iter().enumerate() {
        if wanted.next_if_eq(&element).is_some() {
            continue;
        }
        match may_be_added(element) {
            Some(key) if !there.contains(&key) => there.push(key),
            Some(key) => return Some(format!("{field}[{index}] adds {key} a second time")),
            None => {
                return Some(match wanted.peek() {
                    Some(expected) if named(expected) == named(element) => {
                        format!("{field}[{index}] is {}, the profile has {}", shown(element), shown(expected))
                    }
                    _ => format!(
                        "{field}[{index}] is {}, which the profile neither has nor lists as an addition",
                        shown(element)
                    ),
                });
            }
        }
    }
    wanted.next().map(|missing| format!("{field} lacks {}", shown(missing)))
}

/// A list of an object; empty where there is none.
fn elements<'o, 'a>(object: &'o Object<'a>, field: &str) -> &'o [Json<'a>] {
    match object.value(field) {
        Some(Json::List(elements)) => elements,
        _ => &[],
    }
}

/// What an element of `env` or `volumeMounts` is known by.
fn named<'e, 'a>(element: &'e Json<'a>) -> Option<&'e Json<'a>> {
    let element = element.as_object()?;
    element.value("mountPath").or_else(|| element.value("name"))
}

/// An environment variable with a plain value whose name the profile lists.
fn is_added_variable(element: &Json<'_>, additions: &Additions) -> Option<String> {
    let variable = element.as_object()?;
    let name = variable.value("name")?.as_str()?;
    let plain = variable.iter().all(|(key, _)| key == "name" || key == "value");
    (plain && additions.env.iter().any(|listed| listed == name)).then(|| name.to_owned())
}

/// The mount of a whole volume that the profile lists, or the API server's own service-account mount.
///
/// Source: Kubernetes, admission plugin ServiceAccount (volume `kube-api-access-…`, mounted read-only).
fn is_added_mount(element: &Json<'_>, additions: &Additions) -> Option<String> {
    let mount = element.as_object()?;
    let (name, path) = (mount.value("name")?.as_str()?, mount.value("mountPath")?.as_str()?);
    if !mount.iter().all(|(key, _)| matches!(key, "name" | "mountPath" | "readOnly")) {
        return None;
    }
    let service_account = path == "/var/run/secrets/kubernetes.io/serviceaccount"
        && name.starts_with("kube-api-access-")
        && mount.value("readOnly") == Some(&Json::Bool(true));
    let listed = additions.volume_mounts.iter().any(|added| added.name == name && added.mount_path == path);
    (service_account || listed).then(|| path.to_owned())
}

/// The first field in which two objects differ but for those that are compared elsewhere, in words.
fn first_difference(wanted: &Object<'_>, found: &Object<'_>, elsewhere: &[&str]) -> Option<String> {
    for (field, value) in found.iter().filter(|(field, _)| !elsewhere.contains(field)) {
        match wanted.value(field) {
            Some(expected) if expected == value => {}
            Some(expected) => return Some(format!("{field} is {}, the profile has {}", shown(value), shown(expected))),
            None => return Some(format!("{field} is {}, the profile has none", shown(value))),
        }
    }
    let missing = wanted.iter().find(|(field, _)| !elsewhere.contains(field) && found.value(field).is_none());
    missing.map(|(field, value)| format!("{field} is missing, the profile has {}", shown(value)))
}

/// A value as a message shows it: at most 120 characters.
fn shown(value: &Json<'_>) -> String {
    let text = value.to_string();
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests;
