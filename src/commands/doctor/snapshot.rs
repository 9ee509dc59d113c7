//! Everything that the checks read, as it was at one moment.

use std::fmt;
use std::sync::Arc;

use countersign_decision::allow_list::ConfigMapText;
use countersign_decision::configuration::{Configuration, Mode};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::core::PartialObjectMeta;
use serde_json::Value;

/// What was seen, or why it could not be.
pub(super) type Look<T> = Result<T, Unseen>;

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unseen {
    /// What was to be done: `list nodes`.
    pub(super) what: String,
    /// Why not, in the API server's words where there are any.
    pub(super) because: String,
    /// What helps.
    pub(super) mend: String,
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.because)
    }
}

/// An installation and its cluster.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The product's own namespace.
    pub(super) namespace: String,
    /// What the API server calls itself: `v1.35.4`.
    pub(super) version: String,
    /// The API server's clock.
    pub(super) now: Timestamp,
    /// This machine's clock at the same moment.
    pub(super) local: Timestamp,
    /// The configuration that everything is compared with.
    pub(super) configuration: Arc<Configuration>,
    /// The configuration file on the command line, and the one in the cluster.
    pub(super) configured: Configured,
    /// Every object that belongs to the installation.
    pub(super) objects: Vec<Wanted>,
    /// The endpoint slices of the Service.
    pub(super) slices: Look<Vec<EndpointSlice>>,
    /// Countersign's own pods.
    pub(super) own_pods: Look<Vec<Pod>>,
    /// The certificate chains that its pods serve.
    pub(super) served: Look<Vec<Served>>,
    /// Every RuntimeClass.
    pub(super) runtime_classes: Look<Vec<RuntimeClass>>,
    /// Every node.
    pub(super) nodes: Look<Vec<Node>>,
    /// The Lease of each node that runs a pod of Countersign.
    pub(super) leases: Look<Vec<Lease>>,
    /// The labels of every namespace.
    pub(super) namespaces: Look<Vec<PartialObjectMeta<Namespace>>>,
    /// The ConfigMaps of the own namespace that bear the allow-list label, with its value.
    pub(super) allow_lists: Look<Vec<(ConfigMapText, String)>>,
    /// What the service account needs, and whether it may.
    pub(super) rights: Vec<(Right, Look<bool>)>,
    /// A pod that claims to be countersigned and is not, sent with dry run.
    pub(super) claim: Probe,
    /// An ordinary pod, sent with dry run.
    pub(super) ordinary: Probe,
    /// The confidential pods that run, judged as they are stored.
    pub(super) pods: Look<Running>,
}

/// Where the configuration comes from.
#[derive(Debug)]
pub(super) struct Configured {
    /// The file of `--config`: its name and text.
    pub(super) file: Option<(String, String)>,
    /// The text in the cluster, if there is one.
    pub(super) in_cluster: Look<Option<String>>,
    /// Why the text in the cluster is none.
    pub(super) unreadable: Option<String>,
}

/// An object of the installation.
#[derive(Debug)]
pub(super) struct Wanted {
    /// As `countersign manifests` prints it.
    pub(super) rendered: Value,
    /// As the cluster has it, if it does.
    pub(super) found: Look<Option<Value>>,
}

impl Wanted {
    pub(super) fn kind(&self) -> &str {
        text(&self.rendered, "/kind")
    }

    /// `ValidatingWebhookConfiguration countersign`.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.kind(), text(&self.rendered, "/metadata/name"))
    }
}

/// A certificate chain that a pod serves.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) pod: String,
    /// Leaf first, DER; or what went wrong on the way.
    pub(super) chain: Result<Vec<Vec<u8>>, String>,
}

/// One right, as RBAC writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Right {
    pub(super) verb: String,
    pub(super) group: String,
    pub(super) resource: String,
    pub(super) subresource: Option<String>,
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if let Some(subresource) = &self.subresource {
            write!(f, "/{subresource}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => Ok(()),
        }
    }
}

/// What became of a pod that was sent with dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Probe {
    /// It would be stored.
    Admitted,
    /// It was not, in these words of the API server.
    Refused(String),
    /// It could not be sent.
    Unsent(Unseen),
}

/// The confidential pods that run.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// How many there are.
    pub(super) confidential: usize,
    /// Those that would be refused if they were created now.
    pub(super) refused: Vec<RefusedPod>,
}

/// A running pod that would be refused if it were created now.
#[derive(Debug)]
pub(super) struct RefusedPod {
    pub(super) namespace: String,
    pub(super) name: String,
    /// What a refusal becomes in its namespace.
    pub(super) mode: Mode,
    /// Whether it would be refused in that mode.
    pub(super) refused: bool,
    /// The rules that refuse it, each with its reason.
    pub(super) reasons: Vec<(&'static str, String)>,
}

impl Snapshot {
    /// The objects of these kinds.
    pub(super) fn of_kinds<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = &'a Wanted> {
        self.objects.iter().filter(|wanted| kinds.contains(&wanted.kind()))
    }

    /// The object of this kind and of the name that everything has, as the cluster has it.
    pub(super) fn found(&self, kind: &str) -> Option<&Value> {
        self.objects.iter().filter(|wanted| wanted.kind() == kind).find_map(|wanted| wanted.found.as_ref().ok()?.as_ref())
    }

    /// The command that applies the installation again. The image stays the one that runs.
    pub(super) fn reapply(&self) -> String {
        let namespace = match self.namespace.as_str() {
            crate::manifests::NAMESPACE => String::new(),
            namespace => format!(" -n {namespace}"),
        };
        let configuration = match (&self.configured.file, &self.configured.in_cluster) {
            (Some((name, _)), _) => format!(" --config {name}"),
            (None, Ok(Some(_))) => " --config FILE".to_owned(),
            (None, _) => String::new(),
        };
        let image = self.found("Deployment").map(|found| text(found, "/spec/template/spec/containers/0/image"));
        let image = image.filter(|image| !image.is_empty()).unwrap_or("IMAGE");
        let command = format!(
            "countersign manifests{namespace}{configuration} --image {image} | kubectl apply --server-side --force-conflicts -f -"
        );
        match self.found("Deployment") {
            Some(found) if managed_by_helm(found) => {
                format!("helm upgrade, with the values of the installation (or {command})")
            }
            _ => command,
        }
    }

    /// Whether the webhook makes its own certificates: it does unless it is told to read files.
    pub(super) fn own_certificates(&self) -> bool {
        self.objects.iter().any(|wanted| wanted.title() == "Secret countersign-ca")
            && self.found("Deployment").is_none_or(|found| {
                let arguments =
                    found.pointer("/spec/template/spec/containers/0/args").map(Value::to_string).unwrap_or_default();
                !arguments.contains("--tls-cert")
            })
    }
}

fn managed_by_helm(found: &Value) -> bool {
    text(found, "/metadata/labels/app.kubernetes.io~1managed-by") == "Helm"
}

/// The text at a JSON pointer; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
