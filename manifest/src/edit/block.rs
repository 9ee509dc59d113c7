//! Whole lines between the lines of block style.

use serde_json::Value;

use super::site::Site;
use super::{Splice, print};
use crate::source::Source;
use crate::tree::{Content, Node};

/// A new key after the last entry of the container, with the comments that belong to that entry.
pub(super) fn add_key(site: &Site<'_>, value: &Value) -> Vec<Splice> {
    let column = site.source().column(site.container.start);
    let lines = print::entry(&site.last, value, column, site.layout);
    // What follows at the left margin may as well belong to the next document.
    let own_comments = if column == 0 { usize::MAX } else { column };
    vec![after(site, site.container.end, own_comments, &lines)]
}

/// A new element of the container before the one at `index` and its head comment, or after the last.
pub(super) fn add_item(site: &Site<'_>, index: usize, value: &Value) -> Vec<Splice> {
    let Content::Sequence { items, .. } = &site.container.content else {
        return Vec::new();
    };
    let source = site.source();
    let column = source.column(site.container.start);
    let lines = print::item(value, column, site.layout);
    if index == items.len() {
        let flush = site
            .above
            .last()
            .is_some_and(|parent| matches!(parent.content, Content::Mapping { .. }) && source.column(parent.start) == column);
        return vec![after(site, site.container.end, column + usize::from(flush), &lines)];
    }
    let previous = index.checked_sub(1).and_then(|index| items.get(index));
    let dash = previous.map_or(site.container.start, |previous| source.skip_blank(previous.end));
    let new = joined(&lines, source.line_break(), true);
    if !source.slice(source.line_start(dash), dash).trim().is_empty() {
        // The list begins on the line of the dash of the list around it.
        return vec![Splice::insert(dash, format!("{}{:column$}", new.trim_start(), ""))];
    }
    let deepest = if previous.is_some() { column } else { usize::MAX };
    vec![Splice::insert(above_comments(source, source.line_start(dash), deepest), new)]
}

/// A collection with content as the value of `key`, in the place of `old`, which is on one line or nothing at all.
pub(super) fn set_collection(site: &Site<'_>, key: &Node, old: &Node, value: &Value) -> Vec<Splice> {
    let source = site.source();
    let column = source.column(key.start);
    let deeper = if value.is_array() { site.layout.dashes } else { site.layout.mapping };
    let lines = print::collection(value, column + deeper, site.layout);
    let gap = source.before(old.start).trim_end_matches([' ', '\t']).len();
    let removed = if old.start == old.end { old.start..old.end } else { gap..old.end };
    vec![Splice { at: removed, text: String::new() }, after(site, old.end, column + 1, &lines)]
}

/// Lines after the line in which `end` stands, and after the comments directly below it from column `own` on.
fn after(site: &Site<'_>, end: usize, own: usize, lines: &[String]) -> Splice {
    let source = site.source();
    let line_break = source.line_break();
    // A block scalar that keeps its blank lines ends behind its last line break.
    let behind_break = source.before(end).ends_with('\n');
    let mut at = if behind_break { end } else { next_line(site, end) };
    while at < source.text.len() {
        let line = source.slice(at, source.line_end(at));
        let content = line.trim_start();
        if !content.starts_with('#') || line.len() - content.len() < own {
            break;
        }
        at = next_line(site, at);
    }
    if source.before(at).ends_with('\n') {
        Splice::insert(at, joined(lines, line_break, true))
    } else {
        Splice::insert(at, line_break.to_owned() + &joined(lines, line_break, false))
    }
}

/// Where the line after that of `offset` begins; the end of the text where there is none.
fn next_line(site: &Site<'_>, offset: usize) -> usize {
    let rest = site.source().after(offset);
    offset + rest.find('\n').map_or(rest.len(), |at| at + 1)
}

/// Where the comments begin that stand directly above the line at `line`, none of them deeper than column `deepest`.
pub(super) fn above_comments(source: &Source, line: usize, deepest: usize) -> usize {
    let mut at = line;
    while at > 0 {
        let above = source.line_start(at - 1);
        let text = source.slice(above, source.line_end(above));
        let content = text.trim_start();
        if !content.starts_with('#') || text.len() - content.len() > deepest {
            break;
        }
        at = above;
    }
    at
}

fn joined(lines: &[String], line_break: &str, closed: bool) -> String {
    lines.join(line_break) + if closed { line_break } else { "" }
}
