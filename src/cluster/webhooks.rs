//! The two webhook configurations: what each entry's `caBundle` holds, and how it is written.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use rustls::pki_types::CertificateDer;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinError;

use super::follow::{Keeper, News};
use super::seen::Seen;
use crate::certs::{CaCertificate, bundle};

/// The name of both, as the manifests have it.
pub const NAME: &str = "countersign";
/// Who writes `caBundle`: an owner of its own, so that applying the manifests again neither takes it away nor conflicts.
pub const FIELD_MANAGER: &str = "countersign-ca-bundle";

/// Both configurations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// The one that asks /mutate.
    pub mutating: Seen<Configuration>,
    /// The one that asks /validate.
    pub validating: Seen<Configuration>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    resource_version: String,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its `caBundle`, as PEM; empty without one.
    pub ca_bundle: Vec<u8>,
}

#[cfg(test)]
impl Configuration {
    /// One with these entries.
    pub(super) fn numbered(resource_version: &str, entries: Vec<Entry>) -> Self {
        Self { resource_version: resource_version.to_owned(), entries }
    }
}

/// A kind of webhook configuration.
pub(super) trait Kind: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static {
    /// Its part of both.
    fn part(webhooks: &mut Webhooks) -> &mut Seen<Configuration>;
    /// Its entries: names and bundles.
    fn entries(self) -> Vec<(String, Option<ByteString>)>;
}

impl Kind for MutatingWebhookConfiguration {
    fn part(webhooks: &mut Webhooks) -> &mut Seen<Configuration> {
        &mut webhooks.mutating
    }

    fn entries(self) -> Vec<(String, Option<ByteString>)> {
        let entries = self.webhooks.unwrap_or_default().into_iter();
        entries.map(|entry| (entry.name, entry.client_config.ca_bundle)).collect()
    }
}

impl Kind for ValidatingWebhookConfiguration {
    fn part(webhooks: &mut Webhooks) -> &mut Seen<Configuration> {
        &mut webhooks.validating
    }

    fn entries(self) -> Vec<(String, Option<ByteString>)> {
        let entries = self.webhooks.unwrap_or_default().into_iter();
        entries.map(|entry| (entry.name, entry.client_config.ca_bundle)).collect()
    }
}

fn read<K: Kind>(object: K) -> Configuration {
    let resource_version = object.resource_version().unwrap_or_default();
    let entries = object.entries().into_iter();
    let entries = entries.map(|(name, bundle)| Entry { name, ca_bundle: bundle.map(|bundle| bundle.0).unwrap_or_default() });
    Configuration { resource_version, entries: entries.collect() }
}

impl Webhooks {
    /// Asks the API server for both as they are now.
    pub(super) async fn get(client: &Client) -> kube::Result<Self> {
        let mutating = Api::<MutatingWebhookConfiguration>::all(client.clone()).get_opt(NAME).await?;
        let validating = Api::<ValidatingWebhookConfiguration>::all(client.clone()).get_opt(NAME).await?;
        Ok(Self { mutating: Seen::of(mutating.map(read)), validating: Seen::of(validating.map(read)) })
    }

    /// Both, with the names of their kinds.
    pub fn both(&self) -> [(&'static str, &Seen<Configuration>); 2] {
        [("MutatingWebhookConfiguration", &self.mutating), ("ValidatingWebhookConfiguration", &self.validating)]
    }

    /// What the `caBundle` of each entry that there is holds; `None` for one that cannot be read.
    pub(super) fn bundles(&self) -> Vec<Option<Vec<CaCertificate>>> {
        let entries = self.both().into_iter().filter_map(|(_, seen)| seen.there()).flat_map(|there| &there.entries);
        entries.map(|entry| bundle::read(&entry.ca_bundle).ok()).collect()
    }

    /// Whether every entry of both, as they were last seen, holds this authority. One that does not exist asks nobody.
    pub(super) fn hold(&self, authority: &CaCertificate) -> bool {
        self.both().iter().all(|(_, seen)| **seen != Seen::NotYet)
            && self.bundles().iter().all(|bundle| bundle.as_ref().is_some_and(|bundle| bundle.contains(authority)))
    }

    /// Writes `wanted` into every entry that holds something else. Fails with a conflict (409) if somebody has written since.
    pub(super) async fn publish(&self, client: &Client, wanted: &[CertificateDer<'static>]) -> kube::Result<()> {
        let text = bundle::text(wanted);
        write::<MutatingWebhookConfiguration>(client, self.mutating.there(), &text).await?;
        write::<ValidatingWebhookConfiguration>(client, self.validating.there(), &text).await
    }
}

async fn write<K: Kind>(client: &Client, there: Option<&Configuration>, bundle: &str) -> kube::Result<()> {
    let Some(there) = there else { return Ok(()) };
    if there.entries.iter().all(|entry| entry.ca_bundle == bundle.as_bytes()) {
        return Ok(());
    }
    let encoded = STANDARD.encode(bundle);
    // All entries, whichever was wrong: what an apply leaves out, it gives up.
    let entries = there.entries.iter().map(|entry| json!({"name": entry.name, "clientConfig": {"caBundle": encoded}}));
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        // With the version that was read: who is no longer the leader must not write over what the new one has written.
        "metadata": {"name": NAME, "resourceVersion": there.resource_version},
        "webhooks": entries.collect::<Vec<_>>(),
    });
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    Api::<K>::all(client.clone()).patch(NAME, &parameters, &Patch::Apply(patch)).await?;
    Ok(())
}

/// Follows one of the two.
pub(super) struct Follow<K> {
    seen: watch::Sender<Webhooks>,
    kind: std::marker::PhantomData<fn() -> K>,
}

impl<K: Kind> Follow<K> {
    pub(super) fn new(seen: &watch::Sender<Webhooks>) -> Self {
        Self { seen: seen.clone(), kind: std::marker::PhantomData }
    }
}

impl<K: Kind> Keeper for Follow<K> {
    type Object = K;
    type Kept = Configuration;

    fn keep(&self, object: K) -> Configuration {
        read(object)
    }

    async fn take(&mut self, news: News<Configuration>) -> Result<(), JoinError> {
        let now = news.of(NAME);
        if let Some(now) = now {
            self.seen.send_if_modified(|webhooks| {
                let part = K::part(webhooks);
                let changed = *part != now;
                *part = now;
                changed
            });
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        "webhook configurations"
    }

    fn heard(&self, _: &str, _: Timestamp) {}

    fn restarted(&self) {}
}
