//! The decision core behind the HTTPS edge: bytes of a review in, bytes of the answer out.

mod allow_list;
mod templates;

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
        let judged = match endpoint {
            Endpoint::Templates => self.warned(review).map(Some),
            Endpoint::AllowList => checked(review).map(Some),
            _ => self.judged(endpoint, review, |request, known| Some(validate(request, known))),
        };
        let not_examined = || Answer::NotReady { because: "the policy of the pod is not examined yet".to_owned() };
        judged.unwrap_or_else(Some).unwrap_or_else(not_examined)
    }

    fn answer_at_once(&self, endpoint: Endpoint, review: &[u8]) -> Option<Answer> {
        match endpoint {
            // They are rare; the policy in the one is likely to be seen for the first time, and the other may be a long list.
            Endpoint::Templates | Endpoint::AllowList => None,
            _ => self.judged(endpoint, review, validate_at_once).unwrap_or_else(Some),
        }
    }

    fn ready(&self) -> Result<(), String> {
        self.knowledge.ask(Timestamp::now()).map(|_| ()).map_err(|incomplete| incomplete.to_string())
    }
}

impl Countersign {
    /// What becomes of a pod's review, judged by `validate`: `None` where that has no verdict. The error is the answer to a review
    /// that cannot be judged.
    fn judged(&self, endpoint: Endpoint, review: &[u8], validate: Decide) -> Result<Option<Answer>, Answer> {
        let complete: Decide = |request, known| Some(mutate(request, known));
        let (decide, required) = match endpoint {
            Endpoint::Mutate => (complete, false),
            Endpoint::MutateRequired => (complete, true),
            Endpoint::Validate => (validate, false),
            Endpoint::ValidateRequired => (validate, true),
            // Their reviews hold no pod: the door fetches it, a workload is warned of, and a list is read.
            Endpoint::Exec | Endpoint::Templates | Endpoint::AllowList => {
                let because = format!("reviews for {} are not judged as pods", endpoint.as_str());
                return Err(Answer::Unreadable { because });
            }
        };
        let body = review::Body::of(review);
        let question = review::read(&body).map_err(unreadable)?;
        let uid = question.uid.clone();
        self.with_facts(|known| {
            question.into_request(required, |request| {
                decide(request, known).map(|verdict| reviewed(endpoint.as_str(), &uid, request, &verdict))
            })
        })
    }

    /// The warnings to whoever writes a workload; the error is the answer to a review that cannot be judged.
    fn warned(&self, review: &[u8]) -> Result<Answer, Answer> {
        let asked = review::read_workload(review).map_err(unreadable)?;
        let verdict = self.with_facts(|known| templates::warn(&asked, known))?;
        Ok(answer(&asked.uid, &verdict))
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

/// The answer to an edit of the allow-list. No facts are needed, so that it is checked before there are any; the error is the answer to
/// a review that cannot be judged.
fn checked(review: &[u8]) -> Result<Answer, Answer> {
    let asked = review::read_config_map(review).map_err(unreadable)?;
    Ok(answer(&asked.uid, &allow_list::check(&asked)))
}

/// The answer to a body that cannot be judged.
pub(crate) fn unreadable(unreadable: Unreadable) -> Answer {
    match unreadable {
        Unreadable::NotAReview(because) => Answer::Unreadable { because },
        Unreadable::Refused { api_version, uid, refusal } => {
            let body = review::refusal(&api_version, &uid, &refusal);
            Answer::Review { body, outcome: Outcome::Refused, reasons: vec![refusal.id] }
        }
    }
}

/// The answer that carries a verdict; what it refuses is logged.
pub(crate) fn reviewed(endpoint: &'static str, uid: &str, request: &PodRequest<'_>, verdict: &Verdict) -> Answer {
    if !verdict.refusals.is_empty() {
        log(endpoint, uid, request, verdict);
    }
    answer(uid, verdict)
}

fn answer(uid: &str, verdict: &Verdict) -> Answer {
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

/// Says what was refused, or would have been, and by which rules. Not why: a reason has values of the pod in it, those of its
/// variables and arguments among them. It goes to the user; the log goes to more people.
fn log(endpoint: &'static str, uid: &str, request: &PodRequest<'_>, verdict: &Verdict) {
    let rules: Vec<_> = verdict.refusals.iter().map(|refusal| refusal.id).collect();
    let digest = verdict.audit.iter().find(|(key, _)| *key == "digest").map(|(_, digest)| digest.as_str());
    tracing::info!(
        endpoint,
        uid = short(uid),
        namespace = short(request.namespace),
        pod = short(&request.pod_name()),
        digest,
        decision = verdict.decision.name(),
        rules = rules.join(","),
        "a pod does not pass"
    );
}

/// The longest name in Kubernetes; who calls the port by himself may write longer ones.
const LONGEST: usize = 253;

fn short(text: &str) -> &str {
    text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
