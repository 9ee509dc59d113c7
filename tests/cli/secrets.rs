//! What requests can make the server do beside answering: nothing. It writes no secret of theirs into its log, however much that
//! says, calls nobody, starts nothing but itself to evaluate a listed policy, and touches no file.
//!
//! A secret is what may be one: values of variables, commands and arguments, annotations, policies, what the user brings along
//! (`userInfo.extra`, headers), and whatever stands where it does not belong. Names, images, digests and rules are none.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::http::{EXEC, ROUTES};
use countersign_policy::Digest;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::called::file;

/// Every secret begins so.
const MARK: &str = "hush";
const POLICY: &str = "io.katacontainers.config.agent.policy";

/// A server that says all it can say, and what it said.
struct Server {
    process: Child,
    log: Option<JoinHandle<String>>,
    url: String,
}

impl Server {
    /// Started by `before`, a program that starts what it is given, in `folder`. Nothing is written by the server itself: its
    /// certificate comes from files.
    fn start(folder: &Path, before: &[&str]) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        // A certificate that bears the name of its authority is taken for the authority.
        leaf.distinguished_name = DistinguishedName::new();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        file(folder, "ca.crt", &authority.pem());
        let flags = [
            ("--tls-cert", file(folder, "tls.crt", &leaf.pem())),
            ("--tls-key", file(folder, "tls.key", &key.serialize_pem())),
            ("--allow-list", file(folder, "al.yaml", &allow_list())),
        ];
        let program = [before, &[env!("CARGO_BIN_EXE_countersign")]].concat();
        let mut process = Command::new(program[0])
            .args(&program[1..])
            .args(["serve", "--standalone", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log", "json"])
            .args(flags.iter().flat_map(|(flag, value)| [*flag, value.as_str()]))
            .env("RUST_LOG", "trace")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut log = String::new();
        let url = lines.by_ref().find_map(|line| {
            log = format!("{log}{line}\n");
            let line: Value = serde_json::from_str(&line).ok()?;
            let address = line["fields"]["reviews"].as_str()?;
            (line["fields"]["message"] == "serving").then(|| format!("https://{address}"))
        });
        let url = url.unwrap_or_else(|| panic!("it does not serve: {log}"));
        let log = std::thread::spawn(move || lines.fold(log, |log, line| log + &line + "\n"));
        Self { process, log: Some(log), url }
    }

    /// Sends a body to a path, as somebody who brings secrets in every place of a request that has room for one.
    fn send(&self, folder: &Path, path: &str, body: &str, headers: &[&str]) -> String {
        let mut call = Command::new("curl")
            .args(["--silent", "--show-error", "--data-binary", "@-", "--cacert"])
            .arg(folder.join("ca.crt"))
            .args(["--header", "authorization: Bearer hush-authorization", "--cookie", "hush-cookie=hush-cookie"])
            .args(["--user-agent", "hush-agent"])
            .args(headers.iter().flat_map(|header| ["--header", *header]))
            .arg(format!("{}{path}", self.url))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl is installed");
        call.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        let output = call.wait_with_output().unwrap();
        assert!(output.status.success(), "{path}: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Ends it, and gives all that it said.
    fn end(mut self) -> String {
        let _ = self.process.kill();
        self.process.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A pod that is admitted, and its policy.
const CONSUMER: &str = include_str!("../../manifests/samples/consumer.yaml");
const FITTING: &str = include_str!("../../manifests/samples/policy.rego");

/// Policies that are evaluated because they are listed: one that fits the consumer as it is, one that fits nothing, one that no
/// reader takes.
const LISTED: [&str; 3] = [
    FITTING,
    "package agent_policy\nimport future.keywords.in\ndefault CreateContainerRequest := false\n\
     policy_data := {\"containers\": [{\"OCI\": {\"Process\": {\"Args\": [\"hush-policy\"], \"Env\": [\"A=hush-policy\"]}}}]}\n",
    "package agent_policy\nhush-policy is no rule {\n",
];

fn allow_list() -> String {
    let entries =
        LISTED.map(|policy| format!("    - {{digest: \"{}\", namespaces: [kafka]}}\n", Digest::sha256_of(policy.as_bytes())));
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: al, namespace: countersign-system, labels: {{countersign.dev/allow-list: \"true\"}}}}\n\
         data:\n  team.yaml: |\n{}",
        entries.concat()
    )
}

/// Pods with secrets: ordinary, opted in, with another sidecar, with each policy, with one that is no base64; and the consumer with
/// what its policy does not allow.
fn pods() -> Vec<Value> {
    let container = |name: &str| {
        json!({
            "name": name, "image": "i", "command": ["hush-command"], "args": ["hush-argument"],
            "env": [{"name": "PASSWORD", "value": "hush-env"}, {"name": "SkrSideCarArgs", "value": "hush-env"}],
            "livenessProbe": {"exec": {"command": ["hush-probe"]}},
            "lifecycle": {"postStart": {"exec": {"command": ["hush-hook"]}}},
            "volumeMounts": [{"name": "endor-loc", "mountPath": "/hush-mount", "subPath": "hush-mount"}]
        })
    };
    let pod = |labels: Value, class: Value, policy: Option<String>| {
        let mut annotations =
            json!({"example.org/token": "hush-annotation", "io.katacontainers.config.hypervisor.kernel_params": "hush-kata"});
        if let Some(policy) = policy {
            annotations[POLICY] = json!(policy);
        }
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "p", "namespace": "kafka", "labels": labels, "annotations": annotations},
            "spec": {
                "runtimeClassName": class, "containers": [container("skr"), container("app")], "initContainers": [container("init")],
                "imagePullSecrets": [{"name": "registry"}], "volumes": [{"name": "endor-loc", "hostPath": {"path": "/hush-volume"}}],
                "nodeSelector": {"kubernetes.azure.com/secure-boot": "hush-selector"}, "nodeName": "hush-node"
            }
        })
    };
    let (confidential, class) = (json!({"countersign.dev/confidential": "true"}), json!("kata-cc-isolation"));
    let mut pods = vec![
        pod(json!({}), Value::Null, None),
        pod(json!({"countersign.dev/confidential": "hush-label"}), class.clone(), None),
        pod(confidential.clone(), json!("hush-class"), Some("hush-annotation".to_owned())),
        pod(confidential.clone(), class.clone(), Some(STANDARD.encode("package hush\n"))),
    ];
    for policy in LISTED {
        let policy = Some(STANDARD.encode(policy));
        pods.push(pod(confidential.clone(), Value::Null, policy.clone()));
        pods.push(pod(json!({}), class.clone(), policy));
    }
    let mut consumer = serde_saphyr::from_multiple::<Value>(CONSUMER).unwrap().remove(0);
    consumer["metadata"]["annotations"]["example.org/token"] = json!("hush-annotation");
    consumer["spec"]["containers"][1]["args"] = json!(["hush-argument"]);
    consumer["spec"]["containers"][1]["env"] = json!([{"name": "PASSWORD", "value": "hush-env"}]);
    pods.push(consumer);
    pods
}

/// Reviews of them, new and changed, in workloads, and bodies in which something stands where it does not belong.
fn bodies() -> Vec<String> {
    let review = |kind: Value, operation: &str, object: &Value, old: Value| {
        json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "uid-of-the-request", "operation": operation, "namespace": "kafka", "name": "p", "kind": kind,
                "userInfo": {"username": "ann", "groups": ["developers"], "extra": {"token": ["hush-extra"]}},
                "object": object, "oldObject": old, "options": {"fieldManager": "hush-options"}
            }
        })
        .to_string()
    };
    let kind = |group: &str, name: &str| json!({"group": group, "version": "v1", "kind": name});
    let mut bodies = Vec::new();
    for pod in pods() {
        bodies.push(review(kind("", "Pod"), "CREATE", &pod, Value::Null));
        let mut changed = pod.clone();
        changed["metadata"]["annotations"][POLICY] = json!(STANDARD.encode("package hush_changed\n"));
        changed["spec"]["containers"][1]["image"] = json!("other");
        bodies.push(review(kind("", "Pod"), "UPDATE", &changed, pod.clone()));
        let workload =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": pod}});
        bodies.push(review(kind("apps", "Deployment"), "CREATE", &workload, Value::Null));
    }
    let pod = pods().swap_remove(0);
    for (place, wrong) in [
        ("/spec/containers", json!("hush-wrong")),
        ("/metadata/labels", json!(["hush-wrong"])),
        ("/metadata", json!("hush-wrong")),
    ] {
        let mut pod = pod.clone();
        *pod.pointer_mut(place).unwrap() = wrong;
        bodies.push(review(kind("", "Pod"), "CREATE", &pod, Value::Null));
    }
    bodies.push(review(kind("hush-group", "hush-kind"), "hush-operation", &pod, Value::Null));
    bodies.push(review(kind("", "Pod"), "hush-operation", &pod, Value::Null));
    let whole = review(kind("", "Pod"), "CREATE", &pod, Value::Null);
    bodies.push(whole.replace("AdmissionReview", "hush-review"));
    bodies.push(whole.replace("{\"uid\"", "{\"uid\":{\"hush-uid\":1},\"uid\""));
    bodies.push(whole[..whole.len() - 40].to_owned());
    bodies.extend(
        ["hush-body", "\"hush-body\"", "{\"request\": \"hush-body\"}", "{\"request\": {\"hush-body\": }}"].map(str::to_owned),
    );
    bodies
}

/// Sends everything everywhere; gives the answers.
fn talk(server: &Server, folder: &Path) -> String {
    let json = "content-type: application/json";
    let mut answers = String::new();
    for (path, _) in ROUTES.into_iter().chain([EXEC]) {
        for body in bodies() {
            answers += &server.send(folder, path, &body, &[json]);
        }
    }
    let whole = &bodies()[0];
    for (path, headers) in [
        ("/hush-path?hush-query=1", &[json][..]),
        ("/validate?timeout=hush-timeout", &[json]),
        ("/validate", &["content-type: hush/type"]),
        ("/validate", &[json, "content-encoding: hush-encoding"]),
        ("/validate", &[json, "expect: hush-expect"]),
        ("/validate", &[json, "x-header: hush-header"]),
    ] {
        answers += &server.send(folder, path, whole, headers);
    }
    answers
}

#[test]
fn no_request_leaves_a_secret_in_the_log_of_any_level() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let answers = talk(&server, folder.path());
    let log = server.end();
    // They got as far as they can: whoever sent them hears their values again, and what they reached is in the log.
    for told in ["hush-env", "hush-argument", "hush-path", "hush-timeout", "hush-operation"] {
        assert!(answers.contains(told), "{told} is in no answer");
    }
    for rule in [
        "sidecar",
        "policy-not-allowed",
        "policy-unreadable",
        "policy-malformed",
        "policy-covers-the-pod",
        "annotation-not-allowed",
        "opt-in-malformed",
    ] {
        assert!(log.lines().any(|line| line.contains("\"rules\":") && line.contains(rule)), "no line about {rule}");
    }
    assert!(log.contains("\"uid\":\"uid-of-the-request\",\"namespace\":\"kafka\",\"pod\":\"p\",\"digest\":\"sha256:"), "{log}");
    assert!(log.contains("\"level\":\"TRACE\"") && log.contains("\"status\":404"), "it says all it can");
    let encoded = LISTED.map(|policy| STANDARD.encode(policy));
    for line in log.lines() {
        assert!(!line.contains(MARK), "{line}");
        assert!(encoded.iter().all(|policy| !line.contains(&policy[..40])), "{line}");
    }
}

/// What a server may ask of the files: to read them.
const READS: [&str; 9] =
    ["access", "faccessat2", "stat", "lstat", "newfstatat", "statx", "readlink", "readlinkat", "inotify_add_watch"];

#[test]
fn no_request_makes_it_call_out_start_another_program_or_touch_a_file() {
    let folder = tempfile::tempdir().unwrap();
    // Not in the folder that the server watches.
    let aside = tempfile::tempdir().unwrap();
    let record = aside.path().join("record");
    if !Command::new("strace").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        let _ = writeln!(std::io::stderr(), "skipped: strace is not installed");
        return;
    }
    // With -D the server is this process's own child, and strace watches from aside.
    let strace = ["strace", "-D", "-f", "-q", "-e", "trace=%file,socket,connect,execve", "-o"];
    let server = Server::start(folder.path(), &[&strace[..], &[record.to_str().unwrap()]].concat());
    let answers = talk(&server, folder.path());
    assert!(answers.contains("policy-not-allowed"), "{answers}");
    let id = server.process.id();
    server.end();
    let ended = Instant::now();
    let record = loop {
        let record = fs::read_to_string(&record).unwrap();
        if record.lines().any(|line| line.starts_with(&format!("{id} ")) && line.contains("+++ killed")) {
            break record;
        }
        assert!(ended.elapsed() < Duration::from_secs(20), "{record}");
        std::thread::sleep(Duration::from_millis(10));
    };
    // `<process> <call>(<arguments>`; a call that another one interrupts has a second line, which begins with `<...`.
    let calls = record.lines().filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('('));
    let calls = calls.filter(|(call, _)| call.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    let (mut sockets, mut evaluators, mut others) = (0, 0, 0);
    for (call, rest) in calls {
        match call {
            "socket" => sockets += 1,
            "execve" if rest.starts_with(r#""/proc/self/exe", ["/proc/self/exe", "evaluate-policy"],"#) => evaluators += 1,
            "execve" => others += 1,
            "openat" | "open" if rest.contains(r#", "/dev/null","#) => {}
            "openat" | "open" => {
                assert!(rest.contains("O_RDONLY") && !rest.contains("O_CREAT") && !rest.contains("O_TRUNC"), "{call}({rest}");
            }
            _ => assert!(READS.contains(&call), "{call}({rest}"),
        }
    }
    assert_eq!((sockets, others), (2, 1), "its two listeners, and itself:\n{record}");
    assert!(evaluators >= LISTED.len(), "{evaluators} listed policies were evaluated:\n{record}");
}
