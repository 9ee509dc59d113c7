//! Two pods sent with server-side dry run: nothing is stored, and everything on the way is asked as it would be.
//!
//! One bears the label `countersign.dev/countersigned` and did not earn it: it has a runtime class and a policy, which satisfies the
//! admission policies, but nobody listed the policy. /validate refuses it in every mode, and nobody else does. The other is an
//! ordinary pod. Both satisfy the strictest level of Pod Security, which answers before the webhooks.

use countersign_decision::configuration::{Configuration, PolicyAnnotation};
use countersign_decision::labels;
use k8s_openapi::api::core::v1::{Capabilities, Container, Pod, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext};
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, ResourceExt as _};

use super::unseen;
use crate::commands::doctor::snapshot::Probe;

/// The answers: to the pod with the claim, to the ordinary one.
pub(super) async fn send(client: &Client, namespace: &str, configuration: &Configuration) -> (Probe, Probe) {
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    let mut claim = pod("countersign-doctor-claim");
    claim.labels_mut().insert(labels::COUNTERSIGNED.to_owned(), "true".to_owned());
    if let Some(profile) = configuration.enabled.first() {
        let policy = unlisted(profile.policy_annotation).to_owned();
        claim.annotations_mut().insert(profile.policy_annotation.key().to_owned(), policy);
        claim.spec.get_or_insert_default().runtime_class_name = Some(profile.runtime_class.to_string());
    }
    tokio::join!(ask(&pods, claim), ask(&pods, pod("countersign-doctor-ordinary")))
}

/// The policy `package countersign_doctor_claims_what_nobody_listed`, as its annotation has it.
const fn unlisted(annotation: PolicyAnnotation) -> &'static str {
    match annotation {
        PolicyAnnotation::AgentPolicy => "cGFja2FnZSBjb3VudGVyc2lnbl9kb2N0b3JfY2xhaW1zX3doYXRfbm9ib2R5X2xpc3RlZAo=",
        PolicyAnnotation::Initdata | PolicyAnnotation::EarlierInitdata => {
            "H4sIAAAAAAACAxXMUQrDIAyA4XdPITmAdIPtrScZI2RRNNSaollHbz98/T/4z9SHaPOrhyXcwgKOatYuVvbZRqH74wnuFcno7eDQKnyFnrLC9IN4o5w867fZXOWGUdm0I1eSfeCvkGHTj8YLqwxLEdwfn3NKAXUAAAA="
        }
    }
}

fn pod(name: &str) -> Pod {
    let container = Container {
        name: "probe".to_owned(),
        image: Some("countersign.invalid/probe:0".to_owned()),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            ..SecurityContext::default()
        }),
        ..Container::default()
    };
    let spec = PodSpec {
        service_account_name: Some("countersign".to_owned()),
        automount_service_account_token: Some(false),
        containers: vec![container],
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    };
    Pod { metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }, spec: Some(spec), status: None }
}

async fn ask(pods: &Api<Pod>, pod: Pod) -> Probe {
    let what = "create pods (a dry run) in the namespace of Countersign";
    match pods.create(&PostParams { dry_run: true, ..PostParams::default() }, &pod).await {
        Ok(_) => Probe::Admitted,
        // The authorizer's refusal names the user; admission's does not begin like that.
        Err(kube::Error::Api(status)) if !status.message.contains("cannot create resource \"pods\"") && status.code != 401 => {
            Probe::Refused(status.message.clone())
        }
        Err(error) => Probe::Unsent(unseen::of(&error, what)),
    }
}

#[cfg(test)]
mod tests {
    use countersign_policy::Limits;

    use super::*;

    #[test]
    fn the_policy_that_nobody_lists_can_be_read_in_every_annotation() {
        for annotation in [PolicyAnnotation::AgentPolicy, PolicyAnnotation::Initdata, PolicyAnnotation::EarlierInitdata] {
            let reading = annotation.measured().read(unlisted(annotation), Limits::DEFAULT).unwrap();
            let policy = reading.document.policy().unwrap();
            assert_eq!(policy.trim_end(), "package countersign_doctor_claims_what_nobody_listed");
        }
    }
}
