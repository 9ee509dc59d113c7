//! `countersign allow`: the allow-list ConfigMap with the entry for a manifest added.

mod config_map;
mod from_cluster;

use std::io::Write as _;

use anyhow::{Context as _, bail};
use countersign_decision::allow_list::{AllowList, Applicant, Finding, Namespaces, WrittenEntry};
use countersign_decision::configuration::Configuration;
use countersign_decision::names::Name;
use countersign_decision::request::Operation;
use countersign_policy::Digest;
use jiff::Timestamp;

use super::carried::carried;
use super::explain::beside_the_policy;
use super::{End, input, offline};
use crate::args::AllowArguments;

/// A policy that asks to be listed, with where it is to run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    namespace: Option<String>,
    service_account: String,
    digest: Digest,
    /// Kind, namespace and name, for people.
    title: String,
    /// What the entry is called, if nobody gives a name.
    name: Option<String>,
    /// What comes into the guest beside the policy, for people: nobody shall list a stranger's key broker unseen.
    beside: Vec<String>,
}

pub(super) fn run(arguments: &AllowArguments) -> anyhow::Result<End> {
    let (configuration, _) = offline::configuration(&arguments.configuration)?;
    let candidates = match &arguments.file {
        Some(_) if arguments.cluster.kubeconfig.is_some() || arguments.cluster.context.is_some() => {
            bail!("--kubeconfig and --context go with --from-cluster")
        }
        Some(file) => from_manifest(file)?,
        None => from_cluster::candidates(&arguments.cluster, &configuration)?,
    };
    let (before, listed) = match &arguments.allow_list {
        None => (None, AllowList::default()),
        Some(path) => {
            let text = (input::called(path), input::text(path)?);
            let facts = offline::facts_of(configuration.clone(), std::slice::from_ref(&text))?;
            (Some(text), (*facts.allow_list).clone())
        }
    };
    let mut entries: Vec<(String, Vec<String>, WrittenEntry)> = Vec::new();
    for candidate in candidates {
        let entry = entry(&candidate, arguments)?;
        if let Some(revoked) = revoked(&listed, &candidate, &configuration) {
            anstream::eprintln!("{} is left out: {} is revoked by {revoked}", candidate.title, candidate.digest);
        } else if is_listed(&listed, &candidate, &entry, &configuration) {
            anstream::eprintln!("{} is listed already: {}", candidate.title, candidate.digest);
        } else if !entries.iter().any(|(.., known)| known == &entry) {
            entries.push((candidate.title, candidate.beside, entry));
        }
    }
    for (title, beside, entry) in &entries {
        let accounts = entry
            .service_accounts
            .as_ref()
            .map_or_else(|| "every service account".to_owned(), |names| join("service account", names));
        let namespaces = match &entry.namespaces {
            Some(Namespaces::These(names)) => join("namespace", names),
            Some(Namespaces::All) | None => "every namespace".to_owned(),
        };
        anstream::eprintln!("lists {title}: {} for {namespaces}, {accounts}", entry.digest);
        for line in beside {
            anstream::eprintln!("  with {line}");
        }
    }
    let entries: Vec<_> = entries.into_iter().map(|(.., entry)| entry).collect();
    let text = match before {
        None => config_map::new(&entries, &Name::parse(&arguments.list_namespace)?),
        Some((name, text)) => config_map::with_entries(&name, &text, &entries)?,
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(End::Done)
}

fn from_manifest(file: &std::path::Path) -> anyhow::Result<Vec<Candidate>> {
    let manifest = input::manifest(file)?;
    let mut candidates = Vec::new();
    for pod in &manifest.pods {
        let title = input::title(pod, pod.namespace.as_deref());
        let Some((_, reading)) = carried(&manifest.file, pod)? else {
            anstream::eprintln!("{title} carries no policy: nothing to list");
            continue;
        };
        let service_account = input::ask(Operation::Create, &pod.pod.to_string(), "default", |request| {
            request.pod.spec.service_account().to_owned()
        })?;
        let beside = beside_the_policy(&reading);
        let namespace = pod.namespace.clone();
        candidates.push(Candidate { namespace, service_account, digest: reading.digest, title, name: None, beside });
    }
    if candidates.is_empty() {
        bail!("{}: no pod in it carries a policy: make one from what `countersign render` prints", input::called(file));
    }
    Ok(candidates)
}

/// The entry for a candidate: its own namespace and service account, unless flags make it wider.
fn entry(candidate: &Candidate, arguments: &AllowArguments) -> anyhow::Result<WrittenEntry> {
    let names = |texts: &[String]| texts.iter().map(|text| Name::parse(text)).collect::<Result<Vec<_>, _>>();
    let namespaces = if arguments.any_namespace {
        Namespaces::All
    } else if arguments.namespaces.is_empty() {
        let namespace = candidate.namespace.as_ref().with_context(|| {
            format!(
                "{} names no namespace, so the entry would have no scope: give --namespaces NS, or --any-namespace",
                candidate.title
            )
        })?;
        Namespaces::These(vec![Name::parse(namespace)?])
    } else {
        Namespaces::These(names(&arguments.namespaces)?)
    };
    let service_accounts =
        if arguments.any_service_account { None } else { Some(vec![Name::parse(&candidate.service_account)?]) };
    Ok(WrittenEntry {
        digest: candidate.digest,
        namespaces: Some(namespaces),
        service_accounts,
        name: arguments.name.clone().or_else(|| candidate.name.clone()),
        profiles: None,
        not_after: None,
        owner: None,
        permissive: false,
        revoked: false,
    })
}

/// Whether the list admits everything already that the entry would add.
fn is_listed(listed: &AllowList, candidate: &Candidate, entry: &WrittenEntry, configuration: &Configuration) -> bool {
    let (Some(Namespaces::These(namespaces)), Some(_)) = (&entry.namespaces, &entry.service_accounts) else { return false };
    namespaces.iter().all(|namespace| {
        configuration.enabled.iter().all(|profile| {
            let applicant = Applicant {
                namespace,
                service_account: &candidate.service_account,
                profile: &profile.name,
                now: Timestamp::now(),
            };
            matches!(listed.find(&candidate.digest, applicant), Finding::Listed { .. })
        })
    })
}

/// The entry that revokes a candidate's digest where it runs, if one does.
fn revoked(listed: &AllowList, candidate: &Candidate, configuration: &Configuration) -> Option<String> {
    let applicant = Applicant {
        namespace: candidate.namespace.as_deref()?,
        service_account: &candidate.service_account,
        profile: &configuration.enabled.first()?.name,
        now: Timestamp::now(),
    };
    match listed.find(&candidate.digest, applicant) {
        Finding::Revoked { entry } => Some(entry),
        Finding::Listed { .. } | Finding::NotListed(_) => None,
    }
}

fn join(noun: &str, names: &[Name]) -> String {
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("{noun}{plural} {}", names.iter().map(|name| &**name).collect::<Vec<_>>().join(", "))
}
