//! The judge alone, without a server: answers one review many times, so that a profiler or an instruction counter sees the decision
//! core and nothing else.
//!
//! The first answer, which reads the policy, is given before the count begins.

use std::{path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use countersign::{
    http::{Answer, Endpoint, Judge},
    judge::Countersign,
    knowledge::Knowledge,
    standalone,
};
use countersign_decision::configuration::Configuration;

#[derive(Parser)]
struct Args {
    /// What the review is sent to.
    #[arg(long)]
    endpoint: Asked,
    /// The allow-list.
    #[arg(long)]
    allow_list: PathBuf,
    /// How often it is answered.
    #[arg(long, default_value_t = 1000)]
    times: u32,
    /// The admission review.
    review: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Asked {
    Mutate,
    Validate,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Args { endpoint, allow_list, times, review } = Args::parse();
    let endpoint = match endpoint {
        Asked::Mutate => Endpoint::Mutate,
        Asked::Validate => Endpoint::Validate,
    };
    let review = std::fs::read(&review).with_context(|| format!("cannot read {}", review.display()))?;
    let knowledge = Arc::new(Knowledge::of_files(Arc::new(Configuration::built_in()?)));
    let _following = standalone::follow(&[allow_list], Arc::clone(&knowledge))?;
    let judge = Countersign::new(knowledge);
    let began = Instant::now();
    let first = judge.answer(endpoint, &review);
    let first_took = began.elapsed();
    let began = Instant::now();
    let mut at_once = 0;
    for _ in 0..times {
        at_once += u32::from(std::hint::black_box(judge.answer_at_once(endpoint, &review)).is_some());
    }
    let took = began.elapsed();
    let Answer::Review { body, outcome, .. } = first else { anyhow::bail!("the first answer is no review: {first:?}") };
    ensure!(at_once == times, "{} of {times} reviews were not answered at once", times - at_once);
    println!("first answer: {} after {first_took:?}: {}", outcome.as_str(), String::from_utf8_lossy(&body));
    println!("each of {times} more: {:?}", took / times.max(1));
    Ok(())
}
