//! A kube-apiserver with its etcd: what a test may do with it.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use crate::access::{self, ADMIN, Options, User};
use crate::place::Place;
use crate::process::Process;
use crate::run::Run;
use crate::space::Space;
use crate::{Binaries, admission, audit, boot, egress, etcd, keys};

/// A running API server; dropping it stops it.
#[derive(Debug)]
pub struct ApiServer {
    // Dropped in this order: the API server, its etcd, their folder.
    server: Process,
    etcd: Process,
    run: Run,
    binaries: Binaries,
    port: u16,
    authority: Vec<u8>,
    users: Vec<User>,
    version: String,
}

impl ApiServer {
    /// Starts etcd and kube-apiserver in a new run folder and waits until the API server is ready and namespace `default`
    /// can take pods. Blocks; needs no tokio runtime and may be called inside one.
    ///
    /// # Errors
    /// When the programs are missing and cannot be built, or when the API server does not become ready: the end of its log
    /// is in the error.
    pub fn boot(options: &Options) -> Result<Self> {
        let binaries = Binaries::find()?;
        let run = Run::create()?;
        let users = access::users(options);
        let authority = write_files(&run, &users)?;
        egress::write(&run, options)?;
        admission::write(&run, options)?;
        let mut etcd = etcd::start(&run, Place::Host, &binaries.etcd())?;
        let (server, port) = boot::start_and_wait(&run, &binaries.kube_apiserver(), &mut etcd, &authority, &users)?;
        let mut booted = Self { server, etcd, run, binaries, port, authority, users, version: String::new() };
        booted.version = boot::block_on(booted.open())?;
        Ok(booted)
    }

    /// The same inside the namespaces of a cluster, as seen through a port on loopback that leads there.
    ///
    /// # Errors
    /// As [`ApiServer::boot`].
    pub(crate) fn boot_inside(space: &Space, run: Run, binaries: Binaries, users: Vec<User>, port: u16) -> Result<Self> {
        let authority = write_files(&run, &users)?;
        let (etcd, server) = start_inside(&run, space, &binaries, port, &authority, &users)?;
        let mut booted = Self { server, etcd, run, binaries, port, authority, users, version: String::new() };
        booted.version = boot::block_on(booted.open())?;
        Ok(booted)
    }

    /// Starts both again, from the same data, in new namespaces: the processes of the old ones have ended with these.
    ///
    /// # Errors
    /// As [`ApiServer::boot`].
    pub(crate) fn start_again(&mut self, space: &Space) -> Result<()> {
        let (etcd, server) = start_inside(&self.run, space, &self.binaries, self.port, &self.authority, &self.users)?;
        self.etcd = etcd;
        self.server = server;
        Ok(())
    }

    /// The run that everything of this server belongs to.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// A new client for `admin`, who may do everything. It belongs to the tokio runtime that this is called in: make one in
    /// each test rather than share it.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn client(&self) -> Result<kube::Client> {
        self.client_as(ADMIN)
    }

    /// A new client for one of the users in [`Options`].
    ///
    /// # Errors
    /// When there is no such user, or the client cannot be built.
    pub fn client_as(&self, user: &str) -> Result<kube::Client> {
        access::client(self.port, &self.authority, &self.users, user)
    }

    /// A kubeconfig with a context for each user, named like the user; the current one is `admin`.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.run.folder().join(boot::KUBECONFIG)
    }

    /// Runs kubectl as `admin`, or as another user with `--context USER` among the arguments.
    ///
    /// # Errors
    /// When kubectl cannot be started; what it answers, a refusal too, is in the output.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<Output> {
        self.kubectl_with_input(arguments, "")
    }

    /// Runs kubectl with a text on its standard input, for `-f -`.
    ///
    /// # Errors
    /// As [`ApiServer::kubectl`].
    pub fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> Result<Output> {
        let program = self.binaries.kubectl();
        let mut kubectl = Command::new(&program)
            .arg("--kubeconfig")
            .arg(self.kubeconfig_path())
            .arg("--cache-dir")
            .arg(self.run.folder().join("kubectl"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        if let Some(mut stdin) = kubectl.stdin.take() {
            // kubectl reads all of it before it answers; one that fails early closes its end, and its output says why.
            let _ = stdin.write_all(input.as_bytes());
        }
        Ok(kubectl.wait_with_output()?)
    }

    /// Creates a namespace with these labels and in it the service accounts that pods run as: `default` and those named. In
    /// a cluster the controller manager does the second; none runs here, so nothing deletes a namespace either: take a new
    /// name for each test. A namespace that is there already gets the labels and the accounts.
    ///
    /// # Errors
    /// When the API server refuses one of the objects.
    pub async fn namespace(&self, name: &str, labels: &[(&str, &str)], service_accounts: &[&str]) -> Result<()> {
        let client = self.client()?;
        let apply = PatchParams::apply("countersign-harness").force();
        let labels: Value = labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        let metadata = json!({"name": name, "labels": labels});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        Api::<Namespace>::all(client.clone())
            .patch(name, &apply, &Patch::Apply(namespace))
            .await
            .with_context(|| format!("cannot create namespace {name}"))?;
        let accounts = Api::<ServiceAccount>::namespaced(client, name);
        for account in ["default"].iter().chain(service_accounts) {
            let object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}});
            accounts
                .patch(account, &apply, &Patch::Apply(object))
                .await
                .with_context(|| format!("cannot create service account {name}/{account}"))?;
        }
        Ok(())
    }

    /// The audit events so far, oldest first, as `audit.k8s.io/v1` objects without bodies. The log is written as the answer
    /// goes out, so the event of a request that was just answered may come a moment later.
    ///
    /// # Errors
    /// When the audit log cannot be read.
    pub fn audit_events(&self) -> Result<Vec<Value>> {
        audit::events(&self.run.folder().join(boot::AUDIT_LOG))
    }

    /// What the API server calls itself: `v1.35.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Starts one more process in this run, beside the API server: it is recorded, logged and stopped as that is. One of the
    /// arguments must name the run folder.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn companion(
        &self,
        name: &'static str,
        program: &Path,
        arguments: &[OsString],
        variables: &[(&str, OsString)],
    ) -> Result<Process> {
        Process::start_with(&self.run, name, program, arguments, variables)
    }

    /// The folder of this run: logs, keys, records. It is removed at the end.
    pub fn folder(&self) -> &Path {
        self.run.folder()
    }

    /// The ids of the processes that serve: kube-apiserver and etcd.
    pub fn process_ids(&self) -> [u32; 2] {
        [self.server.id(), self.etcd.id()]
    }

    /// What is left to do once the server is ready; returns its version.
    async fn open(&self) -> Result<String> {
        self.namespace("default", &[], &[]).await?;
        Ok(self.client()?.apiserver_version().await?.git_version)
    }
}

/// Writes everything that the processes read; returns the authority's certificate as DER.
fn write_files(run: &Run, users: &[User]) -> Result<Vec<u8>> {
    boot::write_files(run, users)?;
    keys::write(run.folder())
}

/// etcd and kube-apiserver, in this order.
fn start_inside(
    run: &Run,
    space: &Space,
    binaries: &Binaries,
    port: u16,
    authority: &[u8],
    users: &[User],
) -> Result<(Process, Process)> {
    let mut etcd = etcd::start(run, Place::Inside(space), &binaries.etcd())?;
    let server = boot::start_inside(run, space, &binaries.kube_apiserver(), (&mut etcd, port), authority, users)?;
    Ok((etcd, server))
}
