//! Events: what an administrator reads with `kubectl get events`.
//!
//! Why not `kube::runtime`'s recorder: it counts repetitions up with `patch`, one more right, and has no bound. Here a repetition
//! is left out, and a flood is cut.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// Who reports.
const CONTROLLER: &str = "countersign.dev/countersign";
/// The same words about the same object are not said again for this long.
const SILENCE: Duration = Duration::from_mins(10);
/// So many events at once; then one in each [`REFILL`].
const BURST: u32 = 50;
const REFILL: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(5);
/// The most characters of a note. Source: Kubernetes, `events.k8s.io/v1`, Event.note.
const NOTE: usize = 1024;

/// What an event is about: an object of the product's own namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct About {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) uid: Option<String>,
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Report {
    pub(super) about: About,
    /// Whether somebody has to do something.
    pub(super) warning: bool,
    /// The kind of occasion, one word.
    pub(super) reason: &'static str,
    /// A sentence.
    pub(super) note: String,
}

/// Writes events. Clones share their bounds.
#[derive(Clone)]
pub(super) struct Reporter {
    events: Api<Event>,
    home: String,
    instance: String,
    told: Arc<Mutex<Told>>,
}

impl Reporter {
    /// For the replica named `instance`.
    pub(super) fn new(client: Client, home: &str, instance: &str) -> Self {
        let told = Arc::new(Mutex::new(Told { last: HashMap::new(), left: BURST, refilled: Instant::now() }));
        Self { events: Api::namespaced(client, home), home: home.to_owned(), instance: instance.to_owned(), told }
    }

    /// Logs a report and writes it as an event, within the bounds for both. An event that cannot be written is lost: nothing depends on one.
    pub(super) async fn report(&self, report: Report) {
        let Report { about, warning, reason, note } = &report;
        if !self.told.lock().await.may_tell(&report, Instant::now()) {
            return tracing::debug!(reason, "{} {}: {note}", about.kind, about.name);
        }
        if *warning {
            tracing::warn!(reason, "{} {}: {note}", about.kind, about.name);
        } else {
            tracing::info!(reason, "{} {}: {note}", about.kind, about.name);
        }
        let event = event(&report, &self.home, &self.instance, Timestamp::now());
        let written = timeout(PATIENCE, self.events.create(&PostParams::default(), &event)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!("an event could not be written: {error}");
        }
    }
}

/// What was told, to bound it.
struct Told {
    last: HashMap<Report, Instant>,
    left: u32,
    refilled: Instant,
}

impl Told {
    fn may_tell(&mut self, report: &Report, now: Instant) -> bool {
        while now.duration_since(self.refilled) >= REFILL && self.left < BURST {
            self.left += 1;
            self.refilled += REFILL;
        }
        if self.left == BURST {
            self.refilled = now;
        }
        self.last.retain(|_, at| now.duration_since(*at) < SILENCE);
        if self.left == 0 || self.last.contains_key(report) {
            return false;
        }
        self.left -= 1;
        self.last.insert(report.clone(), now);
        true
    }
}

fn event(report: &Report, home: &str, instance: &str, now: Timestamp) -> Event {
    let Report { about, warning, reason, note } = report;
    Event {
        metadata: ObjectMeta { name: Some(name(&about.name, now)), namespace: Some(home.to_owned()), ..ObjectMeta::default() },
        action: Some((*reason).to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(note.chars().take(NOTE).collect()),
        reason: Some((*reason).to_owned()),
        regarding: Some(ObjectReference {
            api_version: Some(about.api_version.to_owned()),
            kind: Some(about.kind.to_owned()),
            name: Some(about.name.clone()),
            namespace: Some(home.to_owned()),
            uid: about.uid.clone(),
            ..ObjectReference::default()
        }),
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some(instance.to_owned()),
        type_: Some(if *warning { "Warning" } else { "Normal" }.to_owned()),
        ..Event::default()
    }
}

/// A name of its own for an event about `object`, within the 253 characters that a name may have.
fn name(object: &str, now: Timestamp) -> String {
    let object: String = object.chars().take(220).collect();
    format!("{}.{:x}", object.trim_end_matches(['.', '-']), now.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(note: &str) -> Report {
        let about = About { api_version: "v1", kind: "Secret", name: "a".to_owned(), uid: None };
        Report { about, warning: true, reason: "Trouble", note: note.to_owned() }
    }

    #[test]
    fn the_same_words_are_said_once_in_a_while() {
        let now = Instant::now();
        let mut told = Told { last: HashMap::new(), left: BURST, refilled: now };
        assert!(told.may_tell(&report("x"), now));
        assert!(!told.may_tell(&report("x"), now + SILENCE / 2));
        assert!(told.may_tell(&report("y"), now + SILENCE / 2));
        assert!(told.may_tell(&report("x"), now + SILENCE));
    }

    #[test]
    fn a_flood_of_different_words_is_cut() {
        let now = Instant::now();
        let mut told = Told { last: HashMap::new(), left: BURST, refilled: now };
        let said = |told: &mut Told, at| (0..1000).filter(|n| told.may_tell(&report(&format!("{n} {at:?}")), at)).count();
        assert_eq!(said(&mut told, now), 50);
        assert_eq!(said(&mut told, now + REFILL * 3), 3);
        assert_eq!(said(&mut told, now + REFILL * 3000), 50, "what was saved is bounded too");
    }

    #[test]
    fn the_name_of_an_event_is_one_however_long_the_objects_is() {
        let now = Timestamp::now();
        assert_eq!(name("a.b", now), format!("a.b.{:x}", now.as_nanosecond()));
        let long = name(&"a.".repeat(126), now);
        assert!(long.len() <= 253 && !long.contains(".."), "{long}");
    }

    #[test]
    fn a_long_note_is_cut_to_what_the_api_server_takes() {
        let event = event(&report(&"ä".repeat(2000)), "home", "pod", Timestamp::now());
        assert_eq!(event.note.unwrap().chars().count(), 1024);
    }
}
