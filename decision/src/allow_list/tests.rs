use jiff::SignedDuration;

use super::*;

fn digest(number: u8) -> String {
    format!("sha256:{}", format!("{number:02x}").repeat(32))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn list(entries: &str) -> AllowList {
    let mut sources = Sources::default();
    sources.take(&config_map("allow-list", entries), at("2026-01-01T00:00:00Z"), SignedDuration::from_hours(1)).unwrap();
    AllowList::of(&sources)
}

fn config_map(name: &str, entries: &str) -> ConfigMapText {
    ConfigMapText {
        name: name.to_owned(),
        data: [("team.yaml".to_owned(), entries.to_owned())].into(),
        binary_keys: Vec::new(),
    }
}

fn kafka() -> Applicant<'static> {
    Applicant { namespace: "kafka", service_account: "sa", profile: "aks", now: at("2026-11-01T00:00:00Z") }
}

fn find(list: &AllowList, applicant: Applicant<'_>) -> Finding {
    list.find(&digest(1).parse().unwrap(), applicant)
}

#[test]
fn an_entry_counts_in_its_scope_alone() {
    let list = list(&format!(
        "- {{digest: \"{}\", namespaces: [kafka], serviceAccounts: [sa], profiles: [aks], name: one}}",
        digest(1)
    ));
    assert_eq!(find(&list, kafka()), Finding::Listed { entry: "\"one\"".to_owned(), permissive: false });
    assert_eq!(find(&list, Applicant { namespace: "other", ..kafka() }), Finding::NotListed(Some(Near::OtherNamespace)));
    assert!(matches!(
        find(&list, Applicant { service_account: "x", ..kafka() }),
        Finding::NotListed(Some(Near::OtherServiceAccount(..)))
    ));
    assert!(matches!(find(&list, Applicant { profile: "x", ..kafka() }), Finding::NotListed(Some(Near::OtherProfile(..)))));
    assert_eq!(list.find(&digest(2).parse().unwrap(), kafka()), Finding::NotListed(None));
}

#[test]
fn an_entry_without_a_name_is_named_by_its_place() {
    let list = list(&format!("- {{digest: \"{}\", namespaces: [\"*\"]}}", digest(1)));
    assert_eq!(find(&list, kafka()), Finding::Listed { entry: "allow-list/team.yaml[0]".to_owned(), permissive: false });
}

#[test]
fn not_after_is_the_last_second_that_counts() {
    let list = list(&format!("- {{digest: \"{}\", namespaces: [kafka], notAfter: 2026-11-01T00:00:00Z}}", digest(1)));
    assert!(matches!(find(&list, kafka()), Finding::Listed { .. }));
    let later = Applicant { now: at("2026-11-01T00:00:01Z"), ..kafka() };
    assert!(matches!(find(&list, later), Finding::NotListed(Some(Near::Expired(..)))));
}

#[test]
fn a_revocation_beats_every_other_entry_wherever_it_stands() {
    let admitted = format!("- {{digest: \"{}\", namespaces: [kafka]}}\n", digest(1));
    let revoked = format!("- {{digest: \"{}\", revoked: true}}\n", digest(1));
    for entries in [format!("{admitted}{revoked}"), format!("{revoked}{admitted}")] {
        assert!(matches!(find(&list(&entries), kafka()), Finding::Revoked { .. }));
    }
}

#[test]
fn a_revocation_with_namespaces_holds_there_alone() {
    let list = list(&format!(
        "- {{digest: \"{0}\", namespaces: [kafka, other]}}\n- {{digest: \"{0}\", revoked: true, namespaces: [other]}}\n",
        digest(1)
    ));
    assert!(matches!(find(&list, kafka()), Finding::Listed { .. }));
    assert!(matches!(find(&list, Applicant { namespace: "other", ..kafka() }), Finding::Revoked { .. }));
}

#[test]
fn entries_of_several_config_maps_add_up_and_go_with_them() {
    let mut sources = Sources::default();
    let hour = SignedDuration::from_hours(1);
    let now = at("2026-11-01T00:00:00Z");
    for (name, number) in [("a", 1), ("b", 2)] {
        let entries = format!("- {{digest: \"{}\", namespaces: [kafka]}}", digest(number));
        sources.take(&config_map(name, &entries), now, hour).unwrap();
    }
    let both = AllowList::of(&sources);
    assert_eq!(both.len(), 2);
    assert!(matches!(find(&both, kafka()), Finding::Listed { .. }));
    sources.remove("a");
    assert_eq!(find(&AllowList::of(&sources), kafka()), Finding::NotListed(None));
}

#[test]
fn the_last_good_version_stays_in_force_for_a_bounded_time() {
    let mut sources = Sources::default();
    let hour = SignedDuration::from_hours(1);
    let good = config_map("a", &format!("- {{digest: \"{}\", namespaces: [kafka]}}", digest(1)));
    sources.take(&good, at("2026-11-01T00:00:00Z"), hour).unwrap();
    let rejected = sources.take(&config_map("a", "- digest: x\n"), at("2026-11-01T01:00:00Z"), hour).unwrap_err();
    assert!(rejected.to_string().starts_with("ConfigMap a, key team.yaml, line 1, column 11: [0].digest: "), "{rejected}");
    // A second bad version does not prolong the first.
    sources.take(&config_map("a", "- digest: y\n"), at("2026-11-01T01:30:00Z"), hour).unwrap_err();
    let list = AllowList::of(&sources);
    assert!(matches!(find(&list, Applicant { now: at("2026-11-01T01:59:59Z"), ..kafka() }), Finding::Listed { .. }));
    assert!(matches!(
        find(&list, Applicant { now: at("2026-11-01T02:00:00Z"), ..kafka() }),
        Finding::NotListed(Some(Near::Lapsed(..)))
    ));
    assert_eq!(sources.rejected().count(), 1);
    sources.take(&good, at("2026-11-01T03:00:00Z"), hour).unwrap();
    assert!(matches!(
        find(&AllowList::of(&sources), Applicant { now: at("2026-11-01T03:00:00Z"), ..kafka() }),
        Finding::Listed { .. }
    ));
    assert_eq!(sources.rejected().count(), 0);
}

#[test]
fn a_revocation_outlives_the_lapse_of_its_config_map() {
    let mut sources = Sources::default();
    let hour = SignedDuration::from_hours(1);
    let start = at("2026-11-01T00:00:00Z");
    sources.take(&config_map("a", &format!("- {{digest: \"{}\", revoked: true}}", digest(1))), start, hour).unwrap();
    sources.take(&config_map("b", &format!("- {{digest: \"{}\", namespaces: [kafka]}}", digest(1))), start, hour).unwrap();
    sources.take(&config_map("a", "- digest: x\n"), start, hour).unwrap_err();
    let later = Applicant { now: at("2026-11-02T00:00:00Z"), ..kafka() };
    assert!(matches!(find(&AllowList::of(&sources), later), Finding::Revoked { .. }));
}

#[test]
fn a_config_map_that_was_never_good_counts_as_empty() {
    let mut sources = Sources::default();
    sources.take(&config_map("a", "- digest: x\n"), at("2026-11-01T00:00:00Z"), SignedDuration::from_hours(1)).unwrap_err();
    assert!(AllowList::of(&sources).is_empty());
}

#[test]
fn binary_data_is_refused_by_name() {
    let binary = ConfigMapText { name: "a".to_owned(), binary_keys: vec!["x.yaml".to_owned()], ..ConfigMapText::default() };
    let rejected = Sources::default().take(&binary, at("2026-11-01T00:00:00Z"), SignedDuration::from_hours(1)).unwrap_err();
    assert_eq!(rejected.to_string(), "ConfigMap a, key x.yaml: binaryData is not read: move the text to data");
}

#[test]
fn what_would_narrow_a_revocation_is_refused_each_by_itself() {
    for field in ["serviceAccounts: [a]", "profiles: [aks]", "notAfter: 2027-01-01T00:00:00Z", "permissive: true"] {
        let entries = format!("- {{digest: \"{}\", revoked: true, {field}}}\n", digest(1));
        let said = config_map("a", &entries).read().unwrap_err().to_string();
        assert!(said.contains("a revoked entry has no serviceAccounts, profiles, notAfter or permissive"), "{field}: {said}");
    }
}

#[test]
fn a_name_has_at_most_128_characters() {
    let named = |length: usize| {
        let entries = format!("- {{digest: \"{}\", namespaces: [kafka], name: {}}}\n", digest(1), "ö".repeat(length));
        config_map("a", &entries).read().map(drop).map_err(|rejected| rejected.to_string())
    };
    assert_eq!((named(1), named(128)), (Ok(()), Ok(())));
    assert!(named(129).unwrap_err().contains("is longer than 128 characters"));
    assert!(named(200).is_err());
}

#[test]
fn config_maps_that_are_gone_take_their_entries_and_their_errors_with_them() {
    let (now, hour) = (at("2026-11-01T00:00:00Z"), SignedDuration::from_hours(1));
    let mut sources = Sources::default();
    for name in ["kept", "gone"] {
        let entries = format!("- {{digest: \"{}\", namespaces: [\"*\"]}}\n", digest(1));
        sources.take(&config_map(name, &entries), now, hour).unwrap();
        sources.take(&config_map(&format!("{name}-bad"), "- digest: x\n"), now, hour).unwrap_err();
    }
    assert_eq!((AllowList::of(&sources).len(), sources.rejected().count()), (2, 2));
    sources.retain(|name| name.starts_with("kept"));
    assert_eq!((AllowList::of(&sources).len(), sources.rejected().count()), (1, 1));
}

#[test]
fn entries_of_a_lapsed_source_no_longer_count_and_its_revocations_do() {
    let mut sources = Sources::default();
    let hour = SignedDuration::from_hours(1);
    let start = at("2026-11-01T00:00:00Z");
    let entries =
        format!("- {{digest: \"{}\", namespaces: [kafka]}}\n- {{digest: \"{}\", revoked: true}}\n", digest(1), digest(2));
    sources.take(&config_map("file/a", &entries), start, hour).unwrap();
    sources.lapse(|name| name.starts_with("file/"), start);
    let list = AllowList::of(&sources);
    assert!(matches!(find(&list, kafka()), Finding::NotListed(Some(Near::Lapsed(..)))));
    assert!(matches!(list.find(&digest(2).parse().unwrap(), kafka()), Finding::Revoked { .. }));
}

#[test]
fn each_digest_of_a_long_list_is_found_and_no_other() {
    let digest = |number: u32| Digest::sha256_of(&number.to_be_bytes());
    let entry = |number| format!("- {{digest: \"{}\", namespaces: [kafka]}}\n", digest(number));
    let list = list(&(0..2000).map(entry).collect::<Vec<_>>().concat());
    assert_eq!(list.len(), 2000);
    for number in 0..2000 {
        let entry = format!("allow-list/team.yaml[{number}]");
        assert_eq!(list.find(&digest(number), kafka()), Finding::Listed { entry, permissive: false });
        assert!(!list.names(&digest(2000 + number)));
        assert_eq!(list.find(&digest(2000 + number), kafka()), Finding::NotListed(None));
    }
}
