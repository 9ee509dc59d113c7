//! Every ConfigMap of the allow-list can be read, whole.
//!
//! Why: one error anywhere in a ConfigMap, and its last good version lapses after an hour; a replica that starts meanwhile counts it
//! as empty.

use countersign_decision::allow_list::{AllowList, RejectedConfigMap, Sources};
use countersign_decision::labels;
use jiff::SignedDuration;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let config_maps = match &snapshot.allow_lists {
        Ok(config_maps) => config_maps,
        Err(unseen) => return Examined::unseen(unseen),
    };
    let namespace = &snapshot.namespace;
    let mut sources = Sources::default();
    let mut findings = Vec::new();
    for (text, label) in config_maps {
        if label != "true" {
            findings.push(Finding::wrong(
                format!(
                    "ConfigMap {}: {}: {label:?} has no meaning, so its entries do not count",
                    text.name,
                    labels::ALLOW_LIST
                ),
                format!("kubectl label configmap {} -n {namespace} --overwrite {}=true", text.name, labels::ALLOW_LIST),
            ));
        } else if let Err(rejected) = sources.take(text, snapshot.now, SignedDuration::ZERO) {
            let (RejectedConfigMap::Text { config_map, .. } | RejectedConfigMap::Binary { config_map, .. }) = &rejected;
            findings.push(Finding::wrong(
                rejected.to_string(),
                format!("kubectl edit configmap {config_map} -n {namespace}    # docs/allow-list.md explains each message"),
            ));
        }
    }
    let entries = AllowList::of(&sources).len();
    Examined::new(format!("{entries} entries in {} ConfigMaps", config_maps.len()), findings)
}

#[cfg(test)]
mod tests {
    use countersign_decision::allow_list::ConfigMapText;

    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[test]
    fn a_rejected_config_map_is_named_with_key_line_and_column() {
        let mut snapshot = healthy();
        let text = ConfigMapText {
            name: "team".to_owned(),
            data: [("a.yaml".to_owned(), "- digest: nonsense\n".to_owned())].into(),
            binary_keys: Vec::new(),
        };
        snapshot.allow_lists.as_mut().unwrap().push((text, "true".to_owned()));
        let found = findings("allow-list", &snapshot);
        assert!(found[0].problem.starts_with("ConfigMap team, key a.yaml, line 1, column 11: [0].digest: "), "{found:?}");
        assert!(found[0].mend.starts_with("kubectl edit configmap team -n countersign-system"), "{found:?}");
    }

    #[test]
    fn a_label_with_another_value_lists_nothing() {
        let mut snapshot = healthy();
        snapshot
            .allow_lists
            .as_mut()
            .unwrap()
            .push((ConfigMapText { name: "team".to_owned(), ..ConfigMapText::default() }, "True".to_owned()));
        assert!(findings("allow-list", &snapshot)[0].problem.contains("\"True\" has no meaning"));
    }
}
