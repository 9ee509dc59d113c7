//! From the parser's events to a tree.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput, StructureStyle, Tag};

use crate::error::ManifestError;
use crate::source::Source;
use crate::tree::{Content, Entry, Node, after_colon};

/// Reads all documents of `source` and notes in it where each begins. The result has one node for each document.
pub(crate) fn build(source: &mut Source) -> Result<Vec<Rc<Node>>, ManifestError> {
    let text = source.text.clone();
    let mut options = Options::default();
    options.set_emit_comments(false);
    // The YAML library of kubectl reads the last line of a file this way.
    options.block_scalar_eof_without_line_feed = true;
    let mut builder = Builder { source, parser: Parser::new_from_str_with_options(&text, options), anchors: HashMap::new() };
    let mut roots = Vec::new();
    while let Some((event, span)) = builder.next()? {
        if let Event::DocumentStart(..) = event {
            builder.source.documents.push(offset(span.start));
            if let Some((event, span)) = builder.next()? {
                roots.push(builder.node(event, span, None)?);
            }
        }
    }
    Ok(roots)
}

struct Builder<'t, 's> {
    source: &'s mut Source,
    parser: Parser<'t, StrInput<'t>>,
    /// Finished nodes by the parser's number for their anchor.
    anchors: HashMap<usize, Rc<Node>>,
}

impl<'t> Builder<'t, '_> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, ManifestError> {
        self.parser
            .next_event()
            .transpose()
            .map_err(|error| ManifestError::Syntax { at: self.source.position(offset(*error.marker())), reason: error.info() })
    }

    /// Reads the node that begins with `event`; `key` is its key, where it is a value in a mapping.
    fn node(&mut self, event: Event<'t>, span: Span, key: Option<&Node>) -> Result<Rc<Node>, ManifestError> {
        let anchor = event.anchor_id();
        let tag = event.tag().map(Tag::original);
        let tag_place = span.tag_span().map(|tag| offset(tag.start)..offset(tag.end));
        let mut node = match event {
            Event::Scalar(text, style, ..) => self.scalar(text.into_owned(), style, span, key),
            Event::SequenceStart(style, ..) => self.sequence(style == StructureStyle::Flow, span, key)?,
            Event::MappingStart(style, ..) => self.mapping(style == StructureStyle::Flow, span)?,
            Event::Alias(id) => self.alias(id, span)?,
            _ => return Err(self.unfinished(span)),
        };
        node.tag = tag;
        node.anchored = anchor.is_some();
        if let Some(place) = tag_place {
            node.end = node.end.max(place.end);
            if node.text().is_some() {
                node.start = place.start;
            }
        }
        let node = Rc::new(node);
        if let Some(id) = anchor {
            self.anchors.insert(id, Rc::clone(&node));
        }
        Ok(node)
    }

    fn scalar(&self, text: String, style: ScalarStyle, span: Span, key: Option<&Node>) -> Node {
        let (mut start, mut end) = (offset(span.start), offset(span.end));
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if let (true, Some(key)) = (start == end && !block, key) {
            // The parser places a value that is not there before the colon.
            start = start.max(after_colon(self.source, key));
            end = start;
        }
        let kept = text.ends_with("\n\n") || (!text.is_empty() && text.chars().all(|c| c == '\n'));
        if block && !kept {
            // Blank lines after the text belong to the scalar, but mean nothing.
            end = start + self.source.slice(start, end).trim_end().len();
        }
        // The parser says "~" for a value that is not there.
        let text = if start == end && style == ScalarStyle::Plain { String::new() } else { text };
        Node { start, end, anchored: false, tag: None, content: Content::Scalar { text, style } }
    }

    fn sequence(&mut self, flow: bool, span: Span, key: Option<&Node>) -> Result<Node, ManifestError> {
        let mut start = offset(span.start);
        if let (false, Some(key)) = (flow, key) {
            // Where the dashes stand below their key, the parser says where the first value begins.
            let after = span.tag_span().map_or_else(|| after_colon(self.source, key), |tag| offset(tag.end));
            let dash = self.source.skip_blank(after);
            if self.source.after(dash).starts_with('-') {
                start = dash;
            }
        }
        let mut items = Vec::new();
        let end = loop {
            match self.next()? {
                Some((Event::SequenceEnd, end)) => break end,
                Some((event, span)) => items.push(self.node(event, span, None)?),
                None => return Err(self.unfinished(span)),
            }
        };
        let last = items.last().map(|item| item.end);
        let end = if flow { offset(end.end) } else { last.unwrap_or(start) };
        Ok(Node { start, end, anchored: false, tag: None, content: Content::Sequence { flow, items } })
    }

    fn mapping(&mut self, flow: bool, span: Span) -> Result<Node, ManifestError> {
        let mut entries = Vec::new();
        let mut seen = HashMap::new();
        let end = loop {
            match self.next()? {
                Some((Event::MappingEnd, end)) => break end,
                Some((event, span)) => {
                    let key = self.node(event, span, None)?;
                    self.check_new(&mut seen, &key)?;
                    let Some((event, span)) = self.next()? else {
                        return Err(self.unfinished(span));
                    };
                    let value = self.node(event, span, Some(&key))?;
                    entries.push(Entry { key, value });
                }
                None => return Err(self.unfinished(span)),
            }
        };
        let start = if flow { None } else { entries.first().map(|entry| entry.key.start) };
        let last = entries.last().map(|entry| entry.value.end);
        let end = if flow { offset(end.end) } else { last.unwrap_or(offset(end.end)) };
        let content = Content::Mapping { flow, entries };
        Ok(Node { start: start.unwrap_or(offset(span.start)), end, anchored: false, tag: None, content })
    }

    fn check_new(&self, seen: &mut HashMap<String, usize>, key: &Node) -> Result<(), ManifestError> {
        let Some(text) = key.text() else {
            return Ok(());
        };
        match seen.insert(text.to_owned(), key.start) {
            None => Ok(()),
            Some(first) => Err(ManifestError::DuplicateKey {
                at: self.source.position(key.start),
                key: text.to_owned(),
                first: self.source.position(first).line,
            }),
        }
    }

    fn alias(&self, id: usize, span: Span) -> Result<Node, ManifestError> {
        let (start, end) = (offset(span.start), offset(span.end));
        let Some(target) = self.anchors.get(&id) else {
            let reason = format!("alias {} stands within its own anchor: write it out", self.source.slice(start, end));
            return Err(ManifestError::Unreadable { at: self.source.position(start), reason });
        };
        let content = Content::Alias(Rc::clone(target));
        Ok(Node { start, end, anchored: false, tag: None, content })
    }

    fn unfinished(&self, span: Span) -> ManifestError {
        let at = self.source.position(offset(span.start));
        ManifestError::Syntax { at, reason: "the text ends within a value".to_owned() }
    }
}

/// Markers over a text in memory always know their byte.
fn offset(marker: Marker) -> usize {
    marker.byte_offset().unwrap_or_default()
}
