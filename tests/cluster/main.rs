//! Countersign in a real cluster: the shipped image and manifests, unchanged, on good and on bad days.
//!
//! Booting takes longer than most scenes, so all share one cluster and run in the order of the table; each leaves it as whole as
//! it found it. The output is like that of other tests, so that arguments select scenes by name: `cargo test --test cluster restart`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api_server_unreachable;
mod doctor;
mod image;
mod leader_killed;
mod load;
mod pods;
mod power_cut;
mod process;
mod reinstall;
mod replica_killed;
mod replicas_gone;
mod rolling_restart;
mod rotation;
mod site;
mod tutorial;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::site::Site;

/// One scene.
struct Scene {
    /// What holds.
    name: &'static str,
    /// Plays it; returns the numbers that were seen.
    play: fn(&mut Site) -> Result<String>,
}

/// Every scene, in the order it is played. The last takes Countersign away and brings it back.
const SCENES: &[Scene] = &[
    Scene { name: "the_tutorial_runs_as_its_pages_say", play: tutorial::play },
    Scene { name: "the_image_runs_with_no_rights_at_all", play: image::play },
    Scene { name: "doctor_finds_everything_as_it_should_be", play: doctor::play },
    Scene { name: "a_rolling_restart_loses_no_creation", play: rolling_restart::play },
    Scene { name: "three_rotations_of_the_authority_lose_no_creation", play: rotation::play },
    Scene { name: "another_leads_when_the_leader_is_killed", play: leader_killed::play },
    Scene { name: "a_killed_replica_costs_seconds_at_most", play: replica_killed::play },
    Scene { name: "without_replicas_confidential_pods_alone_wait", play: replicas_gone::play },
    Scene { name: "without_the_api_server_the_last_facts_answer", play: api_server_unreachable::play },
    Scene { name: "after_a_power_cut_it_comes_back_by_itself", play: power_cut::play },
    Scene { name: "an_update_keeps_and_an_uninstall_leaves_nothing", play: reinstall::play },
];

fn main() -> Result<ExitCode> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let chosen: Vec<&Scene> =
        SCENES.iter().filter(|scene| wanted.is_empty() || wanted.iter().any(|part| scene.name.contains(part))).collect();
    if std::env::args().any(|argument| argument == "--list") {
        for scene in chosen {
            println!("{}: test", scene.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    println!("running {} tests", chosen.len());
    if chosen.is_empty() {
        println!("test result: ok. 0 passed; 0 failed; 0 ignored");
        return Ok(ExitCode::SUCCESS);
    }
    let started = Instant::now();
    let mut site = Site::open()?;
    println!("scene boot and install: {:.0} s", started.elapsed().as_secs_f64());
    let mut failed = 0;
    for scene in &chosen {
        let began = Instant::now();
        // A failed assertion is the end of its scene, not of the others.
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (scene.play)(&mut site)));
        let seconds = began.elapsed().as_secs_f64();
        match played {
            Ok(Ok(numbers)) => println!("test {} ... ok\nscene {}: {numbers} ({seconds:.0} s)", scene.name, scene.name),
            Ok(Err(error)) => {
                failed += 1;
                println!("test {} ... FAILED\n  {error:?}", scene.name);
            }
            Err(_) => {
                failed += 1;
                println!("test {} ... FAILED", scene.name);
            }
        }
    }
    drop(site);
    let word = if failed == 0 { "ok" } else { "FAILED" };
    let passed = chosen.len() - failed;
    let seconds = started.elapsed().as_secs_f64();
    println!("test result: {word}. {passed} passed; {failed} failed; 0 ignored; finished in {seconds:.0}s");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
