//! The text of a file, and places in it.

use crate::error::Position;

/// U+FEFF, which some editors write at the beginning of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file's text without its byte order mark. Offsets are in bytes of this text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) byte_order_mark: bool,
    /// Where each document begins, in order.
    pub(crate) documents: Vec<usize>,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let stripped = text.strip_prefix(BYTE_ORDER_MARK);
        Self {
            name: if name == "-" { "standard input" } else { name }.to_owned(),
            text: stripped.unwrap_or(text).to_owned(),
            byte_order_mark: stripped.is_some(),
            documents: Vec::new(),
        }
    }

    /// The whole file as it is to be written, with `text` in the place of the old one.
    pub(crate) fn whole(&self, text: &str) -> String {
        let mark = if self.byte_order_mark { BYTE_ORDER_MARK.to_string() } else { String::new() };
        mark + text
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let before = self.before(offset);
        Position {
            file: self.name.clone(),
            document: self.documents.iter().filter(|start| **start <= offset).count().max(1),
            line: before.matches('\n').count() + 1,
            column: self.column(offset) + 1,
        }
    }

    /// How many characters stand before `offset` in its line.
    pub(crate) fn column(&self, offset: usize) -> usize {
        let before = self.before(offset);
        before.get(self.line_start(offset)..).unwrap_or_default().chars().count()
    }

    pub(crate) fn line_start(&self, offset: usize) -> usize {
        self.before(offset).rfind('\n').map_or(0, |at| at + 1)
    }

    /// Where the line of `offset` ends, before its line break.
    pub(crate) fn line_end(&self, offset: usize) -> usize {
        let rest = self.after(offset);
        offset + rest.find('\n').map_or(rest.len(), |at| rest.get(..at).unwrap_or_default().trim_end_matches('\r').len())
    }

    /// The line break of this file; a file without any gets `\n`.
    pub(crate) fn line_break(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.before(at).ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    pub(crate) fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(crate) fn before(&self, offset: usize) -> &str {
        self.slice(0, offset)
    }

    pub(crate) fn after(&self, offset: usize) -> &str {
        self.text.get(offset..).unwrap_or_default()
    }

    /// The first place at or after `offset` that is neither white space nor comment.
    pub(crate) fn skip_blank(&self, offset: usize) -> usize {
        let mut at = offset;
        loop {
            let rest = self.after(at);
            let content = rest.trim_start();
            at += rest.len() - content.len();
            if !content.starts_with('#') {
                return at;
            }
            at += content.find('\n').unwrap_or(content.len());
        }
    }
}
