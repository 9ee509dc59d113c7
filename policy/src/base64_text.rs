//! Strict base64, the outer layer of every policy annotation.
//!
//! The decoder is stricter than the runtimes' (which skip line breaks), so that one policy has one spelling.
//! Source: RFC 4648 section 4.

use base64::DecodeError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::malformed::MalformedPolicy;

/// Decodes the annotation's text into bytes; `limit` bounds its characters.
pub(crate) fn decode(annotation: &str, limit: usize) -> Result<Vec<u8>, MalformedPolicy> {
    if annotation.is_empty() {
        return Err(MalformedPolicy::Empty);
    }
    if annotation.len() > limit {
        return Err(MalformedPolicy::TooLong { found: annotation.len(), limit });
    }
    // The fast decoder says only that something is wrong; what it is, the other one knows.
    base64_simd::STANDARD.decode_to_vec(annotation).map_err(|_| explain(annotation))
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
