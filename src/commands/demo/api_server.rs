//! What the API server does with a new pod, as far as the webhook sees it: the two calls over HTTPS, HTTP/1.1 and TLS 1.3.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A client that trusts one CA and calls one webhook.
pub(super) struct ApiServer {
    connector: TlsConnector,
    address: SocketAddr,
}

/// What became of a pod.
#[derive(Debug, Default)]
pub(super) struct Created {
    /// Why it was refused.
    pub(super) refused: Option<String>,
    /// Whether /mutate refused it already.
    pub(super) conflict: bool,
    /// What was added to it.
    pub(super) changes: Vec<String>,
    /// The policy's digest.
    pub(super) digest: Option<String>,
    /// The entry that lists it.
    pub(super) entry: Option<String>,
}

/// The parts of the answer that the API server reads.
#[derive(Deserialize)]
struct Review {
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    allowed: bool,
    patch: Option<String>,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    audit_annotations: HashMap<String, String>,
}

#[derive(Deserialize, Default)]
struct Status {
    message: String,
}

impl ApiServer {
    /// A client that trusts the CA in `ca`.
    pub(super) fn trusting(ca: &Path, address: SocketAddr) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ca).with_context(|| format!("cannot read {}", ca.display()))?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), address })
    }

    /// Sends a new pod through /mutate, applies the patch, and sends the result through /validate.
    pub(super) async fn create(&self, pod: &Value) -> anyhow::Result<Created> {
        let mut pod = pod.clone();
        let mutated = self.call("/mutate", &pod).await?;
        if !mutated.allowed {
            return Ok(Created { refused: Some(mutated.status.message), conflict: true, ..Created::default() });
        }
        let mut changes = Vec::new();
        if let Some(patch) = mutated.patch {
            let patch: json_patch::Patch = serde_json::from_slice(&STANDARD.decode(patch)?)?;
            json_patch::patch(&mut pod, &patch)?;
            changes.extend(patch.iter().map(|operation| field(operation.path().as_str())));
        }
        let validated = self.call("/validate", &pod).await?;
        if !validated.allowed {
            return Ok(Created { refused: Some(validated.status.message), changes, ..Created::default() });
        }
        let noted = |key: &str| validated.audit_annotations.get(key).cloned();
        Ok(Created { refused: None, conflict: false, changes, digest: noted("digest"), entry: noted("entry") })
    }

    /// The response of an admission review for the creation of `pod`.
    async fn call(&self, path: &str, pod: &Value) -> anyhow::Result<Response> {
        let namespace = pod.pointer("/metadata/namespace");
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "00000000-0000-0000-0000-000000000001", "operation": "CREATE", "namespace": namespace,
                "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"},
                "userInfo": {"username": "demo"}, "object": pod, "oldObject": null, "dryRun": false
            }
        });
        let stream = TcpStream::connect(self.address).await?;
        let stream = self.connector.connect(ServerName::from(self.address.ip()), stream).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::post(format!("{path}?timeout=5s"))
            .header("host", self.address.to_string())
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(review.to_string())))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{path} answered {status}: {}", String::from_utf8_lossy(&body));
        }
        let Review { response } = serde_json::from_slice(&body)?;
        Ok(response)
    }
}

/// A JSON pointer as people name the field: `metadata.labels[example.org/x]`.
fn field(pointer: &str) -> String {
    let mut parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |field, part| {
        if part.contains(['/', '.']) || part.parse::<u32>().is_ok() {
            format!("{field}[{part}]")
        } else {
            format!("{field}.{part}")
        }
    })
}
