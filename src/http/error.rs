//! What a caller gets who sent something that is not for us, or came at a bad time: an HTTP status, and the sentence that says why in a
//! `Status` of Kubernetes. Of any other body the API server hands nothing on to its user.
//! Source: Kubernetes, `Result.Error` in `staging/src/k8s.io/client-go/rest/request.go`.
//!
//! There is no HTTP 500: a failure of our own is a refusal in an admission review.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Extensions, HeaderName, HeaderValue, Method, Response, StatusCode, header},
};

use crate::certs::Stranger;
use crate::metrics::{Metrics, ShedCause, ShedLabels, StatusLabels};

/// Seconds after which the API server tries again; without this header it does not.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request got no admission review.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// The caller's certificate is good, and bears no listed name.
    #[error(
        "this port serves callers whose client certificate bears a listed name, and yours says {names}: add one of its names to \
         clientCertificates.names (standalone: --client-name), or call with another certificate"
    )]
    Stranger { names: String },
    /// No route has this path.
    #[error("no such path {path}: ask one of {known}")]
    UnknownPath { path: String, known: String },
    /// The path is known, the method is not POST.
    #[error("method {method} is not allowed: send the review with POST")]
    NotPost { method: Method },
    /// The content type is not JSON, or the body is compressed.
    #[error("{header} {value:?} is not supported: send application/json as it is, not compressed")]
    NotJson { header: HeaderName, value: String },
    /// `?timeout=` is no duration.
    #[error("timeout {value:?} is not a duration above zero, such as 5s or 1m30s")]
    BadTimeout { value: String },
    /// The body is over the cap.
    #[error("the body is over the limit of {limit} bytes")]
    TooLarge { limit: usize },
    /// The connection broke within the body, or its chunks are malformed.
    #[error("the body could not be read: {0}")]
    Broken(axum::Error),
    /// The judge says that this is no admission review.
    #[error("not an admission review: {because}")]
    Unreadable { because: String },
    /// The bodies in flight leave no room.
    #[error("busy: the requests in flight fill the limit of {limit} bytes; try again")]
    NoRoom { limit: usize },
    /// The body did not come within the time asked for.
    #[error("the body did not arrive within {0:?}; try again")]
    SlowBody(Duration),
    /// The judge did not come to an end, or not to this review, within the time asked for.
    #[error("the review could not be judged within {0:?}; try again")]
    SlowJudge(Duration),
    /// The judge lacks facts.
    #[error("not ready to judge: {because}; try again")]
    NotReady { because: String },
}

/// Turns a caller away who may not ask anything.
pub(super) fn refuse_stranger(extensions: &Extensions) -> Result<(), HttpError> {
    extensions.get::<Stranger>().map_or(Ok(()), |stranger| Err(HttpError::Stranger { names: stranger.names.clone() }))
}

impl HttpError {
    /// The HTTP status of this error.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Stranger { .. } => StatusCode::FORBIDDEN,
            Self::UnknownPath { .. } => StatusCode::NOT_FOUND,
            Self::NotPost { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotJson { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BadTimeout { .. } | Self::Broken(_) | Self::Unreadable { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoRoom { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::SlowBody(_) | Self::SlowJudge(_) | Self::NotReady { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Why the request was put off, where the fault is not the caller's.
    pub(super) fn shed(&self) -> Option<ShedCause> {
        match self {
            Self::NoRoom { .. } => Some(ShedCause::NoRoom),
            Self::SlowBody(_) => Some(ShedCause::SlowBody),
            Self::SlowJudge(_) => Some(ShedCause::SlowJudge),
            Self::NotReady { .. } => Some(ShedCause::NotReady),
            _ => None,
        }
    }

    /// The answer to send, counted in `metrics`.
    pub(super) fn answer(&self, metrics: &Metrics) -> Response<Body> {
        let status = self.status();
        // The sentence is the caller's: it has pieces of the request in it.
        tracing::debug!(status = status.as_u16(), "request without an admission review");
        metrics.http_errors.get_or_create(&StatusLabels { status: status.as_u16() }).inc();
        let text = serde_json::json!({
            "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": status.as_u16(), "message": self.to_string()
        });
        let mut response = Response::new(Body::from(text.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, super::JSON);
        if let Some(cause) = self.shed() {
            metrics.shed.get_or_create(&ShedLabels { cause }).inc();
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if matches!(self, Self::NotPost { .. }) {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}
