//! The configuration file, and the manifests that are made of it.

use countersign::manifests;
use countersign_decision::configuration::Configuration;

use crate::cases;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let cases = cases::all();
    cases::yaml(cases.iter().map(|case| &case.given.configuration))
}

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Configuration::parse(text) {
        Ok(configuration) => {
            assert!(configuration.runtime_classes().into_iter().all(|class| configuration.is_confidential_class(class)));
            let rendered =
                manifests::render(&configuration, Some(text), "countersign-system", "registry.example/countersign:1");
            for file in rendered.into_iter().flatten() {
                let documents = serde_saphyr::from_multiple::<serde_json::Value>(&file.text);
                assert!(documents.is_ok(), "{} is no YAML: {:?}\n{}", file.name, documents, file.text);
            }
        }
        Err(error) => assert!(error.line > 0 && !error.message.is_empty(), "{error}"),
    }
}
