//! The way of the API server into the cluster: the socket that it asks by HTTP CONNECT, and the kubelet of a node that is none.
//!
//! There is no kubelet, no kube-proxy and no Service network here. What the API server sends to the Service ends at the webhook on
//! loopback; what it sends to the kubelet ends at a small stand-in, which knows port forwards and nothing else. Both can be cut.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use futures::{SinkExt as _, StreamExt as _};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// The port by which the stand-in is known to the API server.
pub(super) const KUBELET_PORT: u16 = 10250;

/// Where everything ends.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// The webhook, once it runs.
    webhook: Mutex<Option<SocketAddr>>,
    cut: AtomicBool,
    open: Mutex<Vec<UnixStream>>,
}

impl Way {
    /// Listens at `socket` from now on, until the test process ends.
    pub(super) fn listen(socket: &Path) -> Arc<Self> {
        let way = Arc::new(Self::default());
        let kubelet = kubelet(Arc::clone(&way));
        let listener = UnixListener::bind(socket).unwrap();
        let listening = Arc::clone(&way);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let way = Arc::clone(&listening);
                thread::spawn(move || way.lead(stream, kubelet));
            }
        });
        way
    }

    pub(super) fn ends_at(&self, webhook: SocketAddr) {
        *self.webhook.lock().unwrap() = Some(webhook);
    }

    fn webhook(&self) -> SocketAddr {
        self.webhook.lock().unwrap().expect("the webhook runs")
    }

    /// Lets nobody through to the Service any more, and ends what goes on; or lets everybody through again.
    pub(super) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
        if cut {
            for stream in self.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// One connection: to the kubelet by its port, all else to the webhook.
    fn lead(&self, mut stream: UnixStream, kubelet: SocketAddr) {
        let mut head =
            BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
        let asked = head.next().unwrap_or_default();
        head.for_each(drop);
        let to_kubelet = asked.contains(&format!(":{KUBELET_PORT} "));
        if !to_kubelet && self.cut.load(Ordering::SeqCst) {
            let _ = write!(stream, "HTTP/1.1 502 Bad Gateway\r\n\r\n");
            return;
        }
        let there = TcpStream::connect(if to_kubelet { kubelet } else { self.webhook() }).unwrap();
        if !to_kubelet {
            self.open.lock().unwrap().push(stream.try_clone().unwrap());
        }
        let _ = write!(stream, "HTTP/1.1 200 Connection established\r\n\r\n");
        let (mut from, mut to) = (stream.try_clone().unwrap(), there.try_clone().unwrap());
        let back = thread::spawn(move || {
            let _ = std::io::copy(&mut &there, &mut stream);
            let _ = stream.shutdown(Shutdown::Write);
        });
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
        let _ = back.join();
    }
}

/// Starts the stand-in for a kubelet on a port of loopback.
fn kubelet(way: Arc<Way>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let key = rcgen::generate_simple_self_signed(["node-1".to_owned()]).unwrap();
    let der = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], der).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    thread::spawn(move || {
        crate::site::block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, way) = (acceptor.clone(), Arc::clone(&way));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        forward(stream, &way).await;
                    }
                });
            }
        });
    });
    address
}

/// One port forward: two channels for the one port, each opened by the port's number.
///
/// Source: Kubernetes, `pkg/kubelet/cri/streaming/portforward/websocket.go`.
async fn forward(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin, way: &Way) {
    let mut port = 0_u16;
    #[allow(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let accept = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        port = request
            .uri()
            .query()
            .and_then(|query| query.split('&').find_map(|part| part.strip_prefix("port=")?.parse().ok()))
            .unwrap();
        response.headers_mut().insert("sec-websocket-protocol", "v4.channel.k8s.io".parse().unwrap());
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, accept).await else { return };
    for channel in [0, 1] {
        let [low, high] = port.to_le_bytes();
        socket.send(Message::binary(vec![channel, low, high])).await.unwrap();
    }
    let mut there = tokio::net::TcpStream::connect(way.webhook()).await.unwrap();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) if bytes.len() > 1 && bytes[0] == 0 => there.write_all(&bytes[1..]).await.unwrap(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            read = there.read(&mut buffer) => {
                let count = read.unwrap_or_default();
                if count == 0 || socket.send(Message::binary([&[0], &buffer[..count]].concat())).await.is_err() {
                    return;
                }
            }
        }
    }
}
