//! Three replicas of `countersign serve` as a Deployment runs them: with the rights of the shipped service account, certificates
//! of their own, and no flag but their ports.
//!
//! Stand-ins, because nothing runs pods here: the replicas are processes on loopback, and their `EndpointSlice`s are made by hand,
//! one for each replica. A slice of type IPv4 may not name a loopback address; one of type FQDN takes the same text.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_harness::{ApiServer, Options, Process};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::{Value, json};

use crate::site::{ACCOUNT, apply, is_webhook, kubeconfig, shipped, until, without_webhooks};

/// The name that the API server calls.
pub(crate) const NAME: &str = "countersign.countersign-system.svc";
/// Short times: everything else is as shipped.
const CONFIGURATION: &str = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration,
  certificates: {publishFor: 2s, authorityLife: 24h, leafLife: 1h}, limits: {drainFor: 1s}}";
const NAMES: [&str; 6] = ["countersign-a", "countersign-b", "countersign-c", "countersign-d", "countersign-e", "countersign-f"];

/// An API server with the shipped manifests, and replicas.
pub(crate) struct Fleet {
    pub(crate) server: ApiServer,
    pub(crate) replicas: Vec<Replica>,
    /// From the start of the first replica until all were ready.
    pub(crate) bootstrap: Duration,
    started: usize,
}

/// One replica.
pub(crate) struct Replica {
    pub(crate) name: &'static str,
    pub(crate) process: Process,
    pub(crate) reviews: SocketAddr,
    health: SocketAddr,
}

/// The fleet that the tests share, one at a time. Each leaves it with three ready replicas and no rotation under way.
pub(crate) fn fleet() -> MutexGuard<'static, Fleet> {
    static FLEET: OnceLock<Mutex<Fleet>> = OnceLock::new();
    FLEET.get_or_init(|| Mutex::new(Fleet::open())).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    fn open() -> Self {
        let groups = ["system:serviceaccounts", "system:serviceaccounts:countersign-system"];
        let server = ApiServer::boot(&Options::default().user(ACCOUNT, &groups).user("anybody", &[])).unwrap();
        std::fs::write(configuration(&server), CONFIGURATION).unwrap();
        apply(&server, &without_webhooks(&shipped()));
        let mut fleet = Self { server, replicas: Vec::new(), bootstrap: Duration::ZERO, started: 0 };
        let began = Instant::now();
        fleet.fill();
        // The webhook configurations come last, as they do in the manifests; no pod is sent through them.
        let closed = until("the gate says what is missing", || {
            let answer = fleet.replicas[0].get("/readyz");
            answer.contains("there is no MutatingWebhookConfiguration").then_some(answer)
        });
        assert!(closed.starts_with("HTTP/1.1 503"), "{closed}");
        fleet.reapply();
        fleet.settle();
        fleet.bootstrap = began.elapsed();
        fleet
    }

    /// Applies the shipped webhook configurations as people do: no field is forced.
    pub(crate) fn reapply(&self) {
        self.try_reapply().unwrap();
    }

    /// The same; the error is what kubectl says.
    pub(crate) fn try_reapply(&self) -> Result<(), String> {
        let webhooks: Vec<Value> = shipped().into_iter().filter(is_webhook).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": webhooks}).to_string();
        let output =
            self.server.kubectl_with_input(&["apply", "--server-side", "--validate=strict", "-f", "-"], &list).unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    }

    /// Starts replicas until there are three, and gives each its `EndpointSlice`.
    pub(crate) fn fill(&mut self) {
        while self.replicas.len() < 3 {
            let name = NAMES[self.started];
            self.started += 1;
            let replica = Replica::start(&self.server, name);
            replica.endpoint(&self.server, true);
            self.replicas.push(replica);
        }
    }

    /// Waits until every replica is ready and no rotation is under way.
    pub(crate) fn settle(&self) {
        until("every replica is ready", || self.replicas.iter().all(Replica::ready).then_some(()));
        until("no rotation is under way", || {
            let data = &self.secret()["data"];
            (data["ca.crt"].is_string() && data["next.crt"].is_null() && data["previous.crt"].is_null()).then_some(())
        });
        // The Secret is written first.
        let one = |bundle: &[u8]| countersign::certs::bundle::read(bundle).is_ok_and(|all| all.len() == 1);
        until("every bundle holds one authority", || self.bundles().iter().all(|(_, bundle)| one(bundle)).then_some(()));
    }

    /// Asks for a rotation.
    pub(crate) fn ask_for_rotation(&self, value: &str) {
        let annotation = format!("countersign.dev/rotate={value}");
        self.kubectl(&["-n", "countersign-system", "annotate", "--overwrite", "secret", "countersign-ca", &annotation]);
    }

    /// The Secret of the authorities.
    pub(crate) fn secret(&self) -> Value {
        self.get(&["-n", "countersign-system", "get", "secret", "countersign-ca", "-o", "json"])
    }

    /// Who holds the Lease, and how often it went to another.
    pub(crate) fn holder(&self) -> (String, i64) {
        let spec = self.get(&["-n", "countersign-system", "get", "lease", "countersign", "-o", "json"])["spec"].take();
        (spec["holderIdentity"].as_str().unwrap_or_default().to_owned(), spec["leaseTransitions"].as_i64().unwrap_or_default())
    }

    /// The replica that holds the Lease.
    pub(crate) fn leader(&self) -> usize {
        until("a replica of the fleet leads", || {
            let (holder, _) = self.holder();
            self.replicas.iter().position(|replica| replica.name == holder)
        })
    }

    /// The `caBundle` of every entry, by kind and name.
    pub(crate) fn bundles(&self) -> Vec<(String, Vec<u8>)> {
        let lists = self.get(&["get", "mutatingwebhookconfigurations,validatingwebhookconfigurations", "-o", "json"]);
        bundles(lists["items"].as_array().unwrap())
    }

    /// Reasons and notes of the events so far.
    pub(crate) fn events(&self) -> Vec<(String, String)> {
        let list = self.get(&["-n", "countersign-system", "get", "events.events.k8s.io", "-o", "json"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        list["items"].as_array().unwrap().iter().map(|event| (text(&event["reason"]), text(&event["note"]))).collect()
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) {
        let output = self.server.kubectl(arguments).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn get(&self, arguments: &[&str]) -> Value {
        let output = self.server.kubectl(arguments).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The `caBundle` of every entry of some webhook configurations, by kind and name.
pub(crate) fn bundles(configurations: &[Value]) -> Vec<(String, Vec<u8>)> {
    let entries = configurations.iter().flat_map(|configuration| {
        let kind = configuration["kind"].as_str().unwrap_or("WebhookConfiguration");
        configuration["webhooks"].as_array().unwrap().iter().map(move |entry| {
            let bundle = entry["clientConfig"]["caBundle"].as_str().unwrap_or_default();
            (format!("{kind} {}", entry["name"].as_str().unwrap()), STANDARD.decode(bundle).unwrap())
        })
    });
    entries.collect()
}

fn configuration(server: &ApiServer) -> PathBuf {
    server.folder().join("fleet.yaml")
}

impl Replica {
    fn start(server: &ApiServer, name: &'static str) -> Self {
        Self::start_with(server, name, &[])
    }

    /// Starts one with more flags; its configuration is the file `fleet.yaml` of the run.
    pub(crate) fn start_with(server: &ApiServer, name: &'static str, flags: &[std::ffi::OsString]) -> Self {
        let mut arguments: Vec<_> =
            ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log", "json", "--config"]
                .map(std::ffi::OsString::from)
                .into();
        arguments.push(configuration(server).into());
        arguments.extend_from_slice(flags);
        let variables = [("KUBECONFIG", kubeconfig(server).into_os_string()), ("POD_NAME", name.into())];
        let process = server.companion(name, Path::new(env!("CARGO_BIN_EXE_countersign")), &arguments, &variables).unwrap();
        let (reviews, health) = until("the replica serves", || {
            let log = process.log();
            let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let line = lines.find(|line| line["fields"]["message"] == "serving")?;
            let address = |field: &str| line["fields"][field].as_str().unwrap().parse().unwrap();
            Some((address("reviews"), address("health")))
        });
        Self { name, process, reviews, health }
    }

    /// Writes its `EndpointSlice`, as a controller would.
    pub(crate) fn endpoint(&self, server: &ApiServer, ready: bool) {
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "FQDN",
            "metadata": {"name": self.name, "namespace": "countersign-system", "labels": {"kubernetes.io/service-name": "countersign"}},
            "endpoints": [{"addresses": [self.reviews.ip().to_string()], "conditions": {"ready": ready}}],
            "ports": [{"name": "https", "port": self.reviews.port()}],
        });
        apply(server, &slice.to_string());
    }

    /// What the health port answers, head and body.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(self.health) {
            let _ = write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            let _ = stream.read_to_string(&mut answer);
        }
        answer
    }

    pub(crate) fn ready(&self) -> bool {
        self.get("/readyz").starts_with("HTTP/1.1 200")
    }

    /// The value of a metric, with its labels as they are printed.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        self.get("/metrics").lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Sends a signal to this replica alone.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

/// Makes a new connection as the API server does: TLS 1.3, the chain verified against `bundle`, by the Service's name. Gives the
/// leaf.
pub(crate) fn connect(address: SocketAddr, bundle: &[u8]) -> Result<Vec<u8>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle) {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from(NAME).unwrap()).unwrap();
    let mut socket = TcpStream::connect(address).map_err(|error| error.to_string())?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).map_err(|error| error.to_string())?;
    }
    Ok(connection.peer_certificates().unwrap()[0].to_vec())
}
