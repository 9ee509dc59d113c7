//! Pods are judged by facts that are known to be recent.
//!
//! Why: an entry that was revoked while the API server could not be heard must not admit for ever.
//! Reads: the policy, namespace, service account and profile: what the allow-list is asked with.
//! Allows: facts no older than `limits.factsStaleAfter` of the configuration.

use super::policy_not_allowed::{self, Reads};
use super::{Judge, Judgement, Judges};
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct FactsStale;

impl Judge for FactsStale {
    const ID: &'static str = "facts-stale";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        policy_not_allowed::reads(subject)
    }

    fn judge(_: &Reads<'_>, known: &Known<'_>) -> Judgement {
        match known.stale_since {
            None => Ok(()),
            Some(since) => Err(Refusal::new(
                Self::ID,
                format!(
                    "the webhook has heard nothing from the API server since {since:.0}, so its allow-list may be out of date"
                ),
                "Try again in a minute; if it stays, ask the cluster administrator to look at the logs of the webhook",
            )),
        }
    }
}
