//! More connections than are served.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{answer, connect, connector, is_served, many};
use crate::server::Server;

/// Of those that say nothing, some have begun a handshake: the first bytes of a TLS record that never ends.
const HALF_A_HANDSHAKE: &[u8] = &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01];

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_that_never_finish_a_handshake_pass_by() {
    let server = Server::start("{}", 20_000);
    let crowd = many(10_000);
    let held: Vec<_> = (0..crowd)
        .map(|number| {
            let address = server.reviews;
            tokio::spawn(async move {
                let mut socket = TcpStream::connect(address).await?;
                if number % 2 == 0 {
                    socket.write_all(HALF_A_HANDSHAKE).await?;
                }
                tokio::time::sleep(Duration::from_mins(5)).await;
                std::io::Result::Ok(socket)
            })
        })
        .collect();
    while !server.counts("connections{listener=\"reviews\"} 4096\n") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.is_well();
    is_served(&server).await;
    server.is_well();
    println!("{crowd} half-open handshakes: {} MiB", server.memory() >> 20);
    held.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_in_every_place_make_way() {
    let server = Server::start("{maxConnections: 500}", 20_000);
    let connector = connector(&server);
    let mut held = Vec::new();
    for _ in 0..500 {
        held.push(connect(&server, &connector).await.unwrap());
    }
    server.is_well();
    assert!(server.counts("connections{listener=\"reviews\"} 500\n"));
    let asked = tokio::time::Instant::now();
    is_served(&server).await;
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    server.is_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_limit_of_open_files_leaves_the_health_port_its_own() {
    let server = Server::start("{}", 300);
    let held: Vec<_> = (0..400).map(|_| tokio::spawn(TcpStream::connect(server.reviews))).collect();
    while !server.counts("connections{listener=\"reviews\"} 150\n") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.is_well();
    is_served(&server).await;
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_over_the_bound_are_turned_away_however_many_come() {
    let server = Server::start("{}", 20_000);
    let connector = connector(&server);
    let long = format!("POST /validate HTTP/1.1\r\nhost: localhost\r\nx-long: {}\r\n\r\n", "x".repeat(64 * 1024));
    for _ in 0..100 {
        let mut stream = connect(&server, &connector).await.unwrap();
        // It may be closed before all of it is sent.
        let _ = stream.write_all(long.as_bytes()).await;
        let answer = answer(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    server.is_well();
    is_served(&server).await;
}
