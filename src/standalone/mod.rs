//! The allow-list without a cluster: files that hold its `ConfigMap`s, followed while the webhook runs.

mod changes;
mod lists;
mod parse;
mod take;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_decision::allow_list::{AllowList, Sources};
use jiff::Timestamp;
use tokio::task::{JoinHandle, spawn_blocking};

use self::changes::Changes;
use self::lists::Lists;
pub use self::parse::{FileError, parse_allow_list_file};
use self::take::take_good;
use crate::knowledge::Knowledge;

/// The allow-list of these files together, each given by its name and text. Files that hold `ConfigMap`s of the same name add up.
///
/// The error names the file, and where it can be read, the `ConfigMap`, key, line and column.
pub fn read_allow_lists(files: &[(String, String)]) -> Result<Sources, FileError> {
    let mut sources = Sources::default();
    for (name, text) in files {
        take_good(&mut sources, &parse_allow_list_file(name, text)?)?;
    }
    Ok(sources)
}

/// Files that are being followed; ends on drop.
#[derive(Debug)]
pub struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads the files into `knowledge` (made by [`Knowledge::of_files`]) and brings every later version of them there, about a
/// tenth of a second after it was written. At the start every file must be good; later the last good version of what is not
/// stays in force for `limits.lastGoodFor`. Needs a tokio runtime.
pub fn follow(files: &[PathBuf], knowledge: Arc<Knowledge>) -> Result<Following, FileError> {
    let changes = Changes::of(files);
    let lists = Lists::read(files)?;
    knowledge.publish(AllowList::of(lists.sources()), lists.standing());
    Ok(Following(tokio::spawn(keep_looking(changes, lists, knowledge))))
}

async fn keep_looking(changes: Changes, lists: Lists, knowledge: Arc<Knowledge>) {
    let lists = Arc::new(Mutex::new(lists));
    loop {
        changes.next().await;
        let (lists, knowledge) = (Arc::clone(&lists), Arc::clone(&knowledge));
        // Reading and indexing a long list takes a while: it is done on a thread of its own, beside the requests.
        let looked = spawn_blocking(move || look(&mut lists.lock().unwrap_or_else(PoisonError::into_inner), &knowledge));
        if let Err(error) = looked.await {
            tracing::error!("allow-list: a changed file could not be worked in: {error}");
        }
    }
}

fn look(lists: &mut Lists, knowledge: &Knowledge) {
    let last_good_for = knowledge.facts().configuration.limits.last_good_for;
    if lists.look(Timestamp::now(), last_good_for) {
        let list = AllowList::of(lists.sources());
        tracing::info!(entries = list.len(), "another allow-list is in force");
        knowledge.publish(list, lists.standing());
    }
}

#[cfg(test)]
mod tests;
