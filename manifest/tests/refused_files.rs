//! What people read when a manifest cannot be used.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_manifest::ManifestFile;

fn pods_error(text: &str) -> String {
    let pods = ManifestFile::parse("pod.yaml", text).and_then(|file| file.pods());
    pods.expect_err(text).to_string()
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_the_place() {
    for (text, message) in [
        ("a:\n\tb: c\n", "pod.yaml:2:2 (document 1): not valid YAML: tabs disallowed within this context (block indentation)"),
        ("a: 1\n---\na: {b: c\n", "pod.yaml:3:4 (document 2): not valid YAML: unclosed bracket '{'"),
        (
            "a: 1\n---\na: b\n  c: d\n",
            "pod.yaml:4:4 (document 2): not valid YAML: mapping values are not allowed in this context",
        ),
        ("a: \"b\n", "pod.yaml:1:4 (document 1): not valid YAML: unclosed quote"),
        ("a: *x\n", "pod.yaml:1:4 (document 1): not valid YAML: while parsing node, found unknown anchor"),
        ("a: &x [*x]\n", "pod.yaml:1:8 (document 1): alias *x stands within its own anchor: write it out"),
        (
            "a: 1\n---\nb:\n  c: 1\n  d: 2\n  \"c\": 3\n",
            "pod.yaml:6:3 (document 2): key \"c\" stands twice in this mapping, first in line 4: remove one",
        ),
        ("kind: Pod\n1: a\n", "pod.yaml:2:1 (document 1): key 1 is not a string: write it in quotes"),
        (
            "kind: Pod\nmetadata:\n  labels: {yes: a}\n",
            "pod.yaml:3:12 (document 1): key yes is not a string: write it in quotes",
        ),
        (
            "kind: Pod\n? [a]\n: b\n",
            "pod.yaml:2:3 (document 1): a collection cannot be a key; if this is a Helm template, render it first (helm template)",
        ),
        (
            "kind: Pod\nspec:\n  priority: 18446744073709551616\n",
            "pod.yaml:3:13 (document 1): number 18446744073709551616 does not survive as JSON: write it in quotes, or within 64 bits",
        ),
        (
            "kind: Pod\nspec: .inf\n",
            "pod.yaml:2:7 (document 1): number .inf does not survive as JSON: write it in quotes, or within 64 bits",
        ),
        ("kind: Pod\nspec: !!binary YQ==\n", "pod.yaml:2:7 (document 1): tag !!binary has no meaning in a manifest: remove it"),
        ("kind: Pod\nspec: !secret a\n", "pod.yaml:2:7 (document 1): tag !secret has no meaning in a manifest: remove it"),
        (
            "kind: Pod\na: {b: 1, <<: {b: 2}}\n",
            "pod.yaml:2:15 (document 1): key \"b\" stands before the merge key (<<) that has it too: write it after",
        ),
        ("kind: Pod\n<<: 1\n", "pod.yaml:2:5 (document 1): a merge key (<<) takes a mapping: write it out"),
        (
            "kind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n",
            "pod.yaml:3:10 (document 1): a collection cannot be a key; if this is a Helm template, render it first (helm template)",
        ),
    ] {
        assert_eq!(pods_error(text), message, "{text}");
    }
}

#[test]
fn a_file_without_a_pod_names_the_kinds_that_it_has() {
    for (text, message) in [
        ("", "pod.yaml: no pod in it (found: nothing with a kind): give a Pod, or a workload with a pod template"),
        (
            "# nothing\n---\n",
            "pod.yaml: no pod in it (found: nothing with a kind): give a Pod, or a workload with a pod template",
        ),
        ("- a\n- b\n", "pod.yaml: no pod in it (found: nothing with a kind): give a Pod, or a workload with a pod template"),
        (
            "kind: Service\n---\nkind: ConfigMap\n---\nkind: ConfigMap\n",
            "pod.yaml: no pod in it (found: Service, ConfigMap): give a Pod, or a workload with a pod template",
        ),
        (
            "kind: List\nitems:\n- kind: Service\n",
            "pod.yaml: no pod in it (found: List, Service): give a Pod, or a workload with a pod template",
        ),
        (
            "apiVersion: apps.example.org/v1\nkind: Deployment\n",
            "pod.yaml: no pod in it (found: Deployment): give a Pod, or a workload with a pod template",
        ),
    ] {
        assert_eq!(pods_error(text), message, "{text}");
    }
}

#[test]
fn a_workload_without_a_template_is_refused() {
    for (text, message) in [
        (
            "kind: Service\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n",
            "pod.yaml:3:1 (document 2): Deployment web has no pod: spec.template must be a mapping",
        ),
        (
            "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  generateName: web-\nspec:\n  jobTemplate: []\n",
            "pod.yaml:1:1 (document 1): CronJob web-* has no pod: spec.jobTemplate.spec.template must be a mapping",
        ),
        (
            "kind: List\nitems:\n- kind: Service\n- kind: Job\n",
            "pod.yaml:4:3 (document 1): Job without a name has no pod: spec.template must be a mapping",
        ),
    ] {
        assert_eq!(pods_error(text), message, "{text}");
    }
}

#[test]
fn standard_input_is_called_so() {
    let error = ManifestFile::parse("-", "a: [").expect_err("unclosed").to_string();
    assert_eq!(error, "standard input:1:4 (document 1): not valid YAML: unclosed bracket '['");
}

#[test]
fn aliases_cannot_fill_the_memory() {
    let mut text = "kind: Pod\na0: &a0 [0123456789]\n".to_owned();
    for level in 1..20 {
        let inner = format!("*a{}", level - 1);
        let line = format!("a{level}: &a{level} [{}]\n", [inner.as_str(); 10].join(", "));
        text.push_str(&line);
    }
    assert_eq!(pods_error(&text), "pod.yaml:2:9 (document 1): aliases repeat more than 4 MiB of text: write them out");
}
