//! The webhook beside its floor under load, in rounds of every row under every load: the machine is now faster and now slower for a
//! minute, so that the rounds of a load are to be spread over the whole run, and its rows to follow each other.

use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::load::{Figure, Load};
use crate::servers::Server;
use crate::statistics::Spread;

/// How often every figure is taken.
const ROUNDS: usize = 7;

/// The loads: what is sent, over how many connections, how many requests a round.
const LOADS: [Load; 6] = [
    Load { size: "big", connections: 1, requests: 2_500 },
    Load { size: "big", connections: 8, requests: 6_000 },
    Load { size: "big", connections: 64, requests: 6_000 },
    Load { size: "small", connections: 1, requests: 6_000 },
    Load { size: "small", connections: 8, requests: 20_000 },
    Load { size: "small", connections: 64, requests: 20_000 },
];

/// Something that is asked.
pub(crate) struct Row<'a> {
    pub(crate) name: &'static str,
    pub(crate) server: &'a Server,
    pub(crate) path: &'static str,
    /// The review of a size.
    pub(crate) review: Box<dyn Fn(&str) -> PathBuf + 'a>,
}

/// What a row gave under a load; ratios are to the first row, the floor, of the same round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) size: String,
    pub(crate) connections: usize,
    pub(crate) row: String,
    pub(crate) per_second: Spread,
    pub(crate) per_second_to_floor: Spread,
    pub(crate) median_micros: Spread,
    pub(crate) median_to_floor: Spread,
    pub(crate) p99_micros: Spread,
    /// Processor time of the server for a request: what the ratio of requests per second hides where the generator is what is slow.
    pub(crate) processor_micros: Spread,
    pub(crate) processor_to_floor: Spread,
}

/// Takes all figures. Each row answers some requests before they count.
pub(crate) fn measure(rows: &[Row<'_>]) -> Result<Vec<Measured>> {
    for row in rows {
        for size in ["big", "small"] {
            Load { size, connections: 1, requests: 50 }.run(row.server, row.path, &(row.review)(size))?;
        }
    }
    let mut taken = LOADS.map(|load| (load, Vec::new()));
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        for (load, rounds) in &mut taken {
            let figures = rows.iter().map(|row| load.run(row.server, row.path, &(row.review)(load.size)));
            rounds.push(figures.collect::<Result<Vec<Figure>>>()?);
        }
    }
    let of_load = |(load, rounds): (Load, Vec<Vec<Figure>>)| {
        rows.iter().enumerate().map(|(index, row)| summed_up(row.name, load, index, &rounds)).collect::<Vec<_>>()
    };
    Ok(taken.into_iter().flat_map(of_load).collect())
}

fn summed_up(name: &str, load: Load, index: usize, rounds: &[Vec<Figure>]) -> Measured {
    let each = |value: fn(&Figure) -> f64| Spread::of(rounds.iter().filter_map(move |round| round.get(index)).map(value));
    let to_floor = |value: fn(&Figure) -> f64| {
        let ratios = rounds.iter().filter_map(move |round| Some(value(round.get(index)?) / value(round.first()?)));
        Spread::of(ratios)
    };
    Measured {
        size: load.size.to_owned(),
        connections: load.connections,
        row: name.to_owned(),
        per_second: each(|figure| figure.per_second),
        per_second_to_floor: to_floor(|figure| figure.per_second),
        median_micros: each(|figure| figure.median_micros),
        median_to_floor: to_floor(|figure| figure.median_micros),
        p99_micros: each(|figure| figure.p99_micros),
        processor_micros: each(|figure| figure.processor_micros),
        processor_to_floor: to_floor(|figure| figure.processor_micros),
    }
}
