//! Sockets inside the network namespace of a cluster, for this process outside of it.
//!
//! A socket belongs to the namespace that it was made in, whoever uses it later. So one thread goes in for good and makes
//! them on demand; no link, address or rule outside the namespace is needed, and nothing outside can meet another run.
//! Source: `network_namespaces(7)`, `setns(2)`.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::space::Space;

/// Whoever listens inside answers at once, or is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// What is asked of the thread inside.
enum Wish {
    Connect(SocketAddr, Sender<io::Result<TcpStream>>),
    Listen(SocketAddr, Sender<io::Result<TcpListener>>),
}

/// The way in. The thread ends with the last clone.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    wishes: Sender<Wish>,
}

impl Door {
    /// Sends a thread into the namespace.
    ///
    /// # Errors
    /// When the namespace is gone or may not be entered.
    pub(crate) fn open(space: &Space) -> Result<Self> {
        let network = space.network()?;
        let (wishes, asked) = channel();
        let (entered, has_entered) = channel();
        thread::spawn(move || {
            let went_in = move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network));
            let inside = went_in.is_ok();
            let _ = entered.send(went_in);
            // Outside it would make sockets of the host.
            if inside {
                asked.iter().for_each(fulfil);
            }
        });
        has_entered.recv()?.context("cannot enter the network namespace of the cluster")?;
        Ok(Self { wishes })
    }

    /// A connection to an address inside.
    ///
    /// # Errors
    /// When nobody listens there, or the namespace is gone.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.ask(|answer| Wish::Connect(address, answer))
    }

    /// A listener inside.
    ///
    /// # Errors
    /// When the address is taken.
    pub(crate) fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        self.ask(|answer| Wish::Listen(address, answer))
    }

    fn ask<T>(&self, wish: impl FnOnce(Sender<io::Result<T>>) -> Wish) -> io::Result<T> {
        let gone = || io::Error::new(io::ErrorKind::NotConnected, "the network namespace of the cluster is gone");
        let (answer, answered) = channel();
        self.wishes.send(wish(answer)).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

fn fulfil(wish: Wish) {
    match wish {
        Wish::Connect(address, answer) => drop(answer.send(TcpStream::connect_timeout(&address, CONNECT_WITHIN))),
        Wish::Listen(address, answer) => drop(answer.send(TcpListener::bind(address))),
    }
}
