//! The policy's rule has the last word.

use serde_json::{Value, json};

use super::{app, asked, policy, said, written};

/// A container of a pod that does not fit what a policy describes, and what the rule sees of it.
struct Row {
    asking: Value,
    described: Value,
    /// Where a request has what differs.
    seen: &'static str,
    /// What stands there in the requests that the policy describes, and in the pod's.
    usual: Vec<Value>,
    changed: Value,
    /// What is found where the rule takes the usual request alone.
    refused: &'static str,
}

#[test]
fn what_the_rule_takes_is_no_finding_and_what_it_does_not_take_is_a_sure_one() {
    for Row { asking, described, seen, usual, changed, refused } in rows() {
        let data = json!({"containers": [described], "common": {"default_caps": ["CAP_KILL"]}});
        let pod = asked(&json!({"spec": {"containers": [asking]}}), "kafka");
        let found = |taken: &[Value]| {
            let coverage = written(&data, &policy(&data, &format!("input.OCI.{seen} in {}", json!(taken))));
            said(&coverage.findings(&pod)).iter().map(|found| found.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found(&[&*usual, &[changed]].concat()), [""; 0], "{refused}");
        assert_eq!(found(&usual), [format!("Refused container app, {refused}")]);
        assert_eq!(found(&[]), [format!("Unknown container app, {refused}")]);
    }
}

fn rows() -> Vec<Row> {
    let app_asking = |field: &str, value: Value| json!({"name": "app", "terminationMessagePath": "", field: value});
    let mount = |access: &str| json!({"destination": "/data", "source": "/run/data", "options": ["rbind", access]});
    let shared = "/run/kata-containers/shared/containers/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-\
                  0123456789abcdef-other";
    vec![
        Row {
            asking: app_asking("args", json!(["go"])),
            described: app(json!({"Process": {"Args": ["/app", "run"]}})),
            seen: "Process.Args",
            usual: vec![json!(["/app", "run"])],
            changed: json!(["/app", "go"]),
            refused: "args",
        },
        Row {
            asking: app_asking("env", json!([{"name": "A", "value": "a"}])),
            described: app(json!({"Process": {"Env": []}})),
            seen: "Process.Env",
            usual: vec![json!([])],
            changed: json!(["A=a"]),
            refused: "env A",
        },
        Row {
            asking: app_asking("securityContext", json!({"capabilities": {"add": ["CHOWN"]}})),
            described: app(json!({"Process": {"Capabilities": {
                "Ambient": [], "Bounding": ["$(default_caps)"], "Effective": ["$(default_caps)"], "Permitted": ["$(default_caps)"],
            }}})),
            seen: "Process.Capabilities",
            usual: vec![json!({"Ambient": [], "Bounding": ["CAP_KILL"], "Effective": ["CAP_KILL"], "Permitted": ["CAP_KILL"]})],
            changed: json!({
                "Ambient": [], "Bounding": ["CAP_CHOWN", "CAP_KILL"], "Effective": ["CAP_CHOWN", "CAP_KILL"],
                "Permitted": ["CAP_CHOWN", "CAP_KILL"],
            }),
            refused: "capabilities",
        },
        Row {
            asking: app_asking("volumeMounts", json!([{"name": "v", "mountPath": "/other", "readOnly": true}])),
            described: app(json!({"Mounts": []})),
            seen: "Mounts",
            usual: vec![json!([])],
            changed: json!([
                {"destination": "/other", "type_": "bind", "source": shared, "options": ["rbind", "rprivate", "ro"]},
            ]),
            refused: "mount /other",
        },
        Row {
            asking: app_asking("volumeMounts", json!([{"name": "v", "mountPath": "/data", "readOnly": true}])),
            described: app(json!({"Mounts": [mount("rw")]})),
            seen: "Mounts",
            usual: vec![json!([]), json!([mount("rw")])],
            changed: json!([mount("ro")]),
            refused: "mount /data",
        },
    ]
}
