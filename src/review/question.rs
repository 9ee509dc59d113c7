//! What the API server asks.

use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::text::Text;
use countersign_decision::verdict::Refusal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::body::{Body, Cut};

/// Why a body gets no decision.
#[derive(Debug)]
pub enum Unreadable {
    /// It is no admission review: there is nobody to answer in kind.
    NotAReview(String),
    /// It is one, but not one that can be judged: it gets a review back that refuses.
    Refused {
        /// The API version to answer in.
        api_version: String,
        /// The request's uid.
        uid: String,
        /// Why.
        refusal: Refusal,
    },
}

pub(crate) const VERSION: &str = "admission.k8s.io/v1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Review<'a, Object> {
    #[serde(borrow, default)]
    api_version: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(bound(deserialize = "Object: Deserialize<'de>"))]
    request: Option<Request<'a, Object>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound(deserialize = "Object: Deserialize<'de>"))]
struct Request<'a, Object> {
    #[serde(borrow, default)]
    uid: Text<'a>,
    #[serde(borrow, default)]
    kind: Kind<'a>,
    #[serde(borrow, default)]
    sub_resource: Text<'a>,
    #[serde(borrow, default)]
    namespace: Text<'a>,
    #[serde(borrow, default)]
    operation: Text<'a>,
    #[serde(borrow, default)]
    user_info: User<'a>,
    object: Option<Object>,
    old_object: Option<Object>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Kind<'a> {
    #[serde(borrow)]
    group: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow, rename = "kind")]
    name: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct User<'a> {
    #[serde(borrow)]
    groups: Option<Vec<Text<'a>>>,
}

/// A request for a pod with what is needed to answer it.
#[derive(Debug)]
pub struct Question<'a> {
    /// The uid to echo.
    pub uid: String,
    /// What is asked; its namespace is in `namespace`.
    operation: Operation,
    namespace: Text<'a>,
    groups: Vec<Text<'a>>,
    pod: Pod<'a>,
    old: Option<Pod<'a>>,
}

impl Question<'_> {
    /// The request without its wire format. `required` says whether the path was that of `required` namespaces.
    pub fn into_request<R>(self, required: bool, judge: impl FnOnce(&PodRequest<'_>) -> R) -> R {
        let Self { uid: _, operation, namespace, groups, pod, old } = self;
        let groups = groups.iter().map(|group| &**group).collect();
        judge(&PodRequest { operation, namespace: &namespace, required, groups, pod, old })
    }
}

/// Which objects a path is asked about.
struct Accepts {
    /// Group, version and kind of each.
    kinds: &'static [(&'static str, &'static str, &'static str)],
    subresources: &'static [&'static str],
    /// The kinds as a sentence ends with them.
    words: &'static str,
}

const PODS: Accepts =
    Accepts { kinds: &[("", "v1", "Pod")], subresources: &["", "ephemeralcontainers"], words: "only pods (v1) are judged" };

/// Source: Kubernetes API reference, the users of `PodTemplateSpec` that make pods.
const WORKLOADS: Accepts = Accepts {
    kinds: &[
        ("apps", "v1", "Deployment"),
        ("apps", "v1", "ReplicaSet"),
        ("apps", "v1", "StatefulSet"),
        ("apps", "v1", "DaemonSet"),
        ("batch", "v1", "Job"),
        ("batch", "v1", "CronJob"),
        ("", "v1", "ReplicationController"),
    ],
    subresources: &[""],
    words: "only workloads (apps/v1, batch/v1, ReplicationController v1) have templates that are looked at",
};

const CONFIG_MAPS: Accepts =
    Accepts { kinds: &[("", "v1", "ConfigMap")], subresources: &[""], words: "only ConfigMaps (v1) make up the allow-list" };

/// Reads the body of a request: an admission review for a `ConfigMap`, whose objects are not looked into.
pub fn read_config_map(body: &[u8]) -> Result<Raw<'_>, Unreadable> {
    read_raw(body, &CONFIG_MAPS)
}

/// Reads the body of a request: an admission review for a workload, whose objects are not looked into.
pub fn read_workload(body: &[u8]) -> Result<Raw<'_>, Unreadable> {
    read_raw(body, &WORKLOADS)
}

fn read_raw<'a>(body: &'a [u8], accepts: &Accepts) -> Result<Raw<'a>, Unreadable> {
    match serde_json::from_slice::<Review<'_, &RawValue>>(body) {
        Ok(review) => question(review, accepts),
        Err(error) => Err(not_a_review(&error)),
    }
}

/// Reads the body of a request: an admission review for a pod.
pub fn read<'a>(body: &'a Body<'_>) -> Result<Question<'a>, Unreadable> {
    if let Some(review) = body.cut.as_ref().and_then(around) {
        return question(review, &PODS);
    }
    let review = match body.text {
        Some(text) => serde_json::from_str::<Review<'_, Pod<'_>>>(text),
        None => serde_json::from_slice(body.bytes),
    };
    match review {
        Ok(review) => question(review, &PODS),
        // Read again without looking into the objects, to know whom to answer.
        Err(error) => Err(match read_raw(body.bytes, &PODS) {
            Err(unreadable) => unreadable,
            Ok(Raw { api_version, uid, .. }) => refused(api_version, uid, format!("the pod cannot be read: {error}")),
        }),
    }
}

/// The review around a policy, with the policy put back; `None` where that cannot be, so that the whole is to be read.
pub(super) fn around<'a>(cut: &'a Cut<'_>) -> Option<Review<'a, Pod<'a>>> {
    let mut review: Review<'_, Pod<'_>> = serde_json::from_str(&cut.rest).ok()?;
    let request = review.request.as_mut()?;
    let put_back = [request.object.as_mut(), request.old_object.as_mut()].into_iter().flatten().any(|pod| cut.put_back(pod));
    put_back.then_some(review)
}

/// A review whose objects were not looked into.
#[derive(Debug)]
pub struct Raw<'a> {
    api_version: String,
    /// The uid to echo.
    pub uid: String,
    /// The kind of the object.
    pub kind: String,
    /// The namespace of the request.
    pub namespace: String,
    /// The object as it is to be, as its JSON.
    pub object: Option<&'a RawValue>,
    /// The object as it was, on an update.
    pub old: Option<&'a RawValue>,
}

/// What an object becomes once everything around it is right.
trait Object<'a>: Sized {
    type Question;
    fn ask(request: Request<'a, Self>, api_version: &str, operation: Operation) -> Result<Self::Question, Unreadable>;
}

impl<'a> Object<'a> for Pod<'a> {
    type Question = Question<'a>;

    fn ask(request: Request<'a, Self>, api_version: &str, operation: Operation) -> Result<Question<'a>, Unreadable> {
        let Request { uid, namespace, user_info, object, old_object, .. } = request;
        let Some(pod) = object else {
            return Err(refused(api_version.to_owned(), uid.to_string(), "the request has no object".to_owned()));
        };
        let namespace = if namespace.is_empty() { pod.metadata.namespace.clone() } else { namespace };
        let groups = user_info.groups.unwrap_or_default();
        Ok(Question { uid: uid.to_string(), operation, namespace, groups, pod, old: old_object })
    }
}

impl<'a> Object<'a> for &'a RawValue {
    type Question = Raw<'a>;

    fn ask(request: Request<'a, Self>, api_version: &str, _: Operation) -> Result<Raw<'a>, Unreadable> {
        let Request { uid, kind, namespace, object, old_object, .. } = request;
        Ok(Raw {
            api_version: api_version.to_owned(),
            uid: uid.to_string(),
            kind: kind.name.to_string(),
            namespace: namespace.to_string(),
            object,
            old: old_object,
        })
    }
}

/// Checks everything around the object.
fn question<'a, O: Object<'a>>(review: Review<'a, O>, accepts: &Accepts) -> Result<O::Question, Unreadable> {
    let Review { api_version, kind, request } = review;
    let Some(request) = request else {
        return Err(without_request());
    };
    let api_version = if api_version.is_empty() { VERSION.to_owned() } else { api_version.to_string() };
    let (uid, Kind { group, version, name: object }) = (request.uid.to_string(), &request.kind);
    let problem = if let Some(problem) = strange(&api_version, &kind) {
        Some(problem)
    } else if !accepts.kinds.contains(&(&**group, &**version, &**object)) {
        Some(format!(
            "the object is of kind {:?}, version {:?}, group {:?}, and {}",
            &**object, &**version, &**group, accepts.words
        ))
    } else if !accepts.subresources.contains(&&*request.sub_resource) {
        Some(format!("subresource {:?} is not judged", &*request.sub_resource))
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(refused(api_version, uid, problem));
    }
    let operation = match &*request.operation {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        other => {
            return Err(refused(api_version, uid, format!("operation {other:?} is not judged: only CREATE and UPDATE are")));
        }
    };
    O::ask(request, &api_version, operation)
}

pub(super) fn not_a_review(error: &serde_json::Error) -> Unreadable {
    Unreadable::NotAReview(format!("the body is not an admission review: {error}"))
}

pub(super) fn without_request() -> Unreadable {
    Unreadable::NotAReview("the body is JSON, but has no `request` of an admission review".to_owned())
}

/// What is wrong with a review of this version and kind, if it is not one that is answered.
pub(super) fn strange(api_version: &str, kind: &str) -> Option<String> {
    (api_version != VERSION || kind != "AdmissionReview")
        .then(|| format!("the review is {kind:?} of {api_version:?}, and only AdmissionReview of {VERSION} is answered"))
}

pub(super) fn refused(api_version: String, uid: String, because: String) -> Unreadable {
    let next = "Register the webhook with the manifests that `countersign manifests` prints";
    Unreadable::Refused { api_version, uid, refusal: Refusal::new("review-unreadable", because, next) }
}
