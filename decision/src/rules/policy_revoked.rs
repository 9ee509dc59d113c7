//! The policy of a confidential pod is not revoked.
//!
//! Why: a revocation beats every other entry, whoever listed the digest.
//! Reads: the policy, namespace, service account and profile.
//! Allows: digests that no entry in force revokes.

use super::policy_not_allowed::{self, Reads};
use super::{Judge, Judgement, Judges};
use crate::allow_list::Finding;
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct PolicyRevoked;

impl Judge for PolicyRevoked {
    const ID: &'static str = "policy-revoked";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        policy_not_allowed::reads(subject)
    }

    fn judge(reads: &Reads<'_>, known: &Known<'_>) -> Judgement {
        let Some((digest, finding)) = policy_not_allowed::look_up(reads, known) else { return Ok(()) };
        match finding {
            Finding::Revoked { entry } => Err(Refusal::new(
                Self::ID,
                format!("policy digest {digest} of pod {} is revoked by {entry}", reads.pod()),
                format!(
                    "Build the application anew with another policy; ask the owners of the ConfigMaps in {} why this one was revoked",
                    known.facts.home
                ),
            )),
            Finding::Listed { .. } | Finding::NotListed(_) => Ok(()),
        }
    }
}
