//! Clients, well behaved and not.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::server::Server;

/// How long the API server may have to wait until it is served again, in the worst scene.
const RECOVERY: Duration = Duration::from_mins(1);

/// Raises this process's own limit of open files; gives how many connections it may have.
pub(crate) fn many(wanted: usize) -> usize {
    let given = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: given.maximum, maximum: given.maximum }).unwrap();
    let most = given.maximum.map_or(wanted, |most| usize::try_from(most).unwrap().saturating_sub(1000));
    assert!(most > 1000, "the limit of open files is too small to try anything: {most}");
    wanted.min(most)
}

/// How clients of this server speak TLS.
pub(crate) fn connector(server: &Server) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let authority = std::fs::read(server.folder.path().join("ca.crt")).unwrap();
    roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// A connection after its handshake.
pub(crate) async fn connect(server: &Server, connector: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(server.reviews).await?;
    connector.connect(ServerName::try_from("localhost").unwrap(), socket).await
}

/// The head of a request with a body of `length` bytes.
pub(crate) fn head(length: usize) -> String {
    format!(
        "POST /validate?timeout=5s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// The answer to a review, for which the server may take its time.
pub(crate) async fn asked(stream: &mut TlsStream<TcpStream>, review: &str) -> String {
    let head = head(review.len()).replace("timeout=5s", "timeout=30s");
    stream.write_all(format!("{head}{review}").as_bytes()).await.unwrap();
    answer(stream).await
}

/// What comes until the other side closes, or nothing more comes for a while.
pub(crate) async fn answer(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(Ok(length)) = timeout(Duration::from_secs(10), stream.read(&mut piece)).await {
        answer.extend_from_slice(&piece[..length]);
        if length == 0 || answer.ends_with(b"}") {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The API server comes, tries again as it does, and is served in the end: an ordinary pod passes.
pub(crate) async fn is_served(server: &Server) {
    let review = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","namespace":"kafka","kind":{"group":"","version":"v1","kind":"Pod"},"object":{"metadata":{"name":"p"},"spec":{"containers":[]}}}}"#;
    let connector = connector(server);
    let served = timeout(RECOVERY, async {
        loop {
            if let Ok(mut stream) = connect(server, &connector).await {
                let request = format!("{}{review}", head(review.len()));
                if stream.write_all(request.as_bytes()).await.is_ok() {
                    let answer = answer(&mut stream).await;
                    if answer.starts_with("HTTP/1.1 200") {
                        assert!(answer.contains(r#""allowed":true"#), "{answer}");
                        return;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    assert!(served.await.is_ok(), "nobody is served after {RECOVERY:?}");
}
