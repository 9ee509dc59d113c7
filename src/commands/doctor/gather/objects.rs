//! Every rendered object, as the cluster has it.

use futures::future::join_all;
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::unseen::NextStep as _;
use super::wanted;
use crate::commands::doctor::snapshot::{Look, Wanted, text};

pub(super) async fn found(client: &Client, rendered: &[Value]) -> Vec<Wanted> {
    join_all(rendered.iter().map(|rendered| async move { wanted(rendered, find(client, rendered).await) })).await
}

async fn find(client: &Client, rendered: &Value) -> Look<Option<Value>> {
    let (group, version) = text(rendered, "/apiVersion").split_once('/').unwrap_or(("", text(rendered, "/apiVersion")));
    let kind = text(rendered, "/kind");
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let api: Api<DynamicObject> = match text(rendered, "/metadata/namespace") {
        "" => Api::all_with(client.clone(), &resource),
        namespace => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    let name = text(rendered, "/metadata/name");
    let what = format!("get {} {name}", resource.plural);
    // Of a Secret nothing is read but that it exists.
    if kind == "Secret" {
        let found = api.get_metadata_opt(name).await.unseen(&what)?;
        return Ok(found.map(|found| serde_json::json!({"metadata": {"name": found.metadata.name}})));
    }
    let found = api.get_opt(name).await.unseen(&what)?;
    Ok(found.and_then(|found| serde_json::to_value(found).ok()))
}
