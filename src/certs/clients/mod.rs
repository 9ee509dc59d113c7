//! The callers of the webhook's port, where it asks for client certificates: who may call it is decided here.
//!
//! What the authorities say (that they signed it, that it is not over, that the caller holds its key) decides the handshake, which ends
//! with the alert for it: `certificate required`, `unknown certificate authority`, `expired certificate`. The API server hands these
//! words on. TLS has none for a name that is not listed, so such a caller gets an HTTP answer in words, and nothing else.
//!
//! An API server presents such a certificate when its administrator says so (docs/client-certificates.md).

mod account;
mod authorities;
mod names;

use std::sync::Arc;

use arc_swap::ArcSwap;
use countersign_decision::configuration::{ClientCertificates, ClientName};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use self::account::Account;
use self::authorities::{Authorities, Verifier};
use self::names::Names;
use super::leaf::CertError;
use super::watch::Watch;
use crate::metrics::{Metrics, RefusedCaller, ReloadLabels, ReloadResult};

/// The check in force, and what keeps its authorities up to date while this lives.
#[derive(Debug)]
pub struct ClientCheck {
    /// What the handshake and each connection ask.
    pub clients: Arc<Clients>,
    _watch: Watch,
}

impl ClientCheck {
    /// Reads the authorities, and watches their file for the next ones. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`CertError`] if the file cannot be read or holds no authority.
    pub fn open(wanted: &ClientCertificates, metrics: Arc<Metrics>) -> Result<Self, CertError> {
        let authorities = Authorities::at(&wanted.authorities);
        let text = authorities.read()?;
        let clients = Arc::new(Clients {
            verifier: ArcSwap::from_pointee(authorities.verifier(&text)?),
            names: wanted.names.clone(),
            account: Account::new(Arc::clone(&metrics)),
            metrics,
        });
        let watch = Watch::start(authorities::Followed { authorities, clients: Arc::clone(&clients) }, text);
        Ok(Self { clients, _watch: watch })
    }
}

/// Who may call. The authorities are swapped whole; a handshake sees the old ones or the new ones.
#[derive(Debug)]
pub struct Clients {
    verifier: ArcSwap<Verifier>,
    names: Vec<ClientName>,
    account: Account,
    metrics: Arc<Metrics>,
}

/// A caller whose certificate is good, and bears no listed name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The names that its certificate bears.
    pub names: String,
}

impl Clients {
    /// Looks for a listed name on the certificate that a handshake has verified; counts and logs a caller without.
    ///
    /// # Errors
    /// [`Stranger`] if there is none.
    pub fn recognize(&self, chain: Option<&[CertificateDer<'_>]>) -> Result<(), Stranger> {
        let names = chain.and_then(<[_]>::first).map(Names::of).unwrap_or_default();
        if names.any_is_in(&self.names) {
            return Ok(());
        }
        let names = names.to_string();
        self.account.refused(RefusedCaller::Name, &names);
        Err(Stranger { names })
    }

    /// Counts and logs a handshake that ended because there was no certificate: the verifier is not asked about these.
    pub fn handshake_failed(&self, error: &std::io::Error) {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
        if matches!(cause, Some(Error::NoCertificatesPresented)) {
            self.account.refused(RefusedCaller::NoCertificate, "nobody");
        }
    }

    /// Asks the new authorities from the next handshake on, or the old ones still if there are none; counts and logs it.
    fn renew(&self, renewed: Result<Verifier, CertError>) {
        let result = match renewed {
            Ok(verifier) => {
                tracing::info!("client certificates are verified by other authorities from now on");
                self.verifier.store(Arc::new(verifier));
                ReloadResult::Ok
            }
            Err(error) => {
                tracing::error!(%error, "the authorities of client certificates are not usable: those from before count on");
                ReloadResult::Failed
            }
        };
        self.metrics.client_authorities_reloads.get_or_create(&ReloadLabels { result }).inc();
    }
}

impl ClientCertVerifier for Clients {
    /// None: a client chooses its certificate by its own configuration, and gets the alert that says what is wrong with it.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.load().verify_client_cert(leaf, intermediates, now).map_err(|error| match error {
            // Of an authority that bears the name of a known one and has another key: one that was made anew.
            Error::InvalidCertificate(CertificateError::BadSignature) => CertificateError::UnknownIssuer.into(),
            error => error,
        });
        verified.inspect_err(|error| self.account.refused(cause(error), &Names::of(leaf).to_string()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.load().verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.load().verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.load().supported_verify_schemes()
    }
}

fn cause(error: &Error) -> RefusedCaller {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => RefusedCaller::UnknownAuthority,
        Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => RefusedCaller::Expired,
        _ => RefusedCaller::Unusable,
    }
}
