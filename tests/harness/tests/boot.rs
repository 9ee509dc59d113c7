//! The harness, tried: what it boots is a real API server, and nothing of it stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use countersign_harness::{ApiServer, Binaries, Options};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};
use serde_json::json;

fn server() -> &'static ApiServer {
    static SERVER: OnceLock<ApiServer> = OnceLock::new();
    SERVER.get_or_init(|| ApiServer::boot(&Options::default().user("ann", &["developers"])).unwrap())
}

fn pod(name: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "image": "registry.example/main:1"}]},
    }))
    .unwrap()
}

fn runs(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if holds() {
            return true;
        }
        sleep(Duration::from_millis(50));
    }
    holds()
}

#[test]
fn it_calls_itself_by_the_version_that_was_built() {
    if std::env::var_os("KUBEBUILDER_ASSETS").is_some() {
        assert!(server().version().starts_with("v1."), "{}", server().version());
    } else {
        assert_eq!(server().version(), Binaries::pinned_version());
    }
}

#[tokio::test]
async fn a_pod_in_a_new_namespace_is_stored_with_the_mount_of_its_service_account() {
    server().namespace("with-pod", &[("team", "payments")], &["worker"]).await.unwrap();
    let pods = Api::<Pod>::namespaced(server().client().unwrap(), "with-pod");
    let mut wanted = pod("one");
    wanted.spec.as_mut().unwrap().service_account_name = Some("worker".to_owned());
    let stored = pods.create(&PostParams::default(), &wanted).await.unwrap().spec.unwrap();
    assert_eq!(stored.service_account_name.as_deref(), Some("worker"));
    let mounts = stored.containers[0].volume_mounts.as_ref().expect("the mount of the service account");
    assert_eq!(mounts[0].mount_path, "/var/run/secrets/kubernetes.io/serviceaccount");
}

#[tokio::test]
async fn namespace_default_takes_pods_from_the_start() {
    let pods = Api::<Pod>::namespaced(server().client().unwrap(), "default");
    pods.create(&PostParams::default(), &pod("in-default")).await.unwrap();
}

#[tokio::test]
async fn a_user_is_known_by_name_and_may_do_nothing_that_nobody_granted() {
    let pods = Api::<Pod>::namespaced(server().client_as("ann").unwrap(), "default");
    let refusal = pods.create(&PostParams::default(), &pod("by-ann")).await.unwrap_err().to_string();
    assert!(refusal.contains(r#"User "ann" cannot create resource "pods""#), "{refusal}");
}

#[tokio::test]
async fn a_user_that_was_not_asked_for_is_an_error_that_names_it() {
    let error = server().client_as("bob").err().unwrap().to_string();
    assert!(error.contains("no user bob"), "{error}");
}

#[test]
fn kubectl_applies_from_standard_input_as_the_user_asked_for() {
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}";
    let apply = ["apply", "--server-side", "-f", "-"];
    let output = server().kubectl_with_input(&apply, manifest).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "configmap/settings serverside-applied\n");
    let by_ann = server().kubectl(&["get", "configmaps", "--context", "ann"]).unwrap();
    let refusal = String::from_utf8_lossy(&by_ann.stderr).into_owned();
    assert!(!by_ann.status.success() && refusal.contains(r#"User "ann" cannot list"#), "{refusal}");
}

#[tokio::test]
async fn the_audit_log_tells_who_created_what() {
    let pods = Api::<Pod>::namespaced(server().client().unwrap(), "default");
    pods.create(&PostParams::default(), &pod("audited")).await.unwrap();
    let seen = within(Duration::from_secs(5), || {
        server().audit_events().unwrap().iter().any(|event| {
            event["verb"] == "create" && event["objectRef"]["name"] == "audited" && event["user"]["username"] == "admin"
        })
    });
    assert!(seen, "no event of the creation in {}", server().folder().display());
}

#[test]
fn a_dropped_server_leaves_neither_process_nor_folder() {
    let server = ApiServer::boot(&Options::default()).unwrap();
    let (ids, folder) = (server.process_ids(), server.folder().to_owned());
    assert!(ids.iter().all(|id| runs(*id)) && folder.exists());
    drop(server);
    assert_eq!(ids.map(runs), [false, false]);
    assert!(!folder.exists());
}

/// In the environment of the process that the test below starts and kills: itself again.
const HOLD: &str = "COUNTERSIGN_HARNESS_HOLD";

fn hold_a_server_until_killed() -> ! {
    let server = ApiServer::boot(&Options::default()).unwrap();
    let [api_server, etcd] = server.process_ids();
    println!("\nserving {api_server} {etcd} {}", server.folder().display());
    sleep(Duration::from_mins(2));
    panic!("nobody killed the process within two minutes")
}

#[test]
fn a_killed_test_process_leaves_neither_process_nor_folder() {
    if std::env::var_os(HOLD).is_some() {
        hold_a_server_until_killed();
    }
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "a_killed_test_process_leaves_neither_process_nor_folder"])
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = lines.find_map(|line| line.strip_prefix("serving ").map(str::to_owned)).unwrap();
    let told: Vec<&str> = told.split(' ').collect();
    let ids: Vec<u32> = told[..2].iter().map(|id| id.parse().unwrap()).collect();
    assert!(ids.iter().all(|id| runs(*id)) && Path::new(told[2]).exists());
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(
        within(Duration::from_secs(10), || !ids.iter().any(|id| runs(*id)) && !Path::new(told[2]).exists()),
        "of {told:?} something is left"
    );
}
