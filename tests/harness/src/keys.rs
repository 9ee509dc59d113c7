//! The API server's serving certificate, the authority that signed it, and the key that signs service account tokens.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::boot;
use crate::space::NODE_ADDRESS;

/// Writes `authority.crt`, `serving.crt` and `.key`, `service-accounts.key` and `.pub` into the folder; returns the
/// authority's certificate as DER.
///
/// # Errors
/// When a key cannot be made or a file cannot be written.
pub(crate) fn write(folder: &Path) -> Result<Vec<u8>> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "countersign test authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    // The last three are for the pods and the node of a cluster.
    let names = ["127.0.0.1", "localhost", NODE_ADDRESS, boot::KUBERNETES_SERVICE, "kubernetes.default.svc"].map(str::to_owned);
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    fs::write(folder.join("serving.crt"), certificate.pem())?;
    fs::write(folder.join("serving.key"), key.serialize_pem())?;
    let service_accounts = KeyPair::generate()?;
    fs::write(folder.join("service-accounts.key"), service_accounts.serialize_pem())?;
    fs::write(folder.join("service-accounts.pub"), service_accounts.public_key_pem())?;
    fs::write(folder.join("authority.crt"), authority.pem())?;
    Ok(authority.der().to_vec())
}
