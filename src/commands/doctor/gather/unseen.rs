//! Why something could not be looked at, in words.

use std::error::Error as _;

use crate::commands::doctor::snapshot::{Look, Unseen};

/// The API server's words, or what went wrong on the way to it.
pub(super) fn in_words(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return status.message.clone();
    }
    let mut words = match error {
        kube::Error::Service(inner) => inner.to_string(),
        error => error.to_string(),
    };
    let mut cause = match error {
        kube::Error::Service(inner) => inner.source(),
        error => error.source(),
    };
    while let Some(inner) = cause {
        let text = inner.to_string();
        // Some errors repeat their cause.
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = inner.source();
    }
    words
}

/// Turns an error into something unseen with its next step.
pub(super) trait NextStep<T> {
    /// `what` was to be done.
    fn unseen(self, what: &str) -> Look<T>;
}

impl<T> NextStep<T> for Result<T, kube::Error> {
    fn unseen(self, what: &str) -> Look<T> {
        self.map_err(|error| of(&error, what))
    }
}

/// A failed question as something unseen.
pub(super) fn of(error: &kube::Error, what: &str) -> Unseen {
    let forbidden = match error {
        kube::Error::Api(status) => status.code == 403,
        kube::Error::UpgradeConnection(kube::client::UpgradeConnectionError::ProtocolSwitch(status)) => status.as_u16() == 403,
        _ => false,
    };
    let mend = if forbidden {
        format!("run doctor as somebody who may {what}: `kubectl auth can-i --list` shows what you may")
    } else {
        "run doctor again; if it stays so, look at the API server".to_owned()
    };
    Unseen { what: what.to_owned(), because: in_words(error), mend }
}
