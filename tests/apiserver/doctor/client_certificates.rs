//! The check of client certificates as docs/client-certificates.md has it: its files, word for word but for the paths.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_harness::Options;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use super::clinic::Clinic;
use crate::pods::{create, documents};
use crate::site::{apply, block_on, probe, until};

const DOCUMENT: &str = include_str!("../../../docs/client-certificates.md");
const CONSUMER: &str = include_str!("../../../manifests/samples/consumer-plain-with-policy.yaml");
const ALLOW_LIST: &str = include_str!("../../../manifests/samples/allow-list.yaml");
const REFUSED: &str = "countersign_client_certificates_refused_total";

/// The block of the document that begins with this line, without the list's indent.
fn block(first: &str) -> String {
    let (_, rest) = DOCUMENT.split_once(first).unwrap_or_else(|| panic!("{first} is not in the document"));
    let (block, _) = rest.split_once("```").unwrap();
    let text = format!("{first}{block}");
    let lines = text.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Makes an authority and a certificate of it in `folder` by the commands of the document, for another name if one is given.
fn certificates(folder: &Path, name: Option<&str>) {
    let mut script = block("openssl req -x509");
    if let Some(name) = name {
        // The authority stays.
        let (_, certificate) = script.split_once("openssl req -newkey").unwrap();
        script = format!("openssl req -newkey{certificate}").replace("kube-apiserver-webhooks", name);
    }
    let output = Command::new("sh").args(["-ec", &script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_api_server_with_a_listed_certificate_is_served_and_nobody_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |file: &str| folder.path().join(file);
    certificates(folder.path(), None);
    let here = |text: &str| text.replace("/etc/kubernetes/admission", folder.path().to_str().unwrap());
    std::fs::write(path("webhooks.yaml"), here(&block("# webhooks.yaml"))).unwrap();
    let configuration = block("# countersign.yaml").replace("/etc/countersign/clients", folder.path().to_str().unwrap());
    std::fs::write(path("countersign.yaml"), configuration).unwrap();
    let options = Options::default().admission(&here(&block("# admission.yaml")));
    let clinic = Clinic::open_with(options, &["--config".into(), path("countersign.yaml").into()]);

    // Readiness has looked at the certificate through the port, and so does doctor.
    let healthy = clinic.doctor_until(|report| report.code == 0);
    assert_eq!((healthy.code, healthy.at_fault()), (0, Vec::new()), "{}", healthy.text);

    block_on(clinic.server.namespace("kafka", &[], &["workload-identity-sa"])).unwrap();
    apply(&clinic.server, &documents(ALLOW_LIST)[0].to_string());
    let pod = documents(CONSUMER).into_iter().find(|object| object["kind"] == "Pod").unwrap();
    let stored = until("the listed pod is admitted", || create(&clinic.server, &pod, true).stored.ok());
    assert_eq!(stored["spec"]["containers"][0]["name"], "skr", "it was completed");
    assert!(!clinic.metrics().contains(&format!("{REFUSED}{{cause=\"name\"}}")), "{}", clinic.metrics());

    // Somebody in the cluster who reaches the port, and asks what the API server asked.
    let answered = |text: &str| -> f64 {
        text.lines()
            .filter(|line| line.starts_with("countersign_requests_total{"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    let before = answered(&clinic.metrics());
    let answer = ask(clinic.reviews, &authority(&clinic), &pod);
    assert_eq!(answer.unwrap_err(), "received fatal alert: CertificateRequired");
    assert!((answered(&clinic.metrics()) - before).abs() < f64::EPSILON, "nothing was judged");

    // A certificate of the right authority for somebody else, in the API server's hand: it reads its files again.
    certificates(folder.path(), Some("somebody-else"));
    let says = told(&clinic, "yours says CN=somebody-else");
    assert!(says.contains("failed calling webhook") && says.contains("clientCertificates.names"), "{says}");
    let report = clinic.doctor_until(|report| report.check("refusal").0 == "wrong");
    assert!(report.check("refusal").1.contains("CN=somebody-else"), "{}", report.text);

    // Another authority on our side: the API server's words are those of the troubleshooting page.
    std::fs::write(path("ca.crt"), rcgen_authority()).unwrap();
    told(&clinic, "remote error: tls: unknown certificate authority");
    assert!(clinic.metrics().contains(&format!("{REFUSED}{{cause=\"unknown-authority\"}}")));
    assert!(clinic.log().contains("CN=somebody-else") && clinic.log().contains("\"address\":\"127.0.0.1:"));
}

/// What a user hears whose pod is asked about, once it holds this text; each time the API server has to connect anew.
fn told(clinic: &Clinic, text: &str) -> String {
    until(text, || {
        clinic.way.cut(true);
        clinic.way.cut(false);
        let says = probe(&clinic.server);
        says.contains(text).then_some(says)
    })
}

fn rcgen_authority() -> String {
    STANDARD.decode(super::clinic::another_authority(jiff::Timestamp::MAX)).map(|pem| String::from_utf8(pem).unwrap()).unwrap()
}

/// The authority of the served certificate, as it is published.
fn authority(clinic: &Clinic) -> Vec<u8> {
    let stored = clinic.kubectl(&["get", "validatingwebhookconfiguration", "countersign", "-o", "json"]);
    let stored: Value = serde_json::from_str(&stored).unwrap();
    STANDARD.decode(stored["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap()).unwrap()
}

/// Sends a review of a pod without a client certificate, over TLS that is right otherwise; the error says what ended it.
fn ask(address: SocketAddr, authority: &[u8], pod: &Value) -> Result<String, String> {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": "u", "operation": "CREATE", "namespace": "kafka", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": pod}
    })
    .to_string();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("countersign.countersign-system.svc").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let head = format!(
        "POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        review.len()
    );
    let mut answer = String::new();
    let exchange = (|| {
        stream.write_all(head.as_bytes())?;
        stream.write_all(review.as_bytes())?;
        stream.read_to_string(&mut answer)
    })();
    exchange.map(|_| answer).map_err(|error| error.to_string())
}
