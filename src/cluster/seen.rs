//! One object of a known name, as a watch last saw it.

/// What is known of the object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Seen<T> {
    /// There was no complete list yet.
    #[default]
    NotYet,
    /// There is no such object.
    Missing,
    /// There is.
    There(T),
}

impl<T> Seen<T> {
    /// What a read gave.
    pub(super) fn of(read: Option<T>) -> Self {
        read.map_or(Self::Missing, Self::There)
    }

    /// The object, if there is one.
    pub fn there(&self) -> Option<&T> {
        if let Self::There(object) = self { Some(object) } else { None }
    }
}
