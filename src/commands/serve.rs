//! `countersign serve`: the admission webhook, in a cluster or without one.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use countersign_decision::configuration::Configuration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::{End, offline};
use crate::args::{LogFormat, ServeArguments};
use crate::certs::CertSource;
use crate::cluster;
use crate::http::health::{self, Health};
use crate::http::{self, Drain, Limits, Server};
use crate::judge::Countersign;
use crate::knowledge::Knowledge;
use crate::manifests;
use crate::metrics::Metrics;
use crate::standalone;

pub(super) fn run(mut arguments: ServeArguments) -> anyhow::Result<End> {
    log(arguments.log);
    if arguments.configuration.configuration.is_none()
        && !arguments.standalone
        && Path::new(manifests::CONFIGURATION_FILE).exists()
    {
        arguments.configuration.configuration = Some(PathBuf::from(manifests::CONFIGURATION_FILE));
    }
    let (configuration, _) = offline::configuration(&arguments.configuration)?;
    let source = certificates(&arguments)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(
        arguments,
        Arc::new(configuration),
        source,
    ))
}

/// Where the certificate comes from: the flags, else the files that the shipped manifests mount.
fn certificates(arguments: &ServeArguments) -> anyhow::Result<CertSource> {
    match (&arguments.self_signed, &arguments.tls_cert, &arguments.tls_key) {
        (Some(directory), ..) => Ok(CertSource::SelfSigned { directory: directory.clone() }),
        (None, Some(certificate), Some(key)) => Ok(CertSource::Files { certificate: certificate.clone(), key: key.clone() }),
        _ if arguments.standalone => bail!("no certificate: give --self-signed DIR, or --tls-cert FILE and --tls-key FILE"),
        _ => {
            let mounted = Path::new(manifests::TLS_DIRECTORY);
            Ok(CertSource::Files { certificate: mounted.join("tls.crt"), key: mounted.join("tls.key") })
        }
    }
}

async fn serve(arguments: ServeArguments, configuration: Arc<Configuration>, source: CertSource) -> anyhow::Result<End> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Held until the end: dropping it stops what keeps the facts up to date.
    let (knowledge, _watches) = facts(&arguments, configuration.clone()).await?;
    let metrics = Arc::new(Metrics::new().showing(Arc::clone(&knowledge)));
    let certificates = source.open(Arc::clone(&metrics))?;
    let reviews = listen(arguments.listen, manifests::HTTPS_PORT, arguments.standalone).await?;
    let checks = listen(arguments.metrics_listen, manifests::HEALTH_PORT, arguments.standalone).await?;
    let judge = Arc::new(Countersign::new(knowledge));
    let drain = Drain::new();
    tracing::info!(reviews = %reviews.local_addr()?, health = %checks.local_addr()?, "serving");
    let health = tokio::spawn(health::serve(Health {
        listener: checks,
        judge: Arc::clone(&judge) as _,
        metrics: Arc::clone(&metrics),
        drain: drain.clone(),
    }));
    let ending = drain.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        ending.begin();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("asked a second time: ending at once");
        std::process::exit(1);
    });
    http::serve(Server {
        listener: reviews,
        certificates: certificates.served.clone(),
        judge,
        limits: limits(&configuration),
        metrics,
        drain,
    })
    .await?;
    health.abort();
    Ok(End::Done)
}

/// The facts, and what keeps them up to date.
async fn facts(arguments: &ServeArguments, configuration: Arc<Configuration>) -> anyhow::Result<(Arc<Knowledge>, Watches)> {
    if arguments.standalone {
        let knowledge = Arc::new(Knowledge::of_files(configuration));
        let following = standalone::follow(&arguments.allow_list, Arc::clone(&knowledge))?;
        return Ok((knowledge, Watches::Files { _following: following }));
    }
    let (client, home) = cluster::connect().await?;
    let knowledge = Arc::new(Knowledge::of_cluster(configuration, &home));
    let tasks = cluster::watch(&client, &knowledge);
    Ok((knowledge, Watches::Cluster { _tasks: tasks }))
}

/// What keeps the facts up to date while it lives.
enum Watches {
    Files { _following: standalone::Following },
    Cluster { _tasks: JoinSet<()> },
}

/// Listens where it was asked to; else on loopback without a cluster, and in one on every address, of IPv4 alone where the node has
/// no IPv6.
async fn listen(asked: Option<SocketAddr>, port: u16, standalone: bool) -> anyhow::Result<TcpListener> {
    let address = asked.unwrap_or_else(|| {
        let everywhere = if standalone { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
        SocketAddr::from((everywhere, port))
    });
    match TcpListener::bind(address).await {
        Err(error) if asked.is_none() && !standalone && error.kind() != ErrorKind::AddrInUse => {
            tracing::info!("cannot listen on {address} ({error}): this node may have no IPv6");
            Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?)
        }
        bound => bound.with_context(|| format!("cannot listen on {address}")),
    }
}

/// The configuration's bounds for the HTTPS edge.
fn limits(configuration: &Configuration) -> Limits {
    let limits = &configuration.limits;
    Limits {
        body_bytes: limits.max_body_bytes,
        body_bytes_in_flight: limits.max_bytes_in_flight,
        connections: limits.max_connections,
        drain: Duration::try_from(limits.drain_for).unwrap_or_default(),
        ..Limits::default()
    }
}

/// The log goes to standard error; `RUST_LOG` chooses what, without it `info` and above. What the client of the API server says of
/// a failed request is left out: the watches say it in words. Colour on a terminal alone.
fn log(format: LogFormat) {
    use std::io::IsTerminal as _;
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,kube_client=off".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().init(),
    }
}
