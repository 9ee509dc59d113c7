//! `cargo xtask cluster`: boots a cluster, installs Countersign, and keeps both until it is interrupted.

mod tutorial;

use std::io::{Write as _, stdout};
use std::time::Instant;

use anyhow::Result;
use countersign_harness::{Binaries, Cluster, Options, stage, static_binary};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<()> {
    let started = Instant::now();
    eprintln!("compiling the static release binary (several minutes the first time)");
    let product = static_binary()?;
    let cluster = Cluster::boot(&Options::default(), &product)?;
    stage("Countersign: manifests applied, all replicas ready", || cluster.install())?;
    let manifests =
        stage("the tutorial's namespace and manifests, the webhook answers", || tutorial::write(&cluster, &product))?;
    let text = tutorial::commands(&cluster, &Binaries::pinned()?, &manifests);
    let mut out = stdout();
    writeln!(out, "{text}")?;
    writeln!(out, "Running since {} s after the start. Ctrl-C ends it and removes every trace.", started.elapsed().as_secs())?;
    out.flush()?;
    wait_for_a_signal()?;
    stage("every trace removed", || {
        drop(cluster);
        Ok(())
    })
}

/// Returns when this process is asked to end.
fn wait_for_a_signal() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}
