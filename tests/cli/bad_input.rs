//! Bad input: exit code 2, and a sentence with file, document and line.

use crate::called::{countersign, countersign_with, file};

const LIST: &str = "manifests/samples/allow-list.yaml";

#[test]
fn a_node_selector_without_quotes_is_named_with_its_mending() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c, image: i}]\n  nodeSelector:\n    kubernetes.azure.com/trusted-launch: true\n";
    for command in [&["render", "-f", "-"][..], &["review", "-f", "-", "--allow-list", LIST]] {
        let error = countersign_with(pod, command).unusable();
        assert!(error.contains("standard input:7:42 (document 1): Pod p: node selector values are strings: write kubernetes.azure.com/trusted-launch: \"true\""), "{error}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let error = countersign(&["render", "-f", "no-such-file.yaml"]).unusable();
    assert!(error.contains("cannot read no-such-file.yaml: No such file"), "{error}");
    let error = countersign_with("a: b\n---\nkind: Pod\nmetadata: [\n", &["render", "-f", "-"]).unusable();
    assert!(error.contains("standard input:") && error.contains("(document 2): not valid YAML"), "{error}");
    let error = countersign_with("kind: Service\n", &["render", "-f", "-"]).unusable();
    assert!(error.contains("no pod in it (found: Service)"), "{error}");
}

#[test]
fn a_bad_allow_list_is_named_with_config_map_key_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(LIST).unwrap();
    let list = file(folder.path(), "al.yaml", &good.replace("namespaces: [kafka]", "namespace: kafka"));
    let error = countersign(&["review", "-f", "manifests/samples/consumer.yaml", "--allow-list", &list]).unusable();
    assert!(
        error.contains(
            "al.yaml/allow-list-samples, key samples.yaml, line 2, column 3: [0].namespace: unknown field `namespace`"
        ),
        "{error}"
    );
    let error =
        countersign(&["review", "-f", "manifests/samples/consumer.yaml", "--allow-list", "manifests/samples/producer.yaml"])
            .unusable();
    assert!(error.contains("producer.yaml") && error.contains("ConfigMap"), "{error}");
}

#[test]
fn a_bad_configuration_is_named_with_file_field_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path =
        file(folder.path(), "c.yaml", "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\ndefaultMode: warning\n");
    let error = countersign(&["manifests", "--config", &path]).unusable();
    assert!(error.contains("c.yaml:3:14: defaultMode: "), "{error}");
}

#[test]
fn a_wrong_command_line_shows_its_usage() {
    let error = countersign(&["review", "-f", "x"]).unusable();
    assert!(error.contains("--allow-list"), "{error}");
    assert!(countersign(&["nonsense"]).unusable().contains("unrecognized subcommand"));
}

#[test]
fn help_has_examples_and_exit_codes() {
    let help = countersign(&["review", "--help"]).printed();
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
}

#[test]
fn standard_input_is_read_wherever_a_file_is_and_once() {
    let list = std::fs::read_to_string(LIST).unwrap();
    let consumer = "manifests/samples/consumer-plain-with-policy.yaml";
    countersign_with(&list, &["review", "-f", consumer, "--allow-list", "-"]).printed();
    let longer = countersign_with(&list, &["allow", "-f", "manifests/samples/consumer.yaml", "--allow-list", "-"]).printed();
    assert!(longer.starts_with("# "), "the list that was read is added to: {longer}");
    let configuration = "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\nrequiredNamespaces: [payments]\n";
    assert!(countersign_with(configuration, &["manifests", "--config", "-"]).printed().contains("'payments'"));
    let error = countersign_with(&list, &["review", "-f", "-", "--allow-list", "-"]).unusable();
    assert!(error.contains("standard input (-) can be read once: give a file for the other"), "{error}");
    let error = countersign_with("a: [", &["review", "-f", consumer, "--allow-list", "-"]).unusable();
    assert!(error.contains("standard input, line "), "{error}");
}

#[test]
fn limits_and_profiles_that_contradict_are_named_at_their_own_line() {
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\n";
    let error = |rest: &str| countersign_with(&format!("{head}{rest}"), &["manifests", "--config", "-"]).unusable();
    assert!(error("enabledProfiles: []\n").contains("standard input:3:18: enabledProfiles: is empty"));
    let limits = error("limits:\n  maxBodyBytes: 2\n  maxBytesInFlight: 1\n");
    assert!(limits.contains("standard input:4:17: limits.maxBodyBytes: is more than"), "{limits}");
}
