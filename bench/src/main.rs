//! The benchmark: the webhook beside its floor (the same server with a constant answer), in one run on one machine. Absolute figures
//! move with the machine; the ratios are what counts. Start it with `cargo xtask bench`.

mod aims;
mod alone;
mod bad_input;
mod load;
mod machine;
mod overload;
mod plot;
mod processors;
mod report;
mod reviews;
mod servers;
mod statistics;
mod throughput;

use std::path::{Path, PathBuf};

use anyhow::Result;

use machine::Machine;
use processors::Parted;
use report::Report;
use servers::Server;
use throughput::Row;

const USAGE: &str = "usage: countersign-bench COUNTERSIGN FLOOR FOLDER (paths of the release binaries, and where the figures of the \
                     earlier run are and those of this one go), or countersign-bench reviews FOLDER, or countersign-bench plot FOLDER; `cargo xtask bench` knows them";

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match &*arguments {
        [word, folder] if *word == *"reviews" => reviews::write(folder).map(|_| ()),
        [word, folder] if *word == *"plot" => match Report::earlier(folder)? {
            Some(report) => plot::write(&report, folder),
            None => anyhow::bail!("{} has no figures", folder.display()),
        },
        [countersign, floor, folder] => run(countersign, floor, folder),
        _ => anyhow::bail!(USAGE),
    }
}

fn run(countersign: &Path, floor: &Path, folder: &Path) -> Result<()> {
    let earlier = Report::earlier(folder)?;
    let directory = tempfile::tempdir()?;
    let reviews = reviews::write(directory.path())?;
    let alone = alone::measure(countersign, directory.path(), &reviews)?;
    let overload = overload::measure(countersign, directory.path(), &reviews)?;
    let bad_input = bad_input::measure(countersign, directory.path(), &reviews)?;
    let start = |name: &str, list: &Path| Server::countersign(countersign, directory.path(), name, list);
    let servers = [
        ("floor", Server::floor(floor, directory.path(), false)?),
        ("hashing alone", Server::floor(floor, directory.path(), true)?),
        ("one entry", start("one", &reviews.list_of_one)?),
        ("10,000 entries", start("10-000", &reviews.list_of_10_000)?),
        ("100,000 entries", start("100-000", &reviews.list_of_100_000)?),
    ];
    let [(_, floor), (_, hashing), (_, one), (_, ten_thousand), (_, hundred_thousand)] = &servers;
    let row = |name, server, path, review: &'static str| {
        let reviews = &reviews;
        Row { name, server, path, review: Box::new(move |size| reviews.path(review, size)) }
    };
    let parted = Parted::from(servers.iter().map(|(_, server)| server))?;
    let throughput = throughput::measure(&[
        row("floor", floor, "/validate", "validate"),
        row("hashing alone", hashing, "/validate", "validate"),
        row("/validate", one, "/validate", "validate"),
        row("/validate, policy not listed", one, "/validate", "stranger"),
        row("/mutate", one, "/mutate", "mutate"),
        row("/validate, 10,000 entries", ten_thousand, "/validate", "validate"),
        row("/validate, 100,000 entries", hundred_thousand, "/validate", "validate"),
    ])?;
    drop(parted);
    let resident = servers.iter().map(|(name, server)| Ok(((*name).to_owned(), server.resident_mb()?)));
    let resident_after_load_mb = resident.collect::<Result<_>>()?;
    let report = Report { machine: Machine::this(), throughput, resident_after_load_mb, alone, overload, bad_input };
    println!("{}", report.printed());
    if let Some(earlier) = earlier {
        println!("Beside the earlier run ({}):\n{}", earlier.machine, report.beside(&earlier));
    }
    report.write(folder)?;
    plot::write(&report, folder)
}
