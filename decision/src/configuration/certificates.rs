//! How the webhook's own certificates live.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::positive;

/// Times of the certificates that an installation makes for itself. Durations are written as `30s` or `8760h`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Certificates {
    /// How long a change of `caBundle` has been made before anything relies on it: API servers are several, and none says when
    /// it has seen the change.
    #[serde(deserialize_with = "positive")]
    #[schemars(with = "String")]
    pub publish_for: SignedDuration,
    /// The life of an authority. The next one is made when two thirds of it are over.
    #[serde(deserialize_with = "positive")]
    #[schemars(with = "String")]
    pub authority_life: SignedDuration,
    /// The life of a replica's certificate. The next one is signed when two thirds of it are over.
    #[serde(deserialize_with = "positive")]
    #[schemars(with = "String")]
    pub leaf_life: SignedDuration,
}

impl Default for Certificates {
    fn default() -> Self {
        Self {
            publish_for: SignedDuration::from_secs(30),
            authority_life: SignedDuration::from_hours(365 * 24),
            leaf_life: SignedDuration::from_hours(24),
        }
    }
}

impl Certificates {
    /// What the types cannot say: a rotation begins when a third of the authority's life is left, and must be over before that
    /// ends.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let third = self.authority_life / 3;
        if self.publish_for > third {
            return Err(
                "certificates.publishFor: is more than a third of certificates.authorityLife, so the next authority would \
                        come too late",
            );
        }
        if self.leaf_life > third {
            return Err(
                "certificates.leafLife: is more than a third of certificates.authorityLife, so a leaf would outlive its \
                        authority",
            );
        }
        Ok(())
    }
}
