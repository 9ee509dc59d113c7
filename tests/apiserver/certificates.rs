//! Certificates of the installation's own, against a real API server: from the empty Secret to rotation under load, and what
//! happens when the leader dies in between.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fleet::{Fleet, Replica, bundles, connect, fleet};
use crate::site::{until, until_within};

/// Lease duration, two tries of the follower, and time for a busy machine.
const TAKEN_OVER: Duration = Duration::from_secs(25);

#[test]
fn an_installation_goes_from_an_empty_secret_to_ready_with_one_authority_in_every_bundle() {
    let fleet = fleet();
    println!("three replicas were ready {:?} after the first one started", fleet.bootstrap);
    let bundles = fleet.bundles();
    assert_eq!(bundles.len(), 7);
    for (entry, bundle) in &bundles {
        assert!(!bundle.is_empty(), "{entry}");
        for replica in &fleet.replicas {
            connect(replica.reviews, bundle)
                .unwrap_or_else(|error| panic!("{entry} does not verify {}: {error}", replica.name));
        }
    }
    let leaves: BTreeSet<_> = fleet.replicas.iter().map(|replica| connect(replica.reviews, &bundles[0].1).unwrap()).collect();
    assert_eq!(leaves.len(), 3, "every replica has a leaf of its own");
    let leading: f64 = fleet.replicas.iter().filter_map(|replica| replica.metric("countersign_leader")).sum();
    assert!((leading - 1.0).abs() < f64::EPSILON, "{leading} lead");
    for replica in &fleet.replicas {
        assert!(replica.metric("countersign_authority_not_after_timestamp_seconds").unwrap() > 1e9);
        assert_eq!(replica.metric("countersign_rotation_phase{phase=\"steady\"}"), Some(1.0));
        assert!(!replica.process.log().contains("PRIVATE KEY"), "a key is in the log");
    }
    let events = fleet.events();
    for reason in ["LeaderElected", "AuthorityCreated", "CaBundlePublished"] {
        assert!(events.iter().any(|(known, _)| known == reason), "{reason} in {events:?}");
    }
    let first = events.iter().filter(|(reason, note)| reason == "AuthorityCreated" && note.contains("signs at once"));
    assert_eq!(first.count(), 1, "three replicas start together and make one authority");
}

#[test]
fn a_stripped_bundle_is_put_right_and_no_replica_goes_unready() {
    let fleet = fleet();
    let right = fleet.bundles();
    for (kind, patch) in [
        ("mutatingwebhookconfiguration", json!([{"op": "remove", "path": "/webhooks/1/clientConfig/caBundle"}])),
        (
            "validatingwebhookconfiguration",
            json!([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": other_bundle()}]),
        ),
    ] {
        let began = Instant::now();
        fleet.kubectl(&["patch", kind, "countersign", "--type=json", "-p", &patch.to_string()]);
        until("the bundle is right", || {
            assert!(fleet.replicas.iter().all(Replica::ready), "a replica went unready");
            (fleet.bundles() == right).then_some(())
        });
        println!("{kind}: right again within {:?} (kubectl twice included)", began.elapsed());
    }
    until("it is reported", || fleet.events().iter().any(|(reason, _)| reason == "CaBundleRepaired").then_some(()));
}

/// An authority that is not ours, as base64 of PEM.
fn other_bundle() -> String {
    use base64::Engine as _;
    let authority = countersign::certs::Authority::make(jiff::Timestamp::now(), jiff::SignedDuration::from_hours(1)).unwrap();
    base64::engine::general_purpose::STANDARD.encode(countersign::certs::bundle::text([authority.certificate().der()]))
}

#[test]
fn applying_the_manifests_again_keeps_the_bundle_and_conflicts_with_nothing() {
    let fleet = fleet();
    let right = fleet.bundles();
    fleet.reapply();
    assert_eq!(fleet.bundles(), right);
    fleet.ask_for_rotation("applied-again");
    until("the rotation begins", || (fleet.secret()["data"]["next.crt"].is_string()).then_some(()));
    fleet.reapply();
    fleet.settle();
    assert_ne!(fleet.bundles(), right);
    fleet.reapply();
}

/// Server-side apply keeps an entry of which somebody else owns a part, be it Countersign or cainjector: what is left of it is no
/// valid entry, and the whole apply is refused. So names of entries are for ever, and this is the way out where one goes.
#[test]
fn an_entry_that_the_manifests_no_longer_have_is_in_the_way_until_it_is_removed_by_hand() {
    let fleet = fleet();
    let mut older: Vec<Value> = crate::site::shipped().into_iter().filter(crate::site::is_webhook).collect();
    for configuration in &mut older {
        let entries = configuration["webhooks"].as_array_mut().unwrap();
        let mut entry = entries[0].clone();
        entry["name"] = json!("older.countersign.dev");
        entry["failurePolicy"] = json!("Ignore");
        entries.push(entry);
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": older}).to_string();
    let output = fleet.server.kubectl_with_input(&["apply", "--server-side", "-f", "-"], &list).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    until("the older entries have a bundle", || {
        let bundles = fleet.bundles();
        (bundles.len() == 9 && bundles.iter().all(|(_, bundle)| !bundle.is_empty())).then_some(())
    });
    let refused = fleet.try_reapply().unwrap_err();
    assert!(refused.contains("webhooks[2].clientConfig: Required value"), "{refused}");
    assert_eq!(fleet.bundles().len(), 9, "nothing has changed");
    for (kind, path) in [("mutatingwebhookconfiguration", "/webhooks/2"), ("validatingwebhookconfiguration", "/webhooks/5")] {
        let patch = json!([{"op": "remove", "path": path}]).to_string();
        fleet.kubectl(&["patch", kind, "countersign", "--type=json", "-p", &patch]);
    }
    fleet.reapply();
    assert_eq!(fleet.bundles().len(), 7);
}

#[test]
fn three_rotations_under_a_stream_of_new_connections_fail_none_of_them() {
    let fleet = fleet();
    let done = AtomicBool::new(false);
    let addresses: Vec<_> = fleet.replicas.iter().map(|replica| replica.reviews).collect();
    std::thread::scope(|scope| {
        let stream = scope.spawn(|| stream(&fleet, &addresses, &done));
        for turn in ["one", "two", "three"] {
            let began = Instant::now();
            let before = fleet.secret()["data"]["ca.crt"].clone();
            fleet.ask_for_rotation(turn);
            until("another authority signs", || (fleet.secret()["data"]["ca.crt"] != before).then_some(()));
            fleet.settle();
            println!("rotation {turn} took {:?}", began.elapsed());
        }
        done.store(true, Ordering::Relaxed);
        let (connections, leaves, longest) = stream.join().unwrap();
        println!("{connections} new connections, {leaves} different leaves, longest from reading to connected {longest:?}");
        assert!(connections > 100, "only {connections} connections were tried");
        assert!(leaves >= 12, "only {leaves} leaves were seen: three replicas with four authorities each have their own");
    });
    let events = fleet.events();
    for reason in ["AuthorityCreated", "AuthorityInUse", "AuthorityRemoved"] {
        assert!(events.iter().filter(|(known, _)| known == reason).count() >= 3, "{reason} in {events:?}");
    }
}

/// Reads every bundle through the API, then connects anew to every replica with each of them, until it is done. Gives the number
/// of connections and of different leaves, and the longest time from reading a bundle to using it.
fn stream(fleet: &Fleet, addresses: &[std::net::SocketAddr], done: &AtomicBool) -> (usize, usize, Duration) {
    use kube::core::DynamicObject;
    use kube::discovery::ApiResource;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async { fleet.server.client().unwrap() });
    let (mut connections, mut leaves, mut longest) = (0, BTreeSet::new(), Duration::ZERO);
    while !done.load(Ordering::Relaxed) {
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let resource =
                ApiResource::from_gvk(&kube::core::GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind));
            let configuration =
                runtime.block_on(kube::Api::<DynamicObject>::all_with(client.clone(), &resource).get("countersign")).unwrap();
            let read = Instant::now();
            let configuration = json!({"kind": kind, "webhooks": configuration.data["webhooks"]});
            for (entry, bundle) in bundles(&[configuration]) {
                for address in addresses {
                    match connect(*address, &bundle) {
                        Ok(leaf) => drop(leaves.insert(leaf)),
                        Err(error) => {
                            panic!("{entry} did not verify {address}, {:?} after it was read: {error}", read.elapsed())
                        }
                    }
                    connections += 1;
                    longest = longest.max(read.elapsed());
                }
            }
        }
    }
    (connections, leaves.len(), longest)
}

#[test]
fn a_rotation_is_finished_by_another_when_the_leader_is_killed_in_the_middle() {
    let mut fleet = fleet();
    let before = fleet.secret()["data"]["ca.crt"].clone();
    let leader = fleet.leader();
    let (_, transitions) = fleet.holder();
    fleet.ask_for_rotation("killed");
    until("the rotation has begun", || fleet.secret()["data"]["next.crt"].is_string().then_some(()));
    let killed = Instant::now();
    fleet.replicas[leader].signal("KILL");
    let dead = fleet.replicas.remove(leader);
    // As the controller does once the kubelet says that it is gone; before, nobody may take its silence for an empty place.
    dead.endpoint(&fleet.server, false);
    let taken = until_within(TAKEN_OVER, "another leads", || (fleet.holder().0 != dead.name).then(|| killed.elapsed()));
    println!("another leads {taken:?} after the kill");
    assert_eq!(fleet.holder().1, transitions + 1);
    until("the rotation is finished", || (fleet.secret()["data"]["ca.crt"] != before).then_some(()));
    fleet.settle();
    println!("the rotation was finished {:?} after the kill", killed.elapsed());
    mend(&mut fleet, dead.name);
}

#[test]
fn a_leader_that_ends_in_order_gives_the_lease_back() {
    let mut fleet = fleet();
    let leader = fleet.leader();
    fleet.replicas[leader].signal("TERM");
    let asked = Instant::now();
    let dead = fleet.replicas.remove(leader);
    let taken = until_within(Duration::from_secs(8), "another leads", || {
        let (holder, _) = fleet.holder();
        (holder != dead.name && !holder.is_empty()).then(|| asked.elapsed())
    });
    println!("another leads {taken:?} after SIGTERM");
    mend(&mut fleet, dead.name);
}

#[test]
fn a_leader_that_slept_past_its_lease_writes_nothing_when_it_wakes() {
    let fleet = fleet();
    let leader = fleet.leader();
    let sleeper = &fleet.replicas[leader];
    fleet.ask_for_rotation("slept");
    until("the rotation has begun", || fleet.secret()["data"]["next.crt"].is_string().then_some(()));
    sleeper.signal("STOP");
    until_within(TAKEN_OVER, "another leads", || (fleet.holder().0 != sleeper.name).then_some(()));
    // Nobody can look at what the sleeper serves: its authority has to stay.
    until("another authority signs", || fleet.secret()["data"]["previous.crt"].is_string().then_some(()));
    let old = fleet.secret()["data"]["previous.crt"].clone();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(fleet.secret()["data"]["previous.crt"], old, "the authority of a replica that nobody can reach was removed");
    let (holder, transitions) = fleet.holder();
    sleeper.signal("CONT");
    fleet.settle();
    let version = |fleet: &Fleet| fleet.secret()["metadata"]["resourceVersion"].clone();
    let (settled, bundles) = (version(&fleet), fleet.bundles());
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((version(&fleet), fleet.bundles()), (settled, bundles));
    assert_eq!(fleet.holder(), (holder, transitions), "the sleeper took nothing back");
}

#[test]
fn a_damaged_secret_is_left_alone_and_removing_its_data_begins_anew() {
    let fleet = fleet();
    let good = fleet.secret()["data"].clone();
    let patch = |patch: Value| {
        fleet.kubectl(&[
            "-n",
            "countersign-system",
            "patch",
            "secret",
            "countersign-ca",
            "--type=json",
            "-p",
            &patch.to_string(),
        ]);
    };
    patch(json!([{"op": "replace", "path": "/data/ca.crt", "value": "bm9uc2Vuc2U="}]));
    until("every replica says so", || {
        let unusable = |name: &str| fleet.replicas.iter().all(|replica| replica.metric(name) == Some(1.0));
        unusable("countersign_authority_unusable").then_some(())
    });
    until("it is reported", || {
        let told = |(reason, note): &(String, String)| {
            reason == "AuthorityUnusable" && note.starts_with("data[ca.crt]: no certificate")
        };
        fleet.events().iter().any(told).then_some(())
    });
    assert_eq!(fleet.secret()["data"]["ca.crt"], "bm9uc2Vuc2U=", "what is not understood is not overwritten");
    assert_eq!(fleet.secret()["data"]["ca.key"], good["ca.key"]);
    assert!(fleet.replicas.iter().all(Replica::ready));

    let done = AtomicBool::new(false);
    let addresses: Vec<_> = fleet.replicas.iter().map(|replica| replica.reviews).collect();
    std::thread::scope(|scope| {
        let stream = scope.spawn(|| stream(&fleet, &addresses, &done));
        patch(json!([{"op": "remove", "path": "/data"}]));
        until("a new authority signs", || {
            let now = &fleet.secret()["data"]["ca.crt"];
            (now.is_string() && *now != good["ca.crt"]).then_some(())
        });
        fleet.settle();
        done.store(true, Ordering::Relaxed);
        let (connections, ..) = stream.join().unwrap();
        println!("{connections} new connections while the authority was lost and made anew");
    });
    until("the metric is back", || {
        fleet.replicas.iter().all(|replica| replica.metric("countersign_authority_unusable") == Some(0.0)).then_some(())
    });
}

#[test]
fn an_older_secret_that_is_put_back_is_trusted_by_everybody_before_it_is_served() {
    let fleet = fleet();
    let older = fleet.secret()["data"].clone();
    fleet.ask_for_rotation("before-the-restore");
    until("another authority signs", || (fleet.secret()["data"]["ca.crt"] != older["ca.crt"]).then_some(()));
    fleet.settle();
    let done = AtomicBool::new(false);
    let addresses: Vec<_> = fleet.replicas.iter().map(|replica| replica.reviews).collect();
    std::thread::scope(|scope| {
        let stream = scope.spawn(|| stream(&fleet, &addresses, &done));
        let patch = json!([{"op": "replace", "path": "/data", "value": older}]).to_string();
        fleet.kubectl(&["-n", "countersign-system", "patch", "secret", "countersign-ca", "--type=json", "-p", &patch]);
        until("what was served is kept", || fleet.events().iter().any(|(reason, _)| reason == "AuthorityKept").then_some(()));
        fleet.settle();
        // The older Secret does not know that the rotation was answered: there is one more.
        let answered = "YmVmb3JlLXRoZS1yZXN0b3Jl";
        until("the rotation is answered again", || (fleet.secret()["data"]["rotate"] == answered).then_some(()));
        fleet.settle();
        done.store(true, Ordering::Relaxed);
        let (connections, ..) = stream.join().unwrap();
        println!("{connections} new connections while an older authority was put back");
    });
}

/// Removes what a controller would remove after a replica, and starts another one.
fn mend(fleet: &mut Fleet, dead: &str) {
    fleet.kubectl(&["-n", "countersign-system", "delete", "endpointslice", dead]);
    fleet.fill();
    fleet.settle();
}
