//! The place of one operation: the collection that it changes, and what stands around.

use std::rc::Rc;

use json_patch::jsonptr::Pointer;

use super::parts;
use crate::error::ManifestError;
use crate::file::{self, ManifestFile};
use crate::pods::PodInFile;
use crate::source::Source;
use crate::tree::{Content, Node};

/// How far this document indents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// A mapping below its key.
    pub(super) mapping: usize,
    /// The dashes of a sequence below their key; 0 where they stand flush with it.
    pub(super) dashes: usize,
}

pub(super) struct Site<'f> {
    file: &'f ManifestFile,
    /// From the document down to the parent of `container`.
    pub(super) above: Vec<&'f Node>,
    pub(super) container: &'f Node,
    /// The pointer's last part: a key, an index or `-`.
    pub(super) last: String,
    pub(super) layout: Layout,
    pointer: String,
}

impl<'f> Site<'f> {
    /// Walks from the document to the collection that the operation changes.
    ///
    /// Fails where the way does not exist, and where it leads through text that other places share.
    pub(super) fn find(file: &'f ManifestFile, pod: &PodInFile, pointer: &Pointer) -> Result<Self, ManifestError> {
        let root: &Rc<Node> =
            file.root(pod).ok_or_else(|| ManifestError::AnotherFile { file: file.source.name.clone(), pod: pod.owner() })?;
        let mut way = parts(pointer);
        let last = way.pop();
        let mut site = Self {
            file,
            above: Vec::new(),
            container: root,
            last: last.unwrap_or_default(),
            layout: Layout { mapping: first_step(file, root).unwrap_or(2), dashes: first_dashes(file, root).unwrap_or(0) },
            pointer: pointer.to_string(),
        };
        if pointer.is_root() {
            return Err(site.does_not_fit("a pod is not replaced as a whole"));
        }
        site.check_own()?;
        for part in file::parts(&pod.pointer).chain(way) {
            site.above.push(site.container);
            site.container = site.child(&part)?;
            site.check_own()?;
        }
        Ok(site)
    }

    fn child(&self, part: &str) -> Result<&'f Node, ManifestError> {
        let child = match &self.container.content {
            Content::Sequence { items, .. } => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => self.container.get(part),
        };
        match child {
            Some(child) => Ok(child),
            None if self.container.merges() => Err(self.shared(self.container, "a merge key (<<)")),
            None => Err(self.does_not_fit("there is no such place")),
        }
    }

    fn check_own(&self) -> Result<(), ManifestError> {
        match self.container {
            node if node.anchored => Err(self.shared(node, "an anchor (&)")),
            node if matches!(node.content, Content::Alias(_)) => Err(self.shared(node, "an alias (*)")),
            _ => Ok(()),
        }
    }

    pub(super) fn source(&self) -> &'f Source {
        &self.file.source
    }

    /// The key of the container, where it is empty brackets among block text: it can be written as a block then.
    pub(super) fn empty_in_block(&self) -> Option<&'f Node> {
        let parent = self.above.last().filter(|parent| !parent.is_flow() && self.container.is_empty_collection())?;
        match &parent.content {
            Content::Mapping { entries, .. } => {
                let entry = entries.iter().find(|entry| std::ptr::eq(Rc::as_ptr(&entry.value), self.container))?;
                Some(&entry.key)
            }
            _ => None,
        }
    }

    pub(super) fn does_not_fit(&self, reason: &'static str) -> ManifestError {
        let at = self.source().position(self.container.start);
        ManifestError::DoesNotFit { at, pointer: self.pointer.clone(), reason }
    }

    pub(super) fn not_in_place(&self, reason: String) -> ManifestError {
        let at = self.source().position(self.container.start);
        ManifestError::NotInPlace { at, pointer: self.pointer.clone(), reason }
    }

    pub(super) fn shared(&self, node: &Node, what: &'static str) -> ManifestError {
        let at = self.source().position(node.start);
        ManifestError::Shared { at, pointer: self.pointer.clone(), what }
    }
}

/// By how much the first mapping in a mapping is indented.
fn first_step(file: &ManifestFile, node: &Node) -> Option<usize> {
    first(node, &|parent, child| {
        let deeper = matches!(child.content, Content::Mapping { flow: false, .. });
        deeper.then(|| file.source.column(child.start).saturating_sub(file.source.column(parent.start)))
    })
}

/// By how much the dashes of the first sequence in a mapping are indented.
fn first_dashes(file: &ManifestFile, node: &Node) -> Option<usize> {
    first(node, &|parent, child| {
        let dashes = matches!(child.content, Content::Sequence { flow: false, .. });
        dashes.then(|| file.source.column(child.start).saturating_sub(file.source.column(parent.start)))
    })
}

/// The first answer of `ask` for a block mapping and one of its values, in the order of the text.
fn first(node: &Node, ask: &impl Fn(&Node, &Node) -> Option<usize>) -> Option<usize> {
    match &node.content {
        Content::Mapping { flow: false, entries } => {
            entries.iter().find_map(|entry| ask(node, &entry.value).or_else(|| first(&entry.value, ask)))
        }
        Content::Sequence { flow: false, items } => items.iter().find_map(|item| first(item, ask)),
        _ => None,
    }
}
