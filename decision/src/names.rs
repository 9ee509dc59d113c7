//! Names of Kubernetes objects, parsed once.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error};

/// A name in the form of a DNS subdomain: lower-case letters, digits, `-` and `.`, at most 253 characters.
///
/// Namespaces, service accounts, runtime classes, handlers and profiles are named in this form here (some of them more narrowly
/// by Kubernetes; a name that no object can have matches nothing).
/// Source: Kubernetes, "Object Names and IDs".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, schemars::JsonSchema)]
#[schemars(extend("pattern" = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength" = 253))]
pub struct Name(String);

/// The text is not the name of a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name: write lower-case letters, digits, \"-\" and \".\", beginning and ending with a letter or digit")]
pub struct MalformedName(String);

impl Name {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, MalformedName> {
        let edge = |c: Option<char>| matches!(c, Some('a'..='z' | '0'..='9'));
        let inside = text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '.'));
        if inside && text.len() <= 253 && edge(text.chars().next()) && edge(text.chars().last()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedName(text.chars().take(80).collect()))
        }
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A name as YAML 1.1 and 1.2 read it back as a string: quoted where it could be a number, a boolean or null.
pub fn yaml_word(name: &str) -> String {
    let misread = matches!(name, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if misread || !name.starts_with(|c: char| c.is_ascii_lowercase()) { format!("\"{name}\"") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_yaml_would_misread_is_quoted() {
        assert_eq!(yaml_word("kafka"), "kafka");
        assert_eq!(yaml_word("payments"), "payments");
        for misread in ["123", "1e3", "0x1f", "no", "null", "true"] {
            assert_eq!(yaml_word(misread), format!("\"{misread}\""));
        }
    }

    #[test]
    fn names_are_dns_subdomains() {
        for good in ["kafka", "workload-identity-sa", "a.b", "1"] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "Kafka", "-a", "a-", "a_b", "k\u{430}fka", "a b", "*", &"a".repeat(254)] {
            assert!(Name::parse(bad).unwrap_err().to_string().contains("is not a name"), "{bad}");
        }
    }
}
