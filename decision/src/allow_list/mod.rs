//! The allow-list: which policy digests may run, where, for whom and until when.

mod entry;
mod parse;
mod sources;

use std::hash::{BuildHasher as _, RandomState};

use countersign_policy::Digest;
use hashbrown::HashTable;
use jiff::Timestamp;

pub use entry::{Entry, Namespaces, Says, Scope, WrittenEntry};
pub use parse::parse_entries;
pub use sources::{ConfigMapText, Entries, RejectedConfigMap, Sources};

/// Every entry in force, found by digest. Never changed: a new list takes its place.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    /// Places alone, found by the hash of the digest that stands there: a long list holds each digest once.
    by_digest: HashTable<Place>,
    hasher: RandomState,
    sources: Vec<(String, sources::Source)>,
}

/// Where an entry stands: source, key, entry.
#[derive(Debug, Clone, Copy)]
struct Place(u32, u32, u32);

/// For whom a digest is looked up.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod's service account.
    pub service_account: &'a str,
    /// The pod's profile.
    pub profile: &'a str,
    /// The time of the request.
    pub now: Timestamp,
}

/// What the list says of a digest for an applicant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Listed; the name of the entry, for the audit log, and whether it lets a permissive policy through.
    Listed {
        /// Which entry.
        entry: String,
        /// Whether a permissive policy may pass.
        permissive: bool,
    },
    /// Revoked, by this entry.
    Revoked {
        /// Which entry.
        entry: String,
    },
    /// Not listed; what is known of the digest, if it may be told.
    NotListed(Option<Near>),
}

/// What is known of a digest that is not listed for an applicant. Only entries of the applicant's own namespace are named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// An entry of the namespace expired.
    Expired(String, Timestamp),
    /// The ConfigMap of an entry of the namespace was rejected, and its last good version lapsed.
    Lapsed(String, Timestamp),
    /// An entry of the namespace is for other service accounts.
    OtherServiceAccount(String, String),
    /// An entry of the namespace is for other profiles.
    OtherProfile(String, String),
    /// The digest is listed, but not for this namespace.
    OtherNamespace,
}

impl AllowList {
    /// The list that the sources make up together.
    pub fn of(sources: &Sources) -> Self {
        let sources: Vec<_> = sources.by_name.iter().map(|(name, source)| (name.clone(), source.clone())).collect();
        let count = sources.iter().flat_map(|(_, source)| &*source.keys).map(|(_, entries)| entries.len()).sum();
        let hasher = RandomState::new();
        let mut by_digest = HashTable::with_capacity(count);
        for (at_source, (_, source)) in (0..).zip(&sources) {
            for (at_key, (_, entries)) in (0..).zip(source.keys.iter()) {
                for (at_entry, entry) in (0..).zip(entries) {
                    // There is room for all, so that no place is hashed again.
                    by_digest.insert_unique(hasher.hash_one(entry.digest), Place(at_source, at_key, at_entry), |_| 0);
                }
            }
        }
        Self { by_digest, hasher, sources }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.by_digest.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// Whether any entry names the digest, whatever it says of it.
    pub fn names(&self, digest: &Digest) -> bool {
        self.entries(digest).next().is_some()
    }

    /// What the list says of `digest` for `applicant`. Revocations beat every other entry; beyond that order never matters.
    pub fn find(&self, digest: &Digest, applicant: Applicant<'_>) -> Finding {
        let revoked = self.entries(digest).find(
            |(found, _)| matches!(&*found.entry.says, Says::Revoked(namespaces) if namespaces.contain(applicant.namespace)),
        );
        if let Some((found, _)) = revoked {
            return Finding::Revoked { entry: found.named() };
        }
        let mut near = None;
        let mut listed: Option<(String, bool)> = None;
        for (found, source) in self.entries(digest) {
            let Says::Admitted(scope) = &*found.entry.says else { continue };
            match mismatch(scope, source, &found, applicant) {
                None => match &mut listed {
                    None => listed = Some((found.named(), scope.permissive)),
                    Some((_, permissive)) => *permissive |= scope.permissive,
                },
                Some(reason) => near = Some(near.map_or(reason.clone(), |known: Near| known.min(reason))),
            }
        }
        match listed {
            Some((entry, permissive)) => Finding::Listed { entry, permissive },
            None => Finding::NotListed(near),
        }
    }

    /// The entries that name the digest, in no order that matters.
    fn entries(&self, digest: &Digest) -> impl Iterator<Item = (Found<'_>, &sources::Source)> {
        let places = self.by_digest.iter_hash(self.hasher.hash_one(digest));
        places.filter_map(|place| self.at(*place)).filter(|(found, _)| found.entry.digest == *digest)
    }

    fn at(&self, Place(source, key, entry): Place) -> Option<(Found<'_>, &sources::Source)> {
        let (config_map, source) = self.sources.get(source as usize)?;
        let (key, entries) = source.keys.get(key as usize)?;
        Some((Found { config_map, key, index: entry, entry: entries.get(entry as usize)? }, source))
    }
}

/// An entry with its place.
struct Found<'a> {
    config_map: &'a str,
    key: &'a str,
    index: u32,
    entry: &'a Entry,
}

impl Found<'_> {
    /// What people call the entry: its name, or its place.
    fn named(&self) -> String {
        match &self.entry.name {
            Some(name) => format!("\"{name}\""),
            None => format!("{}/{}[{}]", self.config_map, self.key, self.index),
        }
    }
}

/// Why an entry does not count for the applicant, if it does not.
fn mismatch(scope: &Scope, source: &sources::Source, found: &Found<'_>, applicant: Applicant<'_>) -> Option<Near> {
    let list = |names: &[crate::names::Name]| names.iter().map(|name| &**name).collect::<Vec<_>>().join(", ");
    if !scope.namespaces.contain(applicant.namespace) {
        return Some(Near::OtherNamespace);
    }
    if let Some(accounts) =
        scope.service_accounts.as_ref().filter(|names| !names.iter().any(|name| *name == *applicant.service_account))
    {
        return Some(Near::OtherServiceAccount(found.named(), list(accounts)));
    }
    if let Some(profiles) = scope.profiles.as_ref().filter(|names| !names.iter().any(|name| *name == *applicant.profile)) {
        return Some(Near::OtherProfile(found.named(), list(profiles)));
    }
    if let Some(lapses) = source.lapses.filter(|lapses| applicant.now >= *lapses) {
        return Some(Near::Lapsed(found.named(), lapses));
    }
    scope.not_after.filter(|last| applicant.now > *last).map(|last| Near::Expired(found.named(), last))
}

#[cfg(test)]
mod tests;
