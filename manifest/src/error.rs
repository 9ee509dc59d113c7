//! What can be wrong with a manifest, each with the place in the file and the next step.

use std::fmt;

/// A place in a file, as an editor shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// What the file is called in messages.
    pub file: String,
    /// The document in the file, the first is 1.
    pub document: usize,
    /// The line in the file, the first is 1.
    pub line: usize,
    /// The character in the line, the first is 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, document, line, column } = self;
        write!(f, "{file}:{line}:{column} (document {document})")
    }
}

/// Why a manifest cannot be read or edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The text is not YAML.
    #[error("{at}: not valid YAML: {reason}")]
    Syntax {
        /// Where reading stopped.
        at: Position,
        /// What stands in the way.
        reason: String,
    },
    /// A mapping names a key twice; readers differ in which one they take.
    #[error("{at}: key {key:?} stands twice in this mapping, first in line {first}: remove one")]
    DuplicateKey {
        /// The second of the two.
        at: Position,
        /// The key.
        key: String,
        /// The line of the first of the two.
        first: usize,
    },
    /// A key is a number, a boolean, null or a collection; JSON has strings only.
    #[error("{at}: key {key} is not a string: write it in quotes")]
    KeyNotString {
        /// Where the key is.
        at: Position,
        /// The key as written.
        key: String,
    },
    /// It is YAML, but not something that kubectl turns into JSON without doubt.
    #[error("{at}: {reason}")]
    Unreadable {
        /// Where it is.
        at: Position,
        /// What it is, and what to write in its place.
        reason: String,
    },
    /// An object that holds a pod lacks a part, or has something else in its place.
    #[error("{at}: {owner} has no pod: {field} must be a mapping")]
    NotAPod {
        /// Where the object, or the part, is.
        at: Position,
        /// Kind and name of the object.
        owner: String,
        /// The field, as a path with dots.
        field: String,
    },
    /// No document of the file holds a pod.
    #[error("{file}: no pod in it (found: {found}): give a Pod, or a workload with a pod template")]
    NoPod {
        /// What the file is called in messages.
        file: String,
        /// The kinds that were found, or "nothing".
        found: String,
    },
    /// The pod to be edited is not one of this file's.
    #[error("{file}: {pod} was not read from this file")]
    AnotherFile {
        /// What the file is called in messages.
        file: String,
        /// Kind and name of the pod's owner.
        pod: String,
    },
    /// The change would reach through an anchor, an alias or a merge key, and so alter other places as well.
    #[error("{at}: cannot change {pointer} in place: its text is shared through {what}: write it out")]
    Shared {
        /// Where the anchor, alias or merge key is.
        at: Position,
        /// What was to be changed.
        pointer: String,
        /// The anchor, the alias or the merge key.
        what: &'static str,
    },
    /// The patch names a place that the pod does not have, or wants more than adding and replacing values.
    #[error("{at}: the change to {pointer} does not fit the pod: {reason}")]
    DoesNotFit {
        /// Where the nearest part is that exists.
        at: Position,
        /// What was to be changed.
        pointer: String,
        /// Why it cannot be done.
        reason: &'static str,
    },
    /// The text is written in a way that the change could not be made without rewriting it.
    #[error("{at}: cannot write {pointer} in place, the text around it is unusual ({reason}): write it in plain block style")]
    NotInPlace {
        /// Where the change was to be made.
        at: Position,
        /// What was to be changed.
        pointer: String,
        /// What the check of the result said.
        reason: String,
    },
}
