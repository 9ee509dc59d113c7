//! A cluster boots beside another, and goes without a trace.
//!
//! Its programs are built here if they are missing. Needs root on Debian: `cargo xtask test node` says so where that is not.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use countersign_harness::{Cluster, NodeBinaries, Options, STAND_IN_IMAGE};

/// In the environment of the process that the test below starts and kills: itself again.
const HOLD: &str = "COUNTERSIGN_HARNESS_HOLD";

#[test]
fn the_programs_of_a_node_are_there() {
    let binaries = NodeBinaries::find().unwrap();
    for program in ["kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler"] {
        let file = binaries.folder().join(program);
        assert!(file.is_file(), "{} is missing", file.display());
    }
}

/// A cluster in whose image is some binary: it is not run here.
fn boot() -> Cluster {
    Cluster::boot(&Options::default(), &std::env::current_exe().unwrap()).unwrap()
}

/// A pod runs, for real.
fn run_a_pod(cluster: &Cluster, name: &str) {
    let account = || cluster.kubectl(&["get", "serviceaccount", "default"]).is_ok();
    assert!(within(Duration::from_secs(30), account), "no controller makes service accounts");
    cluster.kubectl(&["run", name, "--image", STAND_IN_IMAGE]).unwrap();
    cluster.kubectl(&["wait", "--for=condition=Ready", "--timeout=60s", &format!("pod/{name}")]).unwrap();
}

/// What a run leaves in the system while it lives: its folder, its control groups, its processes.
fn traces(folder: &Path) -> Vec<PathBuf> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let groups = fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|entry| entry.path());
    let groups = groups.flat_map(|path| [path.join(format!("countersign-{name}")), path]);
    let groups = groups.filter(|path| path.exists() && path.ends_with(format!("countersign-{name}")));
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).filter(|process| {
        let groups = fs::read_to_string(process.join("cgroup")).unwrap_or_default();
        let command = fs::read(process.join("cmdline")).unwrap_or_default();
        groups.contains(&name) || String::from_utf8_lossy(&command).contains(&name)
    });
    let folder = folder.exists().then(|| folder.to_owned());
    folder.into_iter().chain(groups).chain(processes).collect()
}

fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if holds() {
            return true;
        }
        sleep(Duration::from_millis(100));
    }
    holds()
}

fn hold_a_cluster_until_killed() -> ! {
    let cluster = boot();
    run_a_pod(&cluster, "held");
    println!("\nholding {}", cluster.api().folder().display());
    sleep(Duration::from_mins(3));
    panic!("nobody killed the process within three minutes")
}

#[test]
fn two_clusters_do_not_meet_and_neither_leaves_a_trace() {
    if std::env::var_os(HOLD).is_some() {
        hold_a_cluster_until_killed();
    }
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "two_clusters_do_not_meet_and_neither_leaves_a_trace"])
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map_while(Result::ok);
    let held = PathBuf::from(lines.find_map(|line| line.strip_prefix("holding ").map(str::to_owned)).unwrap());

    let own = boot();
    run_a_pod(&own, "own");
    // The folder, groups of pods, and at least the processes that wait for those inside.
    assert!(traces(&held).len() > 5, "{:?}", traces(&held));
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(within(Duration::from_secs(20), || traces(&held).is_empty()), "left of the killed: {:?}", traces(&held));

    run_a_pod(&own, "after");
    assert_eq!(own.kubectl(&["get", "pods", "-o", "name"]).unwrap(), "pod/after\npod/own\n");
    let folder = own.api().folder().to_owned();
    drop(own);
    assert!(traces(&folder).is_empty(), "left of the dropped: {:?}", traces(&folder));
}
