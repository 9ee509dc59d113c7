//! The exec door: who has no right to it gets into no confidential pod, by `kubectl exec`, `attach`, `port-forward` or `cp`.
//!
//! Why: what runs in the pod was measured; what a person starts in it, reads from it or sends to its ports was not. The policy in the
//! guest refuses most of it too, but later and without words, and a port is none of its concern.
//! Reads: the pod as it is stored.
//! Allows: pods that are not confidential. Holders of the verb `exec` on `confidentialpods.countersign.dev` are never asked about: the
//! API server's own condition lets them by.
//! Source: Kubernetes, "Dynamic Admission Control", matchConditions (`authorizer`); admission reviews of pods/exec, pods/attach and
//! pods/portforward, which hold the options alone, so that the pod has to be fetched.

use crate::configuration::Mode;
use crate::facts::Known;
use crate::request::PodRequest;
use crate::subject::Setting;
use crate::verdict::{Refusal, Verdict};

/// The id of every refusal of the door.
pub const ID: &str = "exec-door";

/// Judges a way into a pod: `request` holds the stored pod, `way` is the subresource (`exec`, `attach`, `portforward`). There are no
/// modes here: that the namespace is guarded is the switch.
pub fn exec(request: &PodRequest<'_>, way: &str, known: &Known<'_>) -> Verdict {
    let setting = Setting::of(request, known.facts);
    let subject = setting.subject(&request.pod);
    if !subject.confidential {
        return Verdict::untouched();
    }
    let (namespace, name) = (subject.namespace, subject.name);
    let refusal = Refusal::new(
        ID,
        format!("pod {namespace}/{name} is confidential, and pods/{way} leads into it past what was measured"),
        format!(
            "If it has to be, ask the cluster administrator for the right: kubectl create rolebinding NAME -n {namespace} \
             --clusterrole=countersign-confidential-exec --user=USER"
        ),
    );
    let mut verdict = Verdict::by_mode(Mode::Enforce, vec![refusal]);
    verdict.audit.push(("decision", verdict.decision.name().to_owned()));
    verdict
}

/// The refusal where it cannot be known what the pod is: nobody gets in by making the look-up fail.
pub fn unknown(namespace: &str, name: &str, because: &str) -> Refusal {
    Refusal::new(
        ID,
        format!("whether pod {namespace}/{name} is confidential could not be found out: {because}"),
        "Try again in a moment; if it stays, ask the cluster administrator to look at the logs of the webhook",
    )
}
