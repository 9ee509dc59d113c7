//! The decision core behind the HTTPS edge: bytes of a review in, bytes of the answer out.

use std::sync::Arc;

use countersign_decision::facts::Known;
use countersign_decision::request::PodRequest;
use countersign_decision::verdict::{Decision, Verdict};
use countersign_decision::{mutate, validate, validate_at_once};
use jiff::Timestamp;

use crate::http::{Answer, Endpoint, Judge, Outcome};
use crate::knowledge::Knowledge;
use crate::review::{self, Unreadable};

/// Judges by what is known at the time of the request.
#[derive(Debug)]
pub struct Countersign {
    knowledge: Arc<Knowledge>,
}

impl Countersign {
    /// A judge that asks `knowledge` for the facts of each request.
    pub const fn new(knowledge: Arc<Knowledge>) -> Self {
        Self { knowledge }
    }
}

/// A decision on a pod; `None` where it would take its time and there is none.
type Decide = fn(&PodRequest<'_>, &Known<'_>) -> Option<Verdict>;

impl Judge for Countersign {
    fn answer(&self, endpoint: Endpoint, review: &[u8]) -> Answer {
        let judged = self.judged(endpoint, review, |request, known| Some(validate(request, known)));
        judged.unwrap_or_else(|| Answer::NotReady { because: "the policy of the pod is not examined yet".to_owned() })
    }

    fn answer_at_once(&self, endpoint: Endpoint, review: &[u8]) -> Option<Answer> {
        self.judged(endpoint, review, validate_at_once)
    }

    fn ready(&self) -> Result<(), String> {
        self.knowledge.ask(Timestamp::now()).map(|_| ()).map_err(|incomplete| incomplete.to_string())
    }
}

impl Countersign {
    /// What becomes of a review, its pods judged by `validate`; `None` where that has none.
    fn judged(&self, endpoint: Endpoint, review: &[u8], validate: Decide) -> Option<Answer> {
        let question = match review::read(review) {
            Ok(question) => question,
            Err(Unreadable::NotAReview(because)) => return Some(Answer::Unreadable { because }),
            Err(Unreadable::Refused { api_version, uid, refusal }) => {
                let body = review::refusal(&api_version, &uid, &refusal);
                return Some(Answer::Review { body, outcome: Outcome::Refused, reasons: vec![refusal.id] });
            }
        };
        let now = Timestamp::now();
        let (facts, stale_since) = match self.knowledge.ask(now) {
            Ok(known) => known,
            Err(incomplete) => return Some(Answer::NotReady { because: incomplete.to_string() }),
        };
        let known = Known { facts: &facts, now, stale_since };
        let complete: Decide = |request, known| Some(mutate(request, known));
        let (decide, required) = match endpoint {
            Endpoint::Mutate => (complete, false),
            Endpoint::MutateRequired => (complete, true),
            Endpoint::Validate => (validate, false),
            Endpoint::ValidateRequired => (validate, true),
            // Its reviews hold no pod: the door fetches it.
            Endpoint::Exec => {
                return Some(Answer::Unreadable { because: "ways into pods are judged by the exec door".to_owned() });
            }
        };
        let uid = question.uid.clone();
        let verdict = question.into_request(required, |request| decide(request, &known))?;
        Some(reviewed(endpoint.as_str(), &uid, &verdict))
    }
}

/// The answer that carries a verdict; what it refuses is logged.
pub(crate) fn reviewed(endpoint: &'static str, uid: &str, verdict: &Verdict) -> Answer {
    log(endpoint, uid, verdict);
    Answer::Review {
        body: review::answer(uid, verdict),
        outcome: outcome(verdict.decision),
        reasons: verdict.refusals.iter().map(|refusal| refusal.id).collect(),
    }
}

const fn outcome(decision: Decision) -> Outcome {
    match decision {
        Decision::Untouched | Decision::Admitted => Outcome::Allowed,
        Decision::MirrorPod => Outcome::MirrorPod,
        Decision::Patched => Outcome::Patched,
        Decision::Warned => Outcome::Warned,
        Decision::Audited => Outcome::Audited,
        Decision::Refused => Outcome::Refused,
    }
}

/// Says what was refused, or would have been; nothing of the pod's content but what the refusal names.
fn log(endpoint: &'static str, uid: &str, verdict: &Verdict) {
    for refusal in &verdict.refusals {
        tracing::info!(endpoint, uid, decision = verdict.decision.name(), id = refusal.id, "{}", refusal.line());
    }
}
