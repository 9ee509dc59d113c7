//! Every other object of the installation is there. Those that have a check of their own are not repeated here.

use crate::commands::doctor::finding::Examined;
use crate::commands::doctor::snapshot::Snapshot;

/// Kinds whose absence another check tells.
const ELSEWHERE: [&str; 7] = [
    "Deployment",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Service",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    for wanted in snapshot.objects.iter().filter(|wanted| !ELSEWHERE.contains(&wanted.kind())) {
        super::present(wanted, snapshot, &mut findings);
    }
    Examined::new(format!("the {} objects of the installation are there", snapshot.objects.len()), findings)
}

#[cfg(test)]
mod tests {
    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[test]
    fn what_was_deleted_is_named() {
        let mut snapshot = healthy();
        snapshot.objects.iter_mut().find(|wanted| wanted.kind() == "PodDisruptionBudget").unwrap().found = Ok(None);
        assert_eq!(findings("objects", &snapshot)[0].problem, "PodDisruptionBudget countersign is missing");
    }
}
