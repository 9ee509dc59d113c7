//! From a tree to JSON, as kubectl would send it.

use serde_json::{Map, Value};

use crate::error::ManifestError;
use crate::plain::{Plain, resolve};
use crate::source::Source;
use crate::tree::{Content, Entry, Node, ScalarStyle};

/// How much text aliases may repeat in all; ten aliases of ten aliases of ten … fill any memory.
const REPEATED_BYTES: usize = 4 << 20;

/// What a value takes beside its text, counted roughly.
const BYTES_OF_A_VALUE: usize = 64;

/// The value of `node`. Fails on keys that are not strings, numbers that JSON does not have, and unknown tags.
pub(crate) fn read(source: &Source, node: &Node) -> Result<Value, ManifestError> {
    Reader { source, aliases: 0, repeated: 0 }.value(node)
}

struct Reader<'s> {
    source: &'s Source,
    /// How many aliases lead to the node being read.
    aliases: usize,
    repeated: usize,
}

impl Reader<'_> {
    fn value(&mut self, node: &Node) -> Result<Value, ManifestError> {
        self.count(node)?;
        self.check_tag(node)?;
        match &node.content {
            Content::Scalar { text, style } => self.scalar(node, text, *style),
            Content::Sequence { items, .. } => items.iter().map(|item| self.value(item)).collect(),
            Content::Mapping { entries, .. } => self.mapping(entries).map(Value::Object),
            Content::Alias(target) => {
                self.aliases += 1;
                let value = self.value(target);
                self.aliases -= 1;
                value
            }
        }
    }

    fn count(&mut self, node: &Node) -> Result<(), ManifestError> {
        if self.aliases > 0 {
            self.repeated += BYTES_OF_A_VALUE + node.text().map_or(0, str::len);
        }
        if self.repeated > REPEATED_BYTES {
            return Err(self.unreadable(node, "aliases repeat more than 4 MiB of text: write them out".to_owned()));
        }
        Ok(())
    }

    fn check_tag(&self, node: &Node) -> Result<(), ManifestError> {
        let fits = match (node.tag.as_deref(), &node.content) {
            (None, _)
            | (Some("!!str" | "!"), Content::Scalar { .. })
            | (Some("!!seq"), Content::Sequence { .. })
            | (Some("!!map"), Content::Mapping { .. }) => true,
            (Some(_), _) => false,
        };
        let tag = node.tag.as_deref().unwrap_or_default();
        if fits { Ok(()) } else { Err(self.unreadable(node, format!("tag {tag} has no meaning in a manifest: remove it"))) }
    }

    fn scalar(&self, node: &Node, text: &str, style: ScalarStyle) -> Result<Value, ManifestError> {
        if style != ScalarStyle::Plain || node.tag.is_some() {
            return Ok(Value::String(text.to_owned()));
        }
        match resolve(text) {
            Plain::Value(value) => Ok(value),
            Plain::NoJsonNumber => {
                let reason = format!("number {text} does not survive as JSON: write it in quotes, or within 64 bits");
                Err(self.unreadable(node, reason))
            }
        }
    }

    fn mapping(&mut self, entries: &[Entry]) -> Result<Map<String, Value>, ManifestError> {
        let mut map = Map::new();
        for Entry { key, value } in entries {
            if key.is_merge_key() {
                self.merge(&mut map, value)?;
            } else {
                let key = self.key(key)?;
                map.insert(key, self.value(value)?);
            }
        }
        Ok(map)
    }

    fn key(&mut self, key: &Node) -> Result<String, ManifestError> {
        match self.value(key)? {
            Value::String(key) => Ok(key),
            Value::Object(_) | Value::Array(_) => {
                let reason = "a collection cannot be a key; if this is a Helm template, render it first (helm template)";
                Err(self.unreadable(key, reason.to_owned()))
            }
            _ => Err(ManifestError::KeyNotString {
                at: self.source.position(key.start),
                key: self.source.slice(key.start, key.end).to_owned(),
            }),
        }
    }

    /// Takes in the mapping, or the list of mappings, that a merge key names. Keys written before it are in doubt: readers
    /// differ in which value wins.
    fn merge(&mut self, map: &mut Map<String, Value>, merged: &Node) -> Result<(), ManifestError> {
        let parts = match self.value(merged)? {
            Value::Array(parts) => parts,
            part => vec![part],
        };
        let mut taken = Map::new();
        for part in parts {
            let Value::Object(part) = part else {
                return Err(self.unreadable(merged, "a merge key (<<) takes a mapping: write it out".to_owned()));
            };
            for (key, value) in part {
                taken.entry(key).or_insert(value);
            }
        }
        if let Some(key) = taken.keys().find(|key| map.contains_key(*key)) {
            return Err(self
                .unreadable(merged, format!("key {key:?} stands before the merge key (<<) that has it too: write it after")));
        }
        map.extend(taken);
        Ok(())
    }

    fn unreadable(&self, node: &Node, reason: String) -> ManifestError {
        ManifestError::Unreadable { at: self.source.position(node.start), reason }
    }
}
