//! A configuration of one's own in what is rendered.

use super::*;

#[test]
fn a_configuration_of_ones_own_comes_along_and_sets_the_bounds() {
    let documents = configured();
    let config_map = named(&documents, "countersign-configuration");
    assert_eq!(config_map["data"]["configuration.yaml"], SOURCE);
    let template = &find(&documents, "Deployment")["spec"]["template"];
    let container = &template["spec"]["containers"][0];
    assert_eq!(container["image"], "registry.example/countersign@sha256:00");
    assert_eq!(container["resources"]["limits"]["memory"], "386Mi");
    assert_eq!(template["spec"]["terminationGracePeriodSeconds"], 75);
    let mounts = container["volumeMounts"].as_array().unwrap().iter().map(|mount| mount["mountPath"].as_str().unwrap());
    let directory = Path::new(CONFIGURATION_FILE).parent().unwrap().to_str().unwrap();
    assert_eq!(mounts.collect::<Vec<_>>(), [directory, "/etc/countersign/clients"]);
    let clients = &template["spec"]["volumes"][1];
    assert_eq!(clients["configMap"], json!({"name": "countersign-clients", "optional": true}), "nothing waits for it");
    let digest = countersign_policy::Digest::sha256_of(SOURCE.as_bytes()).to_string();
    assert_eq!(template["metadata"]["annotations"]["configuration-digest"], digest);
}

#[test]
fn what_would_lock_the_cluster_or_break_the_yaml_is_refused_with_the_reason() {
    let refused = |configuration: &str, namespace: &str, image: &str| {
        let configuration = Configuration::parse(configuration).unwrap();
        render(&configuration, None, namespace, image).unwrap_err().to_string()
    };
    let plain = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration}";
    assert!(refused(SOURCE, "payments", IMAGE).contains("Countersign's own pods could never start"));
    assert!(refused(plain, "kube-system", IMAGE).contains("not Countersign's alone"));
    assert!(refused(plain, "default", IMAGE).contains("not Countersign's alone"));
    assert!(refused(plain, "a.b", IMAGE).contains("at most 63 letters"));
    assert!(refused(plain, "a\nb", IMAGE).contains("is not a name"));
    assert!(refused(plain, NAMESPACE, "x\"\n  y: z").contains("is not an image reference"));
    assert!(refused(plain, NAMESPACE, "").contains("is not an image reference"));
}

/// Found by fuzzing: such a line did not keep the indentation of the ConfigMap's.
#[test]
fn a_carriage_return_alone_is_a_line_break_of_the_configuration() {
    let source = SOURCE.replace("requiredNamespaces", "\r\r  # alone\rrequiredNamespaces");
    let files = render(&Configuration::parse(&source).unwrap(), Some(&source), NAMESPACE, IMAGE).unwrap();
    let documents = documents(&files);
    let config_map = named(&documents, "countersign-configuration");
    assert_eq!(config_map["data"]["configuration.yaml"], source.replace('\r', "\n"));
}

#[test]
fn a_character_that_kubectl_takes_for_a_line_break_is_refused_by_its_line() {
    for (character, name) in [('\u{85}', "U+0085"), ('\u{2028}', "U+2028"), ('\u{2029}', "U+2029")] {
        let source = SOURCE.replace("# Ours.", &format!("# Ours.\n# {character}ours"));
        let configuration = Configuration::parse(&source).unwrap();
        let refused = render(&configuration, Some(&source), NAMESPACE, IMAGE).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("line 2 of the configuration has the character {name}, which")), "{refused}");
    }
    let tabs = SOURCE.replace("# Ours.", "# Ours.\t");
    assert!(render(&Configuration::parse(&tabs).unwrap(), Some(&tabs), NAMESPACE, IMAGE).is_ok());
}
