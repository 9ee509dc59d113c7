//! The ratios of a run as pictures.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::Report;
use crate::statistics::Spread;
use crate::throughput::Measured;

const PIXELS: (u32, u32) = (1_000, 380);
const CONNECTIONS: [usize; 3] = [1, 8, 64];
const COLOURS: [RGBColor; 7] = [
    RGBColor(90, 90, 90),
    RGBColor(150, 110, 60),
    RGBColor(20, 100, 180),
    RGBColor(110, 170, 220),
    RGBColor(190, 60, 50),
    RGBColor(60, 140, 80),
    RGBColor(130, 80, 160),
];

/// A picture: its file, its title, and which ratio it shows.
type Picture = (&'static str, &'static str, fn(&Measured) -> Spread);

const PICTURES: [Picture; 2] = [
    ("throughput.svg", "requests per second, to the floor (more is better)", |measured| measured.per_second_to_floor),
    ("latency.svg", "median latency, to the floor (less is better)", |measured| measured.median_to_floor),
];

/// Writes the pictures into `folder`.
pub(crate) fn write(report: &Report, folder: &Path) -> Result<()> {
    for (file, title, ratio) in PICTURES {
        let path = folder.join(file);
        let whole = SVGBackend::new(&path, PIXELS).into_drawing_area();
        whole.fill(&WHITE)?;
        let halves = whole.split_evenly((1, 2));
        for (half, size) in halves.iter().zip(["big", "small"]) {
            let of_size: Vec<&Measured> = report.throughput.iter().filter(|measured| measured.size == size).collect();
            draw(half, &format!("{size} reviews: {title}"), &of_size, ratio)
                .map_err(|error| anyhow!("{} cannot be drawn: {error}", path.display()))?;
        }
        whole.present()?;
    }
    Ok(())
}

/// One point for each row and number of connections: the median, with a line from the lowest round to the highest.
fn draw<'a>(
    area: &DrawingArea<SVGBackend<'a>, Shift>,
    title: &str,
    measured: &[&Measured],
    ratio: fn(&Measured) -> Spread,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let mut rows: Vec<&str> = Vec::new();
    for measured in measured {
        if !rows.contains(&&*measured.row) {
            rows.push(&measured.row);
        }
    }
    let highest = measured.iter().map(|measured| ratio(measured).highest).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 15))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(40)
        // Room at the right for the names.
        .build_cartesian_2d(-0.5_f64..5.5, 0.0..highest * 1.05)?;
    let label = |x: &f64| {
        let group = CONNECTIONS.iter().zip([0.0, 1.0, 2.0]).find(|(_, at)| (*at - *x).abs() < 0.01);
        group.map_or_else(String::new, |(connections, _)| connections.to_string())
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("connections")
        .x_labels(13)
        .x_label_formatter(&label)
        .draw()?;
    for ((row, colour), place) in rows.iter().zip(COLOURS).zip(0_u8..) {
        let points: Vec<(f64, Spread)> = CONNECTIONS
            .iter()
            .zip([0.0, 1.0, 2.0])
            .filter_map(|(connections, group)| {
                let found = measured.iter().find(|measured| measured.row == **row && measured.connections == *connections)?;
                Some((group - 0.33 + 0.11 * f64::from(place), ratio(found)))
            })
            .collect();
        chart
            .draw_series(points.iter().map(|(x, spread)| Circle::new((*x, spread.median), 4, colour.filled())))?
            .label(*row)
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
        chart.draw_series(
            points.iter().map(|(x, spread)| PathElement::new(vec![(*x, spread.lowest), (*x, spread.highest)], colour)),
        )?;
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperRight).background_style(WHITE).draw()?;
    Ok(())
}
