//! The API server answers, and is new enough.
//!
//! Why: match conditions of webhooks and admission policies are there from 1.30 on; an older API server drops the one and
//! does not know the other.
//! Source: Kubernetes 1.30 release notes (both became generally available).

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

const OLDEST: u32 = 30;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let version = &snapshot.version;
    let minor =
        version.trim_start_matches("v1.").split(|c: char| !c.is_ascii_digit()).next().and_then(|text| text.parse().ok());
    let old = version.starts_with("v1.") && minor.is_some_and(|minor: u32| minor < OLDEST);
    let findings = old.then(|| {
        Finding::wrong(
            format!("the API server is {version}, and Countersign needs v1.{OLDEST} or later"),
            "upgrade the control plane of the cluster",
        )
    });
    Examined::new(format!("{version} answers"), findings.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[test]
    fn an_api_server_before_1_30_is_too_old() {
        let mut snapshot = healthy();
        snapshot.version = "v1.29.4-gke.1".to_owned();
        assert_eq!(
            findings("api-server", &snapshot)[0].problem,
            "the API server is v1.29.4-gke.1, and Countersign needs v1.30 or later"
        );
    }
}
