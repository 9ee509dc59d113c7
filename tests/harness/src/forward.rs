//! A port on this machine's loopback whose connections come out inside the cluster's network namespace.
//!
//! It stays the same while the cluster is stopped and started again, so that a kubeconfig stays true.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as Listener};
use std::sync::Arc;

use anyhow::Result;
use arc_swap::ArcSwapOption;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use crate::door::Door;

/// The way to one address inside.
#[derive(Clone, Debug)]
pub(crate) struct Forward {
    port: u16,
    door: Arc<ArcSwapOption<Door>>,
}

impl Forward {
    /// Listens on a free port; connections are closed until there is a door.
    ///
    /// # Errors
    /// When there is no free port.
    pub(crate) fn to(inside: SocketAddr, runtime: &Handle) -> Result<Self> {
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let door = Arc::new(ArcSwapOption::empty());
        let forward = Self { port, door };
        let _inside = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        runtime.spawn(forward.clone().accept(listener, inside));
        Ok(forward)
    }

    /// Connections go through this door from now on.
    pub(crate) fn through(&self, door: &Door) {
        self.door.store(Some(Arc::new(door.clone())));
    }

    /// The port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    async fn accept(self, listener: TcpListener, inside: SocketAddr) {
        loop {
            // A connection that ended before it was accepted is no reason to stop.
            let Ok((outer, _)) = listener.accept().await else { continue };
            let Some(door) = self.door.load_full() else { continue };
            tokio::spawn(async move {
                let connected = tokio::task::spawn_blocking(move || {
                    let inner = door.connect(inside)?;
                    inner.set_nonblocking(true).map(|()| inner)
                });
                // Whoever connected sees the end of the connection, as when a server is down.
                if let Ok(Ok(inner)) = connected.await {
                    relay(outer, inner).await;
                }
            });
        }
    }
}

async fn relay(mut outer: TcpStream, inner: std::net::TcpStream) {
    let Ok(mut inner) = TcpStream::from_std(inner) else { return };
    let _ = outer.set_nodelay(true).and_then(|()| inner.set_nodelay(true));
    let _ = copy_bidirectional(&mut outer, &mut inner).await;
}
