//! The text of an allow-list ConfigMap.

use std::fmt::Write as _;

use anyhow::{Context as _, anyhow};
use countersign_decision::allow_list::{Namespaces, WrittenEntry};
use countersign_decision::labels;
use countersign_decision::names::{Name, yaml_word};
use countersign_manifest::ManifestFile;

/// A new ConfigMap with these entries, in Countersign's namespace `home`.
pub(super) fn new(entries: &[WrittenEntry], home: &Name) -> String {
    let (label, home) = (labels::ALLOW_LIST, yaml_word(home));
    let head = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: allow-list\n  namespace: {home}\n  labels:\n    {label}: \"true\"\ndata:\n  allow-list.yaml: |\n"
    );
    entries
        .iter()
        .flat_map(|entry| printed(entry).lines().map(|line| format!("    {line}\n")).collect::<Vec<_>>())
        .fold(head, |text, line| text + &line)
}

/// The file `text`, called `name`, with the entries appended to the first key of its first ConfigMap; comments and order stay.
pub(super) fn with_entries(name: &str, text: &str, entries: &[WrittenEntry]) -> anyhow::Result<String> {
    if entries.is_empty() {
        return Ok(text.to_owned());
    }
    let addition: String = entries.iter().map(printed).collect();
    let file = ManifestFile::parse(name, text)?;
    let place = file.config_map_texts().into_iter().next().ok_or_else(|| {
        anyhow!("{name}: no ConfigMap in it has a key under data to add to: write one, with an empty list []")
    })?;
    let before = if place.text.trim() == "[]" { "" } else { place.text.as_str() };
    let separator = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let after = format!("{before}{separator}{addition}");
    countersign_decision::allow_list::parse_entries(&after)
        .with_context(|| format!("{name}: cannot add to key {}, whose list is not in block style", place.key))?;
    Ok(file.with_text(&place, &after)?)
}

/// An entry as people write it.
fn printed(entry: &WrittenEntry) -> String {
    let WrittenEntry {
        digest,
        namespaces,
        service_accounts,
        name,
        profiles: _,
        not_after: _,
        owner: _,
        permissive: _,
        revoked: _,
    } = entry;
    let mut text = format!("- digest: {digest}\n");
    let mut line = |field: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {field}: {value}");
    };
    if let Some(namespaces) = namespaces {
        line(
            "namespaces",
            match namespaces {
                Namespaces::All => "[\"*\"]".to_owned(),
                Namespaces::These(names) => list(names),
            },
        );
    }
    if let Some(accounts) = service_accounts {
        line("serviceAccounts", list(accounts));
    }
    if let Some(name) = name {
        line("name", serde_json::Value::from(name.as_str()).to_string());
    }
    text
}

/// Names as a flow list.
fn list(names: &[Name]) -> String {
    format!("[{}]", names.iter().map(|name| yaml_word(name)).collect::<Vec<_>>().join(", "))
}
