//! Where a policy is evaluated.

use std::fmt;

use serde_json::Value;

use super::{Answer, Policy, Unanswered, Unreadable, stack};

/// Opens policies, so that their rules can be asked.
pub trait Evaluator: fmt::Debug + Send + Sync {
    /// Opens a policy, the Rego text as the guest gets it.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    fn open(&self, text: &str) -> Result<Box<dyn OpenPolicy>, Unreadable>;
}

/// A policy whose rules can be asked.
pub trait OpenPolicy {
    /// As [`Policy::ask`].
    ///
    /// # Errors
    /// As [`Policy::ask`].
    fn ask(&self, rule: &str, input: &Value) -> Result<Answer, Unanswered>;

    /// As [`Policy::set_state`].
    ///
    /// # Errors
    /// As [`Policy::set_state`].
    fn set_state(&mut self, state: &Value) -> Result<(), Unanswered>;
}

/// Evaluates in this process, each question on a stack of its own. Time is bounded for each question, and memory is not: whoever does
/// not know the policy evaluates it in a process of its own.
#[derive(Clone, Copy, Debug)]
pub struct InProcess;

impl Evaluator for InProcess {
    fn open(&self, text: &str) -> Result<Box<dyn OpenPolicy>, Unreadable> {
        let policy = stack::of_its_own(|| Policy::parse(text)).unwrap_or(Err(Unreadable::Failed))?;
        Ok(Box::new(policy))
    }
}

impl OpenPolicy for Policy {
    fn ask(&self, rule: &str, input: &Value) -> Result<Answer, Unanswered> {
        stack::of_its_own(|| self.ask(rule, input)).unwrap_or(Err(Unanswered::Crashed))
    }

    fn set_state(&mut self, state: &Value) -> Result<(), Unanswered> {
        stack::of_its_own(|| self.set_state(state)).unwrap_or(Err(Unanswered::Crashed))
    }
}
