//! A file as a tree of nodes, each with the bytes that it stands on.

use std::rc::Rc;

pub(crate) use granit_parser::ScalarStyle;

use crate::source::Source;

/// One value of the file. `start..end` are its bytes, without what follows it on its line.
#[derive(Debug)]
pub(crate) struct Node {
    /// A block sequence starts at its first dash, a block mapping at its first key.
    pub(crate) start: usize,
    /// A block collection ends where its last value ends.
    pub(crate) end: usize,
    pub(crate) anchored: bool,
    /// The tag as written, such as `!!str`.
    pub(crate) tag: Option<String>,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Scalar { text: String, style: ScalarStyle },
    Sequence { flow: bool, items: Vec<Rc<Node>> },
    Mapping { flow: bool, entries: Vec<Entry> },
    Alias(Rc<Node>),
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Rc<Node>,
    pub(crate) value: Rc<Node>,
}

impl Node {
    /// The text of a scalar, whatever its style.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value of a key written in this mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Rc<Node>> {
        match &self.content {
            Content::Mapping { entries, .. } => {
                entries.iter().find(|entry| entry.key.text() == Some(key)).map(|entry| &entry.value)
            }
            _ => None,
        }
    }

    /// Whether it is a sequence or mapping in brackets.
    pub(crate) fn is_flow(&self) -> bool {
        matches!(self.content, Content::Sequence { flow: true, .. } | Content::Mapping { flow: true, .. })
    }

    /// Whether it is a collection without anything in it; only brackets can write one.
    pub(crate) fn is_empty_collection(&self) -> bool {
        match &self.content {
            Content::Sequence { items, .. } => items.is_empty(),
            Content::Mapping { entries, .. } => entries.is_empty(),
            _ => false,
        }
    }

    /// Whether it has a merge key (`<<`), which takes in another mapping.
    pub(crate) fn merges(&self) -> bool {
        matches!(&self.content, Content::Mapping { entries, .. } if entries.iter().any(|entry| entry.key.is_merge_key()))
    }

    pub(crate) fn is_merge_key(&self) -> bool {
        self.tag.is_none() && matches!(&self.content, Content::Scalar { text, style: ScalarStyle::Plain } if text == "<<")
    }

    /// The node that a pointer's parts lead to, through aliases.
    pub(crate) fn descend(self: &Rc<Self>, parts: impl IntoIterator<Item = String>) -> Option<&Rc<Self>> {
        parts.into_iter().try_fold(self, |node, part| {
            let node = if let Content::Alias(target) = &node.content { target } else { node };
            match &node.content {
                Content::Sequence { items, .. } => items.get(part.parse::<usize>().ok()?),
                _ => node.get(&part),
            }
        })
    }
}

/// Where the value of a key may begin: after its colon, or after the key where there is none (`{key}`).
pub(crate) fn after_colon(source: &Source, key: &Node) -> usize {
    let at = source.skip_blank(key.end);
    if source.after(at).starts_with(':') { at + 1 } else { key.end }
}
