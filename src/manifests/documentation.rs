//! What the documentation shows can be used as it stands.

use countersign_decision::allow_list::parse_entries;
use countersign_decision::configuration::Configuration;
use serde_json::Value;

/// The YAML examples of a document.
fn examples(document: &str) -> Vec<&str> {
    document.split("```yaml\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect()
}

#[test]
fn the_configurations_in_the_documentation_can_be_read() {
    let read = |document: &str| {
        let example = examples(document).into_iter().find(|text| text.contains("kind: Configuration")).unwrap().to_owned();
        Configuration::parse(&example).unwrap_or_else(|error| panic!("{error}\n{example}"))
    };
    let of_install = read(include_str!("../../docs/install.md"));
    let built_in = Configuration::built_in().unwrap();
    assert_eq!(Configuration { required_namespaces: Vec::new(), ..of_install }, built_in, "the text says: the defaults");
    let of_clients = read(include_str!("../../docs/client-certificates.md").replace("\n   ", "\n").as_str());
    let check = of_clients.client_certificates.unwrap();
    assert!(super::placeholders::MOUNT.contains(&format!("mountPath: {}", check.authorities.parent().unwrap().display())));
    assert_eq!(read(include_str!("../../docs/profiles.md")).enabled_names(), "aks, aks-skr-2.13");
}

#[test]
fn the_entries_in_the_documentation_can_be_read() {
    let document = include_str!("../../docs/allow-list.md");
    for example in examples(document) {
        if example.starts_with("- digest") {
            assert_eq!(parse_entries(example).unwrap().len(), 1);
        } else {
            let config_map: Value = serde_saphyr::from_str(example).unwrap();
            assert_eq!(parse_entries(config_map["data"]["consumer.yaml"].as_str().unwrap()).unwrap().len(), 1);
        }
    }
}
