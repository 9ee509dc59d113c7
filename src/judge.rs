//! The decision core behind the HTTPS edge: bytes of a review in, bytes of the answer out.

mod templates;

use std::sync::Arc;

use countersign_decision::facts::Known;
use countersign_decision::request::PodRequest;
use countersign_decision::verdict::{Decision, Verdict};
use countersign_decision::{mutate, validate};
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

impl Countersign {
    /// The answer to a review that can be judged now; the error is the answer to any other.
    fn judge(&self, endpoint: Endpoint, review: &[u8]) -> Result<Answer, Answer> {
        let decide: fn(&PodRequest<'_>, &Known<'_>) -> Verdict = match endpoint {
            Endpoint::Mutate | Endpoint::MutateRequired => mutate,
            Endpoint::Validate | Endpoint::ValidateRequired => validate,
            Endpoint::Templates => {
                let asked = review::read_workload(review).map_err(unreadable)?;
                let verdict = self.with_facts(|known| templates::warn(&asked, known))?;
                return Ok(answer(&asked.uid, &verdict));
            }
        };
        let required = matches!(endpoint, Endpoint::MutateRequired | Endpoint::ValidateRequired);
        let question = review::read(review).map_err(unreadable)?;
        let uid = question.uid.clone();
        let verdict = self.with_facts(|known| question.into_request(required, |request| decide(request, known)))?;
        log(endpoint, &uid, &verdict);
        Ok(answer(&uid, &verdict))
    }

    /// What `judge` says by the facts in force.
    fn with_facts<R>(&self, judge: impl FnOnce(&Known<'_>) -> R) -> Result<R, Answer> {
        let now = Timestamp::now();
        match self.knowledge.ask(now) {
            Ok((facts, stale_since)) => Ok(judge(&Known { facts: &facts, now, stale_since })),
            Err(incomplete) => Err(Answer::NotReady { because: incomplete.to_string() }),
        }
    }
}

fn unreadable(unreadable: Unreadable) -> Answer {
    match unreadable {
        Unreadable::NotAReview(because) => Answer::Unreadable { because },
        Unreadable::Refused { api_version, uid, refusal } => {
            let body = review::refusal(&api_version, &uid, &refusal);
            Answer::Review { body, outcome: Outcome::Refused, reasons: vec![refusal.id] }
        }
    }
}

fn answer(uid: &str, verdict: &Verdict) -> Answer {
    Answer::Review {
        body: review::answer(uid, verdict),
        outcome: outcome(verdict.decision),
        reasons: verdict.refusals.iter().map(|refusal| refusal.id).collect(),
    }
}

impl Judge for Countersign {
    fn answer(&self, endpoint: Endpoint, review: &[u8]) -> Answer {
        self.judge(endpoint, review).unwrap_or_else(|otherwise| otherwise)
    }

    fn ready(&self) -> Result<(), String> {
        self.knowledge.ask(Timestamp::now()).map(|_| ()).map_err(|incomplete| incomplete.to_string())
    }
}

const fn outcome(decision: Decision) -> Outcome {
    match decision {
        Decision::Untouched | Decision::Admitted => Outcome::Allowed,
        Decision::Patched => Outcome::Patched,
        Decision::Warned => Outcome::Warned,
        Decision::Audited => Outcome::Audited,
        Decision::Refused => Outcome::Refused,
    }
}

/// Says what was refused, or would have been; nothing of the pod's content but what the refusal names.
fn log(endpoint: Endpoint, uid: &str, verdict: &Verdict) {
    for refusal in &verdict.refusals {
        tracing::info!(
            endpoint = endpoint.as_str(),
            uid,
            decision = verdict.decision.name(),
            id = refusal.id,
            "{}",
            refusal.line()
        );
    }
}
