//! A running server with a judge of the test's choice.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use countersign::{
    certs::{CertSource, Certificates, ClientCheck},
    http::{self, Answer, Drain, Endpoint, Judge, Limits, Outcome, Server},
    metrics::Metrics,
};
use countersign_decision::configuration::ClientCertificates;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::mpsc as tokio_mpsc, task::JoinHandle, time::timeout};

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `future`, and fails the test when it takes too long.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("should be done by now")
}

/// Asks `question` until the answer is yes.
pub(crate) async fn until<F: Future<Output = bool>>(mut question: impl FnMut() -> F) {
    soon(async {
        while !question().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// A judge that is a closure, and ready.
pub(crate) struct Says<F>(pub F);

impl<F: Fn(Endpoint, &[u8]) -> Answer + Send + Sync + 'static> Judge for Says<F> {
    fn answer(&self, endpoint: Endpoint, review: &[u8]) -> Answer {
        (self.0)(endpoint, review)
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The review that answers with `text`.
pub(crate) fn allowed(text: &str) -> Answer {
    Answer::Review { body: text.into(), outcome: Outcome::Allowed, reasons: Vec::new() }
}

/// A judge that answers with the endpoint's name.
pub(crate) fn easy() -> Arc<dyn Judge> {
    Arc::new(Says(|endpoint: Endpoint, _: &[u8]| allowed(endpoint.as_str())))
}

/// The test's end of a judge that takes until it is released.
pub(crate) struct Gate {
    pub(crate) entered: tokio_mpsc::UnboundedReceiver<()>,
    pub(crate) release: mpsc::Sender<()>,
}

/// A judge that waits for the gate with reviews above `large` bytes, and answers the others at once.
pub(crate) fn gated(large: usize) -> (Arc<dyn Judge>, Gate) {
    let (enter, entered) = tokio_mpsc::unbounded_channel();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let judge = Says(move |_: Endpoint, review: &[u8]| {
        if review.len() > large {
            enter.send(()).unwrap();
            released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        }
        allowed("done")
    });
    (Arc::new(judge), Gate { entered, release })
}

/// A running server.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) drain: Drain,
    pub(crate) directory: TempDir,
    pub(crate) server: JoinHandle<Result<(), rustls::Error>>,
    _certificates: Certificates,
    _check: Option<ClientCheck>,
}

impl Site {
    /// With a certificate of its own.
    pub(crate) async fn start(judge: Arc<dyn Judge>, limits: Limits) -> Self {
        let directory = TempDir::new().unwrap();
        let source = CertSource::SelfSigned { directory: directory.path().to_owned() };
        Self::with(judge, limits, source, directory).await
    }

    pub(crate) async fn with(judge: Arc<dyn Judge>, limits: Limits, source: CertSource, directory: TempDir) -> Self {
        Self::serve(judge, limits, source, directory, None).await
    }

    /// With a certificate of its own, for callers that this check lets in.
    pub(crate) async fn for_clients(check: &ClientCertificates) -> Self {
        let directory = TempDir::new().unwrap();
        let source = CertSource::SelfSigned { directory: directory.path().to_owned() };
        Self::serve(easy(), Limits::default(), source, directory, Some(check)).await
    }

    async fn serve(
        judge: Arc<dyn Judge>,
        limits: Limits,
        source: CertSource,
        directory: TempDir,
        check: Option<&ClientCertificates>,
    ) -> Self {
        let metrics = Arc::new(Metrics::new());
        let check = check.map(|check| ClientCheck::open(check, Arc::clone(&metrics)).unwrap());
        let drain = Drain::new();
        let certificates = source.open(Arc::clone(&metrics)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(http::serve(Server {
            listener,
            certificates: certificates.served.clone(),
            clients: check.as_ref().map(|check| Arc::clone(&check.clients)),
            judge,
            exec: None,
            limits,
            metrics: Arc::clone(&metrics),
            drain: drain.clone(),
        }));
        Self { address, metrics, drain, directory, server, _certificates: certificates, _check: check }
    }

    /// Whether the metrics have this line, without the prefix of the names.
    pub(crate) fn counts(&self, line: &str) -> bool {
        self.metrics.text().contains(&format!("\ncountersign_{line}\n"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}
