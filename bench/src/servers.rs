//! The servers under load: processes of this run, ended when dropped.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A server that listens on loopback.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// The constant answer.
    pub(crate) fn floor(program: &Path, directory: &Path) -> Result<Self> {
        let address = free()?;
        let certificates = directory.join("floor");
        Self::start(
            program,
            directory,
            "floor",
            address,
            &["--listen".as_ref(), address.to_string().as_ref(), "--self-signed".as_ref(), certificates.as_ref()],
        )
    }

    /// The webhook with an allow-list.
    pub(crate) fn countersign(program: &Path, directory: &Path, name: &str, allow_list: &Path) -> Result<Self> {
        let address = free()?;
        let certificates = directory.join(name);
        let health = free()?.to_string();
        let arguments: [&OsStr; 10] = [
            "serve".as_ref(),
            "--standalone".as_ref(),
            "--listen".as_ref(),
            &std::ffi::OsString::from(address.to_string()),
            "--metrics-listen".as_ref(),
            health.as_ref(),
            "--self-signed".as_ref(),
            certificates.as_ref(),
            "--allow-list".as_ref(),
            allow_list.as_ref(),
        ];
        Self::start(program, directory, name, address, &arguments)
    }

    fn start(program: &Path, directory: &Path, name: &str, address: SocketAddr, arguments: &[&OsStr]) -> Result<Self> {
        let log = File::create(directory.join(format!("{name}.log")))?;
        let process = Command::new(program)
            .args(arguments)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let server = Self { process, address };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                let log = fs::read_to_string(directory.join(format!("{name}.log"))).unwrap_or_default();
                bail!("{name} does not listen on {address}:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// The resident memory of the process, in MB.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024)
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
