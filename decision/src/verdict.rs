//! What is answered: refusals with id, reason and next step, and what becomes of them.

use json_patch::Patch;

use crate::configuration::Mode;

/// One reason against a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable id of the rule or change.
    pub id: &'static str,
    /// What is wrong: the field and the values.
    pub because: String,
    /// What to do next; may have several lines.
    pub next: String,
}

impl Refusal {
    /// A reason against a pod.
    pub fn new(id: &'static str, because: impl Into<String>, next: impl Into<String>) -> Self {
        Self { id, because: because.into(), next: next.into() }
    }

    /// The refusal as one line without control characters: the API server drops warnings that have any.
    pub fn line(&self) -> String {
        let line = format!("{}: {}. {}", self.id, self.because, self.next);
        line.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// What was decided, for people, metrics and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The pod is none of Countersign's business.
    Untouched,
    /// The pod is confidential, and the API server's picture of a static pod: left alone, since it runs whatever is answered.
    MirrorPod,
    /// The pod was completed.
    Patched,
    /// The pod passes.
    Admitted,
    /// The pod passes with a warning: the mode of its namespace is warn.
    Warned,
    /// The pod passes and the audit log says why it would not: the mode of its namespace is audit.
    Audited,
    /// The pod is refused.
    Refused,
}

impl Decision {
    /// The word in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::MirrorPod => "mirror-pod",
            Self::Patched => "patched",
            Self::Admitted => "admitted",
            Self::Warned => "warned",
            Self::Audited => "audited",
            Self::Refused => "refused",
        }
    }
}

/// The whole answer to one request.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// What was decided.
    pub decision: Decision,
    /// Every reason against the pod, most fundamental first, whatever the mode made of them.
    pub refusals: Vec<Refusal>,
    /// Warnings to the user, each one line.
    pub warnings: Vec<String>,
    /// What is changed in the pod; empty but for completed pods.
    pub patch: Patch,
    /// Keys and values for the audit log.
    pub audit: Vec<(&'static str, String)>,
}

impl Verdict {
    /// The answer to a pod that is none of Countersign's business.
    pub fn untouched() -> Self {
        Self {
            decision: Decision::Untouched,
            refusals: Vec::new(),
            warnings: Vec::new(),
            patch: Patch(Vec::new()),
            audit: Vec::new(),
        }
    }

    /// What becomes of `refusals` in a mode: nothing to say if there are none.
    pub(crate) fn by_mode(mode: Mode, refusals: Vec<Refusal>) -> Self {
        let decision = match mode {
            _ if refusals.is_empty() => Decision::Admitted,
            Mode::Enforce => Decision::Refused,
            Mode::Warn => Decision::Warned,
            Mode::Audit => Decision::Audited,
        };
        let warnings = if decision == Decision::Warned { refusals.iter().map(Refusal::line).collect() } else { Vec::new() };
        let mut audit = Vec::new();
        if !refusals.is_empty() {
            audit.push(("refused-by", refusals.iter().map(|refusal| refusal.id).collect::<Vec<_>>().join(",")));
        }
        Self { decision, refusals, warnings, audit, ..Self::untouched() }
    }

    /// Whether the API server may go on.
    pub fn allowed(&self) -> bool {
        self.decision != Decision::Refused
    }

    /// The text that the user sees when the pod is refused: every reason with its next step.
    pub fn message(&self) -> String {
        let reason =
            |refusal: &Refusal| format!("{}: {}.\n  {}", refusal.id, refusal.because, refusal.next.replace('\n', "\n  "));
        self.refusals.iter().map(reason).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_one_line_without_control_characters() {
        let refusal = Refusal::new("x", "a\tb\u{7} c", "do:\n  - {this}");
        assert_eq!(refusal.line(), "x: a b c. do: - {this}");
    }

    #[test]
    fn the_mode_says_what_becomes_of_a_refusal() {
        let refusals = || vec![Refusal::new("x", "bad", "mend it")];
        let decided = |mode| Verdict::by_mode(mode, refusals());
        assert_eq!(decided(Mode::Enforce).decision, Decision::Refused);
        assert_eq!(decided(Mode::Warn).warnings, ["x: bad. mend it"]);
        assert!(decided(Mode::Warn).allowed());
        assert!(decided(Mode::Audit).warnings.is_empty());
        assert_eq!(decided(Mode::Audit).audit, [("refused-by", "x".to_owned())]);
        assert_eq!(Verdict::by_mode(Mode::Enforce, Vec::new()).decision, Decision::Admitted);
    }

    #[test]
    fn who_is_refused_reads_every_reason_and_below_it_each_line_of_its_next_step() {
        let refusals = vec![Refusal::new("x", "bad", "do:\n- this"), Refusal::new("y", "worse", "mend it")];
        let verdict = Verdict::by_mode(Mode::Enforce, refusals);
        assert!(!verdict.allowed());
        assert_eq!(verdict.message(), "x: bad.\n  do:\n  - this\ny: worse.\n  mend it");
    }

    #[test]
    fn every_decision_has_the_word_that_logs_are_searched_for() {
        for (decision, word) in [
            (Decision::Untouched, "untouched"),
            (Decision::MirrorPod, "mirror-pod"),
            (Decision::Patched, "patched"),
            (Decision::Admitted, "admitted"),
            (Decision::Warned, "warned"),
            (Decision::Audited, "audited"),
            (Decision::Refused, "refused"),
        ] {
            assert_eq!(decision.name(), word);
        }
    }
}
