use countersign_decision::verdict::{Refusal, Verdict};
use serde_json::{Value, json};

use super::*;

fn review(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u1", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "namespace": "kafka",
            "userInfo": {"username": "x", "groups": ["g"]},
            "object": {"metadata": {"name": "p"}, "spec": {"containers": []}}, "oldObject": null
        }
    });
    edit(&mut review);
    review.to_string().into_bytes()
}

/// Why a review that was changed is refused, with the uid that is echoed.
fn refused(edit: impl FnOnce(&mut Value)) -> (String, String) {
    match read(&Body::of(&review(edit))) {
        Err(Unreadable::Refused { uid, refusal, .. }) => (uid, refusal.because),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_for_a_pod_is_read() {
    let bytes = review(|_| {});
    let body = Body::of(&bytes);
    let question = read(&body).unwrap();
    assert_eq!(question.uid, "u1");
    question.into_request(true, |request| {
        assert_eq!((request.namespace, request.required), ("kafka", true));
        assert_eq!(request.groups, ["g"]);
        assert_eq!(request.pod_name(), "p");
        assert!(request.old.is_none());
    });
}

#[test]
fn what_is_no_review_is_said_to_be_none() {
    for (body, reason) in [
        (&b"{"[..], "the body is not an admission review: EOF"),
        (b"[]", "the body is not an admission review: "),
        (b"{}", "the body is JSON, but has no `request`"),
        (b"{\"request\": 1}", "the body is not an admission review: "),
        (b"\xff", "the body is not an admission review: "),
    ] {
        match read(&Body::of(body)) {
            Err(Unreadable::NotAReview(because)) => assert!(because.starts_with(reason), "{because}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_review_that_cannot_be_judged_is_refused_with_its_uid() {
    let (uid, because) = refused(|r| r["apiVersion"] = json!("admission.k8s.io/v2"));
    assert_eq!(uid, "u1");
    assert!(because.contains("\"admission.k8s.io/v2\""), "{because}");
    assert!(refused(|r| r["kind"] = json!("Review")).1.contains("\"Review\""));
    assert!(refused(|r| r["request"]["kind"]["kind"] = json!("Service")).1.contains("\"Service\""));
    assert!(refused(|r| r["request"]["kind"]["group"] = json!("apps")).1.contains("\"apps\""));
    assert!(refused(|r| r["request"]["operation"] = json!("DELETE")).1.contains("\"DELETE\""));
    assert!(refused(|r| r["request"]["subResource"] = json!("status")).1.contains("\"status\""));
    assert!(refused(|r| r["request"]["object"] = Value::Null).1.contains("no object"));
    let (uid, because) = refused(|r| r["request"]["object"] = json!({"metadata": {"labels": {"a": true}}, "spec": {}}));
    assert_eq!(uid, "u1");
    assert!(because.starts_with("the pod cannot be read: invalid type: boolean `true`, expected a string"), "{because}");
}

#[test]
fn a_key_that_stands_twice_in_the_pod_is_refused() {
    let body = String::from_utf8(review(|_| {})).unwrap().replace(r#""name":"p""#, r#""name":"p","name":"q""#);
    let body = Body::of(body.as_bytes());
    assert!(
        matches!(read(&body), Err(Unreadable::Refused { refusal, .. }) if refusal.because.contains("duplicate field `name`"))
    );
}

#[test]
fn hostile_nesting_is_refused_and_not_followed() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = String::from_utf8(review(|_| {})).unwrap().replace(r#""containers":[]"#, &format!(r#""containers":[{deep}]"#));
    assert!(read(&Body::of(body.as_bytes())).is_err());
}

#[test]
fn an_answer_echoes_the_uid_and_carries_code_and_reason() {
    let untouched: Value = serde_json::from_slice(&answer("u1", &Verdict::untouched())).unwrap();
    assert_eq!(
        untouched,
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {"uid": "u1", "allowed": true}})
    );
    let refused: Value =
        serde_json::from_slice(&refusal("admission.k8s.io/v1", "u2", &Refusal::new("x", "because", "next"))).unwrap();
    assert_eq!(
        refused["response"],
        json!({"uid": "u2", "allowed": false, "status": {"code": 403, "reason": "Forbidden", "message": "x: because. next"}})
    );
}

#[test]
fn each_path_is_asked_about_its_own_kinds_alone() {
    let of = |group: &str, kind: &str| {
        review(|review| review["request"]["kind"] = json!({"group": group, "version": "v1", "kind": kind}))
    };
    let because = |unreadable: Unreadable| match unreadable {
        Unreadable::Refused { refusal, .. } => refusal.because,
        Unreadable::NotAReview(because) => panic!("{because}"),
    };
    let pod = of("", "Pod");
    let deployment = of("apps", "Deployment");
    assert_eq!(read_workload(&deployment).unwrap().kind, "Deployment");
    assert!(because(read_workload(&pod).unwrap_err()).contains("and only workloads (apps/v1, batch/v1, "));
    assert!(because(read(&Body::of(&deployment)).unwrap_err()).contains("and only pods (v1) are judged"));
    let config_map = of("", "ConfigMap");
    assert_eq!(read_config_map(&config_map).unwrap().kind, "ConfigMap");
    assert!(because(read_config_map(&pod).unwrap_err()).contains("and only ConfigMaps (v1) make up the allow-list"));
    assert!(because(read_workload(&of("extensions", "Deployment")).unwrap_err()).contains("group \"extensions\""));
}
