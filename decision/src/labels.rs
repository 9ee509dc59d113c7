//! The labels and annotations that Countersign gives a meaning: part of the contract with its users.

/// Everything that begins like this belongs to Countersign; an unknown key is a spelling mistake.
pub const PREFIX: &str = "countersign.dev/";
/// Everything that begins like this configures the Kata runtime.
pub const KATA_PREFIX: &str = "io.katacontainers.";
/// On a pod: `"true"` opts it in. On a namespace: `required` opts in every pod.
pub const CONFIDENTIAL: &str = "countersign.dev/confidential";
/// On a pod: `"true"` asks for trusted-launch nodes alone.
pub const TRUSTED_LAUNCH: &str = "countersign.dev/trusted-launch";
/// On a pod: the claim that it passed every rule.
pub const COUNTERSIGNED: &str = "countersign.dev/countersigned";
/// On a pod (annotation) and on a namespace (label): the profile to use.
pub const PROFILE: &str = "countersign.dev/profile";
/// On a pod (annotation): the ids of the changes that were made to it.
pub const INJECTED: &str = "countersign.dev/injected";
/// On a namespace: what a refusal becomes.
pub const MODE: &str = "countersign.dev/mode";
/// On a namespace: `guarded` holds the ways into its confidential pods to who has the right.
pub const EXEC: &str = "countersign.dev/exec";
/// On a ConfigMap: its content is part of the allow-list.
pub const ALLOW_LIST: &str = "countersign.dev/allow-list";
/// On a pod (annotation): it mirrors a static pod of a node. Source: Kubernetes, "Create static Pods".
pub const MIRROR: &str = "kubernetes.io/config.mirror";
/// On a namespace: the level of Pod Security that is enforced. Source: Kubernetes, "Pod Security Admission".
pub const POD_SECURITY: &str = "pod-security.kubernetes.io/enforce";

/// The labels that a pod may bear; the only value of each is `"true"`.
pub const POD_LABELS: [&str; 3] = [CONFIDENTIAL, TRUSTED_LAUNCH, COUNTERSIGNED];
/// The annotations that a pod may bear.
pub const POD_ANNOTATIONS: [&str; 2] = [PROFILE, INJECTED];
