//! TLS as the webhook speaks it: version 1.3, and HTTP/1.1 alone.
//!
//! Why one protocol: over a loopback URL the API server takes HTTP/2 where it is offered, through a Service it speaks
//! HTTP/1.1. With one offer, tests and production are the same.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use rustls::version::TLS13;
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{Instrument as _, Span};

use crate::certs::{Clients, Stranger};

/// The one application protocol on offer.
const HTTP_1_1: &[u8] = b"http/1.1";

/// How long what a refused caller still sends is read.
const LINGER: Duration = Duration::from_secs(1);

/// How connections begin.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    /// Who may call; `None` is anybody.
    clients: Option<Arc<Clients>>,
}

impl Tls {
    /// Asks `certificates` at each handshake, and `clients` who may call.
    pub(super) fn new(certificates: Arc<dyn ResolvesServerCert>, clients: Option<Arc<Clients>>) -> Result<Self, rustls::Error> {
        let config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_protocol_versions(&[&TLS13])?;
        let mut config = match &clients {
            None => config.with_no_client_auth(),
            Some(clients) => config.with_client_cert_verifier(Arc::clone(clients) as _),
        }
        .with_cert_resolver(certificates);
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        if clients.is_some() {
            // A session that is taken up again brings its certificate along, and nobody verifies it: it may have ended since, or its
            // authority may be gone.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), clients })
    }

    /// The connection after the handshake, and its caller if that one bears no listed name.
    pub(super) async fn accept(&self, socket: TcpStream) -> io::Result<(TlsStream<TcpStream>, Option<Stranger>)> {
        // What is said of a caller names its address too.
        let span =
            self.clients.as_ref().map_or_else(Span::none, |_| tracing::info_span!("caller", address = %address(&socket)));
        async {
            let accepted = self.acceptor.accept(socket).into_fallible().await;
            let Some(clients) = &self.clients else {
                return accepted.map(|stream| (stream, None)).map_err(|(error, _)| error);
            };
            match accepted {
                Ok(stream) => {
                    let stranger = clients.recognize(stream.get_ref().1.peer_certificates()).err();
                    Ok((stream, stranger))
                }
                Err((error, socket)) => {
                    clients.handshake_failed(&error);
                    let _ = timeout(LINGER, linger(socket)).await;
                    Err(error)
                }
            }
        }
        .instrument(span)
        .await
    }
}

fn address(socket: &TcpStream) -> String {
    socket.peer_addr().map_or_else(|error| error.to_string(), |address| address.to_string())
}

/// Lets the caller read the alert. In TLS 1.3 it has sent its request before it can know that its certificate is refused, and closing
/// a connection with unread data resets it: the caller would see the reset in the place of the reason.
async fn linger(mut socket: TcpStream) -> io::Result<()> {
    poll_fn(|context| Pin::new(&mut socket).poll_shutdown(context)).await?;
    let mut unread = [0; 4096];
    loop {
        socket.readable().await?;
        match socket.try_read(&mut unread) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
}
