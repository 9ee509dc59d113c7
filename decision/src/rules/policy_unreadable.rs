//! The listed policy of a confidential pod is one that the guest can read.
//!
//! Why: the guest takes no policy that its engine cannot parse, and the pod then never starts; and what cannot be evaluated says
//! nothing about what it permits.
//! Reads: the listed policy.
//! Allows: Rego of package `agent_policy` that is evaluated within its time; without `policy_data`, as people write it by hand, or with
//! one as generators do.
//! Source: Kata Containers, `src/agent/policy/src/policy.rs`.

use super::policy_not_allowed::{self, Reads};
use super::{Judge, Judgement, Judges};
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct PolicyUnreadable;

impl Judge for PolicyUnreadable {
    const ID: &'static str = "policy-unreadable";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        policy_not_allowed::reads(subject)
    }

    fn judge(reads: &Reads<'_>, known: &Known<'_>) -> Judgement {
        let Some(examination) = policy_not_allowed::examination(reads, known) else { return Ok(()) };
        match &**examination {
            Ok(_) => Ok(()),
            Err(reason) => Err(Refusal::new(
                Self::ID,
                format!("the policy of pod {} cannot be used: {reason}", reads.pod()),
                "Make the policy anew with the generator of the platform",
            )),
        }
    }
}
