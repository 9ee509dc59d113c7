//! All that a replica does in a cluster beside answering reviews.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::timeout;

use super::authorities::Authorities;
use super::events::{About, Report, Reporter};
use super::follow::Follower;
use super::leadership::Leadership;
use super::lease::{self, Candidate};
use super::readiness::Readiness;
use super::webhooks::{self, Kind, Webhooks};
use super::{ca_secret, rejections};
use crate::certs::{CaSecret, OwnLeaf, Served, service_names};
use crate::http::{Drain, Gate};
use crate::knowledge::Knowledge;
use crate::metrics::Metrics;

/// What it takes.
pub struct Part {
    /// The way to the API server.
    pub client: Client,
    /// The product's own namespace.
    pub home: String,
    /// The name of this replica: its pod's.
    pub identity: String,
    /// Filled from the cluster.
    pub knowledge: Arc<Knowledge>,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// Tells that the process is to end.
    pub drain: Drain,
    /// Where the leaf goes, if the installation makes its own certificates.
    pub own: Option<Arc<Served>>,
    /// What is opened once the API server would believe this replica, and where it listens; `None` if nobody is to look.
    pub gate: Option<(Gate, SocketAddr)>,
}

/// A replica that takes part; dropping it stops everything.
pub struct Member {
    /// None of these ends by itself.
    tasks: JoinSet<()>,
    /// Stands for election until the drain; `None` where nobody has to lead.
    candidate: Option<JoinHandle<()>>,
}

impl Member {
    /// Waits until a part of it has ended, which none does before the drain; says how. What it did is done by nobody from then on,
    /// the Lease that it may hold is renewed all the same: only another process makes that good.
    pub async fn broken(&mut self) -> String {
        let how =
            |ended: Result<(), JoinError>| ended.err().map_or_else(|| "it returned".to_owned(), |error| error.to_string());
        let candidate = async {
            match &mut self.candidate {
                Some(candidate) => candidate.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(ended) = self.tasks.join_next() => how(ended),
            ended = candidate => how(ended),
        }
    }

    /// Waits until the Lease is given back, which begins with the drain.
    pub async fn leave(self) {
        if let Some(candidate) = self.candidate.filter(|candidate| !candidate.is_finished()) {
            // An error or too long a time changes nothing: the Lease runs out by itself.
            let _ = timeout(Duration::from_secs(5), candidate).await;
        }
    }
}

/// Follows the facts and the certificates, and stands for election where the installation makes its own certificates: with files
/// there is nothing that one replica alone may write, and a leader that does not keep the authorities would keep everybody else from
/// it while an installation goes from files to its own. What goes wrong is logged in words and tried again.
pub fn take_part(part: Part) -> Member {
    let Part { client, home, identity, knowledge, metrics, drain, own, gate } = part;
    let configuration = Arc::clone(&knowledge.facts().configuration);
    let window = super::window(configuration.limits.facts_stale_after);
    let names = service_names(webhooks::NAME, &home);
    let name = names.first().cloned().unwrap_or_default();
    let leadership = own.is_some().then(|| Leadership::new(Arc::clone(&metrics)));
    let reporter = Reporter::new(client.clone(), &home, &identity);
    let mut tasks = super::watch(&client, &knowledge);

    let webhooks = watch::Sender::new(Webhooks::default());
    tasks.spawn(follow::<MutatingWebhookConfiguration>(&client, &webhooks, window));
    tasks.spawn(follow::<ValidatingWebhookConfiguration>(&client, &webhooks, window));

    let secret = own.zip(leadership.clone()).map(|(served, leadership)| {
        let secret = watch::Sender::new(CaSecret::NotYetSeen);
        let receiver = secret.subscribe();
        let settings = configuration.certificates.clone();
        let publish_for = Duration::try_from(settings.publish_for).unwrap_or_default();
        let leaf = OwnLeaf { names, life: settings.leaf_life, publish_for, served };
        tasks.spawn(leaf.keep(secret.subscribe(), webhooks.subscribe(), Webhooks::hold));
        let keeper = ca_secret::Follow::new(secret, metrics);
        let secrets = Api::namespaced(client.clone(), &home);
        tasks.spawn(Follower::new(secrets, keeper, window).named(ca_secret::NAME).run());
        let authorities = Authorities {
            client: client.clone(),
            home: home.clone(),
            name: name.clone(),
            settings,
            leadership,
            reporter: reporter.clone(),
            secret: receiver.clone(),
            webhooks: webhooks.subscribe(),
        };
        tasks.spawn(authorities.keep());
        receiver
    });
    if let Some((gate, address)) = gate {
        let readiness = Readiness { address, name, webhooks: webhooks.subscribe(), secret, gate };
        tasks.spawn(async {
            readiness.open().await;
            // It is done, and nothing of it is broken.
            std::future::pending::<()>().await;
        });
    }
    tasks.spawn(rejections::report(knowledge, leadership.clone(), reporter.clone()));
    let candidate = leadership.map(|leadership| {
        tasks.spawn(inaugurate(leadership.clone(), reporter, identity.clone()));
        tokio::spawn(Candidate::new(client, &home, &identity, leadership, drain).run())
    });
    Member { tasks, candidate }
}

fn follow<K: Kind>(client: &Client, seen: &watch::Sender<Webhooks>, window: Duration) -> impl Future<Output = ()> + use<K> {
    Follower::new(Api::<K>::all(client.clone()), webhooks::Follow::<K>::new(seen), window).named(webhooks::NAME).run()
}

/// Reports each time that this replica begins to lead.
async fn inaugurate(leadership: Leadership, reporter: Reporter, identity: String) {
    loop {
        leadership.gained().await;
        let about = About { api_version: "coordination.k8s.io/v1", kind: "Lease", name: lease::NAME.to_owned(), uid: None };
        let note = format!("{identity} leads");
        reporter.report(Report { about, warning: false, reason: "LeaderElected", note }).await;
        leadership.ended().await;
    }
}

/// The name of this replica: its pod's, which the manifests give in `POD_NAME`, or the host's.
pub fn identity() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    variable("POD_NAME").or_else(|| variable("HOSTNAME")).unwrap_or_else(|| format!("process-{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member() -> Member {
        let mut tasks = JoinSet::new();
        tasks.spawn(std::future::pending());
        Member { tasks, candidate: Some(tokio::spawn(std::future::pending())) }
    }

    async fn broken(member: &mut Member) -> Option<String> {
        timeout(Duration::from_secs(1), member.broken()).await.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_panics_or_returns_is_noticed() {
        let mut whole = member();
        assert_eq!(broken(&mut whole).await, None);
        whole.tasks.spawn(async { panic!("out of luck") });
        assert!(broken(&mut whole).await.unwrap().contains("out of luck"));
        let mut without = member();
        without.tasks.spawn(async {});
        assert_eq!(broken(&mut without).await.as_deref(), Some("it returned"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_candidate_that_ends_is_noticed_and_not_waited_for() {
        let mut member = Member { candidate: Some(tokio::spawn(async { panic!("no luck") })), ..member() };
        assert!(broken(&mut member).await.unwrap().contains("no luck"));
        member.leave().await;
        let mut files = Member { candidate: None, ..self::member() };
        assert_eq!(broken(&mut files).await, None, "with files nobody stands for election");
        files.leave().await;
    }
}
