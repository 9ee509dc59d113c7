use jiff::SignedDuration;

use super::*;

fn knowledge() -> Knowledge {
    Knowledge::of_cluster(Arc::new(Configuration::built_in().unwrap()), "countersign-system")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const NOON: &str = "2026-11-01T12:00:00Z";

#[test]
fn nothing_is_answered_before_every_first_list() {
    let knowledge = knowledge();
    let decisive = [Watch::AllowList, Watch::Namespaces, Watch::RuntimeClasses];
    assert_eq!(knowledge.ask(at(NOON)).unwrap_err().waiting_for, decisive);
    knowledge.heard(Watch::AllowList, "5", at(NOON));
    knowledge.heard(Watch::RuntimeClasses, "5", at(NOON));
    let error = knowledge.ask(at(NOON)).unwrap_err();
    assert_eq!(error.to_string(), "the first complete list from the API server is still missing: namespaces");
    knowledge.heard(Watch::Namespaces, "5", at(NOON));
    assert_eq!(knowledge.ask(at(NOON)).unwrap().1, None);
}

#[test]
fn the_watch_that_heard_nothing_for_longest_makes_the_facts_stale() {
    let knowledge = knowledge();
    for watch in Watch::ALL {
        knowledge.heard(watch, "5", at(NOON));
    }
    let later = at(NOON) + SignedDuration::from_mins(10);
    assert_eq!(knowledge.ask(later).unwrap().1, None, "ten minutes are the limit");
    knowledge.heard(Watch::AllowList, "6", later);
    knowledge.heard(Watch::Namespaces, "6", later);
    let later = later + SignedDuration::from_secs(1);
    assert_eq!(knowledge.ask(later).unwrap().1, Some(at(NOON)), "the runtime classes are older than that");
    knowledge.heard(Watch::RuntimeClasses, "6", later);
    assert_eq!(knowledge.ask(later).unwrap().1, None, "by nodes people are only warned");
}

#[test]
fn a_clock_that_was_set_back_makes_the_facts_stale() {
    let knowledge = knowledge();
    for watch in Watch::ALL {
        knowledge.heard(watch, "5", at(NOON));
    }
    assert_eq!(knowledge.ask(at("2026-11-01T11:00:00Z")).unwrap().1, Some(at(NOON)));
}

#[test]
fn files_are_complete_from_the_start_and_never_stale() {
    let knowledge = Knowledge::of_files(Arc::new(Configuration::built_in().unwrap()));
    assert_eq!(knowledge.ask(at("2199-01-01T00:00:00Z")).unwrap().1, None);
}

#[test]
fn a_request_keeps_the_facts_that_it_was_given() {
    let knowledge = Knowledge::of_files(Arc::new(Configuration::built_in().unwrap()));
    let (before, _) = knowledge.ask(at(NOON)).unwrap();
    knowledge.change(|facts| facts.runtime_classes = Some(Arc::default()));
    assert!(before.runtime_classes.is_none(), "facts are never changed, only swapped");
    assert!(knowledge.ask(at(NOON)).unwrap().0.runtime_classes.is_some());
}

#[test]
fn changes_of_two_watches_at_the_same_time_are_both_kept() {
    let knowledge = knowledge();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..1000).for_each(|n| knowledge.change(|facts| facts.home = n.to_string().into())));
        scope.spawn(|| {
            for n in 0..1000 {
                knowledge.change(|facts| facts.runtime_classes = Some(Arc::new([(n.to_string(), String::new())].into())));
            }
        });
    });
    let facts = knowledge.facts();
    assert_eq!(&*facts.home, "999");
    assert!(facts.runtime_classes.as_ref().unwrap().contains_key("999"));
}

#[test]
fn the_report_says_what_each_watch_has_seen() {
    let knowledge = knowledge();
    knowledge.heard(Watch::Namespaces, "7", at(NOON));
    knowledge.heard(Watch::Namespaces, "6", at(NOON));
    knowledge.restarted(Watch::Namespaces);
    let report = knowledge.report();
    assert!(!report.watches[0].complete());
    assert_eq!(
        report.watches[1],
        WatchReport { watch: Watch::Namespaces, last_heard: Some(at(NOON)), resource_version: 7, restarts: 1 }
    );
}
