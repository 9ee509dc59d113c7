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
    /// A replica reads the Secret and serves a leaf of what signs.
    Read(usize),
    /// A replica starts anew: it serves nothing, and is not ready.
    Restart(usize),
    /// Somebody takes the `caBundle` out of an entry.
    Strip(usize),
    /// Somebody deletes the data of the Secret.
    Wipe,
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
                // Without a signing authority what was served is served on.
                if let Some(signing) = self.secret.signing() {
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
            Happening::Ask => self.asked += 1,
            Happening::Pass(seconds) => self.time += seconds,
        }
        self.check();
    }

    fn look(&mut self, holder: usize) {
        let bundles: Vec<_> =
            self.bundles.iter().map(|bundle| Some(bundle.holds.iter().map(|(ca, _)| ca.clone()).collect())).collect();
        let in_use: Vec<_> =
            self.secret.previous().iter().filter(|ca| self.replicas.contains(&Some((*ca).clone()))).cloned().collect();
        let asked = (self.asked > 0).then(|| self.asked.to_string());
        let seen = Seen {
            now: noon() + SignedDuration::from_secs(i64::try_from(self.time).unwrap()),
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
        self.secret = next;
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
}
