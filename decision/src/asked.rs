//! What a pod asks of its guest, read from the pod: the form in which policies are compared with it.

use countersign_policy::coverage::AskedPod;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::pod::{Container, Pod};

/// Reads the parts of `pod` that a policy judges, in the namespace that it is created in. The error names the field that is not of its
/// type, which the API server never lets through.
pub fn asked_pod(pod: &Pod<'_>, namespace: &str) -> Result<AskedPod, String> {
    let spec = &pod.spec;
    let lists = [("initContainers", &spec.init_containers), ("containers", &spec.containers)];
    let containers = lists.iter().flat_map(|(list, containers)| {
        let containers: &[Container<'_>] = containers.as_deref().unwrap_or_default();
        containers
            .iter()
            .enumerate()
            .map(move |(index, container)| read(container.json.get()).map_err(|error| format!("spec.{list}[{index}]: {error}")))
    });
    let volumes = spec.volumes.as_deref().unwrap_or_default().iter().enumerate();
    let volumes =
        volumes.map(|(index, volume)| read(volume.json.get()).map_err(|error| format!("spec.volumes[{index}]: {error}")));
    let security = spec.security_context.map(|security| read(security.get()));
    Ok(AskedPod {
        name: pod.metadata.name.to_string(),
        generate_name: pod.metadata.generate_name.to_string(),
        namespace: namespace.to_owned(),
        service_account: spec.service_account().to_owned(),
        security: security.transpose().map_err(|error| format!("spec.securityContext: {error}"))?.unwrap_or_default(),
        shares_processes: spec.share_process_namespace == Some(true),
        containers: containers.collect::<Result<_, String>>()?,
        volumes: volumes.collect::<Result<_, String>>()?,
    })
}

/// Whether all that [`asked_pod`] reads is the same text in both pods, so that neither has to be read: nearly every update leaves it so.
pub(crate) fn written_alike(a: &Pod<'_>, b: &Pod<'_>) -> bool {
    fn texts<'a>(pod: &'a Pod<'_>) -> impl Iterator<Item = Option<&'a str>> {
        let Pod { metadata, spec } = pod;
        let of_containers = |containers: &'a Option<Vec<Container<'_>>>| {
            // Where one list ends and the next begins counts too.
            containers.iter().flatten().map(|container| Some(container.json.get())).chain([None])
        };
        let volumes = spec.volumes.iter().flatten().map(|volume| Some(volume.json.get()));
        [Some(&*metadata.name), Some(&*metadata.generate_name), Some(spec.service_account())]
            .into_iter()
            .chain([spec.security_context.map(RawValue::get)])
            .chain(of_containers(&spec.init_containers))
            .chain(of_containers(&spec.containers))
            .chain(volumes)
    }
    a.spec.share_process_namespace == b.spec.share_process_namespace && texts(a).eq(texts(b))
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_parts_come_from_where_they_stand() {
        let pod = r#"{"metadata":{"generateName":"a-"},"spec":{"serviceAccountName":"b","shareProcessNamespace":true,
            "securityContext":null,"initContainers":[{"name":"first"}],"containers":[{"name":"second"}]}}"#;
        let asked = asked_pod(&Pod::from_json(pod).unwrap(), "kafka").unwrap();
        assert_eq!((&*asked.name, &*asked.generate_name, &*asked.namespace, &*asked.service_account), ("", "a-", "kafka", "b"));
        assert_eq!(asked.containers.iter().map(|container| &*container.name).collect::<Vec<_>>(), ["first", "second"]);
        assert!(asked.shares_processes);
    }

    #[test]
    fn pods_are_written_alike_only_where_all_that_is_read_of_them_is_the_same_text() {
        let whole = json!({"metadata": {"name": "a", "generateName": "b"}, "spec": {
            "serviceAccountName": "c", "shareProcessNamespace": true, "securityContext": {}, "initContainers": [{"name": "d"}],
            "containers": [{"name": "e"}, {"name": "f", "image": "i"}], "volumes": [{"name": "g"}]}});
        let alike = |other: &serde_json::Value| {
            let (whole, other) = (whole.to_string(), other.to_string());
            written_alike(&Pod::from_json(&whole).unwrap(), &Pod::from_json(&other).unwrap())
        };
        let mut elsewhere = whole.clone();
        elsewhere["metadata"]["labels"] = json!({"app": "x"});
        elsewhere["spec"]["nodeName"] = json!("node");
        assert!(alike(&whole) && alike(&elsewhere));
        for (field, value) in [
            ("/metadata/name", json!("x")),
            ("/metadata/generateName", json!("x")),
            ("/spec/serviceAccountName", json!("x")),
            ("/spec/shareProcessNamespace", json!(false)),
            ("/spec/securityContext", json!(null)),
            ("/spec/securityContext", json!({"runAsUser": 0})),
            ("/spec/initContainers", json!([])),
            ("/spec/initContainers/0/name", json!("x")),
            ("/spec/containers/1/image", json!("x")),
            ("/spec/containers/1/name", json!("x")),
            ("/spec/volumes/0/name", json!("x")),
        ] {
            let mut other = whole.clone();
            *other.pointer_mut(field).unwrap() = value;
            assert!(!alike(&other), "{field}");
        }
        let mut moved = whole.clone();
        let first = moved["spec"]["containers"].as_array_mut().unwrap().remove(0);
        moved["spec"]["initContainers"].as_array_mut().unwrap().push(first);
        assert!(!alike(&moved), "a container became an init container");
    }

    #[test]
    fn a_field_of_another_type_is_named() {
        let pod = Pod::from_json(r#"{"spec":{"containers":[{"name":"a","image":"i","command":"x"}]}}"#).unwrap();
        let error = asked_pod(&pod, "kafka").unwrap_err();
        assert!(error.starts_with("spec.containers[0]: invalid type: string \"x\", expected a sequence"), "{error}");
    }
}
