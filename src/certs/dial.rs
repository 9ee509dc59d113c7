//! A handshake with a server of ours, to see what it serves.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long it may take; a server of ours answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why there is no chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoChain {
    /// Nobody listens there, or who listens serves no certificate.
    #[error("{0}")]
    NotServed(String),
    /// It could not be found out.
    #[error("{0}")]
    Unknown(String),
}

/// The chain (leaf first) that the server at `address` serves to who asks for `name`, whoever signed it: judging it is the
/// caller's.
pub async fn served_chain(address: impl ToSocketAddrs, name: &str) -> Result<Vec<CertificateDer<'static>>, NoChain> {
    let handshake = async { chain_over(TcpStream::connect(address).await?, name).await };
    match timeout(PATIENCE, handshake).await {
        Ok(Ok(chain)) => Ok(chain),
        // tokio-rustls gives what is wrong with TLS, an alert among it, as invalid data.
        Ok(Err(error)) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::InvalidData) => {
            Err(NoChain::NotServed(error.to_string()))
        }
        Ok(Err(error)) => Err(NoChain::Unknown(error.to_string())),
        Err(_) => Err(NoChain::Unknown(format!("no handshake within {PATIENCE:?}"))),
    }
}

/// The same over a connection that is there already.
pub async fn chain_over(stream: impl AsyncRead + AsyncWrite + Unpin, name: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    let server = ServerName::try_from(name.to_owned()).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
    let config = config().map_err(io::Error::other)?;
    let stream = TlsConnector::from(Arc::new(config)).connect(server, stream).await?;
    Ok(stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec())
}

fn config() -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Takes any certificate whose key the server holds.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
