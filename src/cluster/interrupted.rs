//! Why a watch starts over.

use std::error::Error;
use std::time::Duration;

use kube::core::Status;

/// Why a list or a watch ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Interrupted {
    /// The API server refused, or could not be reached.
    #[error("{}", in_words(.0))]
    Failed(#[from] kube::Error),
    /// The API server ended the watch with this status; 410 says that the resource version is too old to go on from.
    #[error("{}", status_in_words(.0))]
    Ended(Box<Status>),
    /// No answer to a request.
    #[error("no answer from the API server within {0:?}")]
    NoAnswer(Duration),
    /// A watch without an event or a bookmark from its beginning to its end.
    #[error("a watch ended without a word from the API server")]
    NoWord,
    /// A list without a resource version to go on from.
    #[error("the API server's list has no resource version")]
    NoVersion,
    /// What was heard could not be worked in.
    #[error("what the API server said could not be worked in: {0}")]
    NotTaken(#[from] tokio::task::JoinError),
}

impl Interrupted {
    /// Whether this happens in a healthy cluster, and a new list is all it takes.
    pub(super) fn is_ordinary(&self) -> bool {
        match self {
            Self::NoWord => true,
            Self::Ended(status) | Self::Failed(kube::Error::Api(status)) => status.code == 410,
            _ => false,
        }
    }
}

/// The API server's words, or the whole chain of what went wrong on the way to it.
fn in_words(error: &kube::Error) -> String {
    let mut cause: Option<&dyn Error> = match error {
        kube::Error::Api(status) => return status_in_words(status),
        kube::Error::Service(error) => Some(&**error),
        error => Some(error),
    };
    let mut words = "the API server could not be asked".to_owned();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some errors repeat their cause.
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = error.source();
    }
    words
}

fn status_in_words(status: &Status) -> String {
    let next = match status.code {
        401 => ": the API server does not know the service account's token",
        403 => ": give the service account the ClusterRole and Role that `countersign manifests` prints",
        _ => "",
    };
    format!("the API server answers {}: {}{next}", status.code, status.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_api_servers_words_with_the_next_step() {
        let status = Status::failure("pods is forbidden", "Forbidden").with_code(403).boxed();
        assert_eq!(
            Interrupted::Failed(kube::Error::Api(status)).to_string(),
            "the API server answers 403: pods is forbidden: give the service account the ClusterRole and Role that \
             `countersign manifests` prints"
        );
    }

    #[test]
    fn the_whole_chain_of_a_failed_connection_is_told() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let error = Interrupted::Failed(kube::Error::ReadEvents(refused));
        assert_eq!(error.to_string(), "the API server could not be asked: Error reading events stream: connection refused");
    }
}
