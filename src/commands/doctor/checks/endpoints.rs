//! The Service has ready endpoints: somebody to call.

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let slices = match &snapshot.slices {
        Ok(slices) => slices,
        Err(unseen) => return Examined::unseen(unseen),
    };
    // No word on readiness counts as ready. Source: Kubernetes API, EndpointConditions.
    let is_ready = |ready: Option<bool>| ready.unwrap_or(true);
    let endpoints = slices.iter().flat_map(|slice| &slice.endpoints);
    let (mut all, mut ready) = (0_usize, 0_usize);
    for endpoint in endpoints {
        all += 1;
        if is_ready(endpoint.conditions.as_ref().and_then(|conditions| conditions.ready)) {
            ready += 1;
        }
    }
    let findings = if ready > 0 {
        Vec::new()
    } else {
        let namespace = &snapshot.namespace;
        vec![Finding::wrong(
            format!("Service countersign has no ready endpoints ({all} in all): every confidential pod is refused"),
            format!(
                "kubectl get endpointslices,pods -n {namespace} -o wide\nkubectl logs -n {namespace} -l app.kubernetes.io/name=countersign --tail 20"
            ),
        )]
    };
    Examined::new(format!("{ready} of {all} endpoints are ready"), findings)
}

#[cfg(test)]
mod tests {
    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[test]
    fn endpoints_that_are_not_ready_are_as_good_as_none() {
        let mut snapshot = healthy();
        for endpoint in &mut snapshot.slices.as_mut().unwrap()[0].endpoints {
            endpoint.conditions.as_mut().unwrap().ready = Some(false);
        }
        assert!(
            findings("endpoints", &snapshot)[0].problem.starts_with("Service countersign has no ready endpoints (1 in all)")
        );
        snapshot.slices = Ok(Vec::new());
        assert!(findings("endpoints", &snapshot)[0].problem.contains("(0 in all)"));
    }
}
