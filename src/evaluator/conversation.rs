//! What the two processes say to each other: the policy's text, then questions; an answer to each. One JSON value is one line.

use std::borrow::Cow;
use std::io::{self, BufRead, Read as _, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What follows the policy.
#[derive(Serialize, Deserialize)]
pub(super) enum Question<'a> {
    /// What a rule says to an input.
    Ask {
        /// The rule.
        rule: Cow<'a, str>,
        /// The input.
        input: Cow<'a, Value>,
    },
    /// What earlier requests have left.
    State(Cow<'a, Value>),
}

/// Says one thing.
///
/// # Errors
/// When nobody is there to hear it.
pub(super) fn say(to: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

/// Hears one thing of at most `longest` bytes; `None` where the other side has ended.
///
/// # Errors
/// When it is longer, or is not what was to be said.
pub(super) fn hear<T: DeserializeOwned>(from: &mut impl BufRead, longest: usize) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    let most = u64::try_from(longest).unwrap_or(u64::MAX);
    from.take(most).read_until(b'\n', &mut line)?;
    match line.last() {
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line)?)),
        Some(_) if line.len() == longest => {
            Err(io::Error::other(format!("it is longer than the {longest} bytes that are read")))
        }
        // Where there is something all the same, it ended in the middle of a word.
        _ => Ok(None),
    }
}
