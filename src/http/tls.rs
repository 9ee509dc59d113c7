//! TLS as the webhook speaks it: version 1.3, and HTTP/1.1 alone.
//!
//! Why one protocol: over a loopback URL the API server takes HTTP/2 where it is offered, through a Service it speaks
//! HTTP/1.1. With one offer, tests and production are the same.

use std::sync::Arc;

use rustls::{ServerConfig, crypto::aws_lc_rs, server::ResolvesServerCert, version::TLS13};
use tokio_rustls::TlsAcceptor;

/// The one application protocol on offer.
const HTTP_1_1: &[u8] = b"http/1.1";

/// An acceptor that asks `certificates` at each handshake.
pub(super) fn acceptor(certificates: Arc<dyn ResolvesServerCert>) -> Result<TlsAcceptor, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
