//! A container as a policy describes it: one element of `policy_data.containers`.
//!
//! Every part may be missing: a policy that is written by hand says only what it asks for, and what it does not say is not compared.
//! Source: Kata Containers, genpolicy `policy.rs` (`ContainerPolicy`, `KataSpec`).

use serde_json::Value;

use crate::data::CONTAINER_TYPE;

/// The element, and `policy_data` around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Described<'a> {
    pub(super) data: &'a Value,
    pub(super) container: &'a Value,
    /// `OCI` and `OCI.Process`, where most parts are: found once.
    oci: Option<&'a Value>,
    process: Option<&'a Value>,
}

impl<'a> Described<'a> {
    /// Every container of `policy_data`, the sandbox's own among them.
    pub(super) fn all(data: &'a Value) -> impl Iterator<Item = Self> {
        let containers = data.get("containers").and_then(Value::as_array);
        containers.into_iter().flatten().map(move |container| Self::of(data, container))
    }

    /// An element of a `policy_data`.
    pub(super) fn of(data: &'a Value, container: &'a Value) -> Self {
        let oci = container.get("OCI");
        Self { data, container, oci, process: oci.and_then(|oci| oci.get("Process")) }
    }

    /// A part by its path of field names, each after a slash.
    pub(super) fn part(&self, path: &str) -> Option<&'a Value> {
        let path = path.strip_prefix('/')?;
        let (around, path) = match (path.strip_prefix("OCI/Process/"), path.strip_prefix("OCI/")) {
            (Some(path), _) => (self.process?, path),
            (None, Some(path)) => (self.oci?, path),
            (None, None) => (self.container, path),
        };
        path.split('/').try_fold(around, |part, name| part.get(name)).filter(|part| !part.is_null())
    }

    /// A part that is a text.
    pub(super) fn text(&self, path: &str) -> Option<&'a str> {
        self.part(path)?.as_str()
    }

    /// A part that is a list of texts.
    pub(super) fn texts(&self, path: &str) -> Option<Vec<&'a str>> {
        Some(texts(self.part(path)?).collect())
    }

    /// An annotation.
    pub(super) fn annotation(&self, key: &str) -> Option<&'a str> {
        self.part("/OCI/Annotations")?.get(key)?.as_str()
    }

    /// Whether this is the sandbox's own container, which no pod names.
    pub(super) fn is_sandbox(&self) -> bool {
        self.annotation(CONTAINER_TYPE) == Some("sandbox")
    }

    /// The mount at a destination.
    pub(super) fn mount(&self, destination: &str) -> Option<&'a Value> {
        let mounts = self.part("/OCI/Mounts")?.as_array()?;
        mounts.iter().find(|mount| mount.get("destination").and_then(Value::as_str) == Some(destination))
    }

    /// A list of texts of `policy_data.common`, for the placeholder of that name.
    pub(super) fn common_list(&self, name: &str) -> Vec<&'a str> {
        self.data.get("common").and_then(|common| common.get(name)).into_iter().flat_map(texts).collect()
    }

    /// A text with the placeholders of `policy_data.common` and the ones given here in their place. Those of `common` may name each
    /// other, at most three deep.
    pub(super) fn filled(&self, text: &str, more: &[(&str, &str)]) -> String {
        let common = self.data.get("common").and_then(Value::as_object);
        let common = || common.into_iter().flatten().filter_map(|(name, value)| Some((&**name, value.as_str()?)));
        let mut filled = text.to_owned();
        for _ in 0..3 {
            if !filled.contains("$(") {
                break;
            }
            for (name, value) in common().chain(more.iter().copied()) {
                filled = filled.replace(&format!("$({name})"), value);
            }
        }
        filled
    }
}

/// The texts of a list.
pub(super) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_found_by_its_path_at_every_depth_and_null_is_none() {
        let container = json!({
            "storages": [1], "OCI": {"Version": "1", "Process": {"Cwd": "/", "User": {"UID": 7}, "Terminal": null}}
        });
        let data = json!({"containers": [container]});
        let described = Described::all(&data).next().unwrap();
        let found = [
            ("/storages", Some(json!([1]))),
            ("/OCI/Version", Some(json!("1"))),
            ("/OCI/Process/Cwd", Some(json!("/"))),
            ("/OCI/Process/User/UID", Some(json!(7))),
            ("/OCI/Process/Terminal", None),
            ("/OCI/Process/Cwd/UID", None),
            ("/OCI/Root/Readonly", None),
            ("/env_map", None),
        ];
        for (path, part) in found {
            assert_eq!(described.part(path), part.as_ref(), "{path}");
        }
        let bare = json!({"containers": [{}]});
        let bare = Described::all(&bare).next().unwrap();
        assert!(["/OCI/Version", "/OCI/Process/Cwd"].iter().all(|path| bare.part(path).is_none()));
    }
}
