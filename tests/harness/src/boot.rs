//! How kube-apiserver is started and when it counts as ready.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Result, anyhow, bail};

use crate::access::{self, ADMIN, User};
use crate::place::Place;
use crate::process::Process;
use crate::run::Run;
use crate::space::{NODE_ADDRESS, Space};
use crate::{admission, audit, egress, etcd};

pub(crate) const KUBECONFIG: &str = "kubeconfig";
pub(crate) const AUDIT_LOG: &str = "audit.log";
const AUDIT_POLICY: &str = "audit-policy.json";
const TOKENS: &str = "tokens.csv";

/// Where the API server listens inside the namespaces of a cluster.
pub(crate) const PORT_INSIDE: u16 = 6443;

/// The address that pods know the API server by: the first of the range of Services.
pub(crate) const KUBERNETES_SERVICE: &str = "10.96.0.1";

/// How long the API server may take until it is ready; it takes about five seconds.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// How often another port is tried when somebody took the free one that was found.
const PORTS_TRIED: usize = 5;

/// Writes what kube-apiserver reads, beyond its keys.
pub(crate) fn write_files(run: &Run, users: &[User]) -> Result<()> {
    fs::write(run.folder().join(TOKENS), access::token_file(users))?;
    fs::write(run.folder().join(AUDIT_POLICY), audit::policy().to_string())?;
    Ok(())
}

/// Starts kube-apiserver on a free port, writes the kubeconfig for it, and waits until it is ready.
///
/// # Errors
/// When it ends, or is not ready in time, with the end of its log; or when no port stays free.
pub(crate) fn start_and_wait(
    run: &Run,
    program: &Path,
    etcd: &mut Process,
    authority: &[u8],
    users: &[User],
) -> Result<(Process, u16)> {
    for _ in 0..PORTS_TRIED {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let only_here = [
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            // A loopback address is refused as the endpoint of service kubernetes.
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--secure-port={port}"),
        ];
        let mut server = start(run, Place::Host, program, only_here)?;
        match ready(run, port, &mut server, etcd, authority, users) {
            Err(_) if server.log().contains("address already in use") => {}
            other => return other.map(|()| (server, port)),
        }
    }
    bail!("{PORTS_TRIED} free ports on 127.0.0.1 were each taken before kube-apiserver could listen on them")
}

/// Starts kube-apiserver inside the namespaces of a cluster and waits until it is ready, as seen through a port on loopback
/// that leads there.
///
/// # Errors
/// When it ends, or is not ready in time, with the end of its log.
pub(crate) fn start_inside(
    run: &Run,
    space: &Space,
    program: &Path,
    (etcd, port): (&mut Process, u16),
    authority: &[u8],
    users: &[User],
) -> Result<Process> {
    let only_there = [
        format!("--advertise-address={NODE_ADDRESS}"),
        format!("--secure-port={PORT_INSIDE}"),
        // For `kubectl logs` and `exec`: there is no name service.
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
    ];
    let mut server = start(run, Place::Inside(space), program, only_there)?;
    ready(run, port, &mut server, etcd, authority, users)?;
    Ok(server)
}

/// Writes the kubeconfig for a port and waits until the API server is ready.
fn ready(run: &Run, port: u16, server: &mut Process, etcd: &mut Process, authority: &[u8], users: &[User]) -> Result<()> {
    let kubeconfig = access::kubeconfig(port, &run.folder().join("authority.crt"), users);
    fs::write(run.folder().join(KUBECONFIG), kubeconfig.to_string())?;
    block_on(async {
        let client = access::client(port, authority, users, ADMIN)?;
        wait_until_ready(server, etcd, &client).await
    })
}

fn start<const N: usize>(run: &Run, place: Place<'_>, program: &Path, differing: [String; N]) -> Result<Process> {
    let folder = run.folder().display();
    let same = [
        format!("--etcd-servers={}", etcd::url(run)),
        format!("--cert-dir={folder}"),
        format!("--tls-cert-file={folder}/serving.crt"),
        format!("--tls-private-key-file={folder}/serving.key"),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={folder}/service-accounts.pub"),
        format!("--service-account-signing-key-file={folder}/service-accounts.key"),
        format!("--token-auth-file={folder}/{TOKENS}"),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--allow-privileged=true".to_owned(),
        format!("--audit-policy-file={folder}/{AUDIT_POLICY}"),
        format!("--audit-log-path={folder}/{AUDIT_LOG}"),
    ];
    let arguments: Vec<OsString> = same
        .into_iter()
        .chain(differing)
        .chain(egress::argument(run))
        .chain(admission::argument(run))
        .map(Into::into)
        .collect();
    place.start(run, "kube-apiserver", program, &arguments)
}

async fn wait_until_ready(server: &mut Process, etcd: &mut Process, client: &kube::Client) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        for process in [&mut *etcd, &mut *server] {
            if let Some(status) = process.ended() {
                return Err(process.failure(&format!("ended with {status} before the API server was ready")));
            }
        }
        if client.request_text(http::Request::get("/readyz").body(Vec::new())?).await.is_ok() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(server.failure(&format!("was not ready after {} s", READY_WITHIN.as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Runs a future to its end on a thread of its own, because the caller may be inside a runtime.
pub(crate) fn block_on<T: Send>(future: impl Future<Output = Result<T>> + Send) -> Result<T> {
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(future)
        });
        worker.join().map_err(|_| anyhow!("the thread that boots the API server panicked"))?
    })
}
