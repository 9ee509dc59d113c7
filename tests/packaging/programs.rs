//! The programs as people call them, and what they print.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use countersign_harness::{ApiServer, programs};
use serde_json::Value;

/// The namespace that everything is installed into.
pub(crate) const HOME: &str = "countersign-system";

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The chart's folder.
pub(crate) fn chart() -> String {
    repository("manifests/helm/countersign").display().to_string()
}

/// Runs helm without a cluster.
pub(crate) fn helm(arguments: &[&str]) -> Output {
    helm_in(tempfile::tempdir().unwrap().path(), arguments)
}

/// Runs helm against an API server.
pub(crate) fn helm_at(server: &ApiServer, arguments: &[&str]) -> String {
    let kubeconfig = server.kubeconfig_path().display().to_string();
    succeeded(helm_in(server.folder(), &[arguments, &["--kubeconfig", &kubeconfig]].concat()))
}

/// Runs helm with its caches in a folder.
fn helm_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(programs::helm().unwrap());
    for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(variable, folder.join("helm"));
    }
    command.env_remove("KUBECONFIG").args(arguments).output().unwrap()
}

/// What the chart renders to, with these arguments beside.
pub(crate) fn template(arguments: &[&str]) -> Output {
    let chart = chart();
    helm(&[&["template", "countersign", &chart, "--namespace", HOME], arguments].concat())
}

/// What kustomize makes of a folder.
pub(crate) fn kustomize(folder: &Path) -> String {
    succeeded(Command::new(programs::kustomize().unwrap()).arg("build").arg(folder).output().unwrap())
}

/// What `countersign manifests` prints.
pub(crate) fn manifests(arguments: &[&str]) -> String {
    succeeded(Command::new(env!("CARGO_BIN_EXE_countersign")).arg("manifests").args(arguments).output().unwrap())
}

/// The standard output of a program that succeeded.
pub(crate) fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Objects by kind, namespace and name.
pub(crate) type Objects = BTreeMap<String, Value>;

/// The objects of a YAML stream.
pub(crate) fn objects(text: &str) -> Objects {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    let mut objects = Objects::new();
    for object in documents.into_iter().filter(|document| !document.is_null()) {
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let key = [&object["kind"], &object["metadata"]["namespace"], &object["metadata"]["name"]].map(word).join("/");
        assert!(objects.insert(key.clone(), object).is_none(), "{key} is there twice");
    }
    objects
}

/// Objects as a stream for kubectl, which applies them in order: the namespace comes first.
pub(crate) fn stream<'a>(objects: impl IntoIterator<Item = &'a Value>) -> String {
    let (namespaces, others): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| object["kind"] == "Namespace");
    [namespaces, others].concat().into_iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")
}

/// Applies objects as the documents say: on the server's side, strictly. Returns what kubectl printed.
pub(crate) fn apply(server: &ApiServer, objects: &str, flags: &[&str]) -> Output {
    let arguments = [&["apply", "--server-side", "--validate=strict"], flags, &["-f", "-"]].concat();
    server.kubectl_with_input(&arguments, objects).unwrap()
}

/// One object as it is stored.
pub(crate) fn stored(server: &ApiServer, what: &[&str]) -> Value {
    let output = server.kubectl(&[&["get", "-o", "json"], what].concat()).unwrap();
    serde_json::from_str(&succeeded(output)).unwrap()
}

/// Asks until there is an answer.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
