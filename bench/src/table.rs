//! The figures of a run, as ratios to the floor of the same round.

use std::fmt::Write as _;

use crate::load::{Figure, Load};

/// The figures of every row and load, round by round; the first row is the floor.
pub(crate) struct Table {
    rows: Vec<&'static str>,
    figures: Vec<(&'static str, Load, Figure)>,
}

impl Table {
    pub(crate) fn new(rows: impl IntoIterator<Item = &'static str>) -> Self {
        Self { rows: rows.into_iter().collect(), figures: Vec::new() }
    }

    pub(crate) fn note(&mut self, row: &'static str, load: Load, figure: Figure) {
        self.figures.push((row, load, figure));
    }

    /// A table in Markdown: for each load the median of the floor, and of each row the median ratio with its spread.
    pub(crate) fn printed(&self) -> String {
        let mut text = String::from(
            "Ratios to the floor of the same round: median (lowest to highest). More requests are better, less time is better.\n\n\
             | load | row | requests per second | ratio | mean latency, ms | ratio |\n|---|---|---|---|---|---|\n",
        );
        let mut loads: Vec<Load> = Vec::new();
        for (_, load, _) in &self.figures {
            if !loads.contains(load) {
                loads.push(*load);
            }
        }
        let Some(floor) = self.rows.first() else { return text };
        for load in loads {
            for row in &self.rows {
                let (base, own) = (self.of(floor, load), self.of(row, load));
                let rate = spread(own.iter().map(|figure| figure.per_second));
                let latency = spread(own.iter().map(|figure| figure.mean_micros / 1_000.0));
                let rates = spread(base.iter().zip(&own).map(|(base, own)| own.per_second / base.per_second));
                let latencies = spread(base.iter().zip(&own).map(|(base, own)| own.mean_micros / base.mean_micros));
                // Writing to a String cannot fail.
                let _ = writeln!(
                    text,
                    "| {}, {} connections | {row} | {:.0} | {:.2} ({:.2} to {:.2}) | {:.3} | {:.2} ({:.2} to {:.2}) |",
                    load.size,
                    load.connections,
                    rate.median,
                    rates.median,
                    rates.lowest,
                    rates.highest,
                    latency.median,
                    latencies.median,
                    latencies.lowest,
                    latencies.highest
                );
            }
        }
        text
    }

    /// The requests per second of one row as a ratio to another's, round by round.
    pub(crate) fn beside(&self, row: &str, base: &str, load: Load) -> String {
        let (base, own) = (self.of(base, load), self.of(row, load));
        let Spread { lowest, median, highest } =
            spread(base.iter().zip(&own).map(|(base, own)| own.per_second / base.per_second));
        format!("{median:.2} ({lowest:.2} to {highest:.2})")
    }

    fn of(&self, row: &str, load: Load) -> Vec<Figure> {
        self.figures.iter().filter(|(name, of, _)| *name == row && *of == load).map(|(.., figure)| *figure).collect()
    }
}

struct Spread {
    lowest: f64,
    median: f64,
    highest: f64,
}

fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    Spread { lowest: at(0), median: at(values.len() / 2), highest: at(values.len().saturating_sub(1)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    #[test]
    fn a_spread_has_lowest_median_and_highest() {
        let spread = spread([3.0, 1.0, 2.0].into_iter());
        assert_eq!((spread.lowest, spread.median, spread.highest), (1.0, 2.0, 3.0));
    }
}
