//! A JSON Patch on the text of a file: each operation becomes a few insertions, and each
//! result is read again and compared.

mod block;
mod check;
mod flow;
mod print;
mod site;

use std::ops::Range;

use json_patch::{Patch, PatchOperation, jsonptr::Pointer};
use serde_json::Value;

use crate::error::ManifestError;
use crate::file::ManifestFile;
use crate::pods::PodInFile;
use crate::tree::{Content, Entry, Node, ScalarStyle};
use flow::Element;
use site::Site;

/// Text to stand in the place of a part of the file; of nothing, where the part is empty.
struct Splice {
    at: Range<usize>,
    text: String,
}

impl Splice {
    fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { at: at..at, text: text.into() }
    }
}

/// One operation on one pod.
#[derive(Clone, Copy)]
struct Step<'e> {
    pod: &'e PodInFile,
    operation: &'e PatchOperation,
}

/// The text of `file` after all edits.
///
/// The first operations of all pods are done in one reading of the text, then the second ones, and so on: pods do not
/// overlap.
pub(crate) fn edited(file: &ManifestFile, edits: &[(&PodInFile, &Patch)]) -> Result<String, ManifestError> {
    let mut rounds: Vec<Vec<Step<'_>>> = Vec::new();
    for (index, (pod, patch)) in edits.iter().enumerate() {
        check::is_of_file(file, pod)?;
        let same = |(earlier, _): &&(&PodInFile, &Patch)| check::same_place(earlier, pod);
        let earlier = edits.iter().take(index).filter(same).map(|(_, patch)| patch.len()).sum::<usize>();
        rounds.resize_with(rounds.len().max(earlier + patch.len()), Vec::new);
        for (round, operation) in rounds.iter_mut().skip(earlier).zip(patch.iter()) {
            round.push(Step { pod, operation });
        }
    }
    let mut current: Option<ManifestFile> = None;
    for steps in &rounds {
        current = Some(round(current.as_ref().unwrap_or(file), steps)?);
    }
    let after = current.as_ref().unwrap_or(file);
    check::whole(file, after, edits)?;
    Ok(file.source.whole(&after.source.text))
}

/// The file after some operations, checked. Of several that fail together, the error is that of the first culprit.
fn round(file: &ManifestFile, steps: &[Step<'_>]) -> Result<ManifestFile, ManifestError> {
    let together = attempt(file, steps);
    if together.is_err() && steps.len() > 1 {
        for step in steps {
            attempt(file, std::slice::from_ref(step))?;
        }
    }
    together
}

fn attempt(file: &ManifestFile, steps: &[Step<'_>]) -> Result<ManifestFile, ManifestError> {
    let mut splices = Vec::new();
    let mut sites = Vec::new();
    for step in steps {
        let site = Site::find(file, step.pod, step.operation.path())?;
        splices.extend(match step.operation {
            PatchOperation::Add(add) => put(&site, &add.value, false)?,
            PatchOperation::Replace(replace) => put(&site, &replace.value, true)?,
            _ => return Err(site.does_not_fit("only adding and replacing is done in place")),
        });
        sites.push(site);
    }
    let text = spliced(&file.source.text, splices);
    let after = ManifestFile::parse(&file.source.name, &text).map_err(|error| match sites.first() {
        Some(site) => site.not_in_place(format!("it would read: {error}")),
        None => error,
    })?;
    for (site, step) in sites.iter().zip(steps) {
        check::step(file, &after, *step).map_err(|reason| site.not_in_place(reason))?;
    }
    Ok(after)
}

/// Puts `value` where the site's pointer leads.
fn put(site: &Site<'_>, value: &Value, replace: bool) -> Result<Vec<Splice>, ManifestError> {
    let container = site.container;
    match &container.content {
        Content::Mapping { entries, .. } => {
            let old = entries.iter().find(|entry| entry.key.text() == Some(&site.last));
            match old {
                Some(Entry { key, value: old }) => overwrite(site, Some(key), old, value),
                None if replace => Err(site.does_not_fit("there is nothing to replace")),
                None => Ok(add_key(site, value)),
            }
        }
        Content::Sequence { items, .. } => {
            let index = if site.last == "-" { Some(items.len()) } else { site.last.parse().ok() };
            let index = index.filter(|index| *index <= items.len());
            let index = index.ok_or_else(|| site.does_not_fit("the list is shorter than that"))?;
            match items.get(index) {
                Some(old) if replace => overwrite(site, None, old, value),
                None if replace => Err(site.does_not_fit("there is nothing to replace")),
                _ => Ok(add_item(site, index, value)),
            }
        }
        _ => Err(site.does_not_fit("its parent is neither a mapping nor a list")),
    }
}

fn add_key(site: &Site<'_>, value: &Value) -> Vec<Splice> {
    let container = site.container;
    match site.empty_in_block() {
        Some(key) => {
            let content = Value::Object([(site.last.clone(), value.clone())].into_iter().collect());
            block::set_collection(site, key, container, &content)
        }
        None if container.is_flow() => flow::add(site, &Element::Entry(&site.last, value)),
        None => block::add_key(site, value),
    }
}

fn add_item(site: &Site<'_>, index: usize, value: &Value) -> Vec<Splice> {
    let container = site.container;
    match site.empty_in_block() {
        Some(key) => block::set_collection(site, key, container, &Value::Array(vec![value.clone()])),
        None if container.is_flow() => flow::add(site, &Element::Item(index, value)),
        None => block::add_item(site, index, value),
    }
}

/// Writes `value` in the place of a single value, of an empty collection or of nothing.
fn overwrite(site: &Site<'_>, key: Option<&Node>, old: &Node, value: &Value) -> Result<Vec<Splice>, ManifestError> {
    if old.anchored {
        return Err(site.shared(old, "an anchor (&)"));
    }
    let style = match &old.content {
        Content::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. } => {
            return Err(site.not_in_place("the value there is a block of lines".to_owned()));
        }
        Content::Scalar { style, .. } => *style,
        Content::Alias(_) => ScalarStyle::Plain,
        _ if old.is_empty_collection() => ScalarStyle::Plain,
        _ => return Err(site.does_not_fit("a collection with content is not replaced in place")),
    };
    match key {
        Some(key) if !site.container.is_flow() && print::needs_lines(value) => Ok(block::set_collection(site, key, old, value)),
        _ => {
            let text = match value {
                Value::String(text) if style == ScalarStyle::DoubleQuoted => print::quoted(text),
                _ => flow::inline(site, old, value),
            };
            let gap = if site.source().before(old.start).ends_with([':', '-']) { " " } else { "" };
            Ok(vec![Splice { at: old.start..old.end, text: format!("{gap}{text}") }])
        }
    }
}

fn spliced(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.at.start);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for Splice { at, text: new } in splices {
        result.push_str(text.get(done..at.start).unwrap_or_default());
        result.push_str(&new);
        done = at.end;
    }
    result + text.get(done..).unwrap_or_default()
}

/// The parts of a pointer, unescaped.
fn parts(pointer: &Pointer) -> Vec<String> {
    pointer.tokens().map(|token| token.decoded().into_owned()).collect()
}
