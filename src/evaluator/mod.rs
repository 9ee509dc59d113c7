//! Evaluation of policies in a process of its own.
//!
//! Why: a policy may be listed that nobody has read. The engine looks at its clock between statements alone and counts no memory,
//! so that a policy can be written which takes either without end. What the system bounds, it bounds for a whole process: each policy
//! that is examined, or asked about a pod, gets one, started for it from this same program, with nothing to do but answer.
//!
//! What is bounded is said in [`bounds`]; who asks waits for one of few places, so that all together are bounded too.

pub mod bounds;
mod child;
mod conversation;
mod places;
mod separate;

pub use child::run;
pub use separate::Separate;

/// The command of this program that evaluates: it is no command for people.
pub const COMMAND: &str = "evaluate-policy";
