//! What Countersign adds to the creation of pods, as a real kube-apiserver sees it: 6,000 pods over 100 nodes, without it, with a webhook
//! in its place that reads nothing, and with it, by turns.
//!
//! Start it with `cargo xtask bench apiserver`. The API server, its etcd, the scheduler and the webhook are the real ones, on loopback; kwok
//! plays the kubelets of nodes that are objects alone. Absolute figures move with the machine, which all of them share: what counts is
//! what is added, and whether it grows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod constant;
mod histogram;
mod nodes;
mod pods;
mod report;
// The tests use all of it.
#[allow(dead_code)]
#[path = "../../tests/apiserver/site.rs"]
mod site;

use std::path::Path;
use std::time::Duration;

use countersign_harness::{ApiServer, Options};
use serde_json::{Value, json};

use crate::constant::Constant;
use crate::histogram::Histogram;
use crate::nodes::Nodes;
use crate::pods::{Kind, Pods};
use crate::report::{Created, Report, Scene};
use crate::site::{ACCOUNT, Site, apply, block_on, is_webhook, probe, until};

/// How often all scenes take a turn, and how many pods of each kind are created in one: by one client alone, which finds the
/// processors free, and by several, which fill them.
const ROUNDS: usize = 5;
const COUNT: usize = 100;
const CLIENTS: usize = 8;
/// What there is more of in the last two rounds.
const NAMESPACES: usize = 500;
const ENTRIES: usize = 10_000;
/// What is new to the API server is in force after a moment.
const TO_TAKE_EFFECT: Duration = Duration::from_secs(2);

fn main() {
    let options = Options::default().user(ACCOUNT, &["system:serviceaccounts", "system:serviceaccounts:countersign-system"]);
    let server = ApiServer::boot(&options).unwrap();
    let _nodes = Nodes::start(&server);
    let site = Site::installed(server, None, &[]);
    let server = &site.server;
    let pods = Pods::new();
    apply(server, &pods.allow_list(&[]).to_string());

    let way = Way::of(server);
    let constant = Constant::start(server);
    let mut created = Vec::new();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        let mut scenes = [Scene::Without, Scene::Constant, Scene::With];
        // There are more pods with every scene: what comes first in one round comes last in the next.
        if round % 2 == 0 {
            scenes.reverse();
        }
        for scene in scenes {
            match scene {
                Scene::Without => {
                    Way::clear(server);
                    created.extend([Kind::Ordinary, Kind::Complete].map(|kind| create(server, &pods, scene, kind)));
                }
                Scene::Constant => {
                    way.close_with(server, &constant);
                    created.push(create(server, &pods, scene, Kind::Complete));
                }
                _ => created.extend(with(server, &way, &pods, scene)),
            }
        }
    }
    eprintln!("{NAMESPACES} namespaces more");
    let namespaces: Vec<_> = (0..NAMESPACES)
        .map(|number| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("more-{number}")}}))
        .collect();
    apply(server, &json!({"apiVersion": "v1", "kind": "List", "items": namespaces}).to_string());
    created.extend(with(server, &way, &pods, Scene::MoreNamespaces));
    eprintln!("{ENTRIES} entries more");
    // Zeros alone are no digest.
    let others: Vec<String> = (1..=ENTRIES).map(|number| format!("{number:064x}")).collect();
    let stored = apply(server, &pods.allow_list(&others).to_string());
    site.webhook.has_seen("configmaps", &stored);
    created.extend(with(server, &way, &pods, Scene::MoreEntries));

    let report =
        Report { pods: created.len() * COUNT * 2, nodes: nodes::COUNT, clients: CLIENTS, resident_mb: resident_mb(), created };
    println!("{}", report.printed());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance");
    std::fs::write(folder.join("apiserver.json"), serde_json::to_string_pretty(&report).unwrap() + "\n").unwrap();
}

/// Creates pods of each kind with Countersign in the way.
fn with(server: &ApiServer, way: &Way, pods: &Pods, scene: Scene) -> [Created; 3] {
    way.close(server);
    [Kind::Ordinary, Kind::Complete, Kind::Incomplete].map(|kind| create(server, pods, scene, kind))
}

/// Creates pods of one kind, by one client and then by several.
fn create(server: &ApiServer, pods: &Pods, scene: Scene, kind: Kind) -> Created {
    let before = Histogram::read(server);
    let alone = block_on(pods::create(server, pods.template(kind), COUNT, 1));
    let webhooks = Histogram::read(server).since(&before);
    let together = block_on(pods::create(server, pods.template(kind), COUNT, CLIENTS));
    Created { scene, kind, alone, together, webhooks }
}

/// Everything of Countersign that the API server asks on its way, as it was installed.
struct Way(Vec<Value>);

const KINDS: &str = "mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings";
const OURS: &str = "app.kubernetes.io/name=countersign";

impl Way {
    fn of(server: &ApiServer) -> Self {
        let output = server.kubectl(&["get", KINDS, "-l", OURS, "-o", "json"]).unwrap();
        let mut list: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut objects = list["items"].as_array_mut().map(std::mem::take).unwrap();
        assert!(objects.len() > 4, "{} objects are in the way", objects.len());
        for object in &mut objects {
            // What the API server wrote itself.
            object["metadata"] = json!({"name": object["metadata"]["name"], "labels": object["metadata"]["labels"]});
            object.as_object_mut().unwrap().remove("status");
        }
        Self(objects)
    }

    /// Takes it out; Countersign goes on watching.
    fn clear(server: &ApiServer) {
        let output = server.kubectl(&["delete", KINDS, "-l", OURS]).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::thread::sleep(TO_TAKE_EFFECT);
    }

    /// Puts it there again.
    fn close(&self, server: &ApiServer) {
        apply(server, &json!({"apiVersion": "v1", "kind": "List", "items": self.0}).to_string());
        until("Countersign is called", || probe(server).contains("admission webhook").then_some(()));
        std::thread::sleep(TO_TAKE_EFFECT);
    }

    /// Puts it there with another webhook in the place of Countersign's.
    fn close_with(&self, server: &ApiServer, constant: &Constant) {
        let policies = self.0.iter().filter(|object| !is_webhook(object)).cloned();
        let items: Vec<Value> = policies.chain(constant.configurations()).collect();
        let before = constant.asked();
        apply(server, &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
        until("the constant webhook is called", || {
            probe(server);
            (constant.asked() > before).then_some(())
        });
        std::thread::sleep(TO_TAKE_EFFECT);
    }
}

/// The memory of the webhook, a child of this process. Source: proc(5), /proc/PID/status.
fn resident_mb() -> f64 {
    let ours = format!("PPid:\t{}\n", std::process::id());
    let statuses = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok());
    let status =
        statuses.into_iter().find(|status| status.starts_with("Name:\tcountersign\n") && status.contains(&ours)).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
}
