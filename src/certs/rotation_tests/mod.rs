//! Steps one by one, then whole worlds in which everything happens in any order.

mod world;

use jiff::SignedDuration;

use super::*;

pub(super) const WAIT: Duration = Duration::from_secs(30);
const NOON: &str = "2026-11-01T12:00:00Z";
pub(super) const LIFE: SignedDuration = SignedDuration::from_hours(365 * 24);

pub(super) fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

fn ca(number: u32) -> CaCertificate {
    CaCertificate::numbered(number, noon(), noon() + LIFE)
}

/// What a holder sees that has just begun, unless a test says otherwise.
struct Look {
    keyring: Keyring<CaCertificate>,
    bundles: Vec<Option<Vec<CaCertificate>>>,
    asked: Option<&'static str>,
    in_use: InUse,
    now: Timestamp,
}

impl Look {
    /// Every `caBundle` of four holds what the keyring says.
    fn right(keyring: Keyring<CaCertificate>) -> Self {
        let bundle = keyring.signing().into_iter().chain(keyring.next()).chain(keyring.previous()).cloned().collect();
        Self { keyring, bundles: vec![Some(bundle); 4], asked: None, in_use: InUse::UNKNOWN, now: noon() }
    }

    /// The step at each of these moments, in seconds, to a holder that looks every second from the first one on.
    fn steps(&self, moments: &[u64]) -> Vec<Step> {
        let looks = moments[0]..=*moments.last().unwrap();
        self.steps_looking_at(&looks.collect::<Vec<_>>(), moments)
    }

    fn steps_looking_at(&self, looks: &[u64], moments: &[u64]) -> Vec<Step> {
        let mut watched = Watched::default();
        let look = |at: &u64| {
            let steady = Duration::from_secs(*at);
            let seen = Seen { now: self.now, steady, asked: self.asked, bundles: &self.bundles, in_use: &self.in_use };
            watched.note(&self.keyring, &seen);
            moments.contains(at).then(|| next_step(&self.keyring, &seen, &watched, WAIT))
        };
        looks.iter().filter_map(look).collect()
    }

    fn step(&self) -> Step {
        self.steps(&[0]).remove(0)
    }
}

fn steady() -> Keyring<CaCertificate> {
    Keyring::begun(ca(1), None)
}

#[test]
fn an_empty_keyring_where_nothing_is_trusted_begins_with_an_authority_that_signs_at_once() {
    let mut look = Look::right(Keyring::default());
    assert_eq!(look.step(), Step::Begin);
    look.bundles = Vec::new();
    assert_eq!(look.step(), Step::Begin, "the webhook configurations may come later");
}

#[test]
fn an_empty_keyring_where_something_is_trusted_keeps_it_until_nobody_serves_it() {
    let mut look = Look::right(Keyring::default());
    let expired = CaCertificate::numbered(8, noon() - LIFE, noon());
    look.bundles = vec![Some(vec![ca(9), expired]), Some(vec![ca(9)]), Some(Vec::new()), None];
    assert_eq!(look.step(), Step::Add { trusted: vec![ca(9)] });
    let keyring = Keyring::default().with_next(ca(1), &[ca(9)], None);
    assert_eq!(keyring.bundle(), [ca(1).der().clone(), ca(9).der().clone()]);
    assert!(keyring.signing().is_none(), "nobody signs before the new authority is known");
}

#[test]
fn a_wrong_bundle_is_put_right_before_anything_else() {
    let rotating = steady().with_next(ca(2), &[], None);
    for keyring in [steady(), rotating.clone(), rotating.promoted()] {
        let wrong = [Some(Vec::new()), None, Some(vec![ca(7)]), Some(vec![ca(1), ca(2), ca(7)])];
        for bundle in wrong {
            let mut look = Look::right(keyring.clone());
            look.bundles[3] = bundle;
            look.asked = Some("now");
            look.in_use = InUse::Only(Vec::new());
            assert_eq!(look.steps(&[0, 60, 120]), vec![Step::Publish; 3], "{:?}", look.bundles);
        }
    }
}

#[test]
fn the_order_within_a_bundle_is_nobodys_business() {
    let mut look = Look::right(steady().with_next(ca(2), &[], None));
    look.bundles[0] = Some(vec![ca(2), ca(1)]);
    assert_eq!(look.step(), Step::Rest(SOON));
}

#[test]
fn the_next_authority_signs_when_it_has_been_everywhere_for_the_waiting_time() {
    let look = Look::right(steady().with_next(ca(2), &[], None));
    assert_eq!(
        look.steps(&[5, 34, 35]),
        [Step::Rest(SOON), Step::Rest(SOON), Step::Promote],
        "counted from the first sight, not from the beginning of the reign"
    );
}

#[test]
fn a_holder_that_slept_waits_anew() {
    let look = Look::right(steady().with_next(ca(2), &[], None));
    assert_eq!(look.steps_looking_at(&[0, 10, 20, 30], &[30]), [Step::Promote]);
    assert_eq!(look.steps_looking_at(&[0, 10, 21, 30], &[30]), [Step::Rest(SOON)]);
}

#[test]
fn the_wait_begins_anew_when_a_bundle_lost_the_next_authority_in_between() {
    let right = Look::right(steady().with_next(ca(2), &[], None));
    let mut watched = Watched::default();
    let mut look = |at: u64, bundles: &[Option<Vec<CaCertificate>>]| {
        let seen = Seen { now: noon(), steady: Duration::from_secs(at), asked: None, bundles, in_use: &InUse::UNKNOWN };
        watched.note(&right.keyring, &seen);
        next_step(&right.keyring, &seen, &watched, WAIT)
    };
    let mut stripped = right.bundles.clone();
    stripped[2] = Some(vec![ca(1)]);
    (0..29).for_each(|at| assert_eq!(look(at, &right.bundles), Step::Rest(SOON)));
    assert_eq!(look(29, &stripped), Step::Publish);
    (30..60).for_each(|at| assert_eq!(look(at, &right.bundles), Step::Rest(SOON)));
    assert_eq!(look(60, &right.bundles), Step::Promote);
}

#[test]
fn a_previous_authority_leaves_when_nobody_has_served_its_leaf_for_the_waiting_time() {
    let mut look = Look::right(steady().with_next(ca(2), &[], None).promoted());
    assert_eq!(look.steps(&[0, 100]), vec![Step::Rest(SOON); 2], "nobody knows whether it is in use");
    look.in_use = InUse::Only(vec![ca(1)]);
    assert_eq!(look.steps(&[0, 100]), vec![Step::Rest(SOON); 2], "it is in use");
    look.in_use = InUse::Only(Vec::new());
    assert_eq!(look.steps(&[0, 29, 30]), [Step::Rest(SOON), Step::Rest(SOON), Step::Remove(vec![ca(1)])]);
    look.now = noon() + LIFE;
    look.in_use = InUse::UNKNOWN;
    assert_eq!(look.step(), Step::Remove(vec![ca(1)]), "once it has expired, no leaf of it is believed");
    look.in_use = InUse::AtLeast(vec![ca(1)]);
    assert_eq!(look.step(), Step::Add { trusted: Vec::new() }, "unless a leaf of it is: then the clock is wrong");
}

#[test]
fn a_stranger_in_a_bundle_is_kept_while_a_replica_serves_its_leaf_and_dropped_otherwise() {
    let rotating = steady().with_next(ca(2), &[], None);
    for keyring in [steady(), rotating.clone(), rotating.promoted()] {
        let mut look = Look::right(keyring.clone());
        let expired = CaCertificate::numbered(8, noon() - LIFE, noon());
        look.bundles[2].as_mut().unwrap().extend([ca(9), expired.clone()]);
        assert_eq!(look.step(), Step::Publish, "nobody knows of a use");
        for in_use in [InUse::Only(vec![ca(9), expired.clone()]), InUse::AtLeast(vec![ca(9)])] {
            look.in_use = in_use;
            assert_eq!(look.step(), Step::Keep(vec![ca(9)]));
        }
        let kept = keyring.keeping(&[ca(9)]);
        assert!(kept.previous().contains(&ca(9)) && kept.signing() == keyring.signing() && kept.next() == keyring.next());
        look.keyring = kept;
        assert_eq!(look.step(), Step::Publish, "everywhere");
    }
}

#[test]
fn a_rotation_is_asked_for_by_another_value_than_the_one_that_was_answered() {
    let mut look = Look::right(steady());
    assert_eq!(look.step(), Step::Rest(LATER));
    look.asked = Some("1");
    assert_eq!(look.step(), Step::Add { trusted: Vec::new() });
    let rotated = steady().with_next(ca(2), &[], Some("1")).promoted();
    let mut look = Look::right(rotated.without(&[ca(1)]));
    look.asked = Some("1");
    assert_eq!(look.step(), Step::Rest(LATER), "answered");
    look.asked = None;
    assert_eq!(look.step(), Step::Rest(LATER), "taking the annotation away asks for nothing");
    look.asked = Some("2");
    assert_eq!(look.step(), Step::Add { trusted: Vec::new() });
    let mut look = Look::right(rotated);
    look.asked = Some("2");
    assert_eq!(look.step(), Step::Rest(SOON), "one rotation after the other");
}

#[test]
fn an_authority_is_followed_by_the_next_when_two_thirds_of_its_life_are_over() {
    let mut look = Look::right(steady());
    look.now = noon() + LIFE / 3 * 2 - SignedDuration::from_secs(1);
    assert_eq!(look.step(), Step::Rest(LATER));
    look.now += SignedDuration::from_secs(1);
    assert_eq!(look.step(), Step::Add { trusted: Vec::new() });
    let retiring = Keyring::begun(ca(3), None).with_next(ca(1), &[], None).promoted();
    let look = Look { now: look.now, in_use: InUse::UNKNOWN, ..Look::right(retiring) };
    assert_eq!(look.step(), Step::Add { trusted: Vec::new() }, "a replica that nobody can reach holds nothing up");
}

#[test]
fn after_a_long_sleep_an_expired_authority_is_replaced_and_a_next_one_that_expired_too() {
    let mut look = Look::right(steady());
    look.now = noon() + LIFE * 2;
    assert_eq!(look.step(), Step::Add { trusted: Vec::new() });
    let mut look = Look::right(steady().with_next(ca(2), &[], None));
    look.now = noon() + LIFE * 2;
    assert_eq!(look.step(), Step::Add { trusted: Vec::new() });
    assert_eq!(look.keyring.with_next(ca(3), &[], None).next(), Some(&ca(3)));
}
