//! Certificates from files, as the overlays have it: Countersign writes no `caBundle`, and is ready only when somebody has.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::certs::{Authority, bundle};
use countersign_harness::{ApiServer, Options};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::fleet::{NAME, Replica, bundles, connect};
use crate::site::{ACCOUNT, apply, is_webhook, shipped, until};

#[test]
fn with_files_a_replica_is_ready_once_somebody_has_published_their_authority_and_writes_none_itself() {
    let groups = ["system:serviceaccounts", "system:serviceaccounts:countersign-system"];
    let server = ApiServer::boot(&Options::default().user(ACCOUNT, &groups)).unwrap();
    std::fs::write(server.folder().join("fleet.yaml"), "{apiVersion: countersign.dev/v1alpha1, kind: Configuration}").unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": shipped()});
    apply(&server, &list.to_string());
    let authority = files(server.folder());
    let path = |file: &str| server.folder().join(file).into_os_string();
    let flags = ["--tls-cert".into(), path("tls.crt"), "--tls-key".into(), path("tls.key")];
    let replica = Replica::start_with(&server, "countersign-a", &flags);
    let closed = |part: &str| {
        until(part, || {
            let answer = replica.get("/readyz");
            answer.contains(part).then_some(answer)
        })
    };
    let answer = closed("caBundle of MutatingWebhookConfiguration countersign, entry complete.");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("is not published yet"), "{answer}");
    let other = Authority::make(Timestamp::now(), SignedDuration::from_hours(1)).unwrap();
    publish(&server, &bundle::text([other.certificate().der()]));
    closed("does not verify the certificate that is served");
    publish(&server, &authority);
    until("the replica is ready", || replica.ready().then_some(()));

    let stored =
        server.kubectl(&["get", "mutatingwebhookconfigurations,validatingwebhookconfigurations", "-o", "json"]).unwrap();
    let stored: Value = serde_json::from_slice(&stored.stdout).unwrap();
    for (entry, bundle) in bundles(stored["items"].as_array().unwrap()) {
        assert_eq!(bundle, authority.as_bytes(), "{entry}");
        connect(replica.reviews, &bundle).unwrap();
    }
    assert!(!stored.to_string().contains("countersign-ca-bundle"), "Countersign has written caBundle");
    let secret = server.kubectl(&["-n", "countersign-system", "get", "secret", "countersign-ca", "-o", "json"]).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&secret.stdout).unwrap()["data"], Value::Null);
}

/// The way from files to its own, in a rolling update: replicas of both kinds at once, twice, the second time with an authority left
/// over in the Secret.
#[test]
fn an_own_replica_joins_replicas_with_files_and_nobody_loses_the_trust_of_a_single_entry() {
    let groups = ["system:serviceaccounts", "system:serviceaccounts:countersign-system"];
    let server = ApiServer::boot(&Options::default().user(ACCOUNT, &groups)).unwrap();
    let configuration = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration,
      certificates: {publishFor: 2s, authorityLife: 24h, leafLife: 1h}, limits: {drainFor: 1s}}";
    std::fs::write(server.folder().join("fleet.yaml"), configuration).unwrap();
    apply(&server, &json!({"apiVersion": "v1", "kind": "List", "items": shipped()}).to_string());
    for (turn, names) in [["countersign-a", "countersign-b"], ["countersign-c", "countersign-d"]].into_iter().enumerate() {
        let authority = files(server.folder());
        let path = |file: &str| server.folder().join(file).into_os_string();
        let with_files = Replica::start_with(
            &server,
            names[0],
            &["--tls-cert".into(), path("tls.crt"), "--tls-key".into(), path("tls.key")],
        );
        with_files.endpoint(&server, true);
        publish(&server, &authority);
        until("the replica with files is ready", || with_files.ready().then_some(()));
        assert_eq!(data(&server)["ca.crt"].is_string(), turn == 1, "left over from the first time");
        let own = Replica::start_with(&server, names[1], &[]);
        own.endpoint(&server, true);
        let both = |bundle: &[u8]| [&with_files, &own].map(|replica| connect(replica.reviews, bundle));
        until("the replica with its own certificate is ready", || {
            for (entry, bundle) in stored(&server) {
                let [files, _] = both(&bundle);
                files.unwrap_or_else(|error| panic!("turn {turn}: {entry} does not verify the replica with files: {error}"));
            }
            own.ready().then_some(())
        });
        for (entry, bundle) in stored(&server) {
            for connected in both(&bundle) {
                connected.unwrap_or_else(|error| panic!("turn {turn}: {entry}: {error}"));
            }
        }
        assert_eq!(with_files.metric("countersign_leader"), Some(0.0), "who does not keep the authorities does not lead");
        with_files.signal("KILL");
        with_files.endpoint(&server, false);
        until("the files' authority is gone", || {
            stored(&server).iter().all(|(_, bundle)| countersign::certs::bundle::read(bundle).unwrap().len() == 1).then_some(())
        });
        own.signal("KILL");
        own.endpoint(&server, false);
    }
}

fn stored(server: &ApiServer) -> Vec<(String, Vec<u8>)> {
    let output =
        server.kubectl(&["get", "mutatingwebhookconfigurations,validatingwebhookconfigurations", "-o", "json"]).unwrap();
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    bundles(list["items"].as_array().unwrap())
}

fn data(server: &ApiServer) -> Value {
    let output = server.kubectl(&["-n", "countersign-system", "get", "secret", "countersign-ca", "-o", "json"]).unwrap();
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["data"].take()
}

/// Writes a certificate for the Service's name and its key; gives the authority, as PEM.
fn files(folder: &Path) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![NAME.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    std::fs::write(folder.join("tls.crt"), leaf.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
    authority.pem()
}

/// What cainjector does, or an administrator.
fn publish(server: &ApiServer, bundle: &str) {
    for mut object in shipped().into_iter().filter(is_webhook) {
        for entry in object["webhooks"].as_array_mut().unwrap() {
            entry["clientConfig"]["caBundle"] = json!(STANDARD.encode(bundle));
        }
        apply(server, &object.to_string());
    }
}
