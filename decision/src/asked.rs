//! What a pod asks of its guest, read from the pod: the form in which policies are compared with it.

use countersign_policy::coverage::AskedPod;
use serde::de::DeserializeOwned;

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

fn read<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
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
    fn a_field_of_another_type_is_named() {
        let pod = Pod::from_json(r#"{"spec":{"containers":[{"name":"a","image":"i","command":"x"}]}}"#).unwrap();
        let error = asked_pod(&pod, "kafka").unwrap_err();
        assert!(error.starts_with("spec.containers[0]: invalid type: string \"x\", expected a sequence"), "{error}");
    }
}
