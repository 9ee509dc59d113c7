//! Values that would lock the cluster, or that do not belong together, are refused before anything is applied.

use crate::programs::{chart, helm, manifests, template};

fn refused(arguments: &[&str], because: &str) {
    let output = template(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?} are taken");
    assert!(error.contains(because), "{because:?} is not in: {error}");
}

#[test]
fn values_of_the_configuration_that_were_changed_by_hand_are_refused() {
    let together =
        "values under configuration do not belong together: print them anew with `countersign manifests --config FILE";
    refused(&["--set", "configuration.literals.requiredNamespaces={payments}"], together);
    refused(&["--set", "configuration.literals.defaultActions={Audit}"], together);
    refused(&["--set", "configuration.file=defaultMode: audit"], together);
    refused(&["--set", "configuration.literals.runtimeClasses={kata-other}"], together);
}

#[test]
fn an_unknown_value_is_refused_by_name() {
    refused(&["--set", "replica=2"], "'replica' not allowed");
    refused(&["--set", "replicas=0"], "replicas");
    refused(&["--set", "image.digest=abc"], "digest");
}

#[test]
fn a_namespace_that_is_not_countersigns_alone_is_refused() {
    for namespace in ["default", "kube-system"] {
        refused(&["--namespace", namespace], &format!("namespace {namespace} is not Countersign's alone"));
    }
    let folder = tempfile::tempdir().unwrap();
    let [file, values] = ["configuration.yaml", "values.yaml"].map(|name| folder.path().join(name).display().to_string());
    std::fs::write(&file, "{apiVersion: countersign.dev/v1alpha1, kind: Configuration, requiredNamespaces: [guard]}").unwrap();
    std::fs::write(&values, manifests(&["--config", &file, "--output", "helm-values"])).unwrap();
    refused(&["--namespace", "guard", "--values", &values], "Countersign's own pods could never start");
}

#[test]
fn helm_finds_nothing_wrong_with_the_chart() {
    let output = helm(&["lint", "--strict", "--namespace", "countersign-system", &chart()]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("0 chart(s) failed") && !said.contains("[WARNING]"), "{said}");
}
