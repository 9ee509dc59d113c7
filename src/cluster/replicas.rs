//! What the replicas behind the Service serve: found out by a handshake with each.

use std::collections::BTreeSet;

use futures::future::join_all;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use kube::{Api, Client};

use super::webhooks::NAME as SERVICE;
use crate::certs::rotation::InUse;
use crate::certs::{CaCertificate, NoChain, served_chain, verifies};

/// The name of the Service's port.
const PORT: &str = "https";

/// Which of `previous` signed a leaf that a replica serves as `name`. Every address counts, ready or not: one that is not ready
/// may become so, and one that terminates still answers.
pub(super) async fn in_use(client: &Client, home: &str, name: &str, previous: &[CaCertificate]) -> kube::Result<InUse> {
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={SERVICE}"));
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), home).list(&of_service).await?;
    let addresses = addresses(slices.items);
    let chains = join_all(addresses.iter().map(|(host, port)| served_chain((host.as_str(), *port), name))).await;
    let mut used = Vec::new();
    for ((host, port), chain) in addresses.iter().zip(chains) {
        match chain {
            Ok(chain) => {
                let signed = |one: &&CaCertificate| verifies(std::slice::from_ref(one.der()), &chain, name).is_ok();
                used.extend(previous.iter().filter(signed).cloned());
            }
            Err(NoChain::NotServed(because)) => tracing::debug!("{host}:{port} serves no certificate: {because}"),
            Err(NoChain::Unknown(because)) => {
                tracing::info!("which certificate {host}:{port} serves is unknown: {because}; the previous authority stays");
                return Ok(InUse::Unknown);
            }
        }
    }
    Ok(InUse::Only(used))
}

/// Where the replicas are, each once.
fn addresses(slices: Vec<EndpointSlice>) -> BTreeSet<(String, u16)> {
    let mut all = BTreeSet::new();
    for slice in slices {
        let ports = slice.ports.unwrap_or_default();
        let port = ports.iter().find(|port| port.name.as_deref() == Some(PORT)).and_then(|port| port.port);
        let Some(port) = port.and_then(|port| u16::try_from(port).ok()) else { continue };
        let hosts = slice.endpoints.into_iter().flat_map(|endpoint| endpoint.addresses);
        all.extend(hosts.map(|host| (host, port)));
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let expected = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|address| (address.to_owned(), 8443));
        assert_eq!(found, expected.into());
    }
}
