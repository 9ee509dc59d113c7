//! The listed policy of a confidential pod says what may run; one that lets anything through is admitted knowingly or not at all.
//!
//! Why: a digest on the allow-list says nothing about what the policy allows, and a permissive one lets the host do as it likes.
//! Reads: the listed policy, namespace, service account and profile.
//! Allows: a policy that none of the reasons holds for; any, by an entry that says `permissive: true`.
//! Source: Kata Containers, `src/agent/policy/src/policy.rs` (the rules that the guest asks) and `src/kata-opa` (permissive examples).

use super::policy_not_allowed::{self, Reads, look_up};
use super::{Judge, Judgement, Judges};
use crate::allow_list::Finding;
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct PolicyIsPermissive;

impl Judge for PolicyIsPermissive {
    const ID: &'static str = "policy-is-permissive";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        policy_not_allowed::reads(subject)
    }

    fn judge(reads: &Reads<'_>, known: &Known<'_>) -> Judgement {
        let Some((digest, Finding::Listed { entry, permissive: false })) = look_up(reads, known) else { return Ok(()) };
        let Some(examination) = policy_not_allowed::examination(reads, known) else { return Ok(()) };
        let Ok(examined) = &**examination else { return Ok(()) };
        if examined.permissive.is_empty() {
            return Ok(());
        }
        let reasons: Vec<String> = examined.permissive.iter().map(ToString::to_string).collect();
        Err(Refusal::new(
            Self::ID,
            format!(
                "policy {digest} of pod {} is permissive, and entry {entry} lists it without saying so: {}",
                reads.pod(),
                reasons.join("; ")
            ),
            format!(
                "Make a policy that names what may run (docs/policy-generation.md); to let this one through all the same, ask the owners of the ConfigMaps in {} to add `permissive: true` to the entry",
                known.facts.home
            ),
        ))
    }
}
