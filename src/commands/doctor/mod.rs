//! `countersign doctor`: an installation, looked at from outside with the user's own rights.
//!
//! First everything is gathered into one [`snapshot::Snapshot`], then each check of the table reads it. A check asks the cluster
//! nothing, so every fault that it finds can be shown without one; what the user may not read is said, and never counts as
//! healthy.

mod checks;
mod difference;
mod finding;
mod gather;
mod report;
mod snapshot;

use self::checks::CHECKS;
use self::finding::Level;
use self::report::Row;
use super::End;
use crate::args::{DoctorArguments, Report};

pub(super) fn run(arguments: &DoctorArguments) -> anyhow::Result<End> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let snapshot = runtime.block_on(gather::gather(arguments))?;
    let rows: Vec<Row> = CHECKS.iter().map(|check| Row { id: check.id, examined: (check.examine)(&snapshot) }).collect();
    match arguments.output {
        Report::Text => report::text(&rows)?,
        Report::Json => report::json(&rows, &snapshot)?,
    }
    let healthy = rows.iter().all(|row| row.examined.level() <= Level::Warning);
    Ok(if healthy { End::Done } else { End::Faulty })
}
