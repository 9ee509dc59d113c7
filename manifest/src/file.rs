//! A manifest as a file: its documents and the pods in them.

use std::rc::Rc;

use json_patch::Patch;
use serde_json::Value;

use crate::build::build;
use crate::edit;
use crate::error::{ManifestError, Position};
use crate::pods::{PodInFile, name, pod_pointer};
use crate::source::Source;
use crate::tree::{Content, Node};
use crate::value::read;

/// A file of any number of YAML or JSON documents.
#[derive(Debug)]
pub struct ManifestFile {
    pub(crate) source: Source,
    /// One for each document.
    pub(crate) roots: Vec<Rc<Node>>,
}

impl ManifestFile {
    /// Reads `text`; errors call the file `name`, and `-` standard input.
    ///
    /// Fails where the text is not YAML and where a mapping names a key twice.
    pub fn parse(name: &str, text: &str) -> Result<Self, ManifestError> {
        let mut source = Source::new(name, text);
        let roots = build(&mut source)?;
        Ok(Self { source, roots })
    }

    /// The pods and pod templates of the file, in its order. Documents without any are not looked into.
    ///
    /// Fails where no document holds a pod, and where one that should does not; and where such a document holds what
    /// kubectl would not turn into JSON without doubt.
    pub fn pods(&self) -> Result<Vec<PodInFile>, ManifestError> {
        let mut pods = Vec::new();
        let mut kinds: Vec<String> = Vec::new();
        for root in &self.roots {
            let Some(kind) = kind(root) else { continue };
            kinds.push(kind.to_owned());
            if kind == "List" {
                let object = read(&self.source, root)?;
                for (index, item) in object.get("items").and_then(Value::as_array).into_iter().flatten().enumerate() {
                    kinds.extend(item.get("kind").and_then(Value::as_str).map(str::to_owned));
                    pods.extend(self.pod(root, item, &format!("/items/{index}"))?);
                }
            } else {
                pods.extend(self.pod_of_document(root)?);
            }
        }
        if pods.is_empty() { Err(self.no_pod(kinds)) } else { Ok(pods) }
    }

    /// The whole file's text with each patch applied to its pod, and every byte kept that the patches do not touch.
    ///
    /// A patch may add and replace values. The result is read again and compared with the patched values before it is
    /// returned; whatever differs is an error, never a wrong text.
    pub fn edited(&self, edits: &[(&PodInFile, &Patch)]) -> Result<String, ManifestError> {
        edit::edited(self, edits)
    }

    /// Where in the file a JSON pointer within a pod leads; nothing where the pod has no such value.
    pub fn position(&self, pod: &PodInFile, pointer: &str) -> Option<Position> {
        let node = self.pod_node(pod)?.descend(parts(pointer))?;
        Some(self.source.position(node.start))
    }

    pub(crate) fn pod_node(&self, pod: &PodInFile) -> Option<&Rc<Node>> {
        self.root(pod)?.descend(parts(&pod.pointer))
    }

    pub(crate) fn root(&self, pod: &PodInFile) -> Option<&Rc<Node>> {
        self.roots.get(pod.document.checked_sub(1)?)
    }

    /// Only a document whose kind may hold a pod is read as a whole.
    fn pod_of_document(&self, root: &Rc<Node>) -> Result<Option<PodInFile>, ManifestError> {
        let text = |key| root.get(key).and_then(|node| node.text());
        let head = serde_json::json!({ "apiVersion": text("apiVersion"), "kind": text("kind") });
        match pod_pointer(&head) {
            Some(_) => self.pod(root, &read(&self.source, root)?, ""),
            None => Ok(None),
        }
    }

    /// The pod of `object`, which stands at the pointer `place` of its document.
    fn pod(&self, root: &Rc<Node>, object: &Value, place: &str) -> Result<Option<PodInFile>, ManifestError> {
        let Some(inner) = pod_pointer(object) else {
            return Ok(None);
        };
        let start = root.descend(parts(place)).map_or(root.start, |node| node.start);
        let at = self.source.position(start);
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(pod) = object.pointer(inner).filter(|pod| pod.is_object()) else {
            let field = inner.trim_start_matches('/').replace('/', ".");
            return Err(ManifestError::NotAPod { at, owner: format!("{kind} {}", name(object)), field });
        };
        Ok(Some(PodInFile {
            kind,
            name: name(object),
            namespace: object.pointer("/metadata/namespace").and_then(Value::as_str).map(str::to_owned),
            document: at.document,
            line: at.line,
            template: !inner.is_empty(),
            pod: pod.clone(),
            pointer: format!("{place}{inner}"),
        }))
    }

    fn no_pod(&self, all: Vec<String>) -> ManifestError {
        let mut kinds: Vec<String> = Vec::new();
        for kind in all {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let found = if kinds.is_empty() { "nothing with a kind".to_owned() } else { kinds.join(", ") };
        ManifestError::NoPod { file: self.source.name.clone(), found }
    }
}

fn kind(root: &Node) -> Option<&str> {
    match &root.content {
        Content::Mapping { .. } => root.get("kind")?.text(),
        _ => None,
    }
}

/// The parts of a JSON pointer (RFC 6901).
pub(crate) fn parts(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"))
}
