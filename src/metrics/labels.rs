//! The labels of the metrics: few values each, never a name from a request.

use std::fmt::{Error, Write as _};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

use crate::certs::Phase;
use crate::http::{Endpoint, Outcome};

/// Labels of the reviews answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The path asked.
    pub endpoint: Endpoint,
    /// What became of it.
    pub outcome: Outcome,
}

/// Label of durations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EndpointLabels {
    /// The path asked.
    pub endpoint: Endpoint,
}

/// Label of refusals.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusalLabels {
    /// The id of the rule that refused.
    pub rule: &'static str,
}

/// Label of connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ListenerLabels {
    /// The listener they came to.
    pub listener: Listener,
}

/// Which listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listener {
    /// HTTPS, for the API server.
    Reviews,
    /// Plain HTTP, for the kubelet and Prometheus.
    Health,
}

/// Label of requests put off.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ShedLabels {
    /// Why.
    pub cause: ShedCause,
}

/// Why a request was put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShedCause {
    /// The bodies in flight left no room.
    NoRoom,
    /// The body did not come in time.
    SlowBody,
    /// The judge was not done in time.
    SlowJudge,
    /// The judge lacks facts.
    NotReady,
}

/// Label of answers that are no review.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StatusLabels {
    /// The HTTP status.
    pub status: u16,
}

/// Label of changed files: certificates, authorities of clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReloadLabels {
    /// How it went.
    pub result: ReloadResult,
}

/// Label of callers refused by their client certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusedCallerLabels {
    /// Why.
    pub cause: RefusedCaller,
}

/// What was wrong with a caller's client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedCaller {
    /// There was none.
    NoCertificate,
    /// It leads to none of the authorities.
    UnknownAuthority,
    /// Its time is over, or has not come.
    Expired,
    /// It is not for clients, or cannot be read.
    Unusable,
    /// It bears no listed name.
    Name,
}

/// Label of the rotation of authorities.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PhaseLabels {
    /// Where it stands.
    pub phase: Phase,
}

/// How a reload went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReloadResult {
    /// The new version is in force.
    Ok,
    /// The version from before is in force.
    Failed,
}

impl Listener {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Reviews => "reviews",
            Self::Health => "health",
        }
    }
}

impl ShedCause {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NoRoom => "no-room",
            Self::SlowBody => "slow-body",
            Self::SlowJudge => "slow-judge",
            Self::NotReady => "not-ready",
        }
    }
}

impl RefusedCaller {
    /// The word for it in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCertificate => "no-certificate",
            Self::UnknownAuthority => "unknown-authority",
            Self::Expired => "expired",
            Self::Unusable => "unusable",
            Self::Name => "name",
        }
    }
}

impl ReloadResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }
}

macro_rules! say_as_str {
    ($($label:ty),*) => {
        $(impl EncodeLabelValue for $label {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
                encoder.write_str(self.as_str())
            }
        })*
    };
}

say_as_str!(Endpoint, Outcome, Listener, Phase, RefusedCaller, ShedCause, ReloadResult);
