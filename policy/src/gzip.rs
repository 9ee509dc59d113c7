//! Unpacking of one gzip stream, bounded.
//!
//! What follows the stream is refused: Go's reader goes on with a second stream, Rust's stops after the first and skips the rest, so
//! the two runtimes would measure different documents.
//! Source: RFC 1952; Go `compress/gzip` (`Multistream`); flate2 `GzDecoder`.

use std::io::{ErrorKind, Read as _};

use flate2::bufread::GzDecoder;

use crate::malformed::MalformedPolicy;

/// The first two bytes of every gzip stream.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks `packed`, which has to be one whole gzip stream; no more than `limit` bytes are unpacked.
pub(crate) fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, MalformedPolicy> {
    if !packed.starts_with(&MAGIC) {
        return Err(MalformedPolicy::NotGzip { hint: hint(packed) });
    }
    let mut decoder = GzDecoder::new(packed);
    let mut unpacked = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.by_ref().take(bound).read_to_end(&mut unpacked).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => MalformedPolicy::Truncated,
        _ => MalformedPolicy::Damaged(error.to_string()),
    })?;
    if unpacked.len() > limit {
        return Err(MalformedPolicy::TooLarge { limit });
    }
    match decoder.into_inner() {
        [] => Ok(unpacked),
        rest if rest.starts_with(&MAGIC) => Err(MalformedPolicy::SecondStream),
        rest => Err(MalformedPolicy::TrailingBytes { count: rest.len() }),
    }
}

fn hint(bytes: &[u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("package ") && !text.contains("[data]") => {
            ": it looks like a bare policy, which belongs under policy.rego of an initdata"
        }
        Ok(_) => ": compress the document first (gzip -c initdata.toml | base64 -w0)",
        Err(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_stream_comes_out_as_it_went_in_up_to_the_limit() {
        assert_eq!(unpack(&packed(b"version"), 7), Ok(b"version".to_vec()));
        assert_eq!(unpack(&packed(b"version"), 6), Err(MalformedPolicy::TooLarge { limit: 6 }));
        assert_eq!(unpack(&packed(b""), 0), Ok(Vec::new()));
    }

    #[test]
    fn a_bomb_is_unpacked_no_further_than_the_limit() {
        let bomb = packed(&vec![0; 16 * 1024 * 1024]);
        assert!(bomb.len() < 50_000, "{} bytes are no bomb", bomb.len());
        assert_eq!(unpack(&bomb, 1000), Err(MalformedPolicy::TooLarge { limit: 1000 }));
    }

    #[test]
    fn a_stream_that_is_cut_anywhere_is_truncated_or_no_gzip() {
        let whole = packed(b"version = \"0.1.0\"");
        for length in 0..whole.len() {
            let expected = if length < 2 { Vec::new() } else { vec![MalformedPolicy::Truncated] };
            match unpack(&whole[..length], 1000) {
                Err(MalformedPolicy::NotGzip { .. }) if expected.is_empty() => {}
                Err(malformed) => assert_eq!(vec![malformed], expected, "{length} bytes"),
                Ok(_) => panic!("{length} bytes are enough"),
            }
        }
    }

    #[test]
    fn what_follows_the_stream_is_refused() {
        let one = packed(b"one");
        assert_eq!(unpack(&[&*one, b"\n"].concat(), 1000), Err(MalformedPolicy::TrailingBytes { count: 1 }));
        assert_eq!(unpack(&[&*one, &[0; 512]].concat(), 1000), Err(MalformedPolicy::TrailingBytes { count: 512 }));
        assert_eq!(unpack(&[&*one, &*packed(b"two")].concat(), 1000), Err(MalformedPolicy::SecondStream));
    }

    #[test]
    fn a_changed_byte_is_damage() {
        let mut changed = packed(b"version = \"0.1.0\"");
        let checksum = changed.len() - 8;
        changed[checksum] ^= 1;
        assert!(matches!(unpack(&changed, 1000), Err(MalformedPolicy::Damaged(_))), "{:?}", unpack(&changed, 1000));
    }

    #[test]
    fn what_was_never_compressed_is_named() {
        let reason = |bytes: &[u8]| unpack(bytes, 1000).unwrap_err().to_string();
        assert!(reason(b"version = \"0.1.0\"").ends_with("compress the document first (gzip -c initdata.toml | base64 -w0)"));
        assert!(reason(b"package agent_policy").contains("a bare policy"));
        assert_eq!(reason(&[0xff, 0x00]), "its base64 decodes to something that is not gzip");
    }
}
