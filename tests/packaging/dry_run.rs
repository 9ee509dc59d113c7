//! The API server takes all of it: every field is known, every object is valid.

use countersign_harness::{ApiServer, Options, programs as built};

use crate::instance_metadata::in_namespace;
use crate::programs::{HOME, apply, kustomize, objects, repository, stream, succeeded, template};

#[test]
fn everything_that_is_shipped_passes_a_strict_dry_run() {
    let server = ApiServer::boot(&Options::default()).unwrap();
    let (_, crds) = built::cert_manager().unwrap();
    succeeded(server.kubectl(&["apply", "--server-side", "-f", &crds.display().to_string()]).unwrap());
    succeeded(server.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]).unwrap());
    for namespace in [HOME, "kafka"] {
        succeeded(server.kubectl(&["create", "namespace", namespace]).unwrap());
    }
    let mut shipped = vec![("the chart".to_owned(), succeeded(template(&[])))];
    let overlays = std::fs::read_dir(repository("manifests/overlays")).unwrap().map(|folder| folder.unwrap().path());
    for folder in overlays.chain([repository("manifests/base")]) {
        // The one thing that is left to the administrator; the API server wants a certificate in it.
        let text = kustomize(&folder).replace("CA_BUNDLE", &authority());
        shipped.push((folder.display().to_string(), text));
    }
    shipped.push(("instance metadata".to_owned(), in_namespace("kafka")));
    assert_eq!(shipped.len(), 7);
    for (what, text) in shipped {
        let sent = objects(&text);
        let output = apply(&server, &stream(sent.values()), &["--dry-run=server"]);
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{what}: the API server warns");
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), sent.len(), "{what}");
    }
    let nonsense = serde_json::json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "namespace": HOME}, "spec": {"ports": [{"port": 1}], "selektor": {}}});
    let output = apply(&server, &nonsense.to_string(), &["--dry-run=server"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("selektor"), "a field that nobody knows is told");
}

/// A certificate authority as `caBundle` holds it.
fn authority() -> String {
    use base64::Engine as _;
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    base64::engine::general_purpose::STANDARD.encode(pem)
}
