//! New elements between brackets, on one line or on many, as YAML or as JSON.

use std::ops::Range;

use serde_json::Value;

use super::print::Style;
use super::site::Site;
use super::{Splice, block};
use crate::source::Source;
use crate::tree::{Content, Node, ScalarStyle};

/// What is added to a collection in brackets.
pub(super) enum Element<'v> {
    /// A key with its value, behind all others.
    Entry(&'v str, &'v Value),
    /// An element of a list, before the one that has this index now.
    Item(usize, &'v Value),
}

/// A value on the line of its key or dash, in the style of what is around it.
pub(super) fn inline(site: &Site<'_>, old: &Node, value: &Value) -> String {
    if site.container.is_flow() {
        style(site).value(value, indent_of_line(site.source(), old.start))
    } else {
        Style::Block.value(value, "")
    }
}

/// A new element of the container, which is in brackets.
pub(super) fn add(site: &Site<'_>, element: &Element<'_>) -> Vec<Splice> {
    let (source, container) = (site.source(), site.container);
    let children = children(container);
    let style = style(site);
    let outer = indent_of_line(source, container.start);
    let indent = match children.first() {
        Some(child) => own_line(source, child).map(str::to_owned),
        None => style.step().map(|step| outer.to_owned() + step),
    };
    let deeper = indent.as_deref().unwrap_or_default();
    let style = if indent.is_some() { style } else { style.on_one_line() };
    let text = match element {
        Element::Entry(key, value) => format!("{}: {}", style.key(key), style.value(value, deeper)),
        Element::Item(_, value) => style.value(value, deeper),
    };
    let index = match element {
        Element::Item(index, _) => *index,
        Element::Entry(..) => children.len(),
    };
    match (children.get(index), children.last()) {
        (Some(_), _) => vec![before(site, &children, index, indent.as_deref(), &text)],
        (None, Some(last)) => behind(source, last, indent.as_deref(), &text),
        (None, None) => {
            let line_break = source.line_break();
            let lines = indent.map(|indent| format!("{line_break}{indent}{text}{line_break}{outer}"));
            vec![Splice::insert(container.start + 1, lines.unwrap_or(text))]
        }
    }
}

/// Before the child at `index`, and before its head comment where it has a line of its own.
fn before(site: &Site<'_>, children: &[Range<usize>], index: usize, indent: Option<&str>, text: &str) -> Splice {
    let source = site.source();
    let previous = index.checked_sub(1).and_then(|index| children.get(index));
    // Behind the bracket, or behind the comma of the previous element.
    let behind = previous.map_or(site.container.start, |previous| source.skip_blank(previous.end)) + 1;
    let start = source.skip_blank(behind);
    match indent {
        Some(indent) if source.slice(source.line_start(start), start).trim().is_empty() => {
            let at = block::above_comments(source, source.line_start(start), usize::MAX);
            Splice::insert(at, format!("{indent}{text},{}", source.line_break()))
        }
        _ => Splice::insert(start, format!("{text}, ")),
    }
}

/// Behind the last child, with the comma that this takes; YAML allows one behind the last child already.
fn behind(source: &Source, last: &Range<usize>, indent: Option<&str>, text: &str) -> Vec<Splice> {
    let next = source.skip_blank(last.end);
    let has_comma = source.after(next).starts_with(',');
    let end = if has_comma { next + 1 } else { last.end };
    let rest = source.slice(end, source.line_end(end)).trim_start();
    let comma = if has_comma { "" } else { "," };
    match indent {
        Some(indent) if rest.is_empty() || rest.starts_with('#') => {
            let own_comma = if has_comma { "," } else { "" };
            let line = format!("{}{indent}{text}{own_comma}", source.line_break());
            vec![Splice::insert(end, comma), Splice::insert(source.line_end(end), line)]
        }
        _ => vec![Splice::insert(end, format!("{comma} {text}"))],
    }
}

/// How the brackets around the site are written: the nearest with content tell.
fn style(site: &Site<'_>) -> Style {
    let source = site.source();
    let around = || {
        std::iter::once(site.container)
            .chain(site.above.iter().rev().copied())
            .filter(|node| node.is_flow() && !node.is_empty_collection())
    };
    let json = around()
        .find_map(first_key)
        .is_some_and(|key| matches!(key.content, Content::Scalar { style: ScalarStyle::DoubleQuoted, .. }));
    let step = around().next().and_then(|node| {
        let child = children(node).first().and_then(|child| own_line(source, child))?;
        let step = child.strip_prefix(indent_of_line(source, node.start))?;
        Some(step.to_owned())
    });
    if json { Style::Json { step, line_break: source.line_break() } } else { Style::Flow { step } }
}

fn first_key(node: &Node) -> Option<&Node> {
    match &node.content {
        Content::Mapping { entries, .. } => entries.first().map(|entry| &*entry.key),
        _ => None,
    }
}

/// Where the elements stand.
fn children(node: &Node) -> Vec<Range<usize>> {
    match &node.content {
        Content::Sequence { items, .. } => items.iter().map(|item| item.start..item.end).collect(),
        Content::Mapping { entries, .. } => entries.iter().map(|entry| entry.key.start..entry.value.end).collect(),
        _ => Vec::new(),
    }
}

/// The white space at the beginning of a line.
fn indent_of_line(source: &Source, offset: usize) -> &str {
    let line = source.slice(source.line_start(offset), source.line_end(offset));
    line.get(..line.len() - line.trim_start().len()).unwrap_or_default()
}

/// The white space before a child that is the first on its line.
fn own_line<'s>(source: &'s Source, child: &Range<usize>) -> Option<&'s str> {
    let before = source.slice(source.line_start(child.start), child.start);
    before.trim().is_empty().then_some(before)
}
