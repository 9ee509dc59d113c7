//! Asks the cluster everything that the checks read, once.
//!
//! Only what cannot be done without ends the command: a kubeconfig, and an answer of the API server. All else that fails is kept
//! as such and said by the checks that needed it.

mod objects;
mod pods;
mod probes;
mod rights;
mod served;
mod unseen;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use countersign_decision::allow_list::{AllowList, ConfigMapText, Sources};
use countersign_decision::configuration::Configuration;
use countersign_decision::facts::{Facts, NamespaceFacts};
use countersign_decision::labels;
use countersign_policy::examined::SeenExaminations;
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Pod};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::api::{Api, ListParams};
use kube::core::PartialObjectMeta;
use kube::{Client, ResourceExt as _};
use serde_json::Value;

use self::unseen::{NextStep as _, in_words};
use super::snapshot::{Configured, Look, Snapshot, Wanted};
use crate::args::DoctorArguments;
use crate::commands::{cluster, input};
use crate::evaluator::Separate;
use crate::manifests;

/// The label of everything that is installed. Source: the manifests' templates.
const OWN: &str = "app.kubernetes.io/name=countersign";

/// Gathers everything.
pub(super) async fn gather(arguments: &DoctorArguments) -> anyhow::Result<Snapshot> {
    let client = cluster::client(&arguments.cluster).await?;
    let namespace = arguments.namespace.clone();
    let (version, now, local) = answer(&client).await?;
    let (configuration, configured) = configuration(arguments, &client).await?;
    let source = configured.file.as_ref().map(|(_, text)| text.as_str());
    let in_cluster = configured.in_cluster.as_ref().ok().and_then(Option::as_deref);
    let rendered = manifests::render(&configuration, source.or(in_cluster), &namespace, manifests::IMAGE)?;
    let rendered: Vec<Value> =
        serde_saphyr::from_multiple(&manifests::joined(&rendered)).context("the rendered manifests cannot be read")?;
    let (objects, rights) = tokio::join!(objects::found(&client, &rendered), rights::reviewed(&client, &rendered, &namespace));
    let own = Api::<Pod>::namespaced(client.clone(), &namespace);
    let of_service = ListParams::default().labels("kubernetes.io/service-name=countersign");
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), &namespace);
    let (classes, nodes) = (Api::<RuntimeClass>::all(client.clone()), Api::<Node>::all(client.clone()));
    let (own_pods, slices, runtime_classes, nodes, namespaces, allow_lists) = tokio::join!(
        list(&own, ListParams::default().labels(OWN), "list pods in the namespace of Countersign"),
        list(&slices, of_service, "list endpointslices in the namespace of Countersign"),
        list(&classes, ListParams::default(), "list runtimeclasses"),
        list(&nodes, ListParams::default(), "list nodes"),
        labelled_namespaces(&client),
        allow_lists(&client, &namespace),
    );
    let (served, leases, (claim, ordinary)) = tokio::join!(
        served::by(&own, &own_pods, &namespace),
        leases(&client, &own_pods),
        probes::send(&client, &namespace, &configuration)
    );
    let pods = match facts(&configuration, &namespace, &namespaces, &runtime_classes, &allow_lists, now) {
        Ok(facts) => pods::judged(&client, &facts, now).await,
        Err(unseen) => Err(unseen),
    };
    Ok(Snapshot {
        namespace,
        version,
        now,
        local,
        configuration,
        configured,
        objects,
        slices,
        own_pods,
        served,
        runtime_classes,
        nodes,
        leases,
        namespaces,
        allow_lists,
        rights,
        claim,
        ordinary,
        pods,
    })
}

/// Version and clock of the API server, and this machine's clock at the same moment.
async fn answer(client: &Client) -> anyhow::Result<(String, Timestamp, Timestamp)> {
    let request = hyper::Request::get("/version").body(kube::client::Body::empty())?;
    let answer =
        client.send(request).await.map_err(|error| anyhow!("the API server cannot be reached: {}", in_words(&error)))?;
    let local = Timestamp::now();
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let now = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map_or(local, |date| date.timestamp());
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| anyhow!("the API server's answer ended early: {error}"))?;
    let body: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    let version = body.get("gitVersion").and_then(Value::as_str);
    let version = version.with_context(|| format!("the API server answers {status}: {body}"))?;
    Ok((version.to_owned(), now, local))
}

/// The configuration to compare with: the file's, else the cluster's, else the built-in one.
async fn configuration(arguments: &DoctorArguments, client: &Client) -> anyhow::Result<(Arc<Configuration>, Configured)> {
    let file = match &arguments.configuration {
        Some(path) => Some((input::called(path), input::text(path)?)),
        None => None,
    };
    let config_maps = Api::<ConfigMap>::namespaced(client.clone(), &arguments.namespace);
    let in_cluster = config_maps.get_opt("countersign-configuration").await;
    let in_cluster = in_cluster.unseen("read ConfigMap countersign-configuration");
    let in_cluster = in_cluster.map(|found| found.and_then(|found| found.data?.remove("configuration.yaml")));
    let mut unreadable = None;
    let configuration = if let Some((name, text)) = &file {
        Configuration::parse(text).map_err(|error| anyhow!("{name}:{}:{}: {}", error.line, error.column, error.message))?
    } else if let Ok(Some(text)) = &in_cluster {
        match Configuration::parse(text) {
            Ok(configuration) => configuration,
            Err(error) => {
                unreadable = Some(error.to_string());
                Configuration::built_in()?
            }
        }
    } else {
        Configuration::built_in()?
    };
    Ok((Arc::new(configuration), Configured { file, in_cluster, unreadable }))
}

/// A whole list, page by page.
async fn list<K>(api: &Api<K>, chosen: ListParams, what: &str) -> Look<Vec<K>>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let mut all = Vec::new();
    cluster::each(api, chosen, |item| all.push(item)).await.unseen(what)?;
    Ok(all)
}

async fn labelled_namespaces(client: &Client) -> Look<Vec<PartialObjectMeta<Namespace>>> {
    let list = Api::<Namespace>::all(client.clone()).list_metadata(&ListParams::default()).await;
    list.unseen("list namespaces").map(|list| list.items)
}

async fn allow_lists(client: &Client, namespace: &str) -> Look<Vec<(ConfigMapText, String)>> {
    let config_maps = Api::<ConfigMap>::namespaced(client.clone(), namespace);
    let found =
        list(&config_maps, ListParams::default().labels(labels::ALLOW_LIST), "list the allow-list's configmaps").await?;
    let text = |config_map: ConfigMap| {
        let label = config_map.labels().get(labels::ALLOW_LIST).cloned().unwrap_or_default();
        (crate::cluster::allow_list::text(config_map), label)
    };
    Ok(found.into_iter().map(text).collect())
}

/// The Leases of the nodes that run Countersign's pods: a node writes its own clock into it every ten seconds.
///
/// Source: Kubernetes, "Leases", node heartbeats.
async fn leases(client: &Client, own_pods: &Look<Vec<Pod>>) -> Look<Vec<Lease>> {
    let pods = own_pods.as_ref().map_err(Clone::clone)?;
    let nodes: BTreeSet<_> = pods.iter().filter_map(|pod| pod.spec.as_ref()?.node_name.clone()).collect();
    let leases = Api::<Lease>::namespaced(client.clone(), "kube-node-lease");
    let mut found = Vec::new();
    for node in nodes {
        found.extend(leases.get_opt(&node).await.unseen("get leases in kube-node-lease")?);
    }
    Ok(found)
}

/// What the webhook knows when it judges, as far as the user may read it.
fn facts(
    configuration: &Arc<Configuration>,
    home: &str,
    namespaces: &Look<Vec<PartialObjectMeta<Namespace>>>,
    runtime_classes: &Look<Vec<RuntimeClass>>,
    allow_lists: &Look<Vec<(ConfigMapText, String)>>,
    now: Timestamp,
) -> Look<Facts> {
    let mut sources = Sources::default();
    for (text, _) in allow_lists.as_ref().map_err(Clone::clone)?.iter().filter(|(_, label)| label == "true") {
        // What is rejected counts as empty, and the check of the allow-list says so.
        let _ = sources.take(text, now, SignedDuration::ZERO);
    }
    let of_labels = |namespace: &PartialObjectMeta<Namespace>| {
        let labels = namespace.labels().iter().map(|(key, value)| (key.as_str(), value.as_str()));
        (namespace.name_any(), NamespaceFacts::of_labels(labels, configuration))
    };
    let namespaces: HashMap<_, _> = namespaces.as_ref().map_err(Clone::clone)?.iter().map(of_labels).collect();
    let classes = runtime_classes.as_ref().map_err(Clone::clone)?;
    let classes: HashMap<_, _> = classes.iter().map(|class| (class.name_any(), class.handler.clone())).collect();
    Ok(Facts {
        allow_list: Arc::new(AllowList::of(&sources)),
        namespaces: Some(Arc::new(namespaces)),
        runtime_classes: Some(Arc::new(classes)),
        examined: Arc::new(SeenExaminations::by(Separate::by_this_program())),
        ..Facts::unwatched(Arc::clone(configuration), home)
    })
}

/// The objects as the checks have them.
fn wanted(rendered: &Value, found: Look<Option<Value>>) -> Wanted {
    Wanted { rendered: rendered.clone(), found }
}
