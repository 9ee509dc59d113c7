//! The process that evaluates.

use std::io::{self, stdin, stdout};
use std::thread::Builder;

use anyhow::Context as _;
use countersign_policy::engine::Policy;

use super::bounds;
use super::conversation::{Question, hear, say};

/// Reads a policy and questions from standard input, and answers them on standard output until there are no more.
///
/// # Errors
/// When it cannot bound itself, and when what it reads comes from somebody else than [`Separate`](super::Separate).
pub fn run() -> anyhow::Result<()> {
    bounds::impose().context("this process cannot be bounded")?;
    let thread = Builder::new().stack_size(bounds::STACK).spawn(answer).context("there is no thread to evaluate in")?;
    thread.join().map_err(|_| anyhow::anyhow!("the engine failed"))?.context("cannot speak with who asked for the evaluation")
}

fn answer() -> io::Result<()> {
    let (mut from, mut to) = (stdin().lock(), stdout().lock());
    let Some(text) = hear::<String>(&mut from, usize::MAX)? else { return Ok(()) };
    let mut policy = match Policy::parse(&text) {
        Ok(policy) => policy,
        Err(unreadable) => return say(&mut to, &Err::<(), _>(unreadable)),
    };
    say(&mut to, &Ok::<_, ()>(()))?;
    while let Some(question) = hear(&mut from, usize::MAX)? {
        match question {
            Question::Ask { rule, input } => say(&mut to, &policy.ask(&rule, &input))?,
            Question::State(state) => say(&mut to, &policy.set_state(&state))?,
        }
    }
    Ok(())
}
