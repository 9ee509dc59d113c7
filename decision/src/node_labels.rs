//! Which labels the nodes of a cluster have, all nodes together.

use std::collections::{BTreeMap, BTreeSet};

/// The label that tells every node from the others: kept of none, or there would be as much to keep as there are nodes.
///
/// Source: Kubernetes, "Well-Known Labels".
const HOST_NAME: &str = "kubernetes.io/hostname";

/// Every value that a label has on some node. Which node it is, is not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeLabels(BTreeMap<String, BTreeSet<String>>);

impl NodeLabels {
    /// What the labels of these nodes say, given as keys and values.
    pub fn of<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, value) in labels {
            match all.get_mut(key) {
                _ if key == HOST_NAME => {}
                Some(values) if values.contains(value) => {}
                Some(values) => {
                    values.insert(value.to_owned());
                }
                None => {
                    all.insert(key.to_owned(), [value.to_owned()].into());
                }
            }
        }
        Self(all)
    }

    /// Whether it is known that no node has the label with this value.
    pub fn lack(&self, key: &str, value: &str) -> bool {
        key != HOST_NAME && !self.0.get(key).is_some_and(|values| values.contains(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_node_has_is_not_lacking_and_host_names_are_never_said_to_be() {
        let labels = NodeLabels::of([("a", "1"), ("a", "2"), ("a", "1"), (HOST_NAME, "node-1")]);
        assert!(!labels.lack("a", "1") && !labels.lack("a", "2"));
        assert!(labels.lack("a", "3") && labels.lack("b", "1"));
        assert!(!labels.lack(HOST_NAME, "node-2"));
        assert!(NodeLabels::default().lack("a", "1"));
        assert_eq!(NodeLabels::of([(HOST_NAME, "node-1"), (HOST_NAME, "node-2")]), NodeLabels::default(), "none is kept");
    }
}
