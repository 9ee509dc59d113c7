//! The policy annotation of the AKS line: strict base64 of the Rego text.
//!
//! The runtime decodes the annotation and measures the text; the decoder here is stricter than the runtime's (which skips line
//! breaks), so that one policy has one spelling.
//! Source: Kata Containers, annotation `io.katacontainers.config.agent.policy`; RFC 4648 section 4.

use base64::DecodeError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Why an annotation's text is not a policy. Positions count characters of the annotation from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPolicy {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// More characters than the configuration permits.
    #[error("it has {found} characters, more than the {limit} that the configuration permits")]
    TooLong {
        /// How many characters the annotation has.
        found: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A character outside the standard alphabet.
    #[error("character {character} at position {position} is not standard base64{hint}")]
    Character {
        /// The character, in words where it cannot be seen.
        character: String,
        /// Where it stands.
        position: usize,
        /// What is probably meant, beginning with a colon, or nothing.
        hint: &'static str,
    },
    /// The padding at the end is missing or wrong.
    #[error(
        "its padding is wrong at position {position}: base64 comes in groups of four characters, the last filled up with \"=\""
    )]
    Padding {
        /// Where the text ends or the padding goes wrong.
        position: usize,
    },
    /// The last character carries bits that no byte uses.
    #[error(
        "the last character before the padding, at position {position}, carries bits that belong to no byte: the text was cut or changed"
    )]
    LooseBits {
        /// Where the character stands.
        position: usize,
    },
    /// The decoded bytes are not UTF-8 text, so they cannot be Rego.
    #[error("byte {position} of the decoded policy is not UTF-8 text")]
    NotText {
        /// Which decoded byte, from 1.
        position: usize,
    },
}

/// Decodes the annotation's text into the policy's bytes.
///
/// `limit` bounds the characters of the annotation.
pub(crate) fn decode(annotation: &str, limit: usize) -> Result<Vec<u8>, MalformedPolicy> {
    if annotation.is_empty() {
        return Err(MalformedPolicy::Empty);
    }
    if annotation.len() > limit {
        return Err(MalformedPolicy::TooLong { found: annotation.len(), limit });
    }
    // The fast decoder says only that something is wrong; what it is, the other one knows.
    let decoded = base64_simd::STANDARD.decode_to_vec(annotation).map_err(|_| explain(annotation))?;
    match std::str::from_utf8(&decoded) {
        Ok(_) => Ok(decoded),
        Err(error) => Err(MalformedPolicy::NotText { position: error.valid_up_to() + 1 }),
    }
}

/// What is wrong, in words. A strange character is looked for first: it is the likelier mistake, and the library may report its
/// consequence (a length) instead.
fn explain(annotation: &str) -> MalformedPolicy {
    let strange =
        annotation.chars().enumerate().find(|(_, c)| !matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/' | '='));
    if let Some((index, character)) = strange {
        return MalformedPolicy::Character {
            character: character.escape_debug().to_string(),
            position: index + 1,
            hint: match character {
                '\n' | '\r' => ": remove the line breaks (base64 -w0)",
                '-' | '_' => ": this is the URL alphabet, use the standard one",
                c if c.is_whitespace() => ": remove the white space",
                _ => "",
            },
        };
    }
    match STANDARD.decode(annotation) {
        Err(DecodeError::InvalidLastSymbol { offset, .. }) => MalformedPolicy::LooseBits { position: offset + 1 },
        Err(DecodeError::InvalidByte(offset, _)) => MalformedPolicy::Padding { position: offset + 1 },
        _ => MalformedPolicy::Padding { position: annotation.len() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(annotation: &str) -> String {
        decode(annotation, 1000).unwrap_err().to_string()
    }

    #[test]
    fn a_policy_comes_out_as_it_went_in() {
        assert_eq!(decode("cGFja2FnZSBhZ2VudF9wb2xpY3kK", 1000).unwrap(), b"package agent_policy\n");
    }

    #[test]
    fn what_differs_from_strict_base64_is_refused_with_its_position() {
        assert_eq!(reason(""), "it is empty");
        assert_eq!(
            reason("cGFj\na2Fn"),
            "character \\n at position 5 is not standard base64: remove the line breaks (base64 -w0)"
        );
        assert_eq!(reason("cGFj a2F"), "character   at position 5 is not standard base64: remove the white space");
        assert_eq!(
            reason("cG-j"),
            "character - at position 3 is not standard base64: this is the URL alphabet, use the standard one"
        );
        assert_eq!(reason("cGFj\0"), "character \\0 at position 5 is not standard base64");
        assert!(reason("cGFja2E").starts_with("its padding is wrong at position 7"));
        assert!(reason("cGFja2E==").starts_with("its padding is wrong"));
        assert!(reason("cGFja2E=cGFj").starts_with("its padding is wrong at position 8"));
        assert!(reason("cGFja2F=").starts_with("the last character before the padding, at position 7"));
        assert_eq!(reason("/w=="), "byte 1 of the decoded policy is not UTF-8 text");
    }

    #[test]
    fn the_limit_counts_the_annotations_characters() {
        assert!(decode("cGFj", 4).is_ok());
        assert_eq!(
            decode("cGFj", 3).unwrap_err().to_string(),
            "it has 4 characters, more than the 3 that the configuration permits"
        );
    }
}
