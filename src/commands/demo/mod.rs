//! `countersign demo`: the main job on this machine. The webhook is started on loopback as `serve --standalone` starts it, and the
//! tutorial's pods are sent to it over HTTPS as the API server sends them. The decisions are the real ones.

mod api_server;
mod story;

use std::sync::Arc;

use anyhow::Context as _;
use countersign_decision::configuration::Configuration;
use tokio::net::TcpListener;

use super::{BAD, End, GOOD, QUIET, TITLE};
use crate::certs::{CA_FILE, CertSource};
use crate::http::{self, Drain, Limits, Server};
use crate::judge::Countersign;
use crate::knowledge::Knowledge;
use crate::metrics::Metrics;
use crate::standalone;
use api_server::ApiServer;
use story::{Scene, scenes};

pub(super) fn run() -> anyhow::Result<End> {
    http::runtime()?.block_on(play())
}

async fn play() -> anyhow::Result<End> {
    let directory = tempfile::tempdir().context("cannot make a folder for the demo")?;
    let allow_list = directory.path().join("allow-list.yaml");
    std::fs::write(&allow_list, story::ALLOW_LIST)?;
    let configuration = Arc::new(Configuration::built_in().context("the built-in configuration")?);
    let metrics = Arc::new(Metrics::new());
    let certificates = CertSource::SelfSigned { directory: directory.path().to_owned() }.open(Arc::clone(&metrics))?;
    let knowledge = Arc::new(Knowledge::of_files(configuration));
    let _following = standalone::follow(std::slice::from_ref(&allow_list), Arc::clone(&knowledge))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(http::serve(Server {
        listener,
        certificates: certificates.served.clone(),
        clients: None,
        judge: Arc::new(Countersign::new(knowledge)),
        exec: None,
        limits: Limits::default(),
        metrics,
        drain: Drain::new(),
    }));
    let server = ApiServer::trusting(&directory.path().join(CA_FILE), address)?;
    anstream::println!(
        "The webhook listens on https://{address}. Each pod is sent to it as the API server sends it:\n/mutate first, then /validate with what came back.\n"
    );
    let mut as_expected = true;
    for scene in scenes()? {
        as_expected &= show(&server, &scene).await?;
    }
    if as_expected {
        anstream::println!(
            "Everything came out as it should. Next: README.md, five minutes to the first refused pod on a cluster."
        );
        Ok(End::Done)
    } else {
        anstream::eprintln!("{BAD}Something came out otherwise than it should.{BAD:#}");
        Ok(End::Refused)
    }
}

/// Sends one pod and prints what happened; says whether it came out as the scene expects.
async fn show(server: &ApiServer, scene: &Scene) -> anyhow::Result<bool> {
    let created = server.create(&scene.pod).await?;
    anstream::println!("{TITLE}{}{TITLE:#}", scene.title);
    match created.changes.as_slice() {
        [] if created.conflict => {}
        [] => anstream::println!("  {QUIET}/mutate    nothing to add{QUIET:#}"),
        changes => anstream::println!("  {GOOD}completed{GOOD:#}  {}", changes.join(", ")),
    }
    match (&created.refused, &created.entry) {
        (Some(message), _) => anstream::println!("  {BAD}refused{BAD:#}    {}", message.replace('\n', "\n             ")),
        (None, Some(entry)) => {
            let digest = created.digest.as_deref().unwrap_or_default();
            anstream::println!("  {GOOD}admitted{GOOD:#}   policy {digest}, listed by {entry}");
        }
        (None, None) => anstream::println!("  {GOOD}untouched{GOOD:#}  an ordinary pod: stored as it was sent"),
    }
    anstream::println!();
    let as_expected = scene.expected.matches(&created);
    if !as_expected {
        anstream::eprintln!("{BAD}expected: {:?}{BAD:#}", scene.expected);
    }
    Ok(as_expected)
}
