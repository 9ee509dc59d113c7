//! An installation that `countersign doctor` finds healthy, as far as a control plane without nodes can be: the shipped manifests
//! unchanged, the real webhook behind the Service's name, and by hand what controllers and kubelets would write.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_harness::{ApiServer, Options, Process};
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};

use super::way::{KUBELET_PORT, Way};
use crate::site::{DEADLINE, apply, block_on, runtime_class, shipped, until};

const HOME: &str = "countersign-system";
const ACCOUNT: &str = "system:serviceaccount:countersign-system:countersign";

pub(super) struct Clinic {
    pub(super) server: ApiServer,
    pub(super) way: Arc<Way>,
    /// Where the webhook serves reviews.
    pub(super) reviews: SocketAddr,
    health: SocketAddr,
    node_clock: Mutex<Option<Timestamp>>,
    webhook: Process,
    _folder: tempfile::TempDir,
}

/// What doctor said.
pub(super) struct Report {
    pub(super) code: i32,
    pub(super) json: Value,
    pub(super) text: String,
}

impl Report {
    /// The level and the problems of a check.
    pub(super) fn check(&self, id: &str) -> (&str, String) {
        let check = self.json["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap();
        let problems: Vec<_> =
            check["findings"].as_array().unwrap().iter().map(|finding| finding["problem"].as_str().unwrap()).collect();
        (check["level"].as_str().unwrap(), problems.join("\n"))
    }

    /// The ids of the checks that are not ok.
    pub(super) fn at_fault(&self) -> Vec<&str> {
        let checks = self.json["checks"].as_array().unwrap().iter();
        checks.filter(|check| check["level"] != "ok").map(|check| check["id"].as_str().unwrap()).collect()
    }
}

impl Clinic {
    pub(super) fn open() -> Self {
        Self::open_with(Options::default(), &[])
    }

    /// The same with other options of the API server, and flags of the webhook.
    pub(super) fn open_with(options: Options, flags: &[OsString]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("egress");
        let way = Way::listen(&socket);
        let groups = ["system:serviceaccounts", "system:serviceaccounts:countersign-system"];
        let options = options.user(ACCOUNT, &groups).user("ann", &["developers"]).egress(&socket);
        let server = ApiServer::boot(&options).unwrap();
        let authority = keys(folder.path());
        apply(&server, &list(&shipped().into_iter().filter(|object| !is_webhook(object)).collect::<Vec<_>>()));
        let (webhook, reviews, health) = serve(&server, folder.path(), flags);
        way.ends_at(reviews);
        let clinic = Self { server, way, reviews, health, node_clock: Mutex::default(), webhook, _folder: folder };
        clinic.by_hand();
        clinic.register(&authority);
        until("the webhook is ready", || get(health, "/readyz").starts_with("HTTP/1.1 200").then_some(()));
        clinic
    }

    /// What the webhook counts.
    pub(super) fn metrics(&self) -> String {
        get(self.health, "/metrics")
    }

    /// What the webhook logged.
    pub(super) fn log(&self) -> String {
        self.webhook.log()
    }

    /// Applies the webhook configurations as they are shipped, then their caBundle, as the leader does it.
    fn register(&self, authority: &str) {
        for object in shipped().into_iter().filter(is_webhook) {
            apply(&self.server, &object.to_string());
            let entries: Vec<_> = object["webhooks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| json!({"name": entry["name"], "clientConfig": {"caBundle": STANDARD.encode(authority)}}))
                .collect();
            let patch = json!({"webhooks": entries}).to_string();
            self.kubectl(&["patch", object["kind"].as_str().unwrap(), "countersign", "--type=strategic", "-p", &patch]);
        }
    }

    /// What controllers and a kubelet would write: a node with its Lease, a pod on it, an endpoint, and the status of the Deployment.
    fn by_hand(&self) {
        let class = runtime_class("kata-cc-isolation", "kata-cc");
        let labels = json!({
            "kubernetes.azure.com/trusted-launch": "true", "kubernetes.azure.com/secure-boot": "true", "kubernetes.io/hostname": "node-1"
        });
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "labels": labels}});
        block_on(self.server.namespace("kube-node-lease", &[], &[])).unwrap();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "countersign-1", "namespace": HOME, "labels": {"app.kubernetes.io/name": "countersign"}},
            "spec": {
                "nodeName": "node-1", "serviceAccountName": "countersign",
                "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{"name": "countersign", "image": "i", "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]
            }
        });
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "countersign-1", "namespace": HOME, "labels": {"kubernetes.io/service-name": "countersign"}},
            "endpoints": [{"addresses": ["192.0.2.1"], "conditions": {"ready": true}}], "ports": [{"name": "https", "port": 8443}]
        });
        apply(&self.server, &list(&[class, node, pod, slice]));
        self.status("node", "node-1", &json!({
            "conditions": [{"type": "Ready", "status": "True", "reason": "r", "message": "m", "lastHeartbeatTime": Timestamp::now(), "lastTransitionTime": Timestamp::now()}],
            "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}], "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}}
        }));
        self.status("pod", "countersign-1", &json!({"phase": "Running", "podIP": "192.0.2.1"}));
        self.status(
            "deployment",
            "countersign",
            &json!({"replicas": 3, "availableReplicas": 3, "readyReplicas": 3, "updatedReplicas": 3}),
        );
    }

    fn status(&self, kind: &str, name: &str, status: &Value) {
        let patch = json!({"status": status}).to_string();
        self.kubectl(&["patch", kind, name, "-n", HOME, "--subresource=status", "--type=merge", "-p", &patch]);
    }

    /// What is renewed every few seconds in a cluster: the Lease of the node, and that of the leader where there is one.
    fn renew(&self) {
        let now = Timestamp::now();
        let lease = |name: &str, namespace: &str, now: Timestamp| {
            let spec = json!({"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": format!("{now:.6}")});
            let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": namespace}, "spec": spec});
            apply(&self.server, &lease.to_string());
        };
        lease("node-1", "kube-node-lease", self.node_clock.lock().unwrap().unwrap_or(now));
        if shipped().iter().any(|object| object["kind"] == "Lease") {
            lease("countersign", HOME, now);
        }
    }

    /// Lets the clock of the node stand still at a time, or go right again.
    pub(super) fn keep_node_clock(&self, at: Option<Timestamp>) {
        *self.node_clock.lock().unwrap() = at;
    }

    pub(super) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.server.kubectl(arguments).unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn doctor(&self) -> Report {
        self.renew();
        self.doctor_as(&[])
    }

    /// Asks doctor until this holds, since the API server takes changes of webhooks up a moment later; gives the last report anyway.
    pub(super) fn doctor_until(&self, holds: impl Fn(&Report) -> bool) -> Report {
        let started = Instant::now();
        loop {
            let report = self.doctor();
            if holds(&report) || started.elapsed() > DEADLINE {
                return report;
            }
        }
    }

    pub(super) fn doctor_as(&self, arguments: &[&str]) -> Report {
        doctor(&self.server.kubeconfig_path(), arguments)
    }
}

/// Calls the binary, for people and for programs.
pub(super) fn doctor(kubeconfig: &Path, arguments: &[&str]) -> Report {
    let call = |output: &str| {
        Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["doctor", "-o", output, "--kubeconfig"])
            .arg(kubeconfig)
            .args(arguments)
            .output()
            .unwrap()
    };
    let answer = call("json");
    let code = answer.status.code().unwrap();
    let text =
        if code == 2 { String::from_utf8(answer.stderr).unwrap() } else { String::from_utf8(call("text").stdout).unwrap() };
    Report { code, json: serde_json::from_slice(&answer.stdout).unwrap_or_default(), text }
}

fn is_webhook(object: &Value) -> bool {
    object["kind"].as_str().unwrap().ends_with("WebhookConfiguration")
}

fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// An authority and a certificate for the name of the Service, as certs/README.md has them; gives the authority's PEM.
fn keys(folder: &Path) -> String {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["countersign.countersign-system.svc".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    std::fs::write(folder.join("tls.crt"), leaf.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
    authority.pem()
}

/// Another authority, valid until `until`, as base64 of its PEM.
pub(super) fn another_authority(until: Timestamp) -> String {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.not_before = std::time::UNIX_EPOCH.into();
    authority.not_after = std::time::SystemTime::from(until).into();
    STANDARD.encode(CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap().pem())
}

/// Starts the webhook with the rights of its service account; gives where it listens for reviews and for health checks.
fn serve(server: &ApiServer, folder: &Path, flags: &[OsString]) -> (Process, SocketAddr, SocketAddr) {
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(server.kubeconfig_path()).unwrap()).unwrap();
    config["current-context"] = json!(ACCOUNT);
    for context in config["contexts"].as_array_mut().unwrap() {
        context["context"]["namespace"] = json!(HOME);
    }
    let kubeconfig: PathBuf = server.folder().join("webhook.kubeconfig");
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    let mut arguments: Vec<OsString> =
        ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log", "json"].map(OsString::from).into();
    for (flag, file) in [("--tls-cert", "tls.crt"), ("--tls-key", "tls.key")] {
        let kept = server.folder().join(file);
        std::fs::copy(folder.join(file), &kept).unwrap();
        arguments.extend([OsString::from(flag), kept.into()]);
    }
    arguments.extend_from_slice(flags);
    let variables = [("KUBECONFIG", kubeconfig.into_os_string())];
    let process =
        server.companion("countersign", Path::new(env!("CARGO_BIN_EXE_countersign")), &arguments, &variables).unwrap();
    let address = |field: &str| {
        until("the webhook serves", || {
            let log = process.log();
            let line: Value = log
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .find(|line: &Value| line["fields"]["message"] == "serving")?;
            Some(line["fields"][field].as_str().unwrap().parse::<SocketAddr>().unwrap())
        })
    };
    let (reviews, health) = (address("reviews"), address("health"));
    (process, reviews, health)
}

/// What the health port answers, head and body.
fn get(health: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(health).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
