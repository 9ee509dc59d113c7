//! The machine that a cluster runs on: network, mount and PID namespaces of its own, held by one process.
//!
//! Why: no address, mount or process of a run can meet those of another or of the host, and there is one thing to end. When
//! the first process in a PID namespace ends, the kernel kills all others (kubelet, containerd, its shims, every pod), and
//! mounts, links and rules go with the last of them. It ends with its standard input, so also when the test is killed.
//! Source: `pid_namespaces(7)`, `unshare(1)`, `nsenter(1)`.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::process::Process;
use crate::run::Run;

/// What the first process does before it waits.
const FIRST: &str = include_str!("space.sh");

/// What it says when it is done.
const READY: &str = "the namespaces are ready";

/// How long that may take.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The address of the node. Every run has the same: nothing outside its namespace can see it.
pub(crate) const NODE_ADDRESS: &str = "10.10.0.1";

/// The namespaces; dropping the value ends everything in them.
#[derive(Debug)]
pub(crate) struct Space {
    first: Process,
}

impl Space {
    /// Makes the namespaces.
    ///
    /// # Errors
    /// When this process may not make namespaces, or when a step of the script fails: what it said is in the error.
    pub(crate) fn make(run: &Run) -> Result<Self> {
        let mut arguments: Vec<OsString> =
            ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", FIRST, "first"]
                .map(Into::into)
                .to_vec();
        arguments.extend([run.folder().into(), run.name().into(), NODE_ADDRESS.into()]);
        let mut first = Process::start_held(run, "namespaces", Path::new("unshare"), &arguments)?;
        let deadline = Instant::now() + READY_WITHIN;
        while !first.log().contains(READY) {
            if let Some(status) = first.ended() {
                return Err(first.failure(&format!("ended with {status}")));
            }
            if Instant::now() > deadline {
                return Err(first.failure("were not ready in time"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { first })
    }

    /// The program and the arguments that run a program inside.
    pub(crate) fn command(&self, program: &Path, arguments: &[OsString]) -> (PathBuf, Vec<OsString>) {
        let space = |option: &str, name: &str| format!("--{option}=/proc/{}/ns/{name}", self.first.id()).into();
        let mut inside: Vec<OsString> =
            vec![space("net", "net"), space("mount", "mnt"), space("pid", "pid_for_children"), "--".into()];
        inside.push(program.into());
        inside.extend_from_slice(arguments);
        (PathBuf::from("nsenter"), inside)
    }

    /// Starts a program inside; it is recorded and logged as every process of the run, and ends with the namespaces.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub(crate) fn start(&self, run: &Run, name: &'static str, program: &Path, arguments: &[OsString]) -> Result<Process> {
        let (program, arguments) = self.command(program, arguments);
        Process::start(run, name, &program, &arguments)
    }

    /// The network namespace, open.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn network(&self) -> Result<File> {
        let path = format!("/proc/{}/ns/net", self.first.id());
        File::open(&path).with_context(|| format!("cannot open {path}"))
    }
}
