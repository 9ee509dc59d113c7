//! Which callers the webhook's port serves, where it asks for client certificates.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// The check of client certificates: who calls the port must show one that leads to these authorities and bears one of these names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientCertificates {
    /// The file with the certificates of the authorities, PEM. It is watched, and read again when it changes.
    #[serde(deserialize_with = "path")]
    #[schemars(length(min = 1))]
    pub authorities: PathBuf,
    /// The names, one of which a caller's certificate must bear: as the common name of its subject, or as a DNS name among its
    /// alternative names.
    #[serde(deserialize_with = "names")]
    #[schemars(length(min = 1))]
    pub names: Vec<ClientName>,
}

/// A name of a client: the whole text of a common name or of a DNS name, which is compared as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(extend("minLength" = 1, "maxLength" = 253))]
pub struct ClientName(String);

/// The text is no name of a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a client: write 1 to 253 characters, without control characters and blanks at the ends")]
pub struct MalformedClientName(String);

impl ClientName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, MalformedClientName> {
        let right = !text.is_empty() && text.len() <= 253 && text.trim() == text && !text.chars().any(char::is_control);
        if right { Ok(Self(text.to_owned())) } else { Err(MalformedClientName(text.chars().take(80).collect())) }
    }
}

impl PartialEq<str> for ClientName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClientName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Err(serde::de::Error::custom("is empty: write the path of a file")) } else { Ok(text.into()) }
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ClientName>, D::Error> {
    let names = Vec::<ClientName>::deserialize(deserializer)?;
    if names.is_empty() { Err(serde::de::Error::custom("is empty, and would let nobody in: write a name")) } else { Ok(names) }
}
