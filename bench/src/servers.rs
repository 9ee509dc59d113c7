//! The servers under load: processes of this run, ended when dropped.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::alone::megabytes;

/// A server that listens on loopback.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    health: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// The constant answer; if it `hashes`, after it has read the pod and hashed its policy.
    pub(crate) fn floor(program: &Path, directory: &Path, hashes: bool) -> Result<Self> {
        let name = if hashes { "hashing" } else { "floor" };
        let address = free()?;
        let certificates = directory.join(name);
        let listen = address.to_string();
        let mut arguments: Vec<&OsStr> =
            vec!["--listen".as_ref(), listen.as_ref(), "--self-signed".as_ref(), certificates.as_ref()];
        if hashes {
            arguments.push("--hash".as_ref());
        }
        Self::start(program, directory, name, [address; 2], &arguments)
    }

    /// The webhook with an allow-list.
    pub(crate) fn countersign(program: &Path, directory: &Path, name: &str, allow_list: &Path) -> Result<Self> {
        Self::configured(program, directory, name, allow_list, "{}")
    }

    /// The same with limits of the configuration, as YAML in braces.
    pub(crate) fn configured(program: &Path, directory: &Path, name: &str, allow_list: &Path, limits: &str) -> Result<Self> {
        let configuration = directory.join(format!("{name}-configuration.yaml"));
        fs::write(&configuration, format!("apiVersion: countersign.dev/v1alpha1\nkind: Configuration\nlimits: {limits}\n"))?;
        let address = free()?;
        let certificates = directory.join(name);
        let health = free()?;
        let arguments: [&OsStr; 12] = [
            "serve".as_ref(),
            "--standalone".as_ref(),
            "--listen".as_ref(),
            &std::ffi::OsString::from(address.to_string()),
            "--metrics-listen".as_ref(),
            &std::ffi::OsString::from(health.to_string()),
            "--self-signed".as_ref(),
            certificates.as_ref(),
            "--allow-list".as_ref(),
            allow_list.as_ref(),
            "--config".as_ref(),
            configuration.as_ref(),
        ];
        Self::start(program, directory, name, [address, health], &arguments)
    }

    fn start(
        program: &Path,
        directory: &Path,
        name: &str,
        [address, health]: [SocketAddr; 2],
        arguments: &[&OsStr],
    ) -> Result<Self> {
        let path = directory.join(format!("{name}.log"));
        let log = File::create(&path)?;
        let process = Command::new(program)
            .args(arguments)
            .env("RUST_LOG", "warn")
            // As the image has it.
            .env("RUST_LIB_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let server = Self { process, address, health, log: path };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                bail!("{name} does not listen on {address}:\n{}", server.said());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(server)
    }

    /// The folders of its threads in `/proc`.
    pub(crate) fn threads(&self) -> Result<Vec<PathBuf>> {
        let folder =
            fs::read_dir(format!("/proc/{}/task", self.process.id())).context("cannot list the threads of a server")?;
        Ok(folder.map(|thread| Ok(thread?.path())).collect::<std::io::Result<_>>()?)
    }

    /// The processor time that its threads had so far.
    pub(crate) fn processor_micros(&self) -> Result<f64> {
        // An idle thread may end meanwhile.
        let of = |thread: PathBuf| fs::read_to_string(thread.join("schedstat")).ok()?.split(' ').next()?.parse().ok();
        let nanos: Vec<f64> = self.threads()?.into_iter().filter_map(of).collect();
        Ok(nanos.iter().sum::<f64>() / 1_000.0)
    }

    /// Waits until the webhook says that it judges.
    pub(crate) fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut answer = String::new();
            let asked = TcpStream::connect(self.health).and_then(|mut connection| {
                connection.write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
                connection.read_to_string(&mut answer)
            });
            if asked.is_ok() && answer.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the webhook is not ready after 30 s: {answer}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The resident memory of the process, in MB.
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most that it ever was.
    pub(crate) fn peak_mb(&self) -> Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, which: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(which)).with_context(|| format!("no {which}"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(megabytes(kib * 1024))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A loopback address that was free a moment ago.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
