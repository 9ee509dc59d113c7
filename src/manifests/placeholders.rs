//! What the templates' placeholders stand for in manifests that are rendered here.

use countersign_decision::names::{Name, yaml_word};

use super::literals::{Literals, cel_list, indented};
use super::{HEALTH_PORT, HTTPS_PORT};

/// Each placeholder with its text; `source` is the configuration file, normalised, if the installation has one.
pub(super) fn values(literals: &Literals, source: Option<&str>, namespace: &Name, image: &str) -> Vec<(&'static str, String)> {
    let Literals {
        default_actions,
        drain_seconds,
        enabled_classes,
        enabled_profiles,
        grace_seconds,
        handlers,
        measured_in,
        memory_mebibytes,
        policy_annotations,
        required_namespaces,
        runtime_classes,
    } = literals;
    let if_configured = |text: fn(&str) -> String| source.map(text).unwrap_or_default();
    vec![
        ("namespace", yaml_word(namespace)),
        ("namespace_name", namespace.to_string()),
        ("service_host", format!("countersign.{namespace}.svc")),
        ("image", image.to_owned()),
        ("replicas", "3".to_owned()),
        ("requests", "{cpu: 100m, memory: 128Mi}".to_owned()),
        ("limits", format!("{{memory: {memory_mebibytes}Mi}}")),
        ("runtime_classes", cel_list(runtime_classes)),
        ("required_namespaces", cel_list(required_namespaces)),
        ("handlers", cel_list(handlers)),
        ("policy_annotations", cel_list(policy_annotations)),
        ("enabled_classes", cel_list(enabled_classes)),
        ("enabled_profiles", cel_list(enabled_profiles)),
        ("measured_in", cel_list(measured_in)),
        ("default_actions", format!("[{}]", default_actions.join(", "))),
        ("drain_seconds", drain_seconds.to_string()),
        ("grace_seconds", grace_seconds.to_string()),
        ("https_port", HTTPS_PORT.to_string()),
        ("health_port", HEALTH_PORT.to_string()),
        ("configuration", if_configured(|text| indented(text, 4))),
        (
            "configuration_annotation",
            if_configured(|text| annotation(&countersign_policy::Digest::sha256_of(text.as_bytes()).to_string())),
        ),
        ("configuration_mount", if_configured(|_| MOUNT.to_owned())),
        ("configuration_volume", if_configured(|_| VOLUME.to_owned())),
    ]
}

/// Where the container finds its configuration file, and the authorities of client certificates if there are any.
pub(super) const MOUNT: &str = "\n        volumeMounts:\n        - {name: configuration, mountPath: /etc/countersign/configuration, readOnly: true}\n        \
     - {name: clients, mountPath: /etc/countersign/clients, readOnly: true}";
/// What is mounted there.
pub(super) const VOLUME: &str = "\n      volumes:\n      - name: configuration\n        configMap: {name: countersign-configuration}\n      \
     # The authorities of client certificates, where the configuration asks for these.\n      - name: clients\n        \
     configMap: {name: countersign-clients, optional: true}";

/// The annotation of the pods that changes with the configuration.
pub(super) fn annotation(digest: &str) -> String {
    format!(
        "\n      # Another configuration is another digest, and starts new pods.\n      annotations: {{configuration-digest: \"{digest}\"}}"
    )
}
