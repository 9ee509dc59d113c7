//! The seam between the wire and the decision: bytes of a review go in, an [`Answer`] comes out.
//!
//! The server knows nothing of pods, and a [`Judge`] knows nothing of sockets, so each is tested without the other.

use futures::future::BoxFuture;
use tokio::time::Instant;

/// What the API server asks for: the path it calls says so, and whether the namespace is `required`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Complete a pod that opted in by itself.
    Mutate,
    /// Complete a pod of a `required` namespace.
    MutateRequired,
    /// Judge a final pod that opted in by itself.
    Validate,
    /// Judge a final pod of a `required` namespace.
    ValidateRequired,
    /// Judge a way into a pod that is there.
    Exec,
    /// Warn of the pods that a workload's template would make.
    Templates,
    /// Check an edit of the allow-list.
    AllowList,
}

impl Endpoint {
    /// The word for this endpoint in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::MutateRequired => "mutate-required",
            Self::Validate => "validate",
            Self::ValidateRequired => "validate-required",
            Self::Exec => "exec",
            Self::Templates => "templates",
            Self::AllowList => "allow-list",
        }
    }
}

/// What became of a review, as the metrics tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Let through as it is.
    Allowed,
    /// Let through unjudged: the API server's picture of a confidential static pod.
    MirrorPod,
    /// Let through with a patch.
    Patched,
    /// Let through with a warning where mode `enforce` would refuse.
    Warned,
    /// Let through with an audit annotation where mode `enforce` would refuse.
    Audited,
    /// Refused.
    Refused,
    /// Refused because the judge itself failed.
    Failed,
}

impl Outcome {
    /// The word for this outcome in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::MirrorPod => "mirror-pod",
            Self::Patched => "patched",
            Self::Warned => "warned",
            Self::Audited => "audited",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What a [`Judge`] says to a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The admission review to send back with HTTP 200.
    Review {
        /// The admission review, as JSON.
        body: Vec<u8>,
        /// What it says, for the metrics.
        outcome: Outcome,
        /// The ids of the rules that refused, for the metrics.
        reasons: Vec<&'static str>,
    },
    /// The body is not an admission review at all: HTTP 400.
    Unreadable {
        /// What is wrong with it, with the position where there is one.
        because: String,
    },
    /// The facts are not complete yet: HTTP 503, which the API server tries again.
    NotReady {
        /// What is missing.
        because: String,
    },
}

/// Decides on reviews.
pub trait Judge: Send + Sync + 'static {
    /// Answers one admission review, given as the JSON that the API server sent.
    ///
    /// This is work for the processor alone and never waits: large reviews are called on a thread of their own, small
    /// ones on the thread that read them. A panic is answered with a refusal.
    fn answer(&self, endpoint: Endpoint, review: &[u8]) -> Answer;

    /// The same where it takes no time to speak of; `None` where something has to be found out first, so that `answer` is to be
    /// called on a thread of its own.
    fn answer_at_once(&self, endpoint: Endpoint, review: &[u8]) -> Option<Answer> {
        Some(self.answer(endpoint, review))
    }

    /// Whether reviews can be judged now, for `/readyz`; the error says what is missing.
    fn ready(&self) -> Result<(), String>;
}

/// Decides on ways into pods, which takes I/O.
pub trait Doorkeeper: Send + Sync + 'static {
    /// Answers one admission review of [`Endpoint::Exec`] well before `deadline`. A panic is answered with a refusal.
    fn answer<'a>(&'a self, review: &'a [u8], deadline: Instant) -> BoxFuture<'a, Answer>;
}
