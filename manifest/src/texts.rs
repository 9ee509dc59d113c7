//! Texts that stand under the keys of a ConfigMap, read and replaced in place.

use crate::error::ManifestError;
use crate::file::ManifestFile;
use crate::tree::{Content, Node, after_colon};

/// A text under a key of a mapping, `/data/list.yaml` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextInFile {
    /// The document of the file, the first is 1.
    pub document: usize,
    /// The key that the text stands under.
    pub key: String,
    /// The text.
    pub text: String,
}

impl ManifestFile {
    /// The texts under `/data` of the file's ConfigMaps, in its order.
    pub fn config_map_texts(&self) -> Vec<TextInFile> {
        let mut texts = Vec::new();
        for (index, root) in self.roots.iter().enumerate() {
            if root.get("kind").and_then(|kind| kind.text()) != Some("ConfigMap") {
                continue;
            }
            let Some(data) = root.get("data") else { continue };
            if let Content::Mapping { entries, .. } = &data.content {
                texts.extend(entries.iter().filter_map(|entry| {
                    let (key, text) = (entry.key.text()?.to_owned(), entry.value.text()?.to_owned());
                    Some(TextInFile { document: index + 1, key, text })
                }));
            }
        }
        texts
    }

    /// The whole file's text with another text in the place of this one, as a literal block; every other byte stays.
    ///
    /// `text` ends with a line break. The result is read again: what would read as anything else is an error.
    pub fn with_text(&self, place: &TextInFile, text: &str) -> Result<String, ManifestError> {
        let root = place.document.checked_sub(1).and_then(|index| self.roots.get(index));
        let data = root.and_then(|root| root.get("data")).map(|data| &**data);
        let entry = data.and_then(|data| entry(data, &place.key));
        let Some((key, value)) = entry else { return Err(self.not_in_place(0, place, "there is no such key")) };
        if data.is_some_and(Node::is_flow) {
            return Err(self.not_in_place(key.start, place, "it stands in brackets"));
        }
        let indent = " ".repeat(self.source.column(key.start) + 2);
        let line_break = self.source.line_break();
        let lines = text.lines().map(|line| match line {
            "" => line_break.to_owned(),
            _ => format!("{indent}{line}{line_break}"),
        });
        // The parser lets a block begin with its text; what is replaced begins after the colon.
        let before = self.source.before(after_colon(&self.source, key));
        let rest = self.source.after(value.end);
        let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest);
        let written = format!("{before} |{line_break}{}{rest}", lines.collect::<String>());
        let written = self.source.whole(&written);
        let read = Self::parse(&self.source.name, &written)?;
        let mut expected = self.config_map_texts();
        for known in expected.iter_mut().filter(|known| known.document == place.document && known.key == place.key) {
            text.clone_into(&mut known.text);
        }
        if read.config_map_texts() != expected || read.roots.len() != self.roots.len() {
            return Err(self.not_in_place(value.start, place, "the text would read otherwise"));
        }
        Ok(written)
    }

    fn not_in_place(&self, at: usize, place: &TextInFile, reason: &str) -> ManifestError {
        ManifestError::NotInPlace {
            at: self.source.position(at),
            pointer: format!("/data/{}", place.key.replace('~', "~0").replace('/', "~1")),
            reason: reason.to_owned(),
        }
    }
}

fn entry<'a>(data: &'a Node, key: &str) -> Option<(&'a Node, &'a Node)> {
    let Content::Mapping { entries, .. } = &data.content else { return None };
    let entry = entries.iter().find(|entry| entry.key.text() == Some(key))?;
    Some((&entry.key, &entry.value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn appended(file: &str, addition: &str) -> Result<String, ManifestError> {
        let parsed = ManifestFile::parse("al.yaml", file).unwrap();
        let place = parsed.config_map_texts().remove(0);
        parsed.with_text(&place, &format!("{}{addition}", place.text))
    }

    #[test]
    fn a_literal_block_grows_and_everything_else_stays() {
        let file = "# ours\nkind: ConfigMap\ndata:\n  a.yaml: |\n    # first\n    - x\n\n  b.yaml: |\n    - z\nmetadata: {name: n} # end\n";
        assert_eq!(appended(file, "- y\n").unwrap(), file.replace("    - x\n", "    - x\n    - y\n"));
    }

    #[test]
    fn a_quoted_text_becomes_a_block() {
        let file = "kind: ConfigMap\ndata:\n  a.yaml: \"\"\nmetadata: {}\n";
        assert_eq!(appended(file, "- y\n").unwrap(), "kind: ConfigMap\ndata:\n  a.yaml: |\n    - y\nmetadata: {}\n");
    }

    #[test]
    fn the_last_block_of_the_file_grows() {
        let file = "kind: ConfigMap\ndata:\n  a.yaml: |\n    - x\n";
        assert_eq!(appended(file, "- y\n").unwrap(), format!("{file}    - y\n"));
    }

    #[test]
    fn data_in_brackets_is_refused() {
        let error = appended("kind: ConfigMap\ndata: {a.yaml: \"\"}\n", "- y\n").unwrap_err();
        assert!(error.to_string().contains("it stands in brackets"), "{error}");
    }
}
