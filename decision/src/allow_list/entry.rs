//! One entry of the allow-list: a digest and where it counts.

use std::sync::Arc;

use countersign_policy::Digest;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use crate::names::Name;

/// One entry as people write it. What its fields say together is checked when it becomes an [`Entry`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "AllowListEntry", description = "One entry of an allow-list.")]
pub struct WrittenEntry {
    /// The policy digest: `sha256:<hex>`, `sha384:<hex>`, `sha512:<hex>`, or bare hexadecimal digits for sha256.
    #[serde(deserialize_with = "digest", serialize_with = "print")]
    #[schemars(with = "String")]
    pub digest: Digest,
    /// The namespaces in which it counts; `"*"` alone says all. Required unless `revoked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub namespaces: Option<Namespaces>,
    /// The service accounts that it is for; without the field, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_accounts: Option<Vec<Name>>,
    /// A name for people.
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The profiles that it is for; without the field, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Vec<Name>>,
    /// The instant up to which it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub not_after: Option<Timestamp>,
    /// Whom to ask about it.
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether a permissive policy is let through by this entry, knowingly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub permissive: bool,
    /// Whether the digest is refused, whatever other entries say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
}

/// Where an entry counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Namespaces {
    /// In every namespace.
    All,
    /// In these.
    These(Vec<Name>),
}

impl Namespaces {
    /// Whether `namespace` is among them.
    pub fn contain(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.iter().any(|name| *name == *namespace),
        }
    }
}

impl<'de> Deserialize<'de> for Namespaces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        match texts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => Err(D::Error::custom("is empty: name the namespaces, or write [\"*\"] for all")),
            ["*"] => Ok(Self::All),
            names => names.iter().map(|name| Name::parse(name)).collect::<Result<_, _>>().map(Self::These).map_err(|error| {
                let hint = if names.contains(&"*") { " (\"*\" stands alone)" } else { "" };
                D::Error::custom(format_args!("{error}{hint}"))
            }),
        }
    }
}

impl Serialize for Namespaces {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.collect_seq(["*"]),
            Self::These(names) => serializer.collect_seq(names),
        }
    }
}

/// An entry whose fields agree.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "WrittenEntry")]
pub struct Entry {
    /// The policy digest.
    pub digest: Digest,
    /// A name for people.
    pub name: Option<Box<str>>,
    /// What the entry says of the digest: shared by entries of a text that say the same, as those of one team do.
    pub says: Arc<Says>,
}

/// What an entry says of its digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    /// It is refused in these namespaces.
    Revoked(Namespaces),
    /// It is admitted in this scope.
    Admitted(Scope),
}

/// Where and for whom a digest is admitted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// In which namespaces.
    pub namespaces: Namespaces,
    /// For which service accounts; `None` says all.
    pub service_accounts: Option<Vec<Name>>,
    /// For which profiles; `None` says all.
    pub profiles: Option<Vec<Name>>,
    /// The instant up to which.
    pub not_after: Option<Timestamp>,
    /// Whether a permissive policy may pass.
    pub permissive: bool,
}

impl TryFrom<WrittenEntry> for Entry {
    type Error = &'static str;

    fn try_from(written: WrittenEntry) -> Result<Self, &'static str> {
        let WrittenEntry { digest, namespaces, service_accounts, name, profiles, not_after, owner: _, permissive, revoked } =
            written;
        if service_accounts.as_ref().is_some_and(Vec::is_empty) {
            return Err("serviceAccounts is empty: name them, or leave the field out for all");
        }
        if profiles.as_ref().is_some_and(Vec::is_empty) {
            return Err("profiles is empty: name them, or leave the field out for all");
        }
        let says = if revoked {
            if service_accounts.is_some() || profiles.is_some() || not_after.is_some() || permissive {
                return Err(
                    "a revoked entry has no serviceAccounts, profiles, notAfter or permissive: they would narrow the revocation",
                );
            }
            Says::Revoked(namespaces.unwrap_or(Namespaces::All))
        } else {
            let namespaces = namespaces.ok_or("namespaces is missing: name the namespaces, or write [\"*\"] for all")?;
            Says::Admitted(Scope { namespaces, service_accounts, profiles, not_after, permissive })
        };
        Ok(Self { digest, name: name.map(String::into_boxed_str), says: Arc::new(says) })
    }
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn print<S: serde::Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

/// Words for people: short, and without characters that a log line or a warning cannot hold.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.chars().any(char::is_control) {
        return Err(D::Error::custom("has a control character: write one line of plain text"));
    }
    if text.chars().count() > 128 {
        return Err(D::Error::custom("is longer than 128 characters"));
    }
    Ok(Some(text))
}
