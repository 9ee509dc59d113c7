//! Where the server listens.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context as _;
use tokio::net::TcpListener;

/// Listens where it was asked to; else on loopback without a cluster, and in one on every address, of IPv4 alone where the node has
/// no IPv6.
pub(super) async fn listen(asked: Option<SocketAddr>, port: u16, standalone: bool) -> anyhow::Result<TcpListener> {
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
