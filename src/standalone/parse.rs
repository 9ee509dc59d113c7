//! Reading one allow-list file: `ConfigMap`s as `countersign allow` prints them, in one or more YAML documents.

use std::collections::BTreeMap;

use countersign_decision::allow_list::{ConfigMapText, RejectedConfigMap};
use countersign_decision::labels;
use countersign_decision::names::Name;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter, Spanned};

/// What is wrong with an allow-list file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is no such file, or it cannot be read.
    #[error("{file}: cannot be read: {problem}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        problem: String,
    },
    /// The file is not YAML, or not the YAML of a `ConfigMap`.
    #[error("{file}, line {line}, column {column}: {problem}")]
    Malformed {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1.
        column: u64,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// The file holds nothing.
    #[error("{file}: there is no ConfigMap in it: write one as `countersign allow` prints it")]
    Empty {
        /// The file.
        file: String,
    },
    /// A `ConfigMap` in it does not hold entries.
    #[error(transparent)]
    Rejected(#[from] RejectedConfigMap),
}

/// What every Kubernetes object begins with, to name another kind of document.
#[derive(Deserialize)]
#[serde(untagged)]
enum Head {
    #[serde(rename_all = "camelCase")]
    Object {
        api_version: String,
        kind: String,
    },
    Other(IgnoredAny),
}

/// A `ConfigMap`. A misspelt `data` must not make an empty list, so unknown fields are errors.
/// Source: Kubernetes API reference, `ConfigMap` v1.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    api_version: String,
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    data: Option<BTreeMap<String, String>>,
    #[serde(default)]
    binary_data: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "immutable")]
    _immutable: Option<bool>,
}

#[derive(Deserialize)]
struct Metadata {
    name: Name,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// Reads the text of an allow-list file called `file`. Each `ConfigMap` is named `<file>/<its name>`, so that files never take
/// each other's place. What the `ConfigMap`s hold is checked by `ConfigMapText::read`.
pub fn parse_allow_list_file(file: &str, text: &str) -> Result<Vec<ConfigMapText>, FileError> {
    let read = documents::<Document>(file, text);
    let is_one = |document: &Spanned<Document>| is_config_map(&document.value.api_version, &document.value.kind);
    if !read.as_ref().is_ok_and(|all| all.iter().all(is_one)) {
        // A document of another kind is named as such before its fields are.
        no_other_kinds(file, text)?;
    }
    let mut config_maps: Vec<ConfigMapText> = Vec::new();
    for document in read? {
        let Metadata { name, labels } = &document.value.metadata;
        let key = labels::ALLOW_LIST;
        if labels.get(key).is_none_or(|value| value != "true") {
            return Err(at(file, &document, format!("ConfigMap {name} lacks the label {key}: \"true\": add it")));
        }
        let name = format!("{file}/{name}");
        if config_maps.iter().any(|other| other.name == name) {
            return Err(at(file, &document, format!("ConfigMap {name} stands twice: give one of them another name")));
        }
        let Document { data, binary_data, .. } = document.value;
        let binary_keys = binary_data.unwrap_or_default().into_keys().collect();
        config_maps.push(ConfigMapText { name, data: data.unwrap_or_default(), binary_keys });
    }
    if config_maps.is_empty() { Err(FileError::Empty { file: file.to_owned() }) } else { Ok(config_maps) }
}

/// Says which document is of another kind, and which.
fn no_other_kinds(file: &str, text: &str) -> Result<(), FileError> {
    for head in documents::<Head>(file, text)? {
        let found = match &head.value {
            Head::Object { api_version, kind } if is_config_map(api_version, kind) => continue,
            Head::Object { api_version, kind } => format!("this is a {kind} ({api_version})"),
            Head::Other(_) => "this is not a ConfigMap".to_owned(),
        };
        return Err(at(file, &head, format!("{found}: write ConfigMaps (v1) alone, as `countersign allow` prints them")));
    }
    Ok(())
}

fn is_config_map(api_version: &str, kind: &str) -> bool {
    (api_version, kind) == ("v1", "ConfigMap")
}

/// The documents of a text that are not empty, with their places.
fn documents<T: DeserializeOwned>(file: &str, text: &str) -> Result<Vec<Spanned<T>>, FileError> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let place = error.location();
        let message = DefaultMessageFormatter.format_message(error.without_snippet());
        // What follows is a hint for programmers.
        let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
        FileError::Malformed {
            file: file.to_owned(),
            line: place.map_or(1, |place| place.line()),
            column: place.map_or(1, |place| place.column()),
            problem: message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        }
    })
}

fn at<T>(file: &str, document: &Spanned<T>, problem: String) -> FileError {
    let place = document.referenced;
    FileError::Malformed { file: file.to_owned(), line: place.line(), column: place.column(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_map(name: &str) -> String {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  labels: {{countersign.dev/allow-list: \"true\"}}\ndata:\n  team.yaml: |\n    []\n"
        )
    }

    fn error(text: &str) -> String {
        parse_allow_list_file("al.yaml", text).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_file_may_hold_several_config_maps() {
        let text = format!("# ours\n---\n{}---\n{}---\n", config_map("a"), config_map("b"));
        let read = parse_allow_list_file("al.yaml", &text).unwrap();
        assert_eq!(read.iter().map(|read| read.name.as_str()).collect::<Vec<_>>(), ["al.yaml/a", "al.yaml/b"]);
        assert_eq!(read[0].data["team.yaml"], "[]\n");
    }

    #[test]
    fn what_is_not_an_allow_list_is_named() {
        assert_eq!(error(""), "al.yaml: there is no ConfigMap in it: write one as `countersign allow` prints it");
        assert_eq!(
            error(&format!("{}---\napiVersion: v1\nkind: Pod\nspec: {{}}\n", config_map("a"))),
            "al.yaml, line 10, column 1: this is a Pod (v1): write ConfigMaps (v1) alone, as `countersign allow` prints them"
        );
        for text in ["- digest: x\n", "a: b\n", "text"] {
            let expected = "this is not a ConfigMap: write ConfigMaps (v1) alone, as `countersign allow` prints them";
            assert_eq!(error(text), format!("al.yaml, line 1, column 1: {expected}"));
        }
        assert_eq!(
            error(&config_map("a").replace("\"true\"", "\"yes\"")),
            "al.yaml, line 1, column 1: ConfigMap a lacks the label countersign.dev/allow-list: \"true\": add it"
        );
        assert_eq!(
            error(&format!("{0}---\n{0}", config_map("a"))),
            "al.yaml, line 10, column 1: ConfigMap al.yaml/a stands twice: give one of them another name"
        );
    }

    #[test]
    fn a_misspelt_field_is_an_error_and_not_an_empty_list() {
        assert_eq!(
            error(&config_map("a").replace("\ndata:", "\ndta:")),
            "al.yaml, line 6, column 1: unknown field `dta`, expected one of apiVersion, kind, metadata, data, binaryData, immutable"
        );
        assert!(
            error(&config_map("a").replace("name: a", "name: A")).starts_with("al.yaml, line 4, column 9: \"A\" is not a name")
        );
        let head = "apiVersion: v1\nkind: ConfigMap\n";
        assert_eq!(error(&format!("{head}data: [\n")), "al.yaml, line 3, column 7: unclosed bracket '['");
        assert_eq!(
            error(&format!("{head}data: {{a: x}}\ndata: {{a: x}}\n")),
            "al.yaml, line 4, column 1: duplicate mapping key: data"
        );
    }
}
