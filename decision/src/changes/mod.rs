//! What /mutate does to a pod. Each change is one file; this table says which there are and in which order they are made.

mod countersigned;
mod injected;
mod profile;
mod runtime_class;
mod sidecar;
mod sidecar_volume;
mod trusted_launch;

use crate::configuration::Mode;
use crate::edits::Edits;
use crate::subject::Subject;
use crate::verdict::Refusal;

/// Which pods a change is made to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeTo {
    /// Pods that are opted in.
    OptedIn,
    /// Pods that are opted in, and those that ask for trusted-launch nodes alone.
    TrustedLaunch,
}

/// One change.
#[derive(Debug)]
pub struct Change {
    /// The stable id: in the annotation, in messages and metrics.
    pub id: &'static str,
    /// Which pods it is made to.
    pub made_to: MadeTo,
    /// Adds what is missing, or says which conflict stands in the way.
    pub(crate) make: fn(&Asked<'_>, &mut Edits) -> Result<(), Refusal>,
}

/// What a change knows.
pub(crate) struct Asked<'a> {
    /// The pod.
    pub(crate) subject: &'a Subject<'a>,
    /// The mode of its namespace.
    pub(crate) mode: Mode,
    /// The ids of the changes that have added something so far.
    pub(crate) made: &'a [&'static str],
}

/// Every change, in the order in which they are made.
pub const CHANGES: [Change; 7] = [
    Change { id: runtime_class::ID, made_to: MadeTo::OptedIn, make: runtime_class::make },
    Change { id: sidecar::ID, made_to: MadeTo::OptedIn, make: sidecar::make },
    Change { id: sidecar_volume::ID, made_to: MadeTo::OptedIn, make: sidecar_volume::make },
    Change { id: trusted_launch::ID, made_to: MadeTo::TrustedLaunch, make: trusted_launch::make },
    Change { id: profile::ID, made_to: MadeTo::OptedIn, make: profile::make },
    Change { id: countersigned::ID, made_to: MadeTo::OptedIn, make: countersigned::make },
    Change { id: injected::ID, made_to: MadeTo::OptedIn, make: injected::make },
];
