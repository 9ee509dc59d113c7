//! The seam between the wire and the decision: bytes of a review go in, an [`Answer`] comes out.
//!
//! The server knows nothing of pods, and a [`Judge`] knows nothing of sockets, so each is tested without the other.

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
    /// Warn of the pods that a workload's template would make.
    Templates,
}

impl Endpoint {
    /// The word for this endpoint in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::MutateRequired => "mutate-required",
            Self::Validate => "validate",
            Self::ValidateRequired => "validate-required",
            Self::Templates => "templates",
        }
    }
}

/// What became of a review, as the metrics tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Let through as it is.
    Allowed,
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

    /// Whether reviews can be judged now, for `/readyz`; the error says what is missing.
    fn ready(&self) -> Result<(), String>;
}
