//! The guest's own policy engine, within bounds.
//!
//! What the guest will answer is asked of the guest's own engine and never guessed from the text. A policy is parsed once; each
//! question is evaluated on a copy, so that answers do not depend on what was asked before. Who asks does so through an
//! [`Evaluator`]: in this process, or in one of its own whose memory and time the system bounds.
//! Source: Kata Containers, `src/agent/policy/src/policy.rs`: the agent evaluates `data.agent_policy.<request>` with regorus, Rego
//! v1 or v0 by its version, built-in errors not strict, prints gathered, and an object `pstate` in its data.

mod error;
mod evaluator;
mod stack;
#[cfg(test)]
mod tests;
mod vetting;

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, PolicyLengthConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use error::{Unanswered, Unreadable};
pub use evaluator::{Evaluator, InProcess, OpenPolicy};

/// The longest policy that is parsed, in bytes. Generators write some 80 KB; the engine takes 20 ms for that.
pub const MOST_BYTES: usize = 512 * 1024;
/// How long the evaluation of one question may take. Rules of generators take a few milliseconds.
pub const LONGEST_EVALUATION: Duration = Duration::from_millis(400);
/// The package whose rules the guest asks.
const PACKAGE: &str = "data.agent_policy";
/// What messages of the engine call the policy.
const FILE: &str = "policy.rego";
/// What the guest keeps between requests: nothing yet.
const STATE: &str = r#"{"pstate": {}}"#;

/// A policy that the engine has parsed. The engine recurses over rules and values: what is called here needs a deep stack.
pub struct Policy {
    engine: Engine,
    longest: Duration,
}

/// What a rule says to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The rule's value; `None` if there is no such rule, or it is undefined for this input.
    pub value: Option<Value>,
    /// What the policy printed on the way, each with its line: policies of generators name the rule that failed.
    pub prints: Vec<String>,
}

impl Answer {
    /// Whether the guest takes this for a yes: `true`, or an object whose `allowed` is true.
    pub fn allowed(&self) -> bool {
        match &self.value {
            Some(Value::Bool(allowed)) => *allowed,
            Some(Value::Object(answer)) => answer.get("allowed") == Some(&Value::Bool(true)),
            _ => false,
        }
    }
}

impl Policy {
    /// Parses a policy, the Rego text as the guest gets it.
    ///
    /// # Errors
    /// [`Unreadable`]: too long, no Rego, another package than the guest asks, or something that no bound of the engine holds.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        Self::parse_within(text, LONGEST_EVALUATION)
    }

    /// The same with another time for each question: whoever counts instructions is in no hurry.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn parse_within(text: &str, longest: Duration) -> Result<Self, Unreadable> {
        if text.len() > MOST_BYTES {
            return Err(Unreadable::TooLong { found: text.len(), limit: MOST_BYTES });
        }
        vetting::vet(text)?;
        parse(text, longest)
    }

    /// Evaluates `data.agent_policy.<rule>` for an input.
    ///
    /// # Errors
    /// [`Unanswered`]: it took longer than it may, or a rule failed.
    pub fn ask(&self, rule: &str, input: &Value) -> Result<Answer, Unanswered> {
        ask(self.engine.clone(), rule, input).map_err(|error| Unanswered::of(&error, self.longest))
    }

    /// From now on it answers as when earlier requests have left `state`: names and values that its answers asked the guest to keep.
    /// This takes longer than most questions.
    ///
    /// # Errors
    /// As [`Policy::ask`].
    pub fn set_state(&mut self, state: &Value) -> Result<(), Unanswered> {
        self.engine.clear_data();
        let state = serde_json::json!({"pstate": state});
        let set = self.engine.add_data(regorus::Value::from(state)).and_then(|()| prepare(&mut self.engine));
        set.map_err(|error| Unanswered::of(&error, self.longest))
    }
}

/// Whether the code of a policy has a word that is, or begins with, `name`.
pub(crate) fn mentions(text: &str, name: &str) -> bool {
    vetting::mentions(text, name)
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").finish_non_exhaustive()
    }
}

fn parse(text: &str, longest: Duration) -> Result<Policy, Unreadable> {
    let mut engine = Engine::new();
    engine.set_rego_v0(true);
    engine.set_strict_builtin_errors(false);
    engine.set_gather_prints(true);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::MAX,
        max_file_bytes: NonZeroUsize::MAX,
        max_lines: NonZeroUsize::MAX,
    });
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: longest, check_interval: NonZeroU32::MIN });
    let state = regorus::Value::from_json_str(STATE).map_err(|error| Unreadable::of(&error))?;
    engine.add_data(state).map_err(|error| Unreadable::of(&error))?;
    let package = engine.add_policy(FILE.to_owned(), text.to_owned()).map_err(|error| Unreadable::of(&error))?;
    if package != PACKAGE {
        return Err(Unreadable::Package(package.trim_start_matches("data.").to_owned()));
    }
    prepare(&mut engine).map_err(|error| Unreadable::of(&error))?;
    Ok(Policy { engine, longest })
}

/// The first evaluation orders the statements of all rules, which takes longer than most questions: once is enough.
fn prepare(engine: &mut Engine) -> anyhow::Result<()> {
    engine.eval_query("true".to_owned(), false).map(|_| ())
}

fn ask(mut engine: Engine, rule: &str, input: &Value) -> anyhow::Result<Answer> {
    engine.set_input(regorus::Value::from(input.clone()));
    let answered = engine.eval_query(format!("{PACKAGE}.{rule}"), false)?;
    let prints = engine.take_prints()?;
    let prints = prints.into_iter().map(|print| print.replace(&format!("{FILE}:"), "line ")).collect();
    let value = match answered.result.first().and_then(|result| result.expressions.first()) {
        None => None,
        Some(expression) if expression.value == regorus::Value::Undefined => None,
        Some(expression) => Some(serde_json::to_value(&expression.value)?),
    };
    Ok(Answer { value, prints })
}
