//! Who asks: an evaluator that opens each policy in a process of its own.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::OsString;
use std::io::BufReader;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;

use countersign_policy::engine::{Answer, Evaluator, OpenPolicy, Unanswered, Unreadable};
use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bounds::{LONGEST, LONGEST_ANSWER, MEMORY, STACK, TOO_LONG};
use super::conversation::{Question, hear, say};
use super::places::{Place, Places};

/// Evaluates each policy in a process of its own.
#[derive(Debug)]
pub struct Separate {
    program: OsString,
    places: Arc<Places>,
}

/// A policy that such a process has read.
struct Opened(RefCell<Process>);

/// The process; it ends when this is dropped.
struct Process {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    _place: Place,
}

impl Separate {
    /// The evaluator of every command: by processes of the program that runs now, whatever has become of its file.
    pub fn by_this_program() -> Arc<dyn Evaluator> {
        let own = Path::new("/proc/self/exe");
        // Not every system on which the offline commands run has that folder.
        let program = if own.exists() { own.to_owned() } else { std::env::current_exe().unwrap_or_else(|_| own.to_owned()) };
        Arc::new(Self::by(program))
    }

    /// By processes of this program, which knows the command [`COMMAND`](super::COMMAND).
    pub fn by(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), places: Arc::default() }
    }
}

impl Evaluator for Separate {
    fn open(&self, text: &str) -> Result<Box<dyn OpenPolicy>, Unreadable> {
        let mut process = Process::start(self).map_err(|error| {
            tracing::error!(%error, "there is no process to evaluate a policy in");
            Unreadable::Ended(format!("there is no process to evaluate it in: {error}"))
        })?;
        process.exchange::<Result<(), Unreadable>>(&text).map_err(Unreadable::Ended)??;
        Ok(Box::new(Opened(RefCell::new(process))))
    }
}

impl OpenPolicy for Opened {
    fn ask(&self, rule: &str, input: &Value) -> Result<Answer, Unanswered> {
        let question = Question::Ask { rule: Cow::Borrowed(rule), input: Cow::Borrowed(input) };
        self.0.borrow_mut().exchange(&question).map_err(Unanswered::Ended)?
    }

    fn set_state(&mut self, state: &Value) -> Result<(), Unanswered> {
        self.0.get_mut().exchange(&Question::State(Cow::Borrowed(state))).map_err(Unanswered::Ended)?
    }
}

impl Process {
    fn start(evaluator: &Separate) -> std::io::Result<Self> {
        let place = evaluator.places.take();
        let mut command = Command::new(&evaluator.program);
        // Nothing of this process is for it; a trace of each error would take milliseconds.
        command.arg(super::COMMAND).env_clear().env("RUST_LIB_BACKTRACE", "0");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let to = child.stdin.take();
        let from = child.stdout.take().ok_or_else(|| std::io::Error::other("it has no standard output"))?;
        Ok(Self { child, to, from: BufReader::new(from), _place: place })
    }

    /// Says something and gives the answer; the error says why there is none. There will be no other then.
    fn exchange<T: DeserializeOwned>(&mut self, what: &impl Serialize) -> Result<T, String> {
        let said = self.to.as_mut().is_some_and(|to| say(to, what).is_ok());
        let why = match if said { hear(&mut self.from, LONGEST_ANSWER) } else { Ok(None) } {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => self.child.wait().map_or_else(|error| format!("its evaluation ended: {error}"), why),
            Err(error) => format!("its answer is not taken: {error}"),
        };
        self.to = None;
        let _ = self.child.kill();
        tracing::warn!(why, "the evaluation of a listed policy was ended");
        Err(why)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be in the middle of an endless rule. Both fail where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Why a process ended before it answered.
fn why(status: ExitStatus) -> String {
    let signal = |signal: Signal| status.signal() == Some(signal.as_raw());
    let mib = |bytes: usize| bytes / 1024 / 1024;
    if status.code() == Some(TOO_LONG) || signal(Signal::XCPU) {
        return format!("its evaluation took longer than {} s altogether", LONGEST.as_secs());
    }
    // The program aborts where memory is refused, and where its stack is used up.
    if signal(Signal::ABORT) || signal(Signal::SEGV) || signal(Signal::BUS) {
        let (memory, stack) = (mib(MEMORY), mib(STACK));
        return format!("its evaluation took more than {memory} MiB of memory or {stack} MiB of stack");
    }
    format!("its evaluation ended before it answered ({status})")
}
