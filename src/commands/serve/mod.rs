//! `countersign serve`: the admission webhook, in a cluster or without one.

mod cluster;
mod descriptors;
mod ending;
mod listen;

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use countersign_decision::configuration::{ClientCertificates, Configuration};
use tracing_subscriber::EnvFilter;

use self::ending::Ending;
use self::listen::listen;
use super::{End, offline};
use crate::args::{LogFormat, ServeArguments};
use crate::certs::{CertSource, Certificates, ClientCheck};
use crate::cluster::Member;
use crate::evaluator::Separate;
use crate::http::health::{self, Health};
use crate::http::{self, Doorkeeper, Drain, Gate, Limits, Server};
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
    let (mut configuration, _) = offline::configuration(&arguments.configuration)?;
    if let Some(authorities) = arguments.client_ca.take() {
        if configuration.client_certificates.is_some() {
            bail!("client certificates are asked for twice: leave out --client-ca, or clientCertificates of the configuration");
        }
        configuration.client_certificates =
            Some(ClientCertificates { authorities, names: std::mem::take(&mut arguments.client_name) });
    }
    let source = given(&arguments);
    if arguments.standalone && source.is_none() {
        bail!("no certificate: give --self-signed DIR, or --tls-cert FILE and --tls-key FILE");
    }
    let serving = serve(arguments, Arc::new(configuration), source);
    http::runtime()?.block_on(serving)
}

/// The certificate that the flags name; without one, an installation in a cluster makes its own.
fn given(arguments: &ServeArguments) -> Option<CertSource> {
    match (&arguments.self_signed, &arguments.tls_cert, &arguments.tls_key) {
        (Some(directory), ..) => Some(CertSource::SelfSigned { directory: directory.clone() }),
        (None, Some(certificate), Some(key)) => Some(CertSource::Files { certificate: certificate.clone(), key: key.clone() }),
        _ => None,
    }
}

async fn serve(
    arguments: ServeArguments,
    configuration: Arc<Configuration>,
    source: Option<CertSource>,
) -> anyhow::Result<End> {
    let ending = Ending::expect()?;
    let drain = Drain::new();
    let limits = limits(&configuration);
    let reviews = listen(arguments.listen, manifests::HTTPS_PORT, arguments.standalone).await?;
    let checks = listen(arguments.metrics_listen, manifests::HEALTH_PORT, arguments.standalone).await?;
    // What follows the facts is held until the end: dropping it stops it.
    let (parts, _following, mut member) = if arguments.standalone {
        let knowledge = Arc::new(Knowledge::of_files(configuration).evaluating(Separate::by_this_program()));
        let following = standalone::follow(&arguments.allow_list, Arc::clone(&knowledge))?;
        (Parts::with(knowledge, source)?, Some(following), None)
    } else {
        let (parts, member) = cluster::join(configuration, source, reviews.local_addr()?, arguments.exec_door, &drain).await?;
        (parts, None, Some(member))
    };
    let Parts { knowledge, metrics, certificates, clients: check, gate, exec } = parts;
    let judge = Arc::new(Countersign::new(knowledge));
    tracing::info!(reviews = %reviews.local_addr()?, health = %checks.local_addr()?, "serving");
    let health = tokio::spawn(health::serve(Health {
        listener: checks,
        judge: Arc::clone(&judge) as _,
        gate,
        metrics: Arc::clone(&metrics),
        drain: drain.clone(),
    }));
    tokio::spawn(ending.begins(drain.clone()));
    let server = Server {
        listener: reviews,
        certificates: certificates.served.clone(),
        clients: check.as_ref().map(|check| Arc::clone(&check.clients)),
        judge,
        exec,
        limits,
        metrics,
        drain: drain.clone(),
    };
    let broken = serve_while_whole(http::serve(server), member.as_mut(), &drain).await?;
    if let Some(member) = member {
        member.leave().await;
    }
    health.abort();
    match broken {
        Some(how) => bail!("a part of this process ended by itself ({how}): it needs another start"),
        None => Ok(End::Done),
    }
}

/// Serves to the end. A part of the member that ends before the drain begins it, so that the process is started anew instead of
/// going on with half of what it is for; gives how that part ended.
async fn serve_while_whole(
    serving: impl Future<Output = Result<(), rustls::Error>>,
    member: Option<&mut Member>,
    drain: &Drain,
) -> anyhow::Result<Option<String>> {
    let mut serving = pin!(serving);
    let broken = async {
        match member {
            Some(member) => member.broken().await,
            None => std::future::pending().await,
        }
    };
    let how = tokio::select! {
        biased;
        served = &mut serving => return served.map(|()| None).map_err(Into::into),
        () = drain.begun() => None,
        how = broken => Some(how),
    };
    if let Some(how) = &how {
        tracing::error!("a part of this process ended by itself ({how}): ending in order, to be started anew");
        drain.begin();
    }
    serving.await?;
    Ok(how)
}

/// What a server is made of, beside its listeners.
struct Parts {
    knowledge: Arc<Knowledge>,
    metrics: Arc<Metrics>,
    certificates: Certificates,
    clients: Option<ClientCheck>,
    gate: Gate,
    exec: Option<Arc<dyn Doorkeeper>>,
}

impl Parts {
    /// With the certificate that was given, ready as soon as the facts are.
    fn with(knowledge: Arc<Knowledge>, source: Option<CertSource>) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new().showing(Arc::clone(&knowledge)));
        let certificates = match source {
            Some(source) => source.open(Arc::clone(&metrics))?,
            None => Certificates::waiting(Arc::clone(&metrics)),
        };
        let wanted = knowledge.facts().configuration.client_certificates.clone();
        let clients = wanted.map(|wanted| ClientCheck::open(&wanted, Arc::clone(&metrics))).transpose()?;
        Ok(Self { knowledge, metrics, certificates, clients, gate: Gate::opened(), exec: None })
    }
}

/// The configuration's bounds for the HTTPS edge.
fn limits(configuration: &Configuration) -> Limits {
    let limits = &configuration.limits;
    Limits {
        body_bytes: limits.max_body_bytes,
        body_bytes_in_flight: limits.max_bytes_in_flight,
        connections: descriptors::room_for(limits.max_connections),
        drain: Duration::try_from(limits.drain_for).unwrap_or_default(),
        ..Limits::default()
    }
}

/// The log goes to standard error; `RUST_LOG` chooses what, without it `info` and above. Colour on a terminal alone.
fn log(format: LogFormat) {
    use std::io::IsTerminal as _;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let filter = without_client(filter);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Without what the client of the API server says, whatever `RUST_LOG` asks for: of a failed request the watches say it in words, and
/// an answer that it cannot read it logs whole, the Secret of the authorities among them.
fn without_client(filter: EnvFilter) -> EnvFilter {
    match "kube_client=off".parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_of_the_api_server_is_never_heard_in_the_log() {
        for asked in ["info", "debug", "trace,kube_client=trace"] {
            let shown = without_client(asked.into()).to_string();
            assert!(shown.contains("kube_client=off") && !shown.contains("kube_client=trace"), "{shown}");
        }
    }
}
