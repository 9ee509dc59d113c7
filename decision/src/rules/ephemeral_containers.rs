//! A confidential pod gets no ephemeral container.
//!
//! Why: `kubectl debug` would put a container into the virtual machine that no policy has measured; the guest refuses it too,
//! but only later and without words.
//! Reads: spec.ephemeralContainers.
//! Allows: none.
//! Source: Kubernetes, "Ephemeral Containers"; Kata Containers, agent policy (`CreateContainerRequest`).

use super::{Judge, Judgement, Judges};
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct EphemeralContainers;

impl Judge for EphemeralContainers {
    const ID: &'static str = "ephemeral-containers";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Vec<&'a str>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Vec<&'a str>> {
        let containers = subject.pod.spec.ephemeral_containers.as_deref().unwrap_or_default();
        Some(containers.iter().map(|container| container.get()).collect())
    }

    fn judge(containers: &Vec<&str>, _: &Known<'_>) -> Judgement {
        if containers.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(
            Self::ID,
            format!(
                "the pod is confidential and would get {} ephemeral container(s), which its policy does not measure",
                containers.len()
            ),
            "Debug an ordinary copy of the pod instead (kubectl debug --copy-to, without the confidential label)",
        ))
    }
}
