//! Reading one key of an allow-list ConfigMap.

use std::collections::HashSet;
use std::sync::Arc;

use serde_saphyr::Spanned;

use super::entry::{Entry, WrittenEntry};
use crate::yaml::{self, YamlError};

/// Reads the text under one key: a list of entries. An empty text (or comments alone) is an empty list.
pub fn parse_entries(text: &str) -> Result<Vec<Entry>, YamlError> {
    let good = yaml::read_good::<Option<Vec<Entry>>>(text).map(Option::unwrap_or_default);
    let mut entries = good.map_or_else(|| read_with_places(text), Ok)?;
    let mut said = HashSet::new();
    for entry in &mut entries {
        match said.get(&entry.says) {
            Some(the_same) => entry.says = Arc::clone(the_same),
            None => drop(said.insert(Arc::clone(&entry.says))),
        }
    }
    entries.shrink_to_fit();
    Ok(entries)
}

/// The entries, read with the place of each, so that what is wrong can be said.
fn read_with_places(text: &str) -> Result<Vec<Entry>, YamlError> {
    let written: Option<Vec<Spanned<WrittenEntry>>> = yaml::read(text)?;
    let entry = |(index, written): (usize, Spanned<WrittenEntry>)| {
        let (line, column) = (written.referenced.line(), written.referenced.column());
        Entry::try_from(written.value).map_err(|problem| YamlError { line, column, message: format!("[{index}]: {problem}") })
    };
    written.unwrap_or_default().into_iter().enumerate().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:bebb44db3c081a52b5c017c478db4461d956ba38c61003d912a1be089ecc4caf";

    fn error(rest: &str) -> String {
        parse_entries(&format!("- digest: {DIGEST}\n{rest}")).unwrap_err().to_string()
    }

    #[test]
    fn nothing_is_an_empty_list() {
        for text in ["", "\n", "# none yet\n", "[]"] {
            assert!(parse_entries(text).unwrap().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn every_field_is_read() {
        let text = format!(
            "- digest: {DIGEST}\n  namespaces: [kafka]\n  serviceAccounts: [sa]\n  name: kafka consumer 1.5\n  profiles: [aks]\n  \
             notAfter: 2027-03-01T00:00:00Z\n  owner: payments@example.org\n  permissive: false\n- {{digest: {DIGEST}, revoked: true}}\n"
        );
        let entries = parse_entries(&text).unwrap();
        assert_eq!(entries[0].name.as_deref(), Some("kafka consumer 1.5"));
        assert!(matches!(&*entries[1].says, super::super::entry::Says::Revoked(super::super::entry::Namespaces::All)));
    }

    #[test]
    fn entries_that_say_the_same_share_it() {
        let entry = |namespace: &str| format!("- {{digest: {DIGEST}, namespaces: [{namespace}]}}\n");
        let entries = parse_entries(&["kafka", "other", "kafka"].map(entry).concat()).unwrap();
        let shared = |a: usize, b: usize| Arc::ptr_eq(&entries[a].says, &entries[b].says);
        assert!(shared(0, 2) && !shared(0, 1));
    }

    #[test]
    fn what_is_wrong_is_named_with_entry_line_and_column() {
        assert_eq!(error(""), "line 1, column 3: [0]: namespaces is missing: name the namespaces, or write [\"*\"] for all");
        assert!(error("  namespace: [kafka]\n").starts_with("line 2, column 3: [0].namespace: unknown field `namespace`"));
        assert!(error("  namespaces: []\n").starts_with("line 2, column 15: [0].namespaces: is empty"));
        assert!(error("  namespaces: [\"*\", kafka]\n").contains("(\"*\" stands alone)"));
        assert!(error("  namespaces: kafka\n").starts_with("line 2, column 15: [0].namespaces: "));
        assert!(error("  namespaces: [Kafka]\n").contains("\"Kafka\" is not a name"));
        assert!(error("  namespaces: [kafka]\n  serviceAccounts: []\n").contains("serviceAccounts is empty"));
        assert!(error("  namespaces: [kafka]\n  notAfter: tomorrow\n").starts_with("line 3, column 13: [0].notAfter: "));
        assert!(error("  namespaces: [kafka]\n  name: \"a\\nb\"\n").contains("control character"));
        assert!(error("  revoked: true\n  notAfter: 2027-03-01T00:00:00Z\n").contains("would narrow the revocation"));
        assert_eq!(
            parse_entries("\n\n- digest: sha256:BEBB\n  namespaces: [kafka]\n").unwrap_err().to_string(),
            "line 3, column 11: [0].digest: character 'B' at position 1 of the digest is not one of 0-9 and a-f: write the digest in \
             lower-case hexadecimal"
        );
    }
}
