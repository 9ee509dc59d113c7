//! A real cluster of one node: etcd, API server, controllers, scheduler, kubelet, kube-proxy and containerd.
//!
//! Everything runs in namespaces of its own (`space.rs`) and keeps its files in the run folder. This process reaches the API
//! server through a port on loopback (`forward.rs`) and serves the images from inside (`registry.rs`).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, Patch, PatchParams};
use kube::core::DynamicObject;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::access::{self, Options, User};
use crate::binaries::{Binaries, NodeBinaries};
use crate::door::Door;
use crate::forward::Forward;
use crate::node::{NODE, containerd, controllers, kubelet, packages};
use crate::process::Process;
use crate::progress::stage;
use crate::registry::{self, Images};
use crate::run::Run;
use crate::space::Space;
use crate::{ApiServer, boot, image};

/// What is told when these work.
const CONTROL_PLANE: &str = "namespaces, etcd, API server";
const NODE_READY: &str = "controllers, scheduler, containerd, kubelet, kube-proxy: the node is ready";

/// How long a started cluster may take until its node is ready.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// A running cluster; dropping it stops it and removes every trace.
#[derive(Debug)]
pub struct Cluster {
    // Dropped first: every process of the cluster ends with it.
    space: Option<Space>,
    processes: Vec<Process>,
    forward: Forward,
    images: Arc<Images>,
    programs: NodeBinaries,
    api: ApiServer,
    runtime: Option<Runtime>,
}

impl Cluster {
    /// Boots a cluster whose node can pull Countersign's image, made of this binary, and the stand-ins for the tutorial's;
    /// returns when the node is ready. Says on standard error what it does. Blocks; may be called inside a tokio runtime.
    ///
    /// # Errors
    /// When this is not root, a package or program is missing, or a part does not start: the end of its log is in the error.
    pub fn boot(options: &Options, product: &Path) -> Result<Self> {
        packages::ensure_there()?;
        let (binaries, programs) = (Binaries::pinned()?, NodeBinaries::find()?);
        let run = Run::create()?;
        let images = stage("images built", || image::build_all(&run, &programs, product))?;
        let images = Arc::new(images);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let inside = SocketAddr::from((Ipv4Addr::LOCALHOST, boot::PORT_INSIDE));
        let forward = Forward::to(inside, runtime.handle())?;
        let users = users(options);
        write_files(&run, &users)?;

        let (space, api) = stage(CONTROL_PLANE, || {
            let space = Space::make(&run)?;
            connect(&space, &forward, &images, &runtime)?;
            let api = ApiServer::boot_inside(&space, run, binaries, users, forward.port())?;
            anyhow::Ok((space, api))
        })?;
        let runtime = Some(runtime);
        let mut cluster = Self { space: Some(space), processes: Vec::new(), forward, images, programs, api, runtime };
        stage(NODE_READY, || cluster.start_node())?;
        boot::block_on(cluster.add_runtime_class())?;
        Ok(cluster)
    }

    /// The API server: clients, kubectl, kubeconfig.
    pub fn api(&self) -> &ApiServer {
        &self.api
    }

    /// Stops everything at once, as a power cut does. What is stored stays.
    pub fn stop(&mut self) {
        self.space = None;
        self.processes.clear();
    }

    /// Starts everything that [`Cluster::stop`] stopped, from what is stored; returns when the node is ready.
    ///
    /// # Errors
    /// When a part does not start.
    pub fn start(&mut self) -> Result<()> {
        ensure!(self.space.is_none(), "the cluster runs already");
        let runtime = self.runtime.as_ref().context("the cluster has ended")?;
        let space = stage(CONTROL_PLANE, || {
            let space = Space::make(self.api.run())?;
            connect(&space, &self.forward, &self.images, runtime)?;
            self.api.start_again(&space).map(|()| space)
        })?;
        self.space = Some(space);
        stage(NODE_READY, || self.start_node())
    }

    /// A command inside the namespaces: `iptables`, say.
    ///
    /// # Errors
    /// When the cluster is stopped.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Result<Command> {
        let space = self.space.as_ref().context("the cluster is stopped")?;
        let arguments: Vec<_> = arguments.iter().map(Into::into).collect();
        let (program, arguments) = space.command(Path::new(program), &arguments);
        let mut command = Command::new(program);
        command.args(arguments);
        Ok(command)
    }

    /// Controllers, scheduler, containerd, kubelet and kube-proxy.
    fn start_node(&mut self) -> Result<()> {
        let space = self.space.as_ref().context("the cluster is stopped")?;
        let run = self.api.run();
        let program = |name| self.programs.program(name);
        // What is stored of the node may be from before a stop.
        let before = boot::block_on(heartbeat_of_ready_node(&self.api))?;
        self.processes = vec![
            controllers::start(run, space, &program("kube-controller-manager"))?,
            controllers::start_scheduler(run, space, &program("kube-scheduler"))?,
            containerd::start(run, space)?,
            kubelet::start(run, space, &program("kubelet"))?,
            kubelet::start_proxy(run, space, &program("kube-proxy"))?,
        ];
        self.wait_until_ready(before.as_ref())
    }

    /// Returns once the node is ready at another time than `before`.
    fn wait_until_ready(&mut self, before: Option<&Time>) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            for process in &mut self.processes {
                if let Some(status) = process.ended() {
                    return Err(process.failure(&format!("ended with {status} before the node was ready")));
                }
            }
            let heartbeat = boot::block_on(heartbeat_of_ready_node(&self.api))?;
            if heartbeat.is_some() && heartbeat.as_ref() != before {
                return Ok(());
            }
            if Instant::now() > deadline {
                let kubelet = self.processes.iter().find(|process| process.name() == "kubelet");
                let kubelet = kubelet.context("there is no kubelet")?;
                return Err(kubelet.failure(&format!("has no ready node after {} s", READY_WITHIN.as_secs())));
            }
            sleep(Duration::from_millis(200));
        }
    }

    /// The RuntimeClass of AKS: its handler is runc here.
    async fn add_runtime_class(&self) -> Result<()> {
        let class = json!({
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "kata-cc-isolation"},
            "handler": "kata-cc",
            "overhead": {"podFixed": {"memory": "2Gi"}},
            "scheduling": {"nodeSelector": {"kubernetes.azure.com/kata-cc-isolation": "true"}},
        });
        let resource = kube::api::ApiResource::erase::<k8s_openapi::api::node::v1::RuntimeClass>(&());
        Api::<DynamicObject>::all_with(self.api.client()?, &resource)
            .patch("kata-cc-isolation", &PatchParams::apply("countersign-harness").force(), &Patch::Apply(class))
            .await?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
        // Waiting for its tasks is neither needed nor allowed inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Connections lead into these namespaces, and the images are served there.
fn connect(space: &Space, forward: &Forward, images: &Arc<Images>, runtime: &Runtime) -> Result<()> {
    let door = Door::open(space)?;
    registry::serve(door.listen(containerd::REGISTRY.parse()?)?, images.clone(), runtime.handle())?;
    forward.through(&door);
    Ok(())
}

/// The users that a test asked for, and those that the parts of a cluster are.
fn users(options: &Options) -> Vec<User> {
    let mut users = access::users(options);
    users.extend(
        [kubelet::KUBE_PROXY, controllers::CONTROLLER_MANAGER, controllers::SCHEDULER].map(|name| User::new(name, &[])),
    );
    users.push(User::new(kubelet::KUBELET, &["system:nodes"]));
    users
}

/// A kubeconfig for each user, inside the namespaces, and the configuration of the node.
fn write_files(run: &Run, users: &[User]) -> Result<()> {
    let authority = run.folder().join("authority.crt");
    for user in users {
        let kubeconfig = access::kubeconfig(boot::PORT_INSIDE, &authority, std::slice::from_ref(user));
        fs::write(run.folder().join(format!("{}.kubeconfig", user.name())), kubeconfig.to_string())?;
    }
    containerd::write_files(run)?;
    kubelet::write_files(run)
}

/// When the kubelet last said that the node is ready, if it is and takes pods.
async fn heartbeat_of_ready_node(api: &ApiServer) -> Result<Option<Time>> {
    let Some(node) = Api::<Node>::all(api.client()?).get_opt(NODE).await? else { return Ok(None) };
    // A node that became ready a moment ago still repels pods.
    let repels = node.spec.and_then(|spec| spec.taints).is_some_and(|taints| !taints.is_empty());
    let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
    let ready = conditions.into_iter().find(|condition| condition.type_ == "Ready" && condition.status == "True");
    Ok(ready.filter(|_| !repels).and_then(|condition| condition.last_heartbeat_time))
}
