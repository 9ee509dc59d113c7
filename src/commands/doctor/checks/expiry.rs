//! No entry of the allow-list has expired, or will within thirty days.
//!
//! Why: pods of an expired entry run on, until one of them has to start again.

use countersign_decision::allow_list::{Says, parse_entries};
use jiff::SignedDuration;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let config_maps = match &snapshot.allow_lists {
        Ok(config_maps) => config_maps,
        Err(unseen) => return Examined::unseen(unseen),
    };
    let mut findings = Vec::new();
    for (config_map, _) in config_maps.iter().filter(|(_, label)| label == "true") {
        for (key, text) in &config_map.data {
            // What cannot be read is told by the check of the allow-list.
            for (index, entry) in parse_entries(text).unwrap_or_default().iter().enumerate() {
                let Says::Admitted(scope) = &*entry.says else { continue };
                let Some(ends) = scope.not_after else { continue };
                let name = entry.name.as_ref().map_or_else(String::new, |name| format!(" ({name:?})"));
                let what = format!("ConfigMap {}, key {key}, entry {index}{name}", config_map.name);
                let edit =
                    || format!("kubectl edit configmap {} -n {}    # docs/releasing.md", config_map.name, snapshot.namespace);
                if ends < snapshot.now {
                    findings.push(Finding::warning(format!("{what} expired at {ends}"), edit()));
                } else if ends.duration_since(snapshot.now) < SOON {
                    findings.push(Finding::warning(format!("{what} expires at {ends}"), edit()));
                }
            }
        }
    }
    Examined::new("no entry of the allow-list expires within 30 days", findings)
}

#[cfg(test)]
mod tests {
    use countersign_decision::allow_list::ConfigMapText;
    use jiff::{Timestamp, ToSpan as _};

    use super::super::healthy::healthy;
    use super::super::tests::findings;
    use crate::commands::doctor::finding::Level;

    fn ending(at: Timestamp) -> Vec<String> {
        let mut snapshot = healthy();
        let entry = format!("- {{digest: \"sha256:{}1\", namespaces: [a], name: x, notAfter: \"{at}\"}}\n", "0".repeat(63));
        let text =
            ConfigMapText { name: "team".to_owned(), data: [("a.yaml".to_owned(), entry)].into(), binary_keys: Vec::new() };
        snapshot.allow_lists.as_mut().unwrap().push((text, "true".to_owned()));
        let found = findings("expiry", &snapshot);
        assert!(found.iter().all(|finding| finding.level == Level::Warning));
        found.into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn entries_that_have_expired_or_will_soon_are_warnings() {
        let now = healthy().now;
        assert!(ending(now - 1.hours())[0].starts_with("ConfigMap team, key a.yaml, entry 0 (\"x\") expired at "));
        assert!(ending(now + 48.hours())[0].contains(" expires at "));
        assert_eq!(ending(now + (31 * 24).hours()), [] as [&str; 0]);
    }
}
