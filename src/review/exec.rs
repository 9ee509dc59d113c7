//! What the API server asks when somebody wants into a pod: the options of the way in, and of the pod only its name.

use countersign_decision::names::Name;
use countersign_decision::text::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::question::{Unreadable, VERSION, not_a_review, refused, strange, without_request};

/// The subresources that lead into a pod.
const WAYS: [&str; 3] = ["exec", "attach", "portforward"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    #[serde(borrow, default)]
    api_version: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default)]
    uid: Text<'a>,
    #[serde(borrow, default)]
    resource: Resource<'a>,
    #[serde(borrow, default)]
    sub_resource: Text<'a>,
    #[serde(borrow, default)]
    namespace: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    operation: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resource<'a> {
    #[serde(borrow)]
    group: Text<'a>,
    #[serde(borrow)]
    resource: Text<'a>,
}

/// Which pod somebody wants into, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct WayIn {
    /// The uid to echo.
    pub uid: String,
    /// The subresource.
    pub way: &'static str,
    /// The pod's namespace.
    pub namespace: Name,
    /// The pod's name. Both are names that an object can have, so that a path may be made of them.
    pub name: Name,
}

/// Reads the body of a request: an admission review for a way into a pod.
pub fn read_way_in(body: &[u8]) -> Result<WayIn, Unreadable> {
    let Review { api_version, kind, request } = serde_json::from_slice(body).map_err(|error| not_a_review(&error))?;
    let Some(request) = request else {
        return Err(without_request());
    };
    let Request { uid, resource, sub_resource, namespace, name, operation } =
        serde_json::from_str(request.get()).map_err(|error| not_a_review(&error))?;
    let refused = |because: String| refused(VERSION.to_owned(), uid.to_string(), because);
    if let Some(problem) = strange(&api_version, &kind) {
        return Err(refused(problem));
    }
    let way = WAYS.into_iter().find(|way| *way == &*sub_resource);
    let (Some(way), true, "CONNECT") = (way, resource.group.is_empty() && &*resource.resource == "pods", &*operation) else {
        return Err(refused(format!(
            "operation {:?} on {:?}/{:?} is not judged here: only CONNECT on pods/exec, pods/attach and pods/portforward is",
            &*operation, &*resource.resource, &*sub_resource
        )));
    };
    let named = |text: &str| Name::parse(text).map_err(|error| refused(error.to_string()));
    Ok(WayIn { uid: uid.to_string(), way, namespace: named(&namespace)?, name: named(&name)? })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(edit: impl FnOnce(&mut Value)) -> Result<WayIn, String> {
        let mut review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "u1", "resource": {"group": "", "version": "v1", "resource": "pods"}, "subResource": "exec",
                "kind": {"group": "", "version": "v1", "kind": "PodExecOptions"}, "operation": "CONNECT",
                "namespace": "kafka", "name": "consumer", "object": {"kind": "PodExecOptions", "command": ["sh"]}
            }
        });
        edit(&mut review);
        read_way_in(review.to_string().as_bytes()).map_err(|unreadable| match unreadable {
            Unreadable::NotAReview(because) => because,
            Unreadable::Refused { refusal, .. } => refusal.because,
        })
    }

    #[test]
    fn a_way_in_is_read() {
        let kafka = Name::parse("kafka").unwrap();
        let name = Name::parse("consumer").unwrap();
        assert_eq!(read(|_| {}), Ok(WayIn { uid: "u1".to_owned(), way: "exec", namespace: kafka, name }));
    }

    #[test]
    fn a_name_that_would_lead_elsewhere_is_refused() {
        for name in ["../secrets/x", "..", "a/b", "a?b", "a%2fb", ""] {
            assert!(read(|review| review["request"]["name"] = json!(name)).unwrap_err().contains("is not a name"), "{name}");
            assert!(
                read(|review| review["request"]["namespace"] = json!(name)).unwrap_err().contains("is not a name"),
                "{name}"
            );
        }
    }

    #[test]
    fn anything_else_is_not_judged_here() {
        for (field, value) in [("subResource", "log"), ("subResource", ""), ("operation", "CREATE")] {
            let because = read(|review| review["request"][field] = json!(value)).unwrap_err();
            assert!(because.contains("is not judged here"), "{because}");
        }
        assert!(read(|review| review["request"]["resource"]["resource"] = json!("nodes")).unwrap_err().contains("\"nodes\""));
        assert!(read(|review| review["kind"] = json!("Review")).unwrap_err().contains("\"Review\""));
        assert!(read(|review| review["request"] = Value::Null).unwrap_err().contains("has no `request`"));
    }
}
