//! A confidential pod shares no namespace with its node.
//!
//! Why: it runs in a virtual machine with a kernel of its own, in which the node's network, processes and IPC do not exist: the
//! runtime refuses the pod, or leaves the wish aside, long after it was admitted.
//! Reads: spec.hostNetwork, spec.hostPID, spec.hostIPC.
//! Allows: none of them true.
//! Source: Kubernetes API, core/v1 `PodSpec`; Kata Containers, "Limitations" (each container in a virtual machine with its own
//! kernel; host network).

use super::{Judge, Judgement, Judges};
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct HostNamespaces;

impl Judge for HostNamespaces {
    const ID: &'static str = "host-namespaces";
    const JUDGES: Judges = Judges::Confidential;
    /// The names of the fields that are true, with what the pod would share.
    type Reads<'a> = Vec<(&'static str, &'static str)>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Self::Reads<'a>> {
        Some(shared(subject))
    }

    fn judge(shared: &Self::Reads<'_>, _: &Known<'_>) -> Judgement {
        judge(shared)
    }
}

/// The same judgement for /mutate, which adds nothing to a pod that can never run.
pub(crate) fn judge_subject(subject: &Subject<'_>) -> Judgement {
    judge(&shared(subject))
}

fn shared(subject: &Subject<'_>) -> Vec<(&'static str, &'static str)> {
    let spec = &subject.pod.spec;
    let fields = [
        ("spec.hostNetwork", spec.host_network, "network"),
        ("spec.hostPID", spec.host_pid, "processes"),
        ("spec.hostIPC", spec.host_ipc, "inter-process communication"),
    ];
    fields.into_iter().filter(|(_, value, _)| *value == Some(true)).map(|(field, _, what)| (field, what)).collect()
}

fn judge(shared: &[(&str, &str)]) -> Judgement {
    if shared.is_empty() {
        return Ok(());
    }
    let fields = shared.iter().map(|(field, _)| *field).collect::<Vec<_>>();
    let what = shared.iter().map(|(_, what)| *what).collect::<Vec<_>>();
    let are = if fields.len() == 1 { "is" } else { "are" };
    Err(Refusal::new(
        HostNamespaces::ID,
        format!(
            "{} {are} true, but a confidential pod runs in a virtual machine of its own and cannot share the node's {}",
            fields.join(", "),
            what.join(", ")
        ),
        format!("Remove {}", fields.join(", ")),
    ))
}
