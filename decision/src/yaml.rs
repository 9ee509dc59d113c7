//! Strict reading of YAML texts that people edit: the allow-list and the configuration.

use serde::de::DeserializeOwned;
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter};

/// What is wrong in a YAML text, and where. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct YamlError {
    /// The line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
    /// The field, where it is known, and what is wrong.
    pub message: String,
}

/// The same as [`read`], in half the time for a long text; `None` where something is wrong, and `read` says what and where.
pub(crate) fn read_good<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_saphyr::with_deserializer_from_str_with_options(text, options(), |deserializer| T::deserialize(deserializer)).ok()
}

/// Reads one YAML document into `T`. An empty text reads as null.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    let mut track = serde_path_to_error::Track::new();
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |deserializer| {
        T::deserialize(serde_path_to_error::Deserializer::new(deserializer, &mut track))
    });
    read.map_err(|error| {
        let location = error.location();
        // A value read together with its position is one level deeper for the tracker than for people.
        let path = track.path().to_string().replace(".value", "");
        let message = in_our_words(&DefaultMessageFormatter.format_message(error.without_snippet()));
        YamlError {
            line: location.map_or(1, |at| at.line()),
            column: location.map_or(1, |at| at.column()),
            message: if path == "." || path.starts_with('?') {
                message
            } else {
                format!("{}: {message}", path.trim_end_matches(".?"))
            },
        }
    })
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! { with_snippet: false, strict_booleans: true }
}

/// The reader's message without its hints for programmers, and without characters that a log line cannot hold.
fn in_our_words(message: &str) -> String {
    let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or(message);
    let message = message.split("; use from_str_multiple").next().unwrap_or(message);
    if message.starts_with("budget breached") {
        return "the text is longer than is read at a time: divide it, into several ConfigMaps or files".to_owned();
    }
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only read from YAML")]
        digest: policy::Listed,
        #[serde(default)]
        #[expect(dead_code, reason = "only read from YAML")]
        permissive: bool,
    }
    mod policy {
        #[derive(Debug)]
        pub(crate) struct Listed;
        impl<'de> serde::Deserialize<'de> for Listed {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if text == "good" { Ok(Self) } else { Err(serde::de::Error::custom("not good")) }
            }
        }
    }

    fn error(text: &str) -> String {
        read::<Vec<Inner>>(text).unwrap_err().to_string()
    }

    #[test]
    fn a_text_that_is_too_long_to_be_read_is_told_so_and_where_that_is() {
        let said = error(&"- digest: good\n".repeat(100_000));
        assert!(
            said.starts_with("line ")
                && said.ends_with("longer than is read at a time: divide it, into several ConfigMaps or files"),
            "{said}"
        );
    }

    #[test]
    fn errors_name_line_column_field_and_reason() {
        assert_eq!(error("- digest: good\n- digest: bad\n"), "line 2, column 11: [1].digest: not good");
        assert_eq!(
            error("- digest: good\n  namespace: [a]\n"),
            "line 2, column 3: [0].namespace: unknown field `namespace`, expected one of digest, permissive"
        );
        assert_eq!(
            error("- digest: good\n  permissive: yes\n"),
            "line 2, column 15: [0].permissive: invalid boolean (strict mode expects true/false)"
        );
        assert_eq!(error("- digest: good\n  digest: good\n"), "line 2, column 3: [0]: duplicate mapping key: digest");
        assert_eq!(error("- digest: good\n- {}\n"), "line 2, column 3: [1]: missing field `digest`");
        assert_eq!(error("digest: good"), "line 1, column 1: expected sequence start");
        assert_eq!(error("- digest: good\n---\n- digest: good\n"), "line 3, column 1: multiple YAML documents detected");
    }
}
