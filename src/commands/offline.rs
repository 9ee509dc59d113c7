//! Facts from files, for the commands that judge without a cluster.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use countersign_decision::allow_list::AllowList;
use countersign_decision::configuration::{Configuration, Mode};
use countersign_decision::facts::{Facts, NamespaceFacts};
use countersign_policy::examined::SeenExaminations;

use super::input;
use crate::args::ConfigurationArguments;
use crate::evaluator::Separate;
use crate::knowledge::HOME;
use crate::standalone;

/// The configuration in force, with the text it was read from.
pub(super) fn configuration(arguments: &ConfigurationArguments) -> anyhow::Result<(Configuration, Option<String>)> {
    match &arguments.configuration {
        None => Ok((Configuration::built_in().context("the built-in configuration")?, None)),
        Some(path) => {
            let text = input::text(path)?;
            let configuration = Configuration::parse(&text)
                .map_err(|error| anyhow!("{}:{}:{}: {}", input::called(path), error.line, error.column, error.message))?;
            Ok((configuration, Some(text)))
        }
    }
}

/// The facts that files give, judged as if the mode were enforce.
pub(super) fn facts(configuration: Configuration, allow_lists: &[PathBuf]) -> anyhow::Result<Facts> {
    let texts = allow_lists.iter().map(|path| Ok((input::called(path), input::text(path)?)));
    facts_of(configuration, &texts.collect::<anyhow::Result<Vec<_>>>()?)
}

/// The same from texts, each with the name of its file.
pub(super) fn facts_of(configuration: Configuration, allow_lists: &[(String, String)]) -> anyhow::Result<Facts> {
    let sources = standalone::read_allow_lists(allow_lists)?;
    Ok(Facts {
        allow_list: Arc::new(AllowList::of(&sources)),
        examined: Arc::new(SeenExaminations::by(Separate::by_this_program())),
        ..Facts::unwatched(Arc::new(Configuration { default_mode: Mode::Enforce, ..configuration }), HOME)
    })
}

/// Lets `facts` know one namespace by its labels; its mode stays enforce.
pub(super) fn with_namespace(facts: Facts, namespace: &str, labels: &[(String, String)]) -> Facts {
    if labels.is_empty() {
        return facts;
    }
    let labels = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let known = NamespaceFacts { mode: Mode::Enforce, ..NamespaceFacts::of_labels(labels, &facts.configuration) };
    Facts { namespaces: Some(Arc::new(HashMap::from([(namespace.to_owned(), known)]))), ..facts }
}
