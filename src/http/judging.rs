//! Calling the judge: small reviews at once, large ones and those that take their time on threads of their own, and no panic gets
//! out.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use axum::body::Bytes;
use futures::FutureExt as _;
use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::{
    judge::{Answer, Doorkeeper, Endpoint, Judge},
    limits::Limits,
    panicked,
    room::Place,
};
use crate::metrics::Metrics;

#[cfg(panic = "abort")]
compile_error!("a panic in one request must not end the process: build with panic = \"unwind\"");

/// The judge, with a bound on the large reviews that it has at a time.
pub(super) struct Judging {
    judge: Arc<dyn Judge>,
    large_bytes: usize,
    large: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// The deadline passed first.
pub(super) struct Slow;

impl Judging {
    pub(super) fn new(judge: Arc<dyn Judge>, limits: &Limits, metrics: Arc<Metrics>) -> Self {
        let large = Arc::new(Semaphore::new(limits.large_at_once));
        Self { judge, large_bytes: limits.large_bytes, large, metrics }
    }

    /// What the judge says to `review`.
    ///
    /// A review judged on a thread of its own that is still judged when the deadline passes keeps its place in the room
    /// and among the large ones until the judge is done with it: what is bounded is the work, not the waiting.
    pub(super) async fn answer(
        &self,
        endpoint: Endpoint,
        review: Bytes,
        place: Place,
        deadline: Instant,
    ) -> Result<Answer, Slow> {
        if review.len() <= self.large_bytes {
            let answer = guarded(&self.metrics, endpoint, &review, || self.judge.answer_at_once(endpoint, &review));
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
        let turn = timeout_at(deadline, Arc::clone(&self.large).acquire_owned()).await.map_err(|_| Slow)?;
        let (judge, metrics) = (Arc::clone(&self.judge), Arc::clone(&self.metrics));
        let work = spawn_blocking(move || {
            let _held = (turn, place);
            guarded(&metrics, endpoint, &review, || Some(judge.answer(endpoint, &review)))
        });
        // The closure cannot panic and is not aborted, so an error can only mean that the runtime ends.
        timeout_at(deadline, work).await.map_err(|_| Slow)?.ok().flatten().ok_or(Slow)
    }

    /// What the doorkeeper says to `review`; it bounds itself.
    pub(super) async fn ask(&self, door: &dyn Doorkeeper, review: &[u8], deadline: Instant) -> Result<Answer, Slow> {
        let answered = AssertUnwindSafe(door.answer(review, deadline)).catch_unwind();
        let answered = timeout_at(deadline, answered).await.map_err(|_| Slow)?;
        Ok(answered.unwrap_or_else(|panic| refused(&self.metrics, Endpoint::Exec, review, &*panic)))
    }
}

fn guarded(metrics: &Metrics, endpoint: Endpoint, review: &[u8], judge: impl FnOnce() -> Option<Answer>) -> Option<Answer> {
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|panic| Some(refused(metrics, endpoint, review, &*panic)))
}

fn refused(metrics: &Metrics, endpoint: Endpoint, review: &[u8], panic: &(dyn Any + Send)) -> Answer {
    tracing::error!(endpoint = endpoint.as_str(), panic = message(panic), "the judge panicked; review refused");
    metrics.panics.inc();
    panicked::answer(endpoint, review)
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "(no message)",
    }
}
