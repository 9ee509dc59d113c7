//! The bounds that the configuration sets.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::Spanned;

use crate::yaml::{self, YamlError};

/// Bounds on sizes and times. Durations are written as `10m` or `1h 30m`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Characters of a policy annotation. The API server permits 262144 for all annotations together.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(range(min = 1))]
    pub max_policy_characters: usize,
    /// Bytes that the initdata in a policy annotation unpacks to.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(range(min = 1))]
    pub max_initdata_bytes: usize,
    /// No word from the API server for this long, and the facts count as stale.
    #[serde(deserialize_with = "positive")]
    #[schemars(with = "String")]
    pub facts_stale_after: SignedDuration,
    /// How long the last good version of a broken allow-list stays in force.
    #[serde(deserialize_with = "positive")]
    #[schemars(with = "String")]
    pub last_good_for: SignedDuration,
    /// Bytes of one request's body.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(range(min = 1))]
    pub max_body_bytes: usize,
    /// Bytes of all requests being read or judged.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(range(min = 1))]
    pub max_bytes_in_flight: usize,
    /// Connections that are served at the same time.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(range(min = 1))]
    pub max_connections: usize,
    /// How long a stopping server keeps serving, so that clients leave it first.
    #[serde(deserialize_with = "positive")]
    #[schemars(with = "String")]
    pub drain_for: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_policy_characters: countersign_policy::Limits::DEFAULT.characters,
            max_initdata_bytes: countersign_policy::Limits::DEFAULT.unpacked_bytes,
            facts_stale_after: SignedDuration::from_mins(10),
            last_good_for: SignedDuration::from_hours(1),
            max_body_bytes: 40 * 1024 * 1024,
            max_bytes_in_flight: 256 * 1024 * 1024,
            max_connections: 4096,
            drain_for: SignedDuration::from_secs(15),
        }
    }
}

impl Limits {
    /// The bounds on reading a policy.
    pub const fn of_policies(&self) -> countersign_policy::Limits {
        countersign_policy::Limits { characters: self.max_policy_characters, unpacked_bytes: self.max_initdata_bytes }
    }
}

/// A duration that is longer than nothing.
pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let duration: SignedDuration = text
        .parse()
        .map_err(|_| serde::de::Error::custom(format_args!("{text:?} is not a duration: write it as 10m or 1h 30m")))?;
    if duration.is_positive() {
        Ok(duration)
    } else {
        Err(serde::de::Error::custom(format_args!("{text:?} is not longer than nothing")))
    }
}

/// A number that leaves room for something.
fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        0 => Err(serde::de::Error::custom("is 0, and would refuse everything: write 1 or more")),
        number => Ok(number),
    }
}

/// Where the two limits stand in a configuration file.
#[derive(Default, Deserialize)]
struct Places {
    #[serde(default)]
    limits: PlacesOfLimits,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PlacesOfLimits {
    max_body_bytes: Option<Spanned<usize>>,
    max_bytes_in_flight: Option<Spanned<usize>>,
}

/// The error of a file whose largest request would never find room: at the limit of one request where it stands in the file, else at
/// that of all.
pub(super) fn no_room(text: &str) -> YamlError {
    let Places { limits } = yaml::read(text).unwrap_or_default();
    let place = limits.max_body_bytes.or(limits.max_bytes_in_flight);
    let (line, column) = place.map_or((1, 1), |place| (place.referenced.line(), place.referenced.column()));
    let message = "limits.maxBodyBytes: is more than limits.maxBytesInFlight, so the largest request would never find room";
    YamlError { line, column, message: message.to_owned() }
}
