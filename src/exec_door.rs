//! The exec door behind the HTTPS edge: the one request whose answer waits for I/O.
//!
//! The review of a way into a pod holds the way and the pod's name alone, so the pod is fetched, once, with a deadline well inside the
//! time that the API server gives; so many at a time and no more. Whatever goes wrong is a refusal: nobody gets in by making the
//! look-up fail. It is there only where it is asked for (`--exec-door`), since it takes the right to read every pod, and lets whoever
//! reaches the port make this process ask the API server.

use std::sync::Arc;
use std::time::Duration;

use countersign_decision::exec::{exec, unknown};
use countersign_decision::facts::Known;
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::Client;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::http::{Answer, Doorkeeper, Outcome};
use crate::judge::{reviewed, unreadable};
use crate::knowledge::Knowledge;
use crate::review::{self, WayIn};

/// How many pods are fetched at a time.
const FETCHES: usize = 16;
/// How long one fetch may take, if half of the time that is left is not less.
const PATIENCE: Duration = Duration::from_secs(2);

/// Fetches pods and judges the ways into them.
pub struct ExecDoor {
    client: Client,
    knowledge: Arc<Knowledge>,
    turns: Semaphore,
}

impl ExecDoor {
    /// A door that fetches through `client` and judges by `knowledge`.
    pub fn new(client: Client, knowledge: Arc<Knowledge>) -> Self {
        Self { client, knowledge, turns: Semaphore::new(FETCHES) }
    }

    async fn judge(&self, review: &[u8], deadline: Instant) -> Answer {
        let way_in = match review::read_way_in(review) {
            Ok(way_in) => way_in,
            Err(problem) => return unreadable(problem),
        };
        let now = Timestamp::now();
        let (facts, stale_since) = match self.knowledge.ask(now) {
            Ok(known) => known,
            Err(incomplete) => return Answer::NotReady { because: incomplete.to_string() },
        };
        let WayIn { uid, way, namespace, name } = &way_in;
        let known = Known { facts: &facts, now, stale_since };
        let answered = self.fetch(&way_in, deadline).await.and_then(|text| {
            let pod = Pod::from_json(&text).map_err(|error| format!("the pod cannot be read, at column {}", error.column()))?;
            let request =
                PodRequest { operation: Operation::Create, namespace, required: false, groups: Vec::new(), pod, old: None };
            Ok(reviewed("exec", uid, &request, &exec(&request, way, &known)))
        });
        match answered {
            Ok(answer) => answer,
            Err(because) => {
                let refusal = unknown(namespace, name, &because);
                tracing::warn!(endpoint = "exec", uid, id = refusal.id, "{}", refusal.because);
                let body = review::refusal(review::VERSION, uid, &refusal);
                Answer::Review { body, outcome: Outcome::Failed, reasons: vec![refusal.id] }
            }
        }
    }

    /// The pod as the API server has it, as JSON.
    async fn fetch(&self, WayIn { namespace, name, .. }: &WayIn, deadline: Instant) -> Result<String, String> {
        let left = deadline.saturating_duration_since(Instant::now());
        let until = Instant::now() + PATIENCE.min(left / 2);
        let too_long = |_| "the API server did not give it in time".to_owned();
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
        let request = hyper::Request::get(path).body(Vec::new()).map_err(|error| error.to_string())?;
        let fetched = async {
            // The semaphore is never closed.
            let _turn = self.turns.acquire().await.map_err(|error| error.to_string())?;
            self.client.request_text(request).await.map_err(|error| error.to_string())
        };
        timeout_at(until, fetched).await.map_err(too_long)?
    }
}

impl Doorkeeper for ExecDoor {
    fn answer<'a>(&'a self, review: &'a [u8], deadline: Instant) -> BoxFuture<'a, Answer> {
        self.judge(review, deadline).boxed()
    }
}
