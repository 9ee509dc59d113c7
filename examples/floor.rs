//! The floor of the benchmark: the webhook's own server with a judge that answers a constant.
//!
//! Nothing that decides anything can be faster. Run it beside the webhook, put the same load on both, and compare. With `--hash` it reads
//! the pod, decodes its policy and hashes it first: what judging by a digest cannot do without.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::Parser;
use countersign::{
    certs::CertSource,
    http::{self, Answer, Drain, Endpoint, Judge, Outcome, Server},
    metrics::Metrics,
};
use countersign_decision::pod::Pod;
use countersign_policy::{Limits, Measured};
use serde::Deserialize;
use tokio::net::TcpListener;

#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The directory that ca.crt is written to.
    #[arg(long)]
    self_signed: PathBuf,
    /// Read the pod and hash its policy before the constant answer.
    #[arg(long)]
    hash: bool,
}

const LET_IN: &[u8] = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}"#;

/// Lets everything in, and reads nothing.
struct Constant;

impl Judge for Constant {
    fn answer(&self, _endpoint: Endpoint, _review: &[u8]) -> Answer {
        Answer::Review { body: LET_IN.to_vec(), outcome: Outcome::Allowed, reasons: Vec::new() }
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The same, after the policy is hashed.
struct Hashing;

#[derive(Deserialize)]
struct Review<'a> {
    #[serde(borrow)]
    request: Request<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    object: Pod<'a>,
}

impl Judge for Hashing {
    fn answer(&self, endpoint: Endpoint, review: &[u8]) -> Answer {
        let measured = Measured::AgentPolicy;
        let read = serde_json::from_slice::<Review<'_>>(review).map_err(|error| error.to_string()).and_then(|review| {
            let policy = review.request.object.metadata.annotation(measured.annotation()).ok_or("no policy")?;
            measured.read(policy, Limits::OFFLINE).map_err(|error| error.to_string())
        });
        match read {
            Ok(reading) => {
                std::hint::black_box(reading.digest);
                Constant.answer(endpoint, review)
            }
            Err(because) => Answer::Unreadable { because },
        }
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    http::runtime()?.block_on(serve(Args::parse()))
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::new());
    let source = CertSource::SelfSigned { directory: args.self_signed };
    let certificates = source.open(Arc::clone(&metrics))?;
    let judge: Arc<dyn Judge> = if args.hash { Arc::new(Hashing) } else { Arc::new(Constant) };
    let listener = TcpListener::bind(args.listen).await?;
    println!("{}", listener.local_addr()?);
    http::serve(Server {
        listener,
        certificates: certificates.served,
        clients: None,
        judge,
        exec: None,
        limits: http::Limits::default(),
        metrics,
        drain: Drain::new(),
    })
    .await?;
    Ok(())
}
