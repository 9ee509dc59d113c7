//! What the replicas behind the Service serve: found out by a handshake with each.

use std::collections::BTreeMap;

use futures::future::join_all;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use kube::{Api, Client};
use rustls::pki_types::CertificateDer;

use super::webhooks::NAME as SERVICE;
use crate::certs::rotation::InUse;
use crate::certs::{CaCertificate, NoChain, served_chain, verifies};

/// The name of the Service's port.
const PORT: &str = "https";

/// What to look for.
pub(super) struct Question<'a> {
    /// The name that the replicas serve.
    pub(super) name: &'a str,
    /// The authorities whose leaves may be served from now on: those that sign now, or next.
    pub(super) present: &'a [CaCertificate],
    /// Those of which it is asked whether they are in use.
    pub(super) others: &'a [CaCertificate],
}

/// What the replicas serve.
pub(super) struct Found {
    /// Which of the others are in use.
    pub(super) in_use: InUse,
    /// By which replicas, and which cannot be told: a sentence for each.
    pub(super) because: Vec<String>,
}

/// What one address serves.
#[derive(Debug, PartialEq, Eq)]
enum Serves {
    /// Nothing, or a leaf of an authority that is to stay.
    Present,
    /// A leaf of these.
    Other(Vec<CaCertificate>),
    /// It cannot be told.
    Unknown(String),
}

/// Which of the others signed a leaf that a replica serves. Every address counts, ready or not: one that is not ready may become so,
/// and one that terminates still answers. Only what is seen counts: whatever cannot be verified by any of the authorities, be it that
/// the clocks differ, is unknown.
pub(super) async fn in_use(client: &Client, home: &str, question: &Question<'_>) -> kube::Result<Found> {
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={SERVICE}"));
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), home).list(&of_service).await?;
    let addresses = addresses(slices.items);
    let dial = |(host, port): &(String, u16)| served_chain((host.clone(), *port), question.name);
    let chains = join_all(addresses.keys().map(dial)).await;
    let (mut used, mut because, mut known) = (Vec::new(), Vec::new(), true);
    for (((host, port), ready), chain) in addresses.iter().zip(chains) {
        match serves(question, chain, *ready) {
            Serves::Present => {}
            Serves::Other(others) => {
                let names: Vec<_> = others.iter().map(CaCertificate::to_string).collect();
                because.push(format!("{host}:{port} still serves a certificate of {}, which stays trusted", names.join(", ")));
                used.extend(others);
            }
            Serves::Unknown(why) => {
                because.push(format!("which certificate {host}:{port} serves is unknown: {why}; previous authorities stay"));
                known = false;
            }
        }
    }
    Ok(Found { in_use: if known { InUse::Only(used) } else { InUse::AtLeast(used) }, because })
}

/// What an address serves whose handshake gave this. One that is ready serves something, whatever this replica gets of it.
fn serves(question: &Question<'_>, chain: Result<Vec<CertificateDer<'static>>, NoChain>, ready: bool) -> Serves {
    let chain = match chain {
        Ok(chain) => chain,
        Err(NoChain::NotServed(_)) if !ready => return Serves::Present,
        Err(NoChain::NotServed(because) | NoChain::Unknown(because)) => return Serves::Unknown(because),
    };
    let verified = |one: &CaCertificate| verifies(std::slice::from_ref(one.der()), &chain, question.name);
    let others: Vec<_> = question.others.iter().filter(|one| verified(one).is_ok()).cloned().collect();
    if !others.is_empty() {
        return Serves::Other(others);
    }
    let mut why = "there is no authority to verify it by".to_owned();
    for one in question.present {
        match verified(one) {
            Ok(()) => return Serves::Present,
            Err(because) => why = because,
        }
    }
    Serves::Unknown(why)
}

/// Where the replicas are, each once, and whether they are ready; source for an unknown condition: Kubernetes, `EndpointConditions`.
fn addresses(slices: Vec<EndpointSlice>) -> BTreeMap<(String, u16), bool> {
    let mut all = BTreeMap::new();
    for slice in slices {
        let ports = slice.ports.unwrap_or_default();
        let port = ports.iter().find(|port| port.name.as_deref() == Some(PORT)).and_then(|port| port.port);
        let Some(port) = port.and_then(|port| u16::try_from(port).ok()) else { continue };
        for endpoint in slice.endpoints {
            let ready = endpoint.conditions.and_then(|conditions| conditions.ready).unwrap_or(true);
            for host in endpoint.addresses {
                *all.entry((host, port)).or_default() |= ready;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::certs::Authority;

    #[test]
    fn every_address_counts_once_whatever_its_conditions_say() {
        let slice = |port: u16, addresses: [&str; 2]| {
            serde_json::from_value(json!({
                "metadata": {}, "addressType": "IPv4", "ports": [{"name": "other", "port": 1}, {"name": "https", "port": port}],
                "endpoints": [
                    {"addresses": [addresses[0]], "conditions": {"ready": false, "serving": true, "terminating": true}},
                    {"addresses": [addresses[1]], "conditions": {"ready": true}},
                ],
            }))
            .unwrap()
        };
        let found = addresses(vec![slice(8443, ["10.0.0.1", "10.0.0.2"]), slice(8443, ["10.0.0.2", "10.0.0.3"])]);
        let expected = [("10.0.0.1", false), ("10.0.0.2", true), ("10.0.0.3", true)];
        assert_eq!(found, expected.map(|(address, ready)| ((address.to_owned(), 8443), ready)).into());
    }

    #[test]
    fn only_what_is_seen_counts_and_all_else_is_unknown() {
        const NAME: &str = "countersign.a.svc";
        let hour = SignedDuration::from_hours(1);
        let now = Timestamp::now();
        let made = || Authority::make(now, hour * 24).unwrap();
        let (present, other, stranger) = (made(), made(), made());
        let (presents, others) = ([present.certificate().clone()], [other.certificate().clone()]);
        let question = Question { name: NAME, present: &presents, others: &others };
        let leaf = |of: &Authority, at: Timestamp| of.sign(&[NAME.to_owned()], at, hour).unwrap().chain().to_vec();
        let is = |chain, ready| serves(&question, chain, ready);
        assert_eq!(is(Ok(leaf(&present, now)), true), Serves::Present);
        assert_eq!(is(Ok(leaf(&other, now)), true), Serves::Other(others.to_vec()));
        let unknown = |serves: Serves| matches!(serves, Serves::Unknown(_));
        assert!(unknown(is(Ok(leaf(&stranger, now)), true)), "of nobody who is known");
        for away in [now + hour * 2, now - hour * 2] {
            assert!(unknown(is(Ok(leaf(&other, away)), true)), "another clock makes no certificate unused");
        }
        let refused = || Err(NoChain::NotServed("connection refused".to_owned()));
        assert_eq!(is(refused(), false), Serves::Present, "it has not begun, or is gone");
        assert!(unknown(is(refused(), true)), "the API server may reach it all the same");
        assert!(unknown(is(Err(NoChain::Unknown("silence".to_owned())), false)));
    }
}
