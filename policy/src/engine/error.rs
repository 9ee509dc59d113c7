//! Why a policy cannot be read or a rule gives no answer, by cause.

use std::time::Duration;

use regorus::LimitError;
use serde::{Deserialize, Serialize};

/// Why a text is not a policy that the guest's engine can evaluate. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Unreadable {
    /// More bytes than are parsed.
    #[error("it has {found} bytes, more than the {limit} that are read")]
    TooLong {
        /// How many bytes it has.
        found: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The engine does not take it for Rego.
    #[error("line {line}, column {column} is not Rego: {message}")]
    NotRego {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What the engine says of it.
        message: String,
    },
    /// The engine does not take it for Rego, and names no line.
    #[error("it is not Rego: {0}")]
    NoRego(String),
    /// The rules are in a package that the guest does not ask.
    #[error("its package is {0}, but the guest asks the rules of package agent_policy")]
    Package(String),
    /// It calls a function whose result can be of any size.
    #[error("line {line} calls {function}, whose result may be of any size: such policies are not evaluated")]
    Boundless {
        /// The function.
        function: String,
        /// The line.
        line: usize,
    },
    /// Its brackets are nested deeper than can be parsed in time.
    #[error("line {line}: arrays, sets and objects are nested too deep to be parsed")]
    Nested {
        /// The line.
        line: usize,
    },
    /// The engine failed on it.
    #[error("the engine failed on it")]
    Failed,
    /// Its evaluator gave no answer, and says why.
    #[error("{0}")]
    Ended(String),
}

/// Why a rule gives no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Unanswered {
    /// It took too long.
    #[error("its evaluation took longer than {} ms", .0.as_millis())]
    TookTooLong(Duration),
    /// A rule failed: it contradicts itself, say.
    #[error("line {line}, column {column}: {message}")]
    Failed {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What the engine says of it.
        message: String,
    },
    /// The same without a line.
    #[error("{0}")]
    FailedSomewhere(String),
    /// The engine itself failed.
    #[error("the engine failed on it")]
    Crashed,
    /// Its evaluator gave no answer, and says why.
    #[error("{0}")]
    Ended(String),
}

impl Unreadable {
    /// Whether the policy alone is the cause, so that another try would end the same way.
    pub(crate) const fn lasts(&self) -> bool {
        !matches!(self, Self::Failed | Self::Ended(_))
    }

    pub(super) fn of(error: &anyhow::Error) -> Self {
        let (at, message) = split(&error.to_string());
        match at {
            Some((line, column)) => Self::NotRego { line, column, message },
            None => Self::NoRego(message),
        }
    }
}

impl Unanswered {
    /// Whether the policy alone is the cause, so that another try would end the same way.
    pub(crate) const fn lasts(&self) -> bool {
        !matches!(self, Self::TookTooLong(_) | Self::Crashed | Self::Ended(_))
    }

    /// For an evaluation that may take `longest`.
    pub(super) fn of(error: &anyhow::Error, longest: Duration) -> Self {
        let (at, message) = split(&error.to_string());
        // Within a function the engine keeps the message alone.
        let timed = matches!(error.downcast_ref(), Some(LimitError::TimeLimitExceeded { .. }));
        if timed || message.contains("execution exceeded time limit") {
            return Self::TookTooLong(longest);
        }
        match at {
            Some((line, column)) => Self::Failed { line, column, message },
            None => Self::FailedSomewhere(message),
        }
    }
}

/// Line, column and message of what the engine writes over several lines: `--> file:line:column`, the line, `error: message`.
fn split(error: &str) -> (Option<(usize, usize)>, String) {
    let place = error.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    let mut parts = place.unwrap_or_default().rsplitn(3, ':');
    let (column, line) = (parts.next().and_then(|part| part.parse().ok()), parts.next().and_then(|part| part.parse().ok()));
    let message = error.rsplit_once("error: ").map_or(error, |(_, message)| message);
    (line.zip(column), message.split_whitespace().collect::<Vec<_>>().join(" "))
}
