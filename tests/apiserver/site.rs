//! The site of the tests: an API server with Countersign installed.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_harness::{ApiServer, Options, Process};
use serde_json::{Value, json};

/// Whom the webhook is to the API server: it has the rights of the shipped RBAC and no more.
pub(crate) const ACCOUNT: &str = "system:serviceaccount:countersign-system:countersign";

/// How long something may take that happens by itself; nothing waits that long when all is well.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// An API server with Countersign installed and running.
pub(crate) struct Site {
    pub(crate) server: ApiServer,
    pub(crate) webhook: Webhook,
}

/// A running `countersign serve`.
pub(crate) struct Webhook {
    _process: Process,
    pub(crate) health: SocketAddr,
}

/// The site that most tests share: the built-in configuration.
pub(crate) fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| Site::open(None))
}

impl Site {
    /// Boots an API server, installs the manifests for a configuration, starts the webhook and registers it.
    pub(crate) fn open(configuration: Option<&str>) -> Self {
        Self::open_for(configuration, Options::default())
    }

    /// The same with more users.
    pub(crate) fn open_for(configuration: Option<&str>, options: Options) -> Self {
        Self::open_with(configuration, options, &[])
    }

    /// The same with more flags for the webhook.
    pub(crate) fn open_with(configuration: Option<&str>, options: Options, flags: &[&str]) -> Self {
        let options = options.user(ACCOUNT, &["system:serviceaccounts", "system:serviceaccounts:countersign-system"]);
        Self::installed(ApiServer::boot(&options).unwrap(), configuration, flags)
    }

    /// The same in an API server that is there, and knows [`ACCOUNT`].
    pub(crate) fn installed(server: ApiServer, configuration: Option<&str>, flags: &[&str]) -> Self {
        let path = configuration.map(|text| {
            let path = server.folder().join("configuration.yaml");
            std::fs::write(&path, text).unwrap();
            path
        });
        let manifests = manifests(path.as_deref());
        apply(&server, &without_webhooks(&manifests));
        let classes = json!({"apiVersion": "v1", "kind": "List", "items": [runtime_class("kata-cc-isolation", "kata-cc"), runtime_class("kata-cc", "kata-cc")]});
        apply(&server, &classes.to_string());
        block_on(server.namespace("kafka", &[], &["workload-identity-sa"])).unwrap();
        let (webhook, address) = start(&server, path.as_deref(), flags);
        register(&server, &manifests, address, &authority(&server));
        // Refused by /validate: what completes pods is seen once it was called.
        until("/mutate is called", || {
            probe(&server);
            webhook.get("/metrics").contains("endpoint=\"mutate\"").then_some(())
        });
        Self { server, webhook }
    }
}

/// A RuntimeClass as AKS has it. Source: the AKS confidential-containers tutorial (overhead memory 2Gi).
pub(crate) fn runtime_class(name: &str, handler: &str) -> Value {
    json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": handler, "overhead": {"podFixed": {"memory": "2Gi"}}})
}

/// What `countersign manifests` prints.
pub(crate) fn manifests(configuration: Option<&Path>) -> Vec<Value> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("manifests");
    if let Some(path) = configuration {
        command.arg("--config").arg(path);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_saphyr::from_multiple(&String::from_utf8(output.stdout).unwrap()).unwrap()
}

pub(crate) fn is_webhook(object: &Value) -> bool {
    object["kind"].as_str().unwrap().ends_with("WebhookConfiguration")
}

pub(crate) fn without_webhooks(manifests: &[Value]) -> String {
    let items: Vec<_> = manifests.iter().filter(|object| !is_webhook(object)).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// The shipped webhook configurations, pointed at `address`.
pub(crate) fn register(server: &ApiServer, manifests: &[Value], address: SocketAddr, authority: &[u8]) {
    for object in pointed_at(manifests, address, authority) {
        apply(server, &object.to_string());
    }
    until("the webhooks are registered", || (!probe(server).is_empty()).then_some(()));
}

/// The webhook configurations among some manifests, with only `clientConfig` replaced.
pub(crate) fn pointed_at(manifests: &[Value], address: SocketAddr, authority: &[u8]) -> Vec<Value> {
    let mut configurations: Vec<Value> = manifests.iter().filter(|object| is_webhook(object)).cloned().collect();
    for webhook in configurations.iter_mut().flat_map(|object| object["webhooks"].as_array_mut().unwrap()) {
        let path = webhook["clientConfig"]["service"]["path"].as_str().unwrap().to_owned();
        webhook["clientConfig"] = json!({"url": format!("https://{address}{path}"), "caBundle": STANDARD.encode(authority)});
    }
    configurations
}

/// The refusal of a pod that claims to be countersigned, by a policy that nobody listed: the webhook alone refuses it, in every mode.
/// Empty while nobody refuses it.
pub(crate) fn probe(server: &ApiServer) -> String {
    let metadata = json!({
        "name": "probe", "namespace": "kafka", "labels": {"countersign.dev/countersigned": "true"},
        "annotations": {"io.katacontainers.config.agent.policy": "cGFja2FnZSBwcm9iZQo="}
    });
    let spec = json!({"runtimeClassName": "kata-cc-isolation", "containers": [{"name": "c", "image": "i"}]});
    let probe = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    let output = server.kubectl_with_input(&["create", "--dry-run=server", "-f", "-"], &probe.to_string()).unwrap();
    String::from_utf8(output.stderr).unwrap()
}

/// Takes the policies away, for tests of what the webhook says where a policy would answer first.
pub(crate) fn without_policies(server: &ApiServer) {
    let kinds = "validatingadmissionpolicybindings,validatingadmissionpolicies";
    let output = server.kubectl(&["delete", kinds, "-l", "app.kubernetes.io/name=countersign"]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let label = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "probe", "labels": {"countersign.dev/mode": "x"}}});
    let class = runtime_class("probe", "kata-cc");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "kafka", "labels": {"countersign.dev/confidential": "x"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    block_on(server.namespace("required-probe", &[("countersign.dev/confidential", "required")], &[])).unwrap();
    let plain = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "required-probe"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    until("no policy is in force", || {
        let says = |object: &Value| {
            let output = server.kubectl_with_input(&["create", "--dry-run=server", "-f", "-"], &object.to_string()).unwrap();
            String::from_utf8(output.stderr).unwrap().contains("ValidatingAdmissionPolicy")
        };
        (![&label, &class, &pod, &plain].into_iter().any(says)).then_some(())
    });
}

/// The shipped manifests of the built-in configuration.
pub(crate) fn shipped() -> Vec<Value> {
    manifests(None)
}

fn authority(server: &ApiServer) -> Vec<u8> {
    std::fs::read(server.folder().join("webhook/ca.crt")).unwrap()
}

/// Starts `countersign serve` and waits until it is ready.
fn start(server: &ApiServer, configuration: Option<&Path>, flags: &[&str]) -> (Webhook, SocketAddr) {
    let mut arguments: Vec<OsString> =
        ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log", "json"].map(OsString::from).into();
    arguments.extend([OsString::from("--self-signed"), server.folder().join("webhook").into()]);
    if let Some(path) = configuration {
        arguments.extend([OsString::from("--config"), path.into()]);
    }
    arguments.extend(flags.iter().map(OsString::from));
    let variables = [("KUBECONFIG", kubeconfig(server).into_os_string())];
    let process =
        server.companion("countersign", Path::new(env!("CARGO_BIN_EXE_countersign")), &arguments, &variables).unwrap();
    let (reviews, health) = until("the webhook serves", || {
        let log = process.log();
        let line: Value = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .find(|line: &Value| line["fields"]["message"] == "serving")?;
        let address = |field: &str| line["fields"][field].as_str().unwrap().parse().unwrap();
        Some((address("reviews"), address("health")))
    });
    let webhook = Webhook { _process: process, health };
    until("the webhook is ready", || webhook.get("/readyz").starts_with("HTTP/1.1 200").then_some(()));
    (webhook, reviews)
}

/// The kubeconfig of the webhook's service account, in its own namespace.
pub(crate) fn kubeconfig(server: &ApiServer) -> PathBuf {
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(server.kubeconfig_path()).unwrap()).unwrap();
    config["current-context"] = json!(ACCOUNT);
    for context in config["contexts"].as_array_mut().unwrap() {
        context["context"]["namespace"] = json!("countersign-system");
    }
    let path = server.folder().join("webhook.kubeconfig");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

impl Webhook {
    /// What the health port answers, head and body.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.health).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The value of a metric, with its labels as they are printed.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        self.get("/metrics").lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Waits until a watch has seen this version of an object.
    pub(crate) fn has_seen(&self, watch: &str, object: &Value) {
        let version: f64 = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        until(&format!("{watch} are seen at {version}"), || {
            let seen = self.metric(&format!("countersign_watch_resource_version{{watch=\"{watch}\"}}"))?;
            (seen >= version).then_some(())
        });
    }
}

/// Applies objects with `kubectl apply --server-side`, strictly, and gives them back as they are stored.
pub(crate) fn apply(server: &ApiServer, objects: &str) -> Value {
    let arguments = ["apply", "--server-side", "--force-conflicts", "--validate=strict", "-o", "json", "-f", "-"];
    let output = server.kubectl_with_input(&arguments, objects).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asks until there is an answer, and fails after [`DEADLINE`].
pub(crate) fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    until_within(DEADLINE, what, ask)
}

/// The same within another time.
pub(crate) fn until_within<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
