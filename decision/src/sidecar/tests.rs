use serde_json::json;

use super::*;
use crate::configuration::Configuration;

fn sidecar() -> Sidecar {
    Configuration::built_in().unwrap().enabled[0].sidecar.clone().unwrap()
}

/// The profile's own container after `edit`, compared with the profile.
fn after(edit: impl FnOnce(&mut Value)) -> Option<String> {
    let mut container = Value::Object(sidecar().container);
    edit(&mut container);
    difference(&sidecar(), &container.to_string())
}

fn push(list: &str, element: Value) -> impl FnOnce(&mut Value) {
    move |container| container[list].as_array_mut().unwrap().push(element)
}

#[test]
fn the_profiles_own_container_does_not_differ() {
    assert_eq!(after(|_| {}), None);
}

#[test]
fn what_the_api_server_fills_in_does_not_differ() {
    let filled = after(|container| {
        container["terminationMessagePath"] = json!("/dev/termination-log");
        container["terminationMessagePolicy"] = json!("File");
        container["resources"] = json!({"limits": {"cpu": "1"}});
        container["volumeMounts"].as_array_mut().unwrap().push(json!({
            "name": "kube-api-access-x7k2p", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"
        }));
    });
    assert_eq!(filled, None);
}

#[test]
fn a_field_that_holds_nothing_does_not_differ_from_one_that_is_not_there() {
    for nothing in [json!(null), json!([]), json!({})] {
        assert_eq!(after(|container| container["lifecycle"] = nothing.clone()), None, "{nothing}");
    }
    let differs = after(|container| container["lifecycle"] = json!({"preStop": {}}));
    assert_eq!(differs.unwrap(), "lifecycle is {\"preStop\":{}}, the profile has none");
}

#[test]
fn a_field_that_is_missing_differs() {
    let differs = after(|container| {
        container.as_object_mut().unwrap().remove("command");
    });
    assert_eq!(differs.unwrap(), "command is missing, the profile has [\"/bin/skr\"]");
}

#[test]
fn listed_additions_pass_once() {
    let variable = || json!({"name": "AZURE_CLIENT_ID", "value": "x"});
    assert_eq!(after(push("env", variable())), None);
    let twice = after(|container| container["env"].as_array_mut().unwrap().extend([variable(), variable()]));
    assert_eq!(twice.unwrap(), "env[2] adds AZURE_CLIENT_ID a second time");
    let mount = json!({"name": "azure-identity-token", "mountPath": "/var/run/secrets/azure/wi", "readOnly": true});
    assert_eq!(after(push("volumeMounts", mount)), None);
}

#[test]
fn a_mount_is_listed_by_volume_and_path_and_the_service_accounts_by_both_and_read_only() {
    let account = "/var/run/secrets/kubernetes.io/serviceaccount";
    for (name, path, read_only) in [
        ("azure-identity-token", "/bin", true),
        ("other", "/var/run/secrets/azure/wi", true),
        ("kube-api-access-x7k2p", "/bin", true),
        ("other", account, true),
        ("kube-api-access-x7k2p", account, false),
    ] {
        let mount = json!({"name": name, "mountPath": path, "readOnly": read_only});
        let differs = after(push("volumeMounts", mount)).unwrap_or_else(|| panic!("{name} at {path} passes"));
        assert!(differs.contains("neither has nor lists"), "{differs}");
    }
}

#[test]
fn an_element_of_another_name_is_not_held_against_the_profiles() {
    let differs = after(|container| container["env"][0] = json!({"name": "OTHER", "value": "x"})).unwrap();
    assert_eq!(differs, r#"env[0] is {"name":"OTHER","value":"x"}, which the profile neither has nor lists as an addition"#);
}

#[test]
fn what_the_profile_sets_itself_cannot_be_added_again() {
    let mut sidecar = sidecar();
    sidecar.additions.env.push("SkrSideCarArgs".to_owned());
    let mut container = Value::Object(sidecar.container.clone());
    push("env", json!({"name": "SkrSideCarArgs", "value": "e30="}))(&mut container);
    assert_eq!(difference(&sidecar, &container.to_string()).unwrap(), "env[1] adds SkrSideCarArgs a second time");
}

#[test]
fn resources_that_are_more_than_amounts_differ() {
    assert_eq!(after(|container| container["resources"] = json!({"requests": {"memory": "1Gi", "cpu": "1"}})), None);
    for more in [json!({"limits": {"example.com/device": 1}}), json!({"claims": [{"name": "device"}]}), json!([])] {
        let differs = after(|container| container["resources"] = json!({"limits": {"cpu": "1"}, "x": more}));
        assert!(differs.unwrap().starts_with("resources is "));
    }
    assert!(after(|container| container["resources"] = json!({"limits": {"example.com/device": 1}})).is_some());
}

#[test]
fn everything_else_differs_by_name() {
    let differs = |edit: &dyn Fn(&mut Value)| after(|container| edit(container)).unwrap();
    assert!(
        after(push("env", json!({"name": "LD_PRELOAD", "value": "/x.so"})))
            .unwrap()
            .starts_with("env[1] is {\"name\":\"LD_PRELOAD\"")
    );
    let from = json!({"name": "AZURE_CLIENT_ID", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}});
    assert!(after(push("env", from)).unwrap().contains("neither has nor lists"));
    assert!(after(push("env", json!({"name": "SkrSideCarArgs", "value": "e30="}))).unwrap().starts_with("env[1] is "));
    assert!(after(push("volumeMounts", json!({"name": "v", "mountPath": "/bin"}))).unwrap().contains("\"/bin\""));
    let sub_path = json!({"name": "azure-identity-token", "mountPath": "/var/run/secrets/azure/wi", "subPath": "x"});
    assert!(after(push("volumeMounts", sub_path)).unwrap().contains("subPath"));
    assert!(
        differs(&|c| c["image"] = json!("mcr.microsoft.com/aci/skr:2.8"))
            .starts_with("image is \"mcr.microsoft.com/aci/skr:2.8\", the profile has")
    );
    assert!(differs(&|c| c["envFrom"] = json!([{"secretRef": {"name": "s"}}])).starts_with("envFrom is "));
    assert!(differs(&|c| c["lifecycle"] = json!({"postStart": {"exec": {"command": ["x"]}}})).starts_with("lifecycle is "));
    assert!(differs(&|c| c["securityContext"] = json!({"privileged": true})).starts_with("securityContext is "));
    assert!(differs(&|c| c["livenessProbe"] = json!({"exec": {"command": ["x"]}})).starts_with("livenessProbe is "));
    assert!(
        differs(&|c| c["command"] = json!(["/skr.sh"])).starts_with("command is [\"/skr.sh\"], the profile has [\"/bin/skr\"]")
    );
    assert!(differs(&|c| c["env"] = json!([])).starts_with("env lacks "));
    assert!(
        differs(&|c| c["env"][0]["value"] = json!("e30="))
            .contains("env[0] is {\"name\":\"SkrSideCarArgs\",\"value\":\"e30=\"}, the profile has")
    );
    assert!(differs(&|c| c["imagePullPolicy"] = json!("Never")).starts_with("imagePullPolicy is \"Never\""));
}

#[test]
fn a_key_that_stands_twice_differs() {
    let text = Value::Object(sidecar().container).to_string().replacen('{', "{\"image\":\"evil\",", 1);
    assert!(difference(&sidecar(), &text).unwrap().contains("key \"image\" stands twice"));
}

#[test]
fn a_host_path_with_the_default_type_does_not_differ_and_another_path_does() {
    let wanted = sidecar().volumes[0].clone();
    let mut found = wanted.clone();
    found["hostPath"]["type"] = json!("");
    assert_eq!(volume_difference(&wanted, &Value::Object(found.clone()).to_string()), None);
    found["hostPath"]["path"] = json!("/etc");
    assert!(
        volume_difference(&wanted, &Value::Object(found).to_string()).unwrap().starts_with("hostPath is {\"path\":\"/etc\"")
    );
}

#[test]
fn the_sidecar_is_found_where_it_stands() {
    let find = |spec: Value| {
        let text = json!({"spec": spec}).to_string();
        let pod = Pod::from_json(&text).unwrap();
        match placement(&pod, &sidecar()) {
            Placement::Absent => "absent".to_owned(),
            Placement::First(_) => "first".to_owned(),
            Placement::Elsewhere(place) => place,
        }
    };
    let (skr, app) = (json!({"name": "skr"}), json!({"name": "app"}));
    assert_eq!(find(json!({"containers": [app]})), "absent");
    assert_eq!(find(json!({"containers": [skr, app]})), "first");
    assert_eq!(find(json!({"containers": [app, skr]})), "spec.containers[1]");
    assert_eq!(find(json!({"initContainers": [skr], "containers": [app]})), "spec.initContainers[0]");
}
