//! What the handshake takes and what not.

use std::time::Duration;

use countersign::http::Limits;
use rustls::version::{TLS12, TLS13};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use crate::{
    caller::connect,
    site::{Site, easy, soon, until},
};

#[tokio::test]
async fn tls_1_2_is_refused_and_counted() {
    let site = Site::start(easy(), Limits::default()).await;
    let error = connect(&site, &TLS12, &["http/1.1"]).await.unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
    until(async || site.counts("tls_handshake_failures_total 1")).await;
}

#[tokio::test]
async fn http_1_1_is_taken_where_http_2_is_preferred() {
    let site = Site::start(easy(), Limits::default()).await;
    let stream = connect(&site, &TLS13, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test]
async fn http_2_alone_is_refused() {
    let site = Site::start(easy(), Limits::default()).await;
    let error = connect(&site, &TLS13, &["h2"]).await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn a_silent_handshake_is_given_up_and_counted() {
    let limits = Limits { handshake: Duration::from_millis(50), ..Limits::default() };
    let site = Site::start(easy(), limits).await;
    let mut socket = TcpStream::connect(site.address).await.unwrap();
    assert_eq!(soon(socket.read(&mut [0; 1])).await.unwrap(), 0);
    until(async || site.counts("tls_handshake_failures_total 1")).await;
}
