//! A world with two holders that both believe to lead, three replicas and four `caBundle`s, in which anything may happen in any
//! order: holders die between looking and writing, somebody strips a `caBundle`, replicas read late and restart.
//!
//! Two holders at once is worse than any Lease permits: what keeps them apart here is compare-and-swap alone.

use proptest::prelude::*;

use super::*;

type Ring = Keyring<CaCertificate>;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// A holder looks and decides.
    Look(usize),
    /// It writes what it has decided, if nobody has written since.
    Write(usize),
    /// It dies; who follows remembers nothing.
    Die(usize),
    /// A replica reads the Secret and serves a leaf of what signs, if that is trusted.
    Read(usize),
    /// A replica starts anew: it serves nothing, and is not ready.
    Restart(usize),
    /// Somebody takes the `caBundle` out of an entry.
    Strip(usize),
    /// Somebody deletes the data of the Secret.
    Wipe,
    /// Somebody puts an older version of the Secret back.
    Restore(usize),
    /// Somebody asks for a rotation.
    Ask,
    /// Time goes by.
    Pass(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (0..2_usize).prop_map(Happening::Look),
        8 => (0..2_usize).prop_map(Happening::Write),
        1 => (0..2_usize).prop_map(Happening::Die),
        6 => (0..3_usize).prop_map(Happening::Read),
        1 => (0..3_usize).prop_map(Happening::Restart),
        1 => (0..4_usize).prop_map(Happening::Strip),
        1 => Just(Happening::Wipe),
        1 => (1..6_usize).prop_map(Happening::Restore),
        2 => Just(Happening::Ask),
        8 => (1..20_u64).prop_map(Happening::Pass),
    ]
}

#[derive(Default)]
struct Holder {
    watched: Watched,
    /// The step decided, and the versions of Secret and bundles that it was decided upon.
    decided: Option<(Step, Ring, u64, u64)>,
}

/// One entry's bundle: each certificate with the second since which it has been there.
#[derive(Default, Clone)]
struct Bundle {
    holds: Vec<(CaCertificate, u64)>,
    /// Nobody has written it since it was stripped, or since the beginning.
    broken: bool,
}

struct World {
    time: u64,
    made: u32,
    asked: u32,
    secret: Ring,
    secret_version: u64,
    /// What the Secret held, the latest last.
    older: Vec<Ring>,
    bundles: Vec<Bundle>,
    bundles_version: u64,
    holders: [Holder; 2],
    replicas: [Option<CaCertificate>; 3],
    rotations: u32,
}

impl World {
    fn new() -> Self {
        Self {
            time: 0,
            made: 0,
            asked: 0,
            secret: Ring::default(),
            secret_version: 0,
            older: Vec::new(),
            bundles: vec![Bundle { holds: Vec::new(), broken: true }; 4],
            bundles_version: 0,
            holders: Default::default(),
            replicas: [const { None }; 3],
            rotations: 0,
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Look(holder) => self.look(holder),
            Happening::Write(holder) => self.write(holder),
            Happening::Die(holder) => self.holders[holder] = Holder::default(),
            Happening::Read(replica) => {
                // Without a signing authority what was served is served on, and with one that is not yet trusted too. A replica
                // that serves nothing yet takes it and is not ready before it is trusted: that is the same as serving nothing.
                let Some(signing) = self.secret.signing() else { return };
                let since = |bundle: &Bundle| bundle.holds.iter().find(|(ca, _)| ca == signing).map(|(_, since)| *since);
                let waits = if self.replicas[replica].is_some() { WAIT.as_secs() } else { 0 };
                if self.bundles.iter().all(|bundle| since(bundle).is_some_and(|since| since + waits <= self.time)) {
                    self.replicas[replica] = Some(signing.clone());
                }
            }
            Happening::Restart(replica) => self.replicas[replica] = None,
            Happening::Strip(entry) => {
                self.bundles[entry] = Bundle { holds: Vec::new(), broken: true };
                self.bundles_version += 1;
            }
            Happening::Wipe => {
                // Only while nothing is broken: with both lost, nobody knows what was trusted.
                if self.bundles.iter().all(|bundle| !bundle.broken) {
                    self.secret = Ring::default();
                    self.secret_version += 1;
                }
            }
            Happening::Restore(back) => {
                // Not between the look and the write of a holder, and for the rest as above.
                if self.bundles.iter().all(|bundle| !bundle.broken) && self.older.len() >= back {
                    self.secret = self.older[self.older.len() - back].clone();
                    self.secret_version += 1;
                    self.holders.iter_mut().for_each(|holder| holder.decided = None);
                }
            }
            Happening::Ask => self.asked += 1,
            Happening::Pass(seconds) => self.time += seconds,
        }
        self.check();
    }

    fn look(&mut self, holder: usize) {
        let bundles: Vec<_> =
            self.bundles.iter().map(|bundle| Some(bundle.holds.iter().map(|(ca, _)| ca.clone()).collect())).collect();
        let now = noon() + SignedDuration::from_secs(i64::try_from(self.time).unwrap());
        let strangers = strangers(&self.secret, &bundles, now);
        let candidates = self.secret.previous().iter().chain(&strangers);
        let in_use: Vec<_> = candidates.filter(|ca| self.replicas.contains(&Some((*ca).clone()))).cloned().collect();
        let asked = (self.asked > 0).then(|| self.asked.to_string());
        let seen = Seen {
            now,
            steady: Duration::from_secs(self.time),
            asked: asked.as_deref(),
            bundles: &bundles,
            in_use: &InUse::Only(in_use),
        };
        let holder = &mut self.holders[holder];
        holder.watched.note(&self.secret, &seen);
        let step = next_step(&self.secret, &seen, &holder.watched, WAIT);
        holder.decided = Some((step, self.secret.clone(), self.secret_version, self.bundles_version));
    }

    fn write(&mut self, holder: usize) {
        let Some((step, ring, secret_version, bundles_version)) = self.holders[holder].decided.take() else { return };
        let asked = (self.asked > 0).then(|| self.asked.to_string());
        self.made += 1;
        let now = noon() + SignedDuration::from_secs(i64::try_from(self.time).unwrap());
        let made = CaCertificate::numbered(self.made, now, now + LIFE);
        let next = match step {
            Step::Rest(_) => return,
            Step::Publish => return self.publish(&ring, bundles_version),
            Step::Begin => Ring::begun(made, asked.as_deref()),
            Step::Keep(used) => ring.keeping(&used),
            Step::Add { trusted } => ring.with_next(made, &trusted, asked.as_deref()),
            Step::Promote => ring.promoted(),
            Step::Remove(gone) => ring.without(&gone),
        };
        if secret_version != self.secret_version {
            return;
        }
        if next.signing() != self.secret.signing() && !self.secret.is_empty() {
            self.rotations += 1;
            let signing = next.signing().unwrap();
            for bundle in &self.bundles {
                let since = bundle.holds.iter().find(|(ca, _)| ca == signing).map(|(_, since)| *since);
                // What is stripped and put right by the other holder within a blink, this one does not see.
                let waited = |since: u64| since + WAIT.as_secs() <= self.time + BLINK.as_secs();
                assert!(
                    bundle.broken || since.is_some_and(waited),
                    "{signing} signs at {} and has been published since {since:?}",
                    self.time
                );
            }
        }
        self.older.push(std::mem::replace(&mut self.secret, next));
        self.secret_version += 1;
    }

    fn publish(&mut self, ring: &Ring, version: u64) {
        if version != self.bundles_version {
            return;
        }
        let wanted = ring.signing().into_iter().chain(ring.next()).chain(ring.previous());
        for bundle in &mut self.bundles {
            let before = std::mem::take(&mut bundle.holds);
            let since =
                |ca: &CaCertificate| before.iter().find(|(known, _)| known == ca).map_or(self.time, |(_, since)| *since);
            bundle.holds = wanted.clone().map(|ca| (ca.clone(), since(ca))).collect();
            bundle.broken = false;
        }
        self.bundles_version += 1;
    }

    /// What every replica serves is believed by every entry that nobody has broken.
    fn check(&self) {
        for served in self.replicas.iter().flatten() {
            for bundle in self.bundles.iter().filter(|bundle| !bundle.broken) {
                assert!(bundle.holds.iter().any(|(ca, _)| ca == served), "{served} is served and no longer trusted");
            }
        }
    }

    /// Lets one holder and all replicas work in peace for so many seconds.
    fn settle(&mut self, seconds: u64) {
        for _ in 0..seconds {
            for _ in 0..4 {
                self.happen(Happening::Look(0));
                self.happen(Happening::Write(0));
                (0..3).for_each(|replica| self.happen(Happening::Read(replica)));
            }
            self.happen(Happening::Pass(1));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn whatever_happens_nothing_is_served_that_is_not_trusted(happenings in prop::collection::vec(happening(), 1..400)) {
        let mut world = World::new();
        for happening in happenings {
            world.happen(happening);
        }
        world.settle(300);
        prop_assert_eq!(world.secret.phase(), crate::certs::Phase::Steady);
        let signing = world.secret.signing().cloned();
        prop_assert!(signing.is_some());
        prop_assert!(world.replicas.iter().all(|served| *served == signing), "everybody serves what signs");
        prop_assert!(world.bundles.iter().all(|bundle| bundle.holds.len() == 1 && !bundle.broken));
        let answered = (world.asked > 0).then(|| world.asked.to_string());
        prop_assert_eq!(&world.secret.answered, &answered);
    }

    /// The holder dies at the given look, and again every so many after it.
    #[test]
    fn a_rotation_is_finished_by_whoever_follows(first in 0..120_u64, every in 35..200_u64) {
        let mut world = World::new();
        world.settle(40);
        world.happen(Happening::Ask);
        for second in 0..600 {
            if second >= first && (second - first).is_multiple_of(every) {
                world.happen(Happening::Look(0));
                world.happen(Happening::Die(0));
            }
            world.settle(1);
        }
        prop_assert_eq!(world.secret.phase(), crate::certs::Phase::Steady);
        prop_assert_eq!(world.rotations, 1);
    }

    /// Rotations are rare among random happenings: here one is over before.
    #[test]
    fn an_older_secret_that_is_put_back_is_trusted_before_it_is_served(
        back in 1..6_usize, happenings in prop::collection::vec(happening(), 0..40)
    ) {
        let mut world = World::new();
        world.settle(40);
        world.happen(Happening::Ask);
        world.settle(150);
        prop_assert_eq!(world.rotations, 1);
        world.happen(Happening::Restore(back));
        for happening in happenings {
            world.happen(happening);
        }
        world.settle(400);
        prop_assert_eq!(world.secret.phase(), crate::certs::Phase::Steady);
        let signing = world.secret.signing().cloned();
        prop_assert!(world.replicas.iter().all(|served| *served == signing), "everybody serves what signs");
    }
}
