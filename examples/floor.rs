//! The floor of the benchmark: the webhook's own server with a judge that answers a constant.
//!
//! Nothing that decides anything can be faster. Run it beside the webhook, put the same load on both, and compare.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::Parser;
use countersign::{
    certs::CertSource,
    http::{self, Answer, Drain, Endpoint, Judge, Limits, Outcome, Server},
    metrics::Metrics,
};
use tokio::net::TcpListener;

#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The directory that ca.crt is written to.
    #[arg(long)]
    self_signed: PathBuf,
}

/// Lets everything in, and reads nothing.
struct Constant;

impl Judge for Constant {
    fn answer(&self, _endpoint: Endpoint, _review: &[u8]) -> Answer {
        let body = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}"#;
        Answer::Review { body: body.to_vec(), outcome: Outcome::Allowed, reasons: Vec::new() }
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let metrics = Arc::new(Metrics::new());
    let source = CertSource::SelfSigned { directory: args.self_signed };
    let certificates = source.open(Arc::clone(&metrics))?;
    let listener = TcpListener::bind(args.listen).await?;
    println!("{}", listener.local_addr()?);
    http::serve(Server {
        listener,
        certificates: certificates.served,
        clients: None,
        judge: Arc::new(Constant),
        exec: None,
        limits: Limits::default(),
        metrics,
        drain: Drain::new(),
    })
    .await?;
    Ok(())
}
