//! Whether the service account may do what the rendered roles give it.

use futures::future::join_all;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::Value;

use super::unseen::NextStep as _;
use crate::commands::doctor::snapshot::{Look, Right, text};

pub(super) async fn reviewed(client: &Client, rendered: &[Value], namespace: &str) -> Vec<(Right, Look<bool>)> {
    let rights = of_roles(rendered);
    let reviews = rights.iter().map(|right| review(client, right, namespace));
    let answers = join_all(reviews).await;
    rights.into_iter().zip(answers).collect()
}

/// Every right of the rendered `Role`s and `ClusterRole`s that are bound: one that is bound to nobody is for the administrator to
/// give. That of a `ClusterRole` counts in every namespace.
fn of_roles(rendered: &[Value]) -> Vec<Right> {
    let bound = |role: &&Value| {
        rendered.iter().any(|binding| {
            text(binding, "/roleRef/kind") == text(role, "/kind")
                && text(binding, "/roleRef/name") == text(role, "/metadata/name")
        })
    };
    let mut rights = Vec::new();
    for role in rendered.iter().filter(|object| matches!(text(object, "/kind"), "Role" | "ClusterRole")).filter(bound) {
        let namespace = Some(text(role, "/metadata/namespace").to_owned()).filter(|namespace| !namespace.is_empty());
        for rule in role.get("rules").and_then(Value::as_array).into_iter().flatten() {
            let words = |field: &str| -> Vec<String> {
                let list = rule.get(field).and_then(Value::as_array).into_iter().flatten();
                list.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let names = words("resourceNames").into_iter().map(Some).collect::<Vec<_>>();
            let names = if names.is_empty() { vec![None] } else { names };
            for (group, resource) in words("apiGroups")
                .iter()
                .flat_map(|group| words("resources").into_iter().map(move |resource| (group.clone(), resource)))
            {
                let (resource, subresource) = match resource.split_once('/') {
                    Some((resource, subresource)) => (resource.to_owned(), Some(subresource.to_owned())),
                    None => (resource, None),
                };
                for verb in words("verbs") {
                    rights.extend(names.iter().map(|name| Right {
                        verb: verb.clone(),
                        group: group.clone(),
                        resource: resource.clone(),
                        subresource: subresource.clone(),
                        name: name.clone(),
                        namespace: namespace.clone(),
                    }));
                }
            }
        }
    }
    rights
}

async fn review(client: &Client, right: &Right, namespace: &str) -> Look<bool> {
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(format!("system:serviceaccount:{namespace}:countersign")),
            groups: Some(vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ]),
            resource_attributes: Some(ResourceAttributes {
                verb: Some(right.verb.clone()),
                group: Some(right.group.clone()),
                resource: Some(right.resource.clone()),
                subresource: right.subresource.clone(),
                name: right.name.clone(),
                namespace: right.namespace.clone(),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let answer = Api::all(client.clone()).create(&PostParams::default(), &review).await;
    let answer = answer.unseen("create subjectaccessreviews.authorization.k8s.io")?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_bound_role_is_spread_into_its_rights_and_another_is_not() {
        let role = json!({"kind": "Role", "metadata": {"name": "one", "namespace": "home"}, "rules": [
            {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"], "resourceNames": ["a", "b"]},
            {"apiGroups": ["node.k8s.io"], "resources": ["runtimeclasses"], "verbs": ["list", "watch"]},
        ]});
        let binding = json!({"kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "one"}});
        let unbound = json!({"kind": "ClusterRole", "metadata": {"name": "one"}, "rules": [
            {"apiGroups": ["countersign.dev"], "resources": ["modes"], "verbs": ["set"]},
        ]});
        let rights: Vec<_> = of_roles(&[role, binding, unbound, json!({"kind": "Pod"})]).iter().map(Right::to_string).collect();
        assert_eq!(
            rights,
            [
                "get pods/log a in home",
                "get pods/log b in home",
                "list runtimeclasses.node.k8s.io in home",
                "watch runtimeclasses.node.k8s.io in home"
            ]
        );
    }
}
