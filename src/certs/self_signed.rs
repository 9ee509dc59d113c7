//! A certificate authority and a leaf of its own, made at each start: for trying out, and for a server on loopback.
//!
//! Both live for a year; neither key is ever written. Whoever trusts the authority of an earlier start has to read
//! the new one.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::PrivateKeyDer;

use super::leaf::{CertError, Leaf};

/// The file that the certificate of the authority is written to, as PEM.
pub const CA_FILE: &str = "ca.crt";

/// Whom the leaf speaks for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const LIFE: Duration = Duration::from_hours(365 * 24);
/// Clients with a clock behind ours.
const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// Makes both, and writes the authority's certificate into `directory`, which it makes if it is missing.
pub(super) fn make(directory: &Path) -> Result<Leaf, CertError> {
    let authority = CertifiedIssuer::self_signed(authority(), KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = leaf()?.signed_by(&key, &authority)?;
    write(directory, &authority.pem())?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|because| CertError::Malformed(because.into()))?;
    Leaf::new(vec![certificate.der().clone()], key)
}

fn authority() -> CertificateParams {
    let mut params = valid(CertificateParams::default());
    params.distinguished_name.push(DnType::CommonName, "countersign self-signed authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf() -> Result<CertificateParams, rcgen::Error> {
    let mut params = valid(CertificateParams::new(NAMES.map(str::to_owned))?);
    params.distinguished_name.push(DnType::CommonName, "countersign");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn valid(mut params: CertificateParams) -> CertificateParams {
    let now = SystemTime::now();
    params.not_before = (now - CLOCK_SKEW).into();
    params.not_after = (now + LIFE).into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

/// Writes the file whole or not at all, readable by everyone.
fn write(directory: &Path, pem: &str) -> Result<(), CertError> {
    let path = directory.join(CA_FILE);
    let failed = |action, path: &Path| {
        let path: PathBuf = path.to_owned();
        move |source| CertError::File { action, path, source }
    };
    fs::create_dir_all(directory).map_err(failed("create", directory))?;
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed("write", &path))?;
    file.write_all(pem.as_bytes()).map_err(failed("write", &path))?;
    readable(file.as_file()).map_err(failed("write", &path))?;
    file.persist(&path).map_err(|error| failed("write", &path)(error.error))?;
    Ok(())
}

fn readable(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}
