//! What the guest's answers are worth.

use serde_json::json;

use super::{app, policy};
use crate::coverage::fields::{Difference, Proof};
use crate::coverage::guest::Guest;
use crate::coverage::request::{Change, Request, Sandbox};
use crate::coverage::{Cause, Certainty, Described};
use crate::engine::InProcess;

const CWD: &str = "/OCI/Process/Cwd";

/// What a guest whose rule meets `conditions` makes of working directory `/pod`, where the policy describes `/policy`, and the request
/// that has to be allowed first has `own`.
fn certainty(conditions: &str, own: Option<&str>) -> Option<Certainty> {
    let data = json!({"containers": [app(json!({"Process": {"Cwd": "/policy"}}))]});
    let text = policy(&data, conditions);
    let guest = Guest::new(&text, &InProcess);
    let by = Described::all(&data).next().unwrap();
    let usual = || Request::described(by, Sandbox { name: "app-0", namespace: "kafka" });
    let change = |value: &str| Change::Part(CWD, json!(value));
    let proof = Proof::Rule { usual: own.map(change), change: change("/pod") };
    let difference =
        Difference { field: String::new(), pod: String::new(), policy: String::new(), cause: Cause::Changed, proof };
    guest.findings(None, usual, vec![difference]).first().map(|found| found.certainty)
}

#[test]
fn a_refusal_counts_where_the_rule_allows_what_its_policy_describes() {
    let allowing = |directories: &[&str]| format!("input.OCI.Process.Cwd in {}", json!(directories));
    for (allowed, own, expected) in [
        (&["/policy"][..], None, Some(Certainty::Refused)),
        (&[], None, Some(Certainty::Unknown)),
        (&["/policy", "/pod"], None, None),
        (&["/pod"], None, None),
        (&["/policy", "/own"], Some("/own"), Some(Certainty::Refused)),
        (&["/policy"], Some("/own"), Some(Certainty::Unknown)),
        (&["/own"], Some("/own"), Some(Certainty::Unknown)),
        (&["/policy", "/own", "/pod"], Some("/own"), None),
    ] {
        assert_eq!(certainty(&allowing(allowed), own), expected, "{allowed:?}, first {own:?}");
    }
}

#[test]
fn a_rule_that_cannot_be_asked_refuses_nothing() {
    assert_eq!(certainty("input.OCI.Process.Cwd == ", None), Some(Certainty::Unknown));
}
