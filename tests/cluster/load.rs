//! A steady stream of confidential pods, while something happens to the cluster.
//!
//! Bounded in count, rate and clients. Every pod is checked to have been completed, and deleted again; it never runs.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use crate::pods;
use crate::site::{NAMESPACE, Site};

/// How many API clients share the work, each with connections of its own.
const CLIENTS: usize = 4;

/// A few creations together every so often, 25 in a second: one after the other would all use one connection from the API server
/// to one replica.
const EVERY: Duration = Duration::from_millis(320);
const TOGETHER: usize = 8;

/// How many may be on their way: beyond that the stream waits, and the rate that is told says so.
const ON_THE_WAY: usize = 32;

/// No stream is longer than this, whatever happens.
const AT_MOST: usize = 10_000;

/// What came of the creations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) created: usize,
    /// How often each text of a failure was seen; names of pods are taken out.
    pub(crate) failed: BTreeMap<String, usize>,
    /// From the first failure to the last.
    first_failure: Option<Instant>,
    last_failure: Option<Instant>,
    slowest: Duration,
    took: Duration,
}

impl Tally {
    /// All failures.
    pub(crate) fn failures(&self) -> usize {
        self.failed.values().sum()
    }

    /// How long creations failed: from the first to the last that did.
    pub(crate) fn failures_lasted(&self) -> Duration {
        match (self.first_failure, self.last_failure) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        }
    }

    fn all(&self) -> usize {
        self.created + self.failures()
    }

    fn note(&mut self, name: &str, asked: Instant, outcome: Result<(), String>) {
        self.slowest = self.slowest.max(asked.elapsed());
        match outcome {
            Ok(()) => self.created += 1,
            Err(text) => {
                *self.failed.entry(text.replace(name, "NAME")).or_default() += 1;
                self.first_failure.get_or_insert(asked);
                self.last_failure = Some(Instant::now());
            }
        }
    }
}

impl Display for Tally {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let all = self.all();
        let seconds = self.took.as_secs_f64();
        let rate = f64::from(u32::try_from(all).unwrap_or(u32::MAX)) / seconds;
        write!(formatter, "{all} creations in {seconds:.0} s ({rate:.0}/s), {} failed", self.failures())?;
        if self.failures() > 0 {
            write!(formatter, " within {:.1} s", self.failures_lasted().as_secs_f64())?;
        }
        write!(formatter, ", slowest {} ms", self.slowest.as_millis())?;
        self.failed.iter().try_for_each(|(text, count)| write!(formatter, "; {count} times: {text}"))
    }
}

/// Creates pods while the work is done, and until there were at least so many; returns what both came to.
pub(crate) async fn under_load<T>(site: &Site, at_least: usize, work: impl Future<Output = Result<T>>) -> Result<(T, Tally)> {
    let clients = (0..CLIENTS).map(|_| site.cluster.api().client()).collect::<Result<Vec<_>>>()?;
    let (tally, room) = (Arc::<Mutex<Tally>>::default(), Arc::new(Semaphore::new(ON_THE_WAY)));
    let started = Instant::now();
    // A task of its own: the work may block.
    let stream = tokio::spawn(Stream { clients, tally: tally.clone(), room: room.clone(), next: 0 }.run());
    let result = work.await;
    let seen = || tally.lock().unwrap().all();
    while result.is_ok() && seen() < at_least && !stream.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stream.abort();
    // Those that are on their way count too.
    let _ = room.acquire_many(u32::try_from(ON_THE_WAY)?).await;
    let mut tally = tally.lock().unwrap().clone();
    tally.took = started.elapsed();
    Ok((result?, tally))
}

struct Stream {
    clients: Vec<Client>,
    tally: Arc<Mutex<Tally>>,
    room: Arc<Semaphore>,
    next: usize,
}

impl Stream {
    async fn run(mut self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.next < AT_MOST {
            if self.next.is_multiple_of(TOGETHER) {
                ticks.tick().await;
            }
            let Ok(permit) = self.room.clone().acquire_owned().await else { return };
            let client = self.clients[self.next % CLIENTS].clone();
            let tally = self.tally.clone();
            let name = format!("load-{}", self.next);
            self.next += 1;
            tokio::spawn(async move {
                create(client, &name, &tally).await;
                drop(permit);
            });
        }
    }
}

async fn create(client: Client, name: &str, tally: &Mutex<Tally>) {
    let pods = Api::<Pod>::namespaced(client, NAMESPACE);
    let asked = Instant::now();
    let created = pods.create(&PostParams::default(), &pods::confidential(name)).await;
    let outcome = match created {
        Ok(pod) if is_completed(&pod) => Ok(()),
        Ok(_) => Err("the pod was stored without its sidecar".to_owned()),
        Err(kube::Error::Api(status)) => Err(status.message),
        Err(error) => Err(error.to_string()),
    };
    tally.lock().unwrap().note(name, asked, outcome);
    let _ = pods.delete(name, &pods::at_once()).await;
}

fn is_completed(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.containers.first().is_some_and(|first| first.name == "skr"))
}
