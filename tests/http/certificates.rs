//! Certificates from files that change under a running server, and those that it makes itself.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use countersign::{
    certs::{CertSource, Leaf},
    http::Limits,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use crate::{
    caller::{Caller, stream},
    site::{Site, easy, until},
};

/// A certificate and its key, as PEM.
struct Pair {
    certificate: String,
    key: String,
    der: Vec<u8>,
}

/// A mounted Secret, as the kubelet makes it, and an authority for its certificates.
struct Mount {
    directory: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
    version: u32,
}

impl Mount {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(directory.path().join("ca.crt"), authority.pem()).unwrap();
        let mount = Self { directory, authority, version: 0 };
        for file in ["tls.crt", "tls.key"] {
            symlink(Path::new("..data").join(file), mount.path(file)).unwrap();
        }
        mount
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.directory.path().join(file)
    }

    fn pair(&self) -> Pair {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().to_vec() }
    }

    /// Publishes a new version the way the kubelet does: a new directory, then the link `..data` renamed over.
    fn publish(&mut self, certificate: &str, key: &str) {
        self.version += 1;
        let version = format!("..version_{}", self.version);
        fs::create_dir(self.path(&version)).unwrap();
        fs::write(self.path(&version).join("tls.crt"), certificate).unwrap();
        fs::write(self.path(&version).join("tls.key"), key).unwrap();
        symlink(&version, self.path("..data_tmp")).unwrap();
        fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
    }

    fn source(&self) -> CertSource {
        CertSource::Files { certificate: self.path("tls.crt"), key: self.path("tls.key") }
    }
}

async fn serve(mount: &Mount) -> Site {
    let trust = TempDir::new().unwrap();
    fs::copy(mount.path("ca.crt"), trust.path().join("ca.crt")).unwrap();
    Site::with(easy(), Limits::default(), mount.source(), trust).await
}

async fn leaf_of(site: &Site) -> Vec<u8> {
    stream(site).await.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn a_swapped_data_link_is_served_to_new_connections_and_old_ones_live_on() {
    let mut mount = Mount::new();
    let (old, new) = (mount.pair(), mount.pair());
    mount.publish(&old.certificate, &old.key);
    let site = serve(&mount).await;
    assert_eq!(leaf_of(&site).await, old.der);
    let mut kept = Caller::to(&site).await;
    mount.publish(&new.certificate, &new.key);
    until(async || leaf_of(&site).await == new.der).await;
    assert!(site.counts("certificate_reloads_total{result=\"ok\"} 1"));
    assert_eq!(kept.post("/mutate", "{}").await.status, 200);
    mount.publish(&old.certificate, &old.key);
    until(async || leaf_of(&site).await == old.der).await;
    assert!(site.counts("certificate_reloads_total{result=\"ok\"} 2"));
}

#[tokio::test]
async fn a_bad_new_certificate_keeps_the_old_one_until_a_good_one_comes() {
    let mut mount = Mount::new();
    let (old, new) = (mount.pair(), mount.pair());
    mount.publish(&old.certificate, &old.key);
    let site = serve(&mount).await;
    mount.publish("not PEM", &new.key);
    until(async || site.counts("certificate_reloads_total{result=\"failed\"} 1")).await;
    assert_eq!(leaf_of(&site).await, old.der);
    mount.publish(&new.certificate, &old.key);
    until(async || site.counts("certificate_reloads_total{result=\"failed\"} 2")).await;
    assert_eq!(leaf_of(&site).await, old.der);
    mount.publish(&new.certificate, &new.key);
    until(async || leaf_of(&site).await == new.der).await;
}

#[tokio::test]
async fn a_server_does_not_begin_with_bad_files_and_says_what_is_wrong() {
    let mut mount = Mount::new();
    let (one, other) = (mount.pair(), mount.pair());
    let error = mount.source().open(std::sync::Arc::default()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot read {}", mount.path("tls.crt").display())), "{error}");
    for (certificate, key, says) in [
        ("", one.key.as_str(), "tls.crt has no certificate in PEM: no section CERTIFICATE"),
        (one.certificate.as_str(), "", "tls.key has no private key in PEM: "),
        (one.certificate.as_str(), other.key.as_str(), "certificate and key cannot be served: keys may not be consistent"),
    ] {
        mount.publish(certificate, key);
        let error = mount.source().open(std::sync::Arc::default()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn the_end_of_the_served_certificate_is_a_metric() {
    let mut mount = Mount::new();
    let pair = mount.pair();
    mount.publish(&pair.certificate, &pair.key);
    let site = serve(&mount).await;
    let key = rustls::pki_types::pem::PemObject::from_pem_slice(pair.key.as_bytes());
    let key: PrivateKeyDer<'static> = key.unwrap();
    let not_after = Leaf::new(vec![CertificateDer::from(pair.der)], key).unwrap().not_after();
    assert!(site.counts(&format!("certificate_not_after_timestamp_seconds {not_after}")));
}

#[tokio::test]
async fn a_self_signed_authority_is_written_for_everyone_to_read_into_a_new_directory() {
    let directory = TempDir::new().unwrap();
    let inner = directory.path().join("new/tls");
    let source = CertSource::SelfSigned { directory: inner.clone() };
    source.clone().open(std::sync::Arc::default()).unwrap();
    let first = fs::read(inner.join("ca.crt")).unwrap();
    assert_eq!(fs::metadata(inner.join("ca.crt")).unwrap().permissions().mode() & 0o777, 0o644);
    assert!(first.starts_with(b"-----BEGIN CERTIFICATE-----"));
    source.open(std::sync::Arc::default()).unwrap();
    assert_ne!(fs::read(inner.join("ca.crt")).unwrap(), first, "each start has an authority of its own");
    assert_eq!(fs::read_dir(&inner).unwrap().count(), 1, "the keys are nowhere");
}
