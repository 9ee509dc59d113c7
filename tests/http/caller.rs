//! The API server's side of a connection.

use std::{fs, io, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, SupportedProtocolVersion,
    client::WantsClientCert,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::TLS13,
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::site::{Site, soon};

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The sentence in a JSON error.
    pub(crate) fn error(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let error: serde_json::Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!((&error["kind"], &error["code"]), (&"Status".into(), &self.status.as_u16().into()), "{self:?}");
        error["message"].as_str().unwrap().to_owned()
    }
}

/// One connection that is kept alive.
pub(crate) struct Caller {
    sender: SendRequest<Body>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Caller {
    pub(crate) async fn to(site: &Site) -> Self {
        Self::over(stream(site).await).await
    }

    pub(crate) async fn over(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static) -> Self {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        Self { sender, connection: tokio::spawn(connection) }
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> hyper::Result<Reply> {
        soon(async {
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            let text = String::from_utf8(body.collect().await?.to_bytes().into()).unwrap();
            Ok(Reply { status: head.status, headers: head.headers, text })
        })
        .await
    }

    /// Sends a review to `path`.
    pub(crate) async fn post(&mut self, path: &str, body: impl Into<Body>) -> Reply {
        self.send(review(path, body)).await.unwrap()
    }

    /// Whether the server ends the connection, without a word from here.
    pub(crate) async fn ended(self) -> bool {
        soon(self.connection).await.is_ok()
    }
}

/// A request as the API server makes it.
pub(crate) fn review(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("host", "localhost").header("content-type", "application/json").body(body.into()).unwrap()
}

/// A body of unknown length that sends `first` and then nothing, until the sender is dropped.
pub(crate) fn unfinished(first: &str) -> (Body, tokio::sync::oneshot::Sender<()>) {
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let first = Ok::<_, io::Error>(first.to_owned());
    let rest = futures::stream::once(async {
        let _ = finished.await;
        Ok(String::new())
    });
    let body = futures::StreamExt::chain(futures::stream::iter([first]), rest);
    (Body::from_stream(body), finish)
}

/// A TLS connection as the API server makes it.
pub(crate) async fn stream(site: &Site) -> TlsStream<TcpStream> {
    connect(site, &TLS13, &["http/1.1"]).await.unwrap()
}

/// A TLS connection in `version`, offering `protocols`, that trusts the site's authority.
pub(crate) async fn connect(
    site: &Site,
    version: &'static SupportedProtocolVersion,
    protocols: &[&str],
) -> io::Result<TlsStream<TcpStream>> {
    let mut config = trusting(site, version).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    dial(site, Arc::new(config)).await
}

/// A configuration of clients that trusts the site's authority.
pub(crate) fn trusting(
    site: &Site,
    version: &'static SupportedProtocolVersion,
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    let authority = fs::read(site.directory.path().join("ca.crt")).unwrap();
    roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
}

/// A TLS connection to the site.
pub(crate) async fn dial(site: &Site, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let socket = soon(TcpStream::connect(site.address)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = soon(TlsConnector::from(config).connect(name, socket)).await?;
    stream.flush().await?;
    Ok(stream)
}
