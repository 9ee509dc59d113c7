//! The benchmark: the webhook beside its floor (the same server with a constant answer), in one run on one machine. Absolute figures
//! move with the machine; the ratios are what counts. Start it with `cargo xtask bench`.

mod load;
mod reviews;
mod servers;
mod table;

use std::path::PathBuf;

use anyhow::Result;

use load::Load;
use servers::Server;
use table::Table;

/// How often every figure is taken; the servers take turns, so that a slow moment meets all of them.
const ROUNDS: usize = 5;

/// The loads: what is sent, over how many connections, how many requests a round.
const LOADS: [Load; 4] = [
    Load { size: "big", connections: 8, requests: 8_000 },
    Load { size: "big", connections: 1, requests: 3_000 },
    Load { size: "small", connections: 8, requests: 30_000 },
    Load { size: "small", connections: 1, requests: 8_000 },
];

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(countersign), Some(floor), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        anyhow::bail!(
            "usage: countersign-bench COUNTERSIGN FLOOR (paths of the release binaries; `cargo xtask bench` knows them)"
        );
    };
    let directory = tempfile::tempdir()?;
    let reviews = reviews::write(directory.path())?;
    let floor = Server::floor(&floor, directory.path())?;
    let one = Server::countersign(&countersign, directory.path(), "one", &reviews.list_of_one)?;
    let many = Server::countersign(&countersign, directory.path(), "many", &reviews.list_of_many)?;
    let rows = [
        ("floor", &floor, "/validate", "validate"),
        ("/validate", &one, "/validate", "validate"),
        ("/validate, policy not listed", &one, "/validate", "stranger"),
        ("/mutate", &one, "/mutate", "mutate"),
        ("/validate, 10,000 entries", &many, "/validate", "validate"),
    ];
    let mut table = Table::new(rows.map(|(name, ..)| name));
    for load in LOADS {
        for round in 1..=ROUNDS {
            eprintln!("{} reviews, {} connections: round {round} of {ROUNDS}", load.size, load.connections);
            for (row, server, path, review) in rows {
                table.note(row, load, load.run(server, path, &reviews.path(review, load.size))?);
            }
        }
    }
    print!("{}", table.printed());
    println!("\n10,000 entries beside one, requests per second (as fast is 1.00):");
    for load in LOADS {
        println!(
            "- {}, {} connections: {}",
            load.size,
            load.connections,
            table.beside("/validate, 10,000 entries", "/validate", load)
        );
    }
    println!(
        "resident after the load: floor {} MB, one entry {} MB, 10,000 entries {} MB",
        floor.resident()?,
        one.resident()?,
        many.resident()?
    );
    Ok(())
}
