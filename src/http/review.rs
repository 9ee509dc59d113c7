//! One request from head to answer: checked, read, judged, each within its bounds, and counted.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, Response, header, request::Parts},
};
use tokio::time::{Instant, timeout_at};

use super::{
    asked_timeout::asked_timeout,
    body,
    error::{HttpError, refuse_stranger},
    judge::{Answer, Doorkeeper, Endpoint, Judge, Outcome},
    judging::{Judging, Slow},
    limits::Limits,
    pace::Pace,
    room::Room,
};
use crate::metrics::{EndpointLabels, Metrics, RefusalLabels, RequestLabels};

/// What every request of a server shares.
pub(super) struct Desk {
    judging: Judging,
    exec: Option<Arc<dyn Doorkeeper>>,
    room: Room,
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
}

impl Desk {
    pub(super) fn new(
        judge: Arc<dyn Judge>,
        exec: Option<Arc<dyn Doorkeeper>>,
        limits: Arc<Limits>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            judging: Judging::new(judge, &limits, Arc::clone(&metrics)),
            exec,
            room: Room::new(limits.body_bytes_in_flight, metrics.body_bytes_in_flight.clone()),
            limits,
            metrics,
        })
    }

    /// Whether somebody decides on ways into pods.
    pub(super) fn guards_ways_in(&self) -> bool {
        self.exec.is_some()
    }

    /// Answers one request to `endpoint`: with a review, or with the JSON error that says why not.
    pub(super) async fn answer(&self, endpoint: Endpoint, request: Request) -> Response<Body> {
        let arrived = Instant::now();
        let (head, mut body) = request.into_parts();
        let answered = self.review(endpoint, &head, &mut body, arrived).await;
        self.metrics.request_duration.get_or_create(&EndpointLabels { endpoint }).observe(arrived.elapsed().as_secs_f64());
        match answered {
            Ok(review) => review,
            Err(error) => self.turn_away(&error, Request::from_parts(head, body)),
        }
    }

    /// Answers with `error`, and reads what the client still sends.
    pub(super) fn turn_away(&self, error: &HttpError, request: Request) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        body::discard(body, &self.limits, head.extensions.remove::<Arc<Pace>>());
        error.answer(&self.metrics)
    }

    async fn review(
        &self,
        endpoint: Endpoint,
        head: &Parts,
        body: &mut Body,
        arrived: Instant,
    ) -> Result<Response<Body>, HttpError> {
        let allowed = self.admit(head)?;
        // Some time is kept back: an answer that comes at the very end finds nobody listening.
        let margin = (allowed / 10).clamp(Duration::from_millis(20), Duration::from_millis(500));
        let deadline = arrived + allowed.saturating_sub(margin);
        let (review, place) = timeout_at(deadline, body::read(body, &self.limits, &self.room))
            .await
            .map_err(|_| HttpError::SlowBody(allowed))??;
        self.metrics.body_bytes.observe(size(review.len()));
        let answered = match &self.exec {
            Some(door) if endpoint == Endpoint::Exec => {
                let _held = place;
                self.judging.ask(&**door, &review, deadline).await
            }
            _ => self.judging.answer(endpoint, review, place, deadline).await,
        };
        match answered {
            Ok(Answer::Review { body, outcome, reasons }) => Ok(self.send(endpoint, body, outcome, &reasons)),
            Ok(Answer::Unreadable { because }) => Err(HttpError::Unreadable { because }),
            Ok(Answer::NotReady { because }) => Err(HttpError::NotReady { because }),
            Err(Slow) => Err(HttpError::SlowJudge(allowed)),
        }
    }

    fn send(&self, endpoint: Endpoint, body: Vec<u8>, outcome: Outcome, reasons: &[&'static str]) -> Response<Body> {
        self.metrics.requests.get_or_create(&RequestLabels { endpoint, outcome }).inc();
        for rule in reasons {
            self.metrics.refusals.get_or_create(&RefusalLabels { rule }).inc();
        }
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, super::JSON);
        response
    }

    /// Checks the head; what is right gets the time it may take.
    fn admit(&self, head: &Parts) -> Result<Duration, HttpError> {
        refuse_stranger(&head.extensions)?;
        if head.method != Method::POST {
            return Err(HttpError::NotPost { method: head.method.clone() });
        }
        require(&head.headers, header::CONTENT_TYPE, is_json)?;
        if head.headers.contains_key(header::CONTENT_ENCODING) {
            require(&head.headers, header::CONTENT_ENCODING, |value| value.eq_ignore_ascii_case("identity"))?;
        }
        let asked = asked_timeout(head.uri.query()).map_err(|value| HttpError::BadTimeout { value })?;
        Ok(asked.unwrap_or(self.limits.answer).min(self.limits.longest_answer))
    }
}

/// Holds the one header `name` to `right`; absent counts as an empty value.
fn require(headers: &HeaderMap, name: header::HeaderName, right: fn(&str) -> bool) -> Result<(), HttpError> {
    let value = headers.get(&name).map_or(Ok(""), |value| value.to_str()).unwrap_or("(not ASCII)");
    if right(value) { Ok(()) } else { Err(HttpError::NotJson { header: name, value: value.to_owned() }) }
}

/// `application/json`, with or without parameters.
fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split_once(';').map_or(content_type, |(media_type, _)| media_type);
    media_type.trim().eq_ignore_ascii_case("application/json")
}

/// A number of bytes as a histogram takes it; bodies are far below 2^53.
#[allow(clippy::cast_precision_loss)]
fn size(bytes: usize) -> f64 {
    bytes as f64
}
