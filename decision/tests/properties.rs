//! What holds of every pod and every allow-list, not only of those that somebody thought of.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod generated;

use countersign_decision::allow_list::{
    AllowList, Applicant, ConfigMapText, Entry, Finding, Sources, WrittenEntry, parse_entries,
};
use countersign_decision::configuration::{Configuration, Limits, Profile};
use countersign_decision::facts::{Facts, Known};
use countersign_decision::names::Name;
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::verdict::{Decision, Verdict};
use countersign_decision::{mutate, validate};
use countersign_golden::{Given, NAMESPACE, missing};
use countersign_manifest::ManifestFile;
use countersign_policy::Digest;
use generated::{applicants, digests, edits, entries, pods};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn ask(by: fn(&PodRequest<'_>, &Known<'_>) -> Verdict, pod: &str, old: Option<&str>, facts: &Facts) -> Option<Verdict> {
    let request = PodRequest {
        operation: if old.is_some() { Operation::Update } else { Operation::Create },
        namespace: NAMESPACE,
        required: false,
        groups: Vec::new(),
        pod: Pod::from_json(pod).ok()?,
        old: match old {
            Some(old) => Some(Pod::from_json(old).ok()?),
            None => None,
        },
    };
    Some(by(&request, &Known { facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None }))
}

fn completed(pod: &Value, verdict: &Verdict) -> Value {
    let mut completed = pod.clone();
    json_patch::patch(&mut completed, &verdict.patch).unwrap();
    completed
}

/// The list of entries that are spread over `ConfigMaps`, one per element.
fn list(config_maps: &[Vec<WrittenEntry>]) -> AllowList {
    let mut sources = Sources::default();
    for (index, entries) in config_maps.iter().enumerate() {
        let text = serde_json::to_string(entries).unwrap();
        let config_map =
            ConfigMapText { name: format!("list-{index}"), data: [("k".to_owned(), text)].into(), binary_keys: Vec::new() };
        sources.take(&config_map, "2027-01-01T00:00:00Z".parse().unwrap(), "1h".parse().unwrap()).unwrap();
    }
    AllowList::of(&sources)
}

fn find(list: &AllowList, digest: &Digest, (namespace, service_account, profile): &(String, String, String)) -> Finding {
    list.find(digest, Applicant { namespace, service_account, profile, now: "2027-01-01T00:00:00Z".parse().unwrap() })
}

/// The finding without the entry that it names: of several that say the same, the first is named.
fn unnamed(finding: Finding) -> Finding {
    match finding {
        Finding::Listed { permissive, .. } => Finding::Listed { entry: String::new(), permissive },
        Finding::Revoked { .. } => Finding::Revoked { entry: String::new() },
        other @ Finding::NotListed(_) => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pod_is_completed_once_and_nothing_of_it_is_taken_away((pod, given) in pods()) {
        let facts = given.facts().unwrap();
        let first = ask(mutate, &pod.to_string(), None, &facts).unwrap();
        let again = ask(mutate, &pod.to_string(), None, &facts).unwrap();
        prop_assert_eq!(serde_json::to_string(&first.patch).unwrap(), serde_json::to_string(&again.patch).unwrap());
        let once = completed(&pod, &first);
        prop_assert_eq!(missing(&pod, &once), None);
        if first.refusals.is_empty() {
            let second = ask(mutate, &once.to_string(), None, &facts).unwrap();
            prop_assert_eq!(second.decision, Decision::Untouched);
        }
    }

    #[test]
    fn the_patch_makes_of_the_pod_what_render_prints_of_its_manifest((pod, given) in pods(), as_json in any::<bool>()) {
        let facts = given.facts().unwrap();
        let verdict = ask(mutate, &pod.to_string(), None, &facts).unwrap();
        let mut manifest = pod;
        manifest["kind"] = json!("Pod");
        let text = if as_json { manifest.to_string() } else { serde_saphyr::to_string(&manifest).unwrap() };
        let file = ManifestFile::parse("pod.yaml", &text).unwrap();
        let printed = file.edited(&[(&file.pods().unwrap()[0], &verdict.patch)]).unwrap();
        let read = ManifestFile::parse("printed.yaml", &printed).unwrap().pods().unwrap();
        prop_assert_eq!(&read[0].pod, &completed(&manifest, &verdict), "{}", printed);
    }

    #[test]
    fn a_field_that_no_build_knows_survives_at_every_level_and_changes_nothing((pod, given) in pods(), at in any::<Index>()) {
        let facts = given.facts().unwrap();
        let mut strange = pod.clone();
        let mut levels = Vec::new();
        generated::levels(&strange, String::new(), &mut levels);
        let level = at.get(&levels);
        strange.pointer_mut(level).unwrap()["yetUnknown"] = json!({"deep": [1, {"er": null}], "text": "<&>"});
        let (verdict, as_before) =
            (ask(mutate, &strange.to_string(), None, &facts).unwrap(), ask(mutate, &pod.to_string(), None, &facts).unwrap());
        prop_assert_eq!(&verdict.refusals, &as_before.refusals);
        let whole = completed(&strange, &verdict);
        prop_assert_eq!(missing(&strange, &whole), None);
        // A container of the sidecar in front moves the others, and nothing else differs.
        let added = completed(&pod, &as_before);
        prop_assert_eq!(missing(&added, &whole), None);
        let judged = |pod: &Value| ask(validate, &pod.to_string(), None, &facts).unwrap().refusals;
        prop_assert_eq!(judged(&whole), judged(&added));
    }

    #[test]
    fn what_a_list_admits_a_longer_one_admits((pod, given) in pods(), base in entries(false), more in entries(true)) {
        let verdict = |entries: &[WrittenEntry]| {
            let listed = json!({"digest": countersign_golden::DIGEST, "namespaces": [NAMESPACE]});
            let mut list = serde_json::to_value(entries).unwrap();
            list.as_array_mut().unwrap().push(listed);
            let facts = Given { allow_list: list, ..given.clone() }.facts().unwrap();
            let completed = completed(&pod, &ask(mutate, &pod.to_string(), None, &facts).unwrap());
            ask(validate, &completed.to_string(), None, &facts).unwrap().allowed()
        };
        let longer = [base.clone(), more].concat();
        prop_assert!(!verdict(&base) || verdict(&longer));
    }

    #[test]
    fn what_mutate_completes_validate_admits((pod, given) in pods()) {
        let facts = given.facts().unwrap();
        let verdict = ask(mutate, &pod.to_string(), None, &facts).unwrap();
        let completed = completed(&pod, &verdict);
        if completed.pointer("/metadata/annotations/countersign.dev~1injected").is_some() {
            let judged = ask(validate, &completed.to_string(), None, &facts).unwrap();
            prop_assert_eq!(judged.refusals, vec![]);
        }
    }

    #[test]
    fn an_update_that_changes_nothing_passes_whatever_the_list_says((pod, given) in pods()) {
        let facts = Given { allow_list: Value::Array(Vec::new()), ..given }.facts().unwrap();
        let pod = pod.to_string();
        prop_assert_eq!(ask(validate, &pod, Some(&pod), &facts).unwrap().refusals, vec![]);
    }

    #[test]
    fn more_entries_never_refuse_what_was_admitted(
        base in entries(true), more in entries(false), digest in digests(), applicant in applicants()
    ) {
        let before = find(&list(std::slice::from_ref(&base)), &digest, &applicant);
        let after = find(&list(&[base, more]), &digest, &applicant);
        match before {
            Finding::Listed { permissive, .. } => {
                let listed = matches!(after, Finding::Listed { permissive: now, .. } if now >= permissive);
                prop_assert!(listed, "{:?}", after);
            }
            Finding::Revoked { .. } => prop_assert_eq!(after, before),
            Finding::NotListed(_) => {
                let revoked = matches!(after, Finding::Revoked { .. });
                prop_assert!(!revoked);
            }
        }
    }

    #[test]
    fn a_revocation_never_admits(
        base in entries(true), more in entries(true), digest in digests(), applicant in applicants()
    ) {
        let revocations: Vec<_> = more.into_iter().filter(|entry| entry.revoked).collect();
        let before = find(&list(std::slice::from_ref(&base)), &digest, &applicant);
        let after = find(&list(&[base, revocations]), &digest, &applicant);
        let admitted = |finding: &Finding| matches!(finding, Finding::Listed { .. });
        prop_assert!(admitted(&before) || !admitted(&after));
    }

    #[test]
    fn the_order_of_entries_and_config_maps_never_matters(
        (some, shuffled) in entries(true).prop_flat_map(|some| (Just(some.clone()), Just(some).prop_shuffle())),
        cut in 0_usize..4, digest in digests(), applicant in applicants()
    ) {
        let (head, tail) = shuffled.split_at(cut.min(shuffled.len()));
        let whole = find(&list(&[some]), &digest, &applicant);
        let spread = find(&list(&[head.to_vec(), Vec::new(), tail.to_vec()]), &digest, &applicant);
        prop_assert_eq!(unnamed(whole), unnamed(spread));
    }

    #[test]
    fn an_entry_that_is_printed_reads_back_as_itself(some in entries(true)) {
        let meant: Vec<Entry> = some.iter().cloned().map(|entry| Entry::try_from(entry).unwrap()).collect();
        let texts = [serde_json::to_string(&some).unwrap(), serde_saphyr::to_string(&some).unwrap()];
        for text in texts {
            prop_assert_eq!(format!("{:?}", parse_entries(&text).unwrap()), format!("{:?}", meant), "{}", text);
        }
    }

    #[test]
    fn limits_and_a_profile_that_are_printed_read_back_as_themselves(
        numbers in [1_usize..1_000_000, 1_usize..1_000_000, 1_usize..1_000_000], seconds in [1_i64..100_000, 1_i64..100_000],
        (_, given) in pods(),
    ) {
        let [characters, body_bytes, connections] = numbers;
        let limits = Limits {
            max_policy_characters: characters,
            max_body_bytes: body_bytes,
            max_bytes_in_flight: body_bytes,
            max_connections: connections,
            facts_stale_after: SignedDuration::from_secs(seconds[0]),
            last_good_for: SignedDuration::from_secs(seconds[1]),
            ..Limits::default()
        };
        let built_in = given.facts().unwrap().configuration;
        let profile = Profile { name: Name::parse("another").unwrap(), ..Profile::clone(&built_in.enabled[0]) };
        let mut configuration = Given::default().configuration;
        configuration["limits"] = serde_json::to_value(&limits).unwrap();
        configuration["profiles"] = json!([profile]);
        for text in [configuration.to_string(), serde_saphyr::to_string(&configuration).unwrap()] {
            let read = Configuration::parse(&text).unwrap();
            prop_assert_eq!(&read.limits, &limits);
            prop_assert_eq!(&**read.profiles.last().unwrap(), &profile, "{}", text);
        }
    }

    #[test]
    fn a_digest_that_is_printed_reads_back_as_itself(digest in generated::any_digest()) {
        prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        // Unquoted, too, where all its digits are decimal or look like a number with an exponent.
        let entry = format!("- {{digest: {digest}, namespaces: [a]}}");
        prop_assert_eq!(parse_entries(&entry).unwrap()[0].digest, digest);
    }

    #[test]
    fn bare_digits_are_never_read_as_a_number(digits in "[0-9]{64}|[0-9]{30}e[0-9]{33}|0[0-9e]{63}") {
        prop_assume!(digits.bytes().any(|digit| digit != b'0'));
        let entries = parse_entries(&format!("- {{digest: {digits}, namespaces: [a]}}")).unwrap();
        prop_assert_eq!(entries[0].digest.to_string(), format!("sha256:{digits}"));
    }

    #[test]
    fn a_broken_pod_never_brings_the_judges_down((pod, given) in pods(), edits in edits()) {
        let facts = given.facts().unwrap();
        let whole = pod.to_string();
        let broken = generated::broken(&whole, &edits);
        if let (Some(verdict), Ok(value)) = (ask(mutate, &broken, None, &facts), serde_json::from_str::<Value>(&broken)) {
            completed(&value, &verdict);
        }
        ask(validate, &broken, None, &facts);
        ask(validate, &broken, Some(&whole), &facts);
        ask(validate, &whole, Some(&broken), &facts);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", yaml in "[-a-z:{}\\[\\]\"'&*!|>%@ #\n,0-9]{0,120}") {
        for text in [text, yaml] {
            let _ = (Pod::from_json(&text).is_ok(), parse_entries(&text).is_ok(), Configuration::parse(&text).is_ok());
        }
    }
}
