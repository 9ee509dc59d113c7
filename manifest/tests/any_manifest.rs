//! Whatever the manifest and the patch: the edited text reads as the patched value, and block style loses no line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_manifest::ManifestFile;
use json_patch::{Patch, PatchOperation};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// How the test writes a manifest; the crate's own printing is not used.
#[derive(Clone, Debug)]
enum Style {
    /// `comment` is the number of lines from one comment to the next.
    Block {
        mapping: usize,
        dashes: usize,
        comment: usize,
    },
    Brackets,
    Json,
    JsonOnLines,
}

fn styles() -> impl Strategy<Value = Style> {
    prop_oneof![
        4 => (1..5usize, 0..3usize, 1..6usize).prop_map(|(mapping, dashes, comment)| Style::Block { mapping, dashes, comment }),
        1 => Just(Style::Brackets),
        1 => Just(Style::Json),
        1 => Just(Style::JsonOnLines),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,4}",
        "[-:#?&*!|>%@`,'\" a~=.0-9\\[\\]{}\n\t\\\\]{0,6}",
        "[0-9_.eExX+-]{1,5}",
        "(?i:true|false|yes|no|on|off|null|y|n|~|0o7|1:30|2024-01-01)",
        any::<String>(),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        texts().prop_map(Value::String),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array), objects(inner).prop_map(Value::Object),]
    })
}

fn objects(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(texts().prop_filter("a merge key is no key", |key| key != "<<"), values, 0..4)
        .prop_map(|map| map.into_iter().collect())
}

/// Lines of `value` from column `column` on.
fn block(value: &Value, column: usize, mapping: usize, dashes: usize) -> Vec<String> {
    let below = |value: &Value, column: usize| match value {
        Value::Array(items) if !items.is_empty() => Some(block(value, column + dashes, mapping, dashes)),
        Value::Object(map) if !map.is_empty() => Some(block(value, column + mapping, mapping, dashes)),
        _ => None,
    };
    let pad = " ".repeat(column);
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match below(value, column) {
                Some(lines) => std::iter::once(format!("{pad}{}:", json!(key))).chain(lines).collect(),
                None => vec![format!("{pad}{}: {value}", json!(key))],
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .flat_map(|item| match item {
                Value::Object(map) if !map.is_empty() => {
                    let mut lines = block(item, column + 2, mapping, dashes);
                    lines[0].replace_range(column..=column, "-");
                    lines
                }
                item => vec![format!("{pad}- {item}")],
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn write(pod: &Value, style: &Style) -> String {
    match style {
        Style::Block { mapping, dashes, comment } => {
            let mut text = String::new();
            for (number, line) in block(pod, 0, *mapping, *dashes).iter().enumerate() {
                let indent = line.len() - line.trim_start().len();
                text.push_str(line);
                match number % (comment * 3) {
                    0 => text.push_str("   # beside\n"),
                    n if n % comment == 0 => text.extend([
                        "
",
                        &" ".repeat(indent),
                        "# below
",
                    ]),
                    n if n % comment == 1 => text.push_str("\n\n# at the margin\n"),
                    _ => text.push('\n'),
                }
            }
            text
        }
        Style::Brackets => format!("kind: Pod\nspec: {}\n", pod["spec"]),
        Style::Json => pod.to_string(),
        Style::JsonOnLines => serde_json::to_string_pretty(pod).unwrap(),
    }
}

/// The pointers of all collections in `value`.
fn collections(value: &Value, pointer: String, found: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collections(item, format!("{pointer}/{index}"), found));
        }
        Value::Object(map) => {
            map.iter().for_each(|(key, item)| {
                collections(item, format!("{pointer}/{}", escaped(key)), found);
            });
        }
        _ => return,
    }
    found.push(pointer);
}

/// An `add` somewhere below /spec, that fits the value as it is.
fn addition(pod: &Value, (place, last, value): &(prop::sample::Index, prop::sample::Index, Value)) -> PatchOperation {
    let mut found = Vec::new();
    collections(&pod["spec"], "/spec".to_owned(), &mut found);
    let container = place.get(&found);
    let last = match pod.pointer(container).unwrap() {
        Value::Array(items) => last.index(items.len() + 1).to_string(),
        _ => ["new", "countersign.dev~1profile", "yes", "1.5", "a b"][last.index(5)].to_owned(),
    };
    serde_json::from_value(json!({"op": "add", "path": format!("{container}/{last}"), "value": value})).unwrap()
}

/// Lines that a patch may alter: collections in brackets, and keys that are written over.
fn may_change(line: &str) -> bool {
    let written_over = ["\"new\":", "\"countersign.dev/profile\":", "\"yes\":", "\"1.5\":", "\"a b\":"];
    line.ends_with(['}', ']'])
        || line.ends_with("}   # beside")
        || line.ends_with("]   # beside")
        || written_over.iter().any(|key| line.contains(key))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_edited_text_reads_as_the_patched_value(
        style in styles(),
        spec in objects(values()),
        additions in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), values()), 1..4),
    ) {
        let pod = json!({"kind": "Pod", "spec": spec});
        let text = write(&pod, &style);
        let file = ManifestFile::parse("any.yaml", &text).unwrap();
        let pods = file.pods().unwrap();
        prop_assert_eq!(&pods[0].pod, &pod);

        let mut expected = pod;
        let mut patch = Patch(Vec::new());
        for choice in &additions {
            let operation = addition(&expected, choice);
            json_patch::patch(&mut expected, std::slice::from_ref(&operation)).unwrap();
            patch.0.push(operation);
        }
        let edited = match file.edited(&[(&pods[0], &patch)]) {
            // Collections with content are not written over, which the patch may ask for.
            Err(error) if error.to_string().contains("a collection with content") => return Ok(()),
            edited => edited.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?,
        };
        let again = ManifestFile::parse("any.yaml", &edited).unwrap();
        prop_assert_eq!(&again.pods().unwrap()[0].pod, &expected, "{}", edited);
        if let Style::Block { .. } = style {
            let mut lines = edited.lines();
            for line in text.lines().filter(|line| !may_change(line)) {
                prop_assert!(lines.any(|new| new == line), "lost: {line}\n{text}---\n{edited}");
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-a:#?&*!|>{}\\[\\], \n\r\t\"'<~0]{0,30}") {
        let text = format!("kind: Pod\n{text}\n");
        let file = ManifestFile::parse("any.yaml", &text);
        if let Ok((file, pods)) = file.and_then(|file| file.pods().map(|pods| (file, pods))) {
            let patch: Patch = serde_json::from_value(json!([{"op": "add", "path": "/a", "value": [1]}])).unwrap();
            if let Ok(edited) = file.edited(&[(&pods[0], &patch)]) {
                let again = ManifestFile::parse("any.yaml", &edited).unwrap().pods().unwrap();
                prop_assert_eq!(&again[0].pod["a"], &json!([1]));
            }
        }
    }
}
