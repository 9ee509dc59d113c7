//! The certificate of an installation whose manifests expect one to be brought, as `certs/README.md` says.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::Cluster;

const CA_BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../certs/own/ca-bundle.yaml");

/// Makes an authority and a certificate, the Secret, and `caBundle` of both webhook configurations.
pub(crate) fn bring(cluster: &Cluster) -> Result<()> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Countersign webhook CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let name = "countersign.countersign-system.svc".to_owned();
    let certificate = CertificateParams::new([name])?.signed_by(&key, &authority)?;
    let secret = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "countersign-tls", "namespace": "countersign-system"},
        "stringData": {"tls.crt": certificate.pem(), "tls.key": key.serialize_pem()},
    });
    cluster.kubectl_with_input(&["apply", "--server-side", "-f", "-"], &secret.to_string())?;

    let bundle = fs::read_to_string(Path::new(CA_BUNDLE))?.replace("CA_BUNDLE", &base64(authority.pem().as_bytes()));
    let apply = ["apply", "--server-side", "--field-manager=countersign-certificate", "-f", "-"];
    cluster.kubectl_with_input(&apply, &bundle)?;
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}
