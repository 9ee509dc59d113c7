//! What Countersign learns of a policy by reading its annotation.

use crate::agent_policy::{self, MalformedPolicy};
use crate::digest::Digest;

/// How a platform measures the policy that an annotation carries.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub enum Measured {
    /// Annotation `io.katacontainers.config.agent.policy`: SHA-256 of the decoded text.
    AgentPolicy,
}

impl Measured {
    /// The key of the annotation that carries the policy.
    ///
    /// Source: Kata Containers, `docs/how-to/how-to-set-sandbox-config-kata.md`.
    pub const fn annotation(self) -> &'static str {
        match self {
            Self::AgentPolicy => "io.katacontainers.config.agent.policy",
        }
    }

    /// Reads the annotation's text; `limit` bounds its characters.
    pub fn read(self, annotation: &str, limit: usize) -> Result<PolicyReading, MalformedPolicy> {
        match self {
            Self::AgentPolicy => {
                let policy = agent_policy::decode(annotation, limit)?;
                Ok(PolicyReading { digest: Digest::sha256_of(&policy) })
            }
        }
    }
}

/// A policy that was read: rules receive this and never the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyReading {
    /// What the hardware reports as host data.
    pub digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_the_decoded_text() {
        let reading = Measured::AgentPolicy.read("cGFja2FnZSBhZ2VudF9wb2xpY3kK", 1000).unwrap();
        assert_eq!(reading.digest, Digest::sha256_of(b"package agent_policy\n"));
    }
}
