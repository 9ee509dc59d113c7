//! The ConfigMaps that make up the allow-list, each with its last good version.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::entry::Entry;
use super::parse::parse_entries;
use crate::yaml::YamlError;

/// Why a ConfigMap was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectedConfigMap {
    /// A key's text is not a list of entries.
    #[error("ConfigMap {config_map}, key {key}, {error}")]
    Text {
        /// The ConfigMap's name.
        config_map: String,
        /// The key under `data`.
        key: String,
        /// What is wrong and where.
        error: YamlError,
    },
    /// Content under `binaryData`, which is never read.
    #[error("ConfigMap {config_map}, key {key}: binaryData is not read: move the text to data")]
    Binary {
        /// The ConfigMap's name.
        config_map: String,
        /// The key under `binaryData`.
        key: String,
    },
}

/// What a ConfigMap holds, as texts.
#[derive(Debug, Default)]
pub struct ConfigMapText {
    /// Its name.
    pub name: String,
    /// `data`.
    pub data: BTreeMap<String, String>,
    /// The keys of `binaryData`.
    pub binary_keys: Vec<String>,
}

impl ConfigMapText {
    /// Reads the entries of every key.
    ///
    /// # Errors
    /// Where a key is not a list of entries, and where there is binary data.
    pub fn read(&self) -> Result<Entries, RejectedConfigMap> {
        let config_map = || self.name.clone();
        if let Some(key) = self.binary_keys.first() {
            return Err(RejectedConfigMap::Binary { config_map: config_map(), key: key.clone() });
        }
        let read = |(key, text): (&String, &String)| match parse_entries(text) {
            Ok(entries) => Ok((key.clone(), entries)),
            Err(error) => Err(RejectedConfigMap::Text { config_map: config_map(), key: key.clone(), error }),
        };
        self.data.iter().map(read).collect::<Result<_, _>>().map(Entries)
    }
}

/// The entries of a ConfigMap by its keys.
#[derive(Debug)]
pub struct Entries(Vec<(String, Vec<Entry>)>);

/// One ConfigMap's entries in force.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) keys: Arc<[(String, Vec<Entry>)]>,
    /// Set while a later version is rejected: from then on these entries no longer count.
    pub(super) lapses: Option<Timestamp>,
}

/// Every ConfigMap of the allow-list. The clock is a parameter.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub(super) by_name: BTreeMap<String, Source>,
    rejected: BTreeMap<String, RejectedConfigMap>,
}

impl Sources {
    /// Takes a new version of a ConfigMap. If it is rejected, the last good one stays in force for `last_good_for` from the
    /// first rejection on; a ConfigMap that never had a good version counts as empty.
    pub fn take(
        &mut self,
        config_map: &ConfigMapText,
        now: Timestamp,
        last_good_for: SignedDuration,
    ) -> Result<(), RejectedConfigMap> {
        self.put(&config_map.name, config_map.read(), now, last_good_for)
    }

    /// The same with a version of the ConfigMap `name` that was read before, by [`ConfigMapText::read`].
    pub fn put(
        &mut self,
        name: &str,
        read: Result<Entries, RejectedConfigMap>,
        now: Timestamp,
        last_good_for: SignedDuration,
    ) -> Result<(), RejectedConfigMap> {
        match read {
            Ok(Entries(keys)) => {
                self.rejected.remove(name);
                self.by_name.insert(name.to_owned(), Source { keys: keys.into(), lapses: None });
                Ok(())
            }
            Err(rejected) => {
                if let Some(source) = self.by_name.get_mut(name) {
                    source.lapses.get_or_insert(now.checked_add(last_good_for).unwrap_or(Timestamp::MAX));
                }
                self.rejected.insert(name.to_owned(), rejected.clone());
                Err(rejected)
            }
        }
    }

    /// Takes away a ConfigMap and its entries.
    pub fn remove(&mut self, name: &str) {
        self.by_name.remove(name);
        self.rejected.remove(name);
    }

    /// Lets the entries of the ConfigMaps that `concerned` names count no longer than `at`; their revocations stay.
    pub fn lapse(&mut self, concerned: impl Fn(&str) -> bool, at: Timestamp) {
        for (_, source) in self.by_name.iter_mut().filter(|(name, _)| concerned(name)) {
            source.lapses.get_or_insert(at);
        }
    }

    /// Keeps only the ConfigMaps for which `known` says yes: after a complete list, the others are gone.
    pub fn retain(&mut self, known: impl Fn(&str) -> bool) {
        self.by_name.retain(|name, _| known(name));
        self.rejected.retain(|name, _| known(name));
    }

    /// The ConfigMaps whose latest version is rejected.
    pub fn rejected(&self) -> impl Iterator<Item = &RejectedConfigMap> {
        self.rejected.values()
    }
}
