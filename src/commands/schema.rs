//! `countersign schema` and `countersign completion`: what other tools read about this one.

use std::io::Write as _;

use clap::CommandFactory as _;
use countersign_decision::allow_list::WrittenEntry;
use countersign_decision::configuration::ConfigurationFile;

use super::End;
use crate::args::{Arguments, SchemaOf};

/// The JSON Schema of a kind of file, as text.
pub fn schema_text(of: SchemaOf) -> anyhow::Result<String> {
    let schema = match of {
        SchemaOf::Configuration => schemars::schema_for!(ConfigurationFile),
        SchemaOf::AllowList => schemars::schema_for!(Vec<WrittenEntry>),
    };
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

pub(super) fn run(of: SchemaOf) -> anyhow::Result<End> {
    std::io::stdout().lock().write_all(schema_text(of)?.as_bytes())?;
    Ok(End::Done)
}

pub(super) fn completion(shell: clap_complete::Shell) -> anyhow::Result<End> {
    clap_complete::generate(shell, &mut Arguments::command(), "countersign", &mut std::io::stdout());
    Ok(End::Done)
}
