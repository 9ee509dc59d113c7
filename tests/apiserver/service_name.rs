//! The API server itself calls a replica by the Service's name, and believes it, through a rotation.
//!
//! Stand-in: nothing routes a `ClusterIP` here, so the Service is of type `ExternalName` and leads to the port on loopback.
//! What is verified stays what it is in a cluster: the name `countersign.countersign-system.svc`, against `caBundle`.

use std::time::Instant;

use countersign_harness::{ApiServer, Options};
use serde_json::{Value, json};

use crate::fleet::Replica;
use crate::site::{ACCOUNT, apply, block_on, is_webhook, probe, runtime_class, shipped, until, without_webhooks};

#[test]
fn every_call_by_the_services_name_is_answered_through_a_rotation() {
    let groups = ["system:serviceaccounts", "system:serviceaccounts:countersign-system"];
    let server = ApiServer::boot(&Options::default().user(ACCOUNT, &groups)).unwrap();
    let configuration = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration,
      certificates: {publishFor: 2s, authorityLife: 24h, leafLife: 1h}}";
    std::fs::write(server.folder().join("fleet.yaml"), configuration).unwrap();
    let manifests = shipped();
    let others: Vec<Value> = manifests.iter().filter(|object| object["kind"] != "Service").cloned().collect();
    apply(&server, &without_webhooks(&others));
    block_on(server.namespace("kafka", &[], &[])).unwrap();
    apply(&server, &runtime_class("kata-cc-isolation", "kata-cc").to_string());
    let replica = Replica::start_with(&server, "countersign-a", &[]);
    let port = replica.reviews.port();
    apply(
        &server,
        &json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "countersign", "namespace": "countersign-system"},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"name": "https", "port": port}]},
        })
        .to_string(),
    );
    for mut object in manifests.into_iter().filter(is_webhook) {
        for entry in object["webhooks"].as_array_mut().unwrap() {
            entry["clientConfig"]["service"]["port"] = json!(port);
        }
        apply(&server, &object.to_string());
    }
    until("the replica is ready", || replica.ready().then_some(()));
    until("the API server asks it", || probe(&server).contains("countersigned-unearned").then_some(()));

    let secret = || -> Value {
        let output = server.kubectl(&["-n", "countersign-system", "get", "secret", "countersign-ca", "-o", "json"]).unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["data"].take()
    };
    let before = secret()["ca.crt"].clone();
    let rotate = ["-n", "countersign-system", "annotate", "secret", "countersign-ca", "countersign.dev/rotate=now"];
    assert!(server.kubectl(&rotate).unwrap().status.success());
    let (began, mut calls) = (Instant::now(), 0);
    until("the rotation is over", || {
        let refusal = probe(&server);
        assert!(refusal.contains("countersigned-unearned"), "call {calls} after {:?}: {refusal}", began.elapsed());
        calls += 1;
        let data = secret();
        (data["ca.crt"] != before && data["next.crt"].is_null() && data["previous.crt"].is_null()).then_some(())
    });
    println!("{calls} calls were answered while the authority was rotated in {:?}", began.elapsed());
    assert!(probe(&server).contains("countersigned-unearned"));
}
