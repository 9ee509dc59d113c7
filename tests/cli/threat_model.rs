//! The threat model names tests, and they are there.

use std::path::Path;

/// Every `path::function` in the table of the threat model.
fn named(document: &str) -> Vec<(&str, &str)> {
    document
        .split('`')
        .filter_map(|code| code.split_once(".rs::").map(|_| code))
        .filter_map(|code| code.split_once("::"))
        .collect()
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = named(include_str!("../../docs/threat-model.md"));
    assert!(named.len() > 30, "only {} tests are named", named.len());
    for (path, function) in named {
        let text = std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let begins = text.find(&format!("fn {function}(")).unwrap_or_else(|| panic!("{path} has no {function}"));
        let attributes = text[..begins].rsplit("\n\n").next().unwrap_or_default();
        assert!(attributes.contains("test]") || attributes.contains("::test("), "{path}::{function} is no test");
    }
}

/// Each way in has a row with at least one test.
#[test]
fn no_row_of_the_threat_model_is_without_a_test() {
    let document = include_str!("../../docs/threat-model.md");
    let (_, table) = document.split_once("| way | answer | tests |\n|---|---|---|\n").unwrap();
    for row in table.lines().take_while(|line| line.starts_with('|')) {
        assert!(row.contains(".rs::"), "no test: {row}");
    }
}
