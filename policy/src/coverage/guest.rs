//! The policy's own rule, asked about one difference at a time.

use std::cell::{Cell, LazyCell, OnceCell};

use super::fields::{Difference, Proof};
use super::finding::{Certainty, Finding};
use super::request::{Change, Request};
use crate::engine::{Evaluator, OpenPolicy};

/// How many questions the findings of one pod may take, so that a pod with thousands of differences costs no more. What is not asked
/// is not known.
const MOST_QUESTIONS: usize = 96;

/// The guest that judges one pod. It opens its policy when it is first asked: a parsed one takes megabytes, and few pods have a
/// question.
pub(super) struct Guest<'a> {
    opens: Option<(&'a str, &'a dyn Evaluator)>,
    policy: OnceCell<Option<Box<dyn OpenPolicy>>>,
    left: Cell<usize>,
    /// Whether a question came when none was left.
    unasked: Cell<bool>,
    /// Whether an answer is missing that another try may give.
    cut_short: Cell<bool>,
}

impl<'a> Guest<'a> {
    /// The guest with the policy of this text, evaluated there.
    pub(super) fn new(text: &'a str, evaluator: &'a dyn Evaluator) -> Self {
        Self::with(Some((text, evaluator)), MOST_QUESTIONS)
    }

    /// A guest that answers nothing: it tells whether there is a question at all.
    pub(super) const fn silent() -> Guest<'static> {
        Guest::with(None, 0)
    }

    const fn with(opens: Option<(&'a str, &'a dyn Evaluator)>, left: usize) -> Self {
        let (unasked, cut_short) = (Cell::new(false), Cell::new(false));
        Self { opens, policy: OnceCell::new(), left: Cell::new(left), unasked, cut_short }
    }

    /// Whether there was a question that it did not take.
    pub(super) const fn left_a_question(&self) -> bool {
        self.unasked.get()
    }

    /// Whether something is not known for want of time or of a process, and may be known at another try.
    pub(super) const fn was_cut_short(&self) -> bool {
        self.cut_short.get()
    }

    /// What the guest makes of the differences between the `usual` request, which the policy describes, and the pod's.
    pub(super) fn findings(
        &self,
        container: Option<&str>,
        usual: impl FnOnce() -> Request,
        differences: Vec<Difference>,
    ) -> Vec<Finding> {
        let usual = LazyCell::new(usual);
        let trusted = LazyCell::new(|| self.allows(&usual) == Some(true));
        let judged = differences.into_iter().filter_map(|difference| {
            let certainty = match &difference.proof {
                Proof::Itself => Some(Certainty::Refused),
                Proof::None => Some(Certainty::Unknown),
                // A request takes longer to write than the difference took to find.
                Proof::Rule { .. } if self.left.get() == 0 => {
                    self.unasked.set(true);
                    Some(Certainty::Unknown)
                }
                Proof::Rule { usual: own, change } => self.certainty(*trusted, &usual, own.as_ref(), change),
            }?;
            let Difference { field, pod, policy, cause, .. } = difference;
            Some(Finding { certainty, container: container.map(str::to_owned), field, pod, policy, cause })
        });
        judged.collect()
    }

    /// `None` where the guest does not mind. A rule that refuses even what the policy describes says nothing about the change: such a
    /// request was not built as the guest would get it.
    fn certainty(&self, trusted: bool, usual: &Request, own: Option<&Change>, change: &Change) -> Option<Certainty> {
        let trusted = trusted && own.is_none_or(|own| self.allows(&usual.clone().with(own)) == Some(true));
        match self.allows(&usual.clone().with(change)) {
            Some(true) => None,
            Some(false) if trusted => Some(Certainty::Refused),
            _ => Some(Certainty::Unknown),
        }
    }

    /// Whether the policy's rule allows a request in any of its forms; `None` where it gives no answer.
    fn allows(&self, request: &Request) -> Option<bool> {
        let mut answers = request.forms().into_iter().map(|form| {
            self.left.set(self.left.get().checked_sub(1)?);
            let policy = self.policy.get_or_init(|| self.opened()).as_ref()?;
            let answer = policy.ask("CreateContainerRequest", &form).map_err(|reason| self.note(reason.lasts()));
            Some(answer.ok()?.allowed())
        });
        answers.try_fold(false, |allowed, answer| Some(allowed || answer?))
    }

    fn opened(&self) -> Option<Box<dyn OpenPolicy>> {
        let (text, evaluator) = self.opens?;
        evaluator.open(text).map_err(|reason| self.note(reason.lasts())).ok()
    }

    /// Notes that there is no answer. There is no other question then: a rule that fails or takes too long would do so again.
    fn note(&self, lasts: bool) {
        self.left.set(0);
        self.cut_short.set(self.cut_short.get() || !lasts);
    }
}
