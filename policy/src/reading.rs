//! What Countersign learns of a policy by reading its annotation.

use std::sync::Arc;

use crate::base64_text;
use crate::digest::Digest;
use crate::gzip;
use crate::initdata::Initdata;
use crate::malformed::MalformedPolicy;

/// How a platform measures the policy that an annotation carries.
///
/// Source: Kata Containers, `docs/how-to/how-to-set-sandbox-config-kata.md` and `src/libs/kata-types/src/annotations/mod.rs`.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub enum Measured {
    /// Annotation `io.katacontainers.config.agent.policy`: SHA-256 of the decoded text.
    AgentPolicy,
    /// Annotation `io.katacontainers.config.hypervisor.cc_init_data`: the unpacked document, by the algorithm that it names.
    Initdata,
    /// Annotation `io.katacontainers.config.runtime.cc_init_data`: the same under its earlier key.
    EarlierInitdata,
}

impl Measured {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AgentPolicy, Self::Initdata, Self::EarlierInitdata];

    /// The key of the annotation that carries the policy.
    pub const fn annotation(self) -> &'static str {
        match self {
            Self::AgentPolicy => "io.katacontainers.config.agent.policy",
            Self::Initdata => "io.katacontainers.config.hypervisor.cc_init_data",
            Self::EarlierInitdata => "io.katacontainers.config.runtime.cc_init_data",
        }
    }

    /// What the annotation holds, as a sentence has it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::AgentPolicy => "a policy",
            Self::Initdata | Self::EarlierInitdata => "an initdata",
        }
    }

    /// Reads the annotation's text within `limits`.
    pub fn read(self, annotation: &str, limits: Limits) -> Result<PolicyReading, MalformedPolicy> {
        let decoded = base64_text::decode(annotation, limits.characters)?;
        let (digest, document) = match self {
            Self::AgentPolicy => {
                let digest = Digest::sha256_of(&decoded);
                let text = String::from_utf8(decoded).map_err(|error| MalformedPolicy::NotText {
                    what: "decoded policy",
                    position: error.utf8_error().valid_up_to() + 1,
                })?;
                (digest, Document::AgentPolicy(text.into()))
            }
            Self::Initdata | Self::EarlierInitdata => {
                let unpacked = gzip::unpack(&decoded, limits.unpacked_bytes)?;
                let initdata = Initdata::parse(&unpacked)?;
                (Digest::of(initdata.algorithm, &unpacked), Document::Initdata(initdata))
            }
        };
        Ok(PolicyReading { digest, document: Arc::new(document) })
    }
}

/// Bounds on what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of the annotation.
    pub characters: usize,
    /// Bytes of an initdata when it is unpacked.
    pub unpacked_bytes: usize,
}

impl Limits {
    /// Bounds that no policy of a running pod meets: the API server permits 256 KiB for all annotations of an object, and the
    /// generator's documents grow sixfold when they are unpacked.
    pub const DEFAULT: Self = Self { characters: 256 * 1024, unpacked_bytes: 4 * 1024 * 1024 };
    /// For files of one's own: annotations of any length, and no bomb all the same.
    pub const OFFLINE: Self = Self { characters: usize::MAX, ..Self::DEFAULT };
}

/// A policy that was read. A copy of it shares the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyReading {
    /// What the hardware reports as host data.
    pub digest: Digest,
    /// What was measured, decoded.
    pub document: Arc<Document>,
}

/// What an annotation holds, decoded.
#[derive(Debug, PartialEq, Eq)]
pub enum Document {
    /// The Rego text.
    AgentPolicy(Box<str>),
    /// The policy and other documents.
    Initdata(Initdata),
}

impl Document {
    /// The Rego text; `None` where an initdata has none, so that the guest image's own policy rules.
    pub fn policy(&self) -> Option<&str> {
        match self {
            Self::AgentPolicy(text) => Some(text),
            Self::Initdata(initdata) => initdata.document(Initdata::POLICY),
        }
    }

    /// The initdata, if it is one.
    pub const fn initdata(&self) -> Option<&Initdata> {
        match self {
            Self::AgentPolicy(_) => None,
            Self::Initdata(initdata) => Some(initdata),
        }
    }

    /// How many bytes were measured.
    pub(crate) fn measured_bytes(&self) -> usize {
        match self {
            Self::AgentPolicy(text) => text.len(),
            Self::Initdata(initdata) => initdata.bytes,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::digest::Algorithm;

    const LIMITS: Limits = Limits { characters: 1000, unpacked_bytes: 1000 };

    /// The annotation's text for a document.
    pub(crate) fn packed(document: &str, level: u32) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(document.as_bytes()).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    }

    fn document(algorithm: Algorithm) -> String {
        format!("version = \"0.1.0\"\nalgorithm = \"{}\"\n[data]\n\"policy.rego\" = 'package x'\n", algorithm.name())
    }

    #[test]
    fn the_digest_of_a_policy_is_of_the_decoded_text() {
        let reading = Measured::AgentPolicy.read("cGFja2FnZSBhZ2VudF9wb2xpY3kK", LIMITS).unwrap();
        assert_eq!(reading.digest, Digest::sha256_of(b"package agent_policy\n"));
        assert_eq!(reading.document.policy(), Some("package agent_policy\n"));
        assert_eq!(reading.document.initdata(), None);
    }

    #[test]
    fn the_digest_of_an_initdata_is_of_the_whole_document_by_its_own_algorithm() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let text = document(algorithm);
            for measured in [Measured::Initdata, Measured::EarlierInitdata] {
                let reading = measured.read(&packed(&text, 6), LIMITS).unwrap();
                assert_eq!(reading.digest, Digest::of(algorithm, text.as_bytes()));
                assert_eq!(reading.document.policy(), Some("package x"));
            }
        }
    }

    #[test]
    fn how_a_document_was_compressed_does_not_matter_and_each_of_its_bytes_does() {
        let text = document(Algorithm::Sha256);
        let digest = |text: &str, level| Measured::Initdata.read(&packed(text, level), LIMITS).unwrap().digest;
        assert_ne!(packed(&text, 0), packed(&text, 9));
        assert_eq!(digest(&text, 0), digest(&text, 9));
        assert_ne!(digest(&text, 6), digest(&format!("{text}\n"), 6));
    }

    #[test]
    fn bytes_that_are_no_text_are_no_policy() {
        let malformed = Measured::AgentPolicy.read("/w==", LIMITS).unwrap_err();
        assert_eq!(malformed.to_string(), "byte 1 of the decoded policy is not UTF-8 text");
    }

    #[test]
    fn one_padding_character_short_is_named_before_anything_is_unpacked() {
        let mut text = packed(&document(Algorithm::Sha256), 6);
        while !text.ends_with('=') {
            text = packed(&format!("{}#{text}", document(Algorithm::Sha256)), 6);
        }
        text.pop();
        let reason = Measured::Initdata.read(&text, LIMITS).unwrap_err().to_string();
        assert!(reason.starts_with("its padding is wrong at position"), "{reason}");
    }

    #[test]
    fn both_bounds_hold() {
        let text = packed(&document(Algorithm::Sha256), 6);
        let bytes = document(Algorithm::Sha256).len();
        let read = |characters, unpacked_bytes| Measured::Initdata.read(&text, Limits { characters, unpacked_bytes });
        assert!(read(text.len(), bytes).is_ok());
        assert_eq!(read(text.len(), bytes - 1), Err(MalformedPolicy::TooLarge { limit: bytes - 1 }));
        assert!(matches!(read(text.len() - 1, bytes), Err(MalformedPolicy::TooLong { .. })));
    }

    #[test]
    fn by_default_the_bounds_are_256_kib_of_annotation_and_4_mib_of_document_and_files_have_only_the_second() {
        let longest = 256 * 1024;
        let read = |characters: usize, limits| Measured::AgentPolicy.read(&"QUFB".repeat(characters / 4), limits).map(|_| ());
        assert_eq!(read(longest, Limits::DEFAULT), Ok(()));
        assert_eq!(read(longest + 4, Limits::DEFAULT), Err(MalformedPolicy::TooLong { found: longest + 4, limit: longest }));
        assert_eq!(read(longest + 4, Limits::OFFLINE), Ok(()));

        let largest = 4 * 1024 * 1024;
        let unpacked = |bytes: usize, limits| {
            let text = document(Algorithm::Sha256) + "#";
            let filled = " ".repeat(bytes - text.len());
            Measured::Initdata.read(&packed(&(text + &filled), 6), limits).map(|_| ())
        };
        for limits in [Limits::DEFAULT, Limits::OFFLINE] {
            assert_eq!(unpacked(largest, limits), Ok(()));
            assert_eq!(unpacked(largest + 1, limits), Err(MalformedPolicy::TooLarge { limit: largest }));
        }
    }

    #[test]
    fn sentences_call_what_an_annotation_holds_by_its_own_word() {
        assert_eq!(Measured::ALL.map(Measured::noun), ["a policy", "an initdata", "an initdata"]);
    }
}
