//! Clients that take their time.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{answer, connect, connector, head, is_served};
use crate::server::Server;

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_come_fill_the_room_and_no_more_and_who_is_shed_is_told_to_come_back() {
    let server = Server::start("{maxBodyBytes: 4194304, maxBytesInFlight: 16777216}", 20_000);
    let connector = connector(&server);
    let mut slow = Vec::new();
    let mut shed = 0;
    for _ in 0..40 {
        let mut stream = connect(&server, &connector).await.unwrap();
        stream.write_all(head(2 * MIB).as_bytes()).await.unwrap();
        stream.write_all(&[b' '; 1024]).await.unwrap();
        slow.push(stream);
    }
    for mut stream in slow {
        let answer = answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 429") || answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
        shed += usize::from(answer.starts_with("HTTP/1.1 429"));
    }
    assert_eq!(shed, 40 - 8, "room for eight bodies of two MiB");
    server.is_well();
    is_served(&server).await;
    assert!(server.counts("body_in_flight_bytes 0\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_a_second_is_given_the_time_of_one_request() {
    let server = Server::start("{}", 20_000);
    let connector = connector(&server);
    let drips = (0..50).map(|number| {
        let (connector, server) = (connector.clone(), &server);
        async move {
            let stream = connect(server, &connector).await.unwrap();
            let (mut read, mut write) = tokio::io::split(stream);
            // Half of them drip within the head, half within the body.
            if number % 2 == 0 {
                write.write_all(head(MIB).as_bytes()).await.unwrap();
            }
            let drip = async {
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if write.write_all(b"P").await.is_err() || write.flush().await.is_err() {
                        return;
                    }
                }
            };
            let mut answer = [0; 64];
            let read = tokio::time::timeout(Duration::from_secs(30), read.read(&mut answer));
            tokio::select! {
                () = drip => {}
                ended = read => assert!(ended.is_ok(), "a client that drips is still heard after 30 s"),
            }
        }
    });
    let (_, ()) = tokio::join!(futures::future::join_all(drips), is_served(&server));
    server.is_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_take_little_memory_and_end() {
    let server = Server::start("{maxConnections: 50}", 20_000);
    let connector = connector(&server);
    let requests = head(0).replace("/validate", "/nowhere").repeat(2000);
    let mut held = Vec::new();
    for _ in 0..50 {
        let mut stream = connect(&server, &connector).await.unwrap();
        // Until nothing is taken any more.
        while let Ok(Ok(())) = tokio::time::timeout(Duration::from_millis(200), stream.write_all(requests.as_bytes())).await {}
        held.push(stream);
    }
    server.is_well();
    is_served(&server).await;
    server.is_well();
}
