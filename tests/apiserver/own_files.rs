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
