//! Why a policy likely does not fit its pod, and what to do about it.

/// The likely cause of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The pod has a container that the policy was not generated with: the sidecar, as a rule.
    BeforeInjection,
    /// The image has the same repository and another tag or digest.
    TagMoved,
    /// The policy was generated for another namespace.
    OtherNamespace,
    /// The manifest named no namespace, and the generator took one by default.
    NoNamespace,
    /// The policy was generated for a pod of another name.
    OtherName,
    /// The workload identity webhook of Azure added it.
    WorkloadIdentity,
    /// The API server added it for the service account.
    ServiceAccount,
    /// The manifest was changed, or another webhook changed the pod.
    Changed,
    /// The manifest had more when the policy was generated.
    Removed,
}

impl Cause {
    /// The likely cause of a variable that the policy does not have.
    ///
    /// Source: azure-workload-identity, "Mutating admission webhook" (the variables that it adds).
    pub(super) fn of_variable(name: &str) -> Self {
        let added = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST"];
        if added.contains(&name) { Self::WorkloadIdentity } else { Self::Changed }
    }

    /// The likely cause of a mount that the policy does not have.
    ///
    /// Source: azure-workload-identity 1.5 and 1.6; Kubernetes, the ServiceAccount admission controller.
    pub(super) fn of_mount(path: &str) -> Self {
        match path {
            _ if path.starts_with("/var/run/secrets/azure/") => Self::WorkloadIdentity,
            "/var/run/secrets/kubernetes.io/serviceaccount" => Self::ServiceAccount,
            _ => Self::Changed,
        }
    }

    /// The cause and the next step, as whole sentences without the last full stop.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::BeforeInjection => {
                "The policy was generated before injection, or for fewer containers: run `countersign render` first and generate the policy \
                 from what it prints"
            }
            Self::TagMoved => {
                "The image's tag was moved after the policy was generated: generate it again, or put the tag back"
            }
            Self::OtherNamespace => {
                "The policy was generated for another namespace: generate it from the manifest with the namespace that the pod is created in"
            }
            Self::NoNamespace => {
                "The namespace was not in the manifest when the policy was generated: write metadata.namespace and generate it again"
            }
            Self::OtherName => "The policy was generated for a pod of another name: generate it again from this manifest",
            Self::WorkloadIdentity => {
                "The azure-workload-identity webhook adds this after the policy is generated, and its version 1.6 mounts the token at \
                 /var/run/secrets/azure/wi, which the generator does not expect: allow it in the generator's settings and generate again"
            }
            Self::ServiceAccount => {
                "The API server mounts the service account's token: allow the mount in the generator's settings, or set \
                 automountServiceAccountToken: false"
            }
            Self::Changed => {
                "The manifest was changed after the policy was generated, or another webhook changed the pod: generate the policy from the \
                 pod as it is in the end"
            }
            Self::Removed => "The container was removed or renamed after the policy was generated: generate the policy again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[test]
    fn who_likely_added_a_mount_is_told_by_its_path() {
        for (path, expected) in [
            ("/var/run/secrets/azure/tokens", Cause::WorkloadIdentity),
            ("/var/run/secrets/azure/wi", Cause::WorkloadIdentity),
            ("/var/run/secrets/azure", Cause::Changed),
            ("/var/run/secrets/kubernetes.io/serviceaccount", Cause::ServiceAccount),
            ("/var/run/secrets/kubernetes.io", Cause::Changed),
            ("/data", Cause::Changed),
        ] {
            assert_eq!(Cause::of_mount(path), expected, "{path}");
        }
    }

    #[test]
    fn who_likely_added_a_variable_is_told_by_its_name() {
        for name in ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST"] {
            assert_eq!(Cause::of_variable(name), Cause::WorkloadIdentity, "{name}");
        }
        assert_eq!(Cause::of_variable("AZURE_OTHER"), Cause::Changed);
    }

    #[test]
    fn an_advice_ends_with_what_to_do() {
        for (cause, step) in [
            (Cause::BeforeInjection, "run `countersign render` first and generate the policy from what it prints"),
            (Cause::TagMoved, "generate it again, or put the tag back"),
            (Cause::OtherNamespace, "generate it from the manifest with the namespace that the pod is created in"),
            (Cause::NoNamespace, "write metadata.namespace and generate it again"),
            (Cause::OtherName, "generate it again from this manifest"),
            (Cause::WorkloadIdentity, "allow it in the generator's settings and generate again"),
            (Cause::ServiceAccount, "or set automountServiceAccountToken: false"),
            (Cause::Changed, "generate the policy from the pod as it is in the end"),
            (Cause::Removed, "generate the policy again"),
        ] {
            assert!(cause.advice().ends_with(step), "{cause:?}: {}", cause.advice());
        }
    }
}
