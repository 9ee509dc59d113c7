//! A hundred nodes that are objects alone, a real scheduler, and kwok in the place of the kubelets.

use std::ffi::OsString;
use std::time::Duration;

use countersign_harness::{ApiServer, NodeBinaries, Process, programs};
use serde_json::{Value, json};

use crate::site::{apply, until_within};

pub(crate) const COUNT: usize = 100;

/// What keeps them alive.
pub(crate) struct Nodes {
    _scheduler: Process,
    _kwok: Process,
}

impl Nodes {
    pub(crate) fn start(server: &ApiServer) -> Self {
        let nodes: Vec<Value> = (0..COUNT).map(node).collect();
        apply(server, &json!({"apiVersion": "v1", "kind": "List", "items": nodes}).to_string());
        let kubeconfig = server.kubeconfig_path().into_os_string();
        let with = |flag: &str| {
            let mut argument = OsString::from(flag);
            argument.push(&kubeconfig);
            argument
        };
        let scheduler = NodeBinaries::find().unwrap().folder().join("kube-scheduler");
        let arguments = [with("--kubeconfig="), "--leader-elect=false".into(), "--secure-port=0".into()];
        let scheduler = server.companion("kube-scheduler", &scheduler, &arguments, &[]).unwrap();
        let arguments = [with("--kubeconfig="), "--manage-all-nodes=true".into(), "--server-address=127.0.0.1:0".into()];
        let kwok = server.companion("kwok", &programs::kwok().unwrap(), &arguments, &[]).unwrap();
        until_within(Duration::from_mins(2), "the nodes are ready", || {
            let ready = r#"jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}"#;
            let output = server.kubectl(&["get", "nodes", "-o", ready]).unwrap();
            (String::from_utf8_lossy(&output.stdout).matches("True").count() == COUNT).then_some(())
        });
        Self { _scheduler: scheduler, _kwok: kwok }
    }
}

/// A node with room for two hundred pods and the labels of trusted launch.
fn node(number: usize) -> Value {
    let room = json!({"cpu": "64", "memory": "1Ti", "pods": "200"});
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": format!("node-{number}"),
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.azure.com/trusted-launch": "true",
                "kubernetes.azure.com/secure-boot": "true", "kubernetes.azure.com/vtpm": "true"
            }
        },
        "status": {"capacity": room, "allocatable": room}
    })
}
