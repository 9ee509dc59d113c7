//! The initdata document of upstream Confidential Containers: TOML that holds the policy and the guest's other configuration.
//!
//! The hardware holds the digest of the whole document, by the algorithm that it names. What the runtime relies on is read as
//! strictly as it does; what it ignores is ignored here too, since the digest covers it.
//! Source: Confidential Containers trustee, `kbs/docs/initdata.md`; Kata Containers, `src/libs/kata-types/src/initdata.rs`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml_parser::Source;

use crate::digest::Algorithm;
use crate::malformed::MalformedPolicy;

/// The one version that runtimes know.
const VERSION: &str = "0.1.0";
/// More than any initdata has (a document in a string is one token), and few enough that the parsed tree stays small.
const TOKENS: usize = 10_000;
/// How much of the parser's words is shown: they may quote a whole document.
const MESSAGE_CHARACTERS: usize = 200;

/// A document of an initdata, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initdata {
    /// The algorithm of the digest.
    pub algorithm: Algorithm,
    /// The bytes of the whole document.
    pub bytes: usize,
    /// What stands under `[data]`, by key, whether Countersign knows the key or not.
    pub documents: BTreeMap<Box<str>, Box<str>>,
}

impl Initdata {
    /// The key of the policy; without it, the guest image's own policy rules.
    pub const POLICY: &str = "policy.rego";
    /// The key of the attestation agent's configuration.
    pub const ATTESTATION_AGENT: &str = "aa.toml";
    /// The key of the confidential data hub's configuration.
    pub const DATA_HUB: &str = "cdh.toml";

    /// The document under a key.
    pub fn document(&self, key: &str) -> Option<&str> {
        self.documents.get(key).map(|text| &**text)
    }

    /// The documents whose keys Countersign does not know, in the order of the alphabet.
    pub fn others(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = [Self::POLICY, Self::ATTESTATION_AGENT, Self::DATA_HUB];
        self.documents.iter().map(|(key, text)| (&**key, &**text)).filter(move |(key, _)| !known.contains(key))
    }

    /// Reads the unpacked TOML.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, MalformedPolicy> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| MalformedPolicy::NotText { what: "unpacked initdata", position: error.valid_up_to() + 1 })?;
        if Source::new(text).lex().nth(TOKENS).is_some() {
            return Err(MalformedPolicy::TooManyTokens { limit: TOKENS });
        }
        let Written { version, algorithm, data } = toml::from_str(text).map_err(|error| explain(text, &error))?;
        if version != VERSION {
            return Err(MalformedPolicy::Version(shortened(&version)));
        }
        let algorithm = Algorithm::named(&algorithm).ok_or_else(|| MalformedPolicy::Algorithm(shortened(&algorithm)))?;
        Ok(Self { algorithm, bytes: bytes.len(), documents: data })
    }
}

/// The document as it is written; keys beside these are ignored, as the runtime does.
#[derive(Deserialize)]
struct Written {
    version: String,
    algorithm: String,
    data: BTreeMap<Box<str>, Box<str>>,
}

fn explain(text: &str, error: &toml::de::Error) -> MalformedPolicy {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |line_break| line_break + 1);
    MalformedPolicy::NotInitdata {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        message: shortened(error.message()),
    }
}

/// The text as part of one line, without what is too much of it.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MESSAGE_CHARACTERS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "version = \"0.1.0\"\nalgorithm = \"sha384\"\n";

    fn reason(text: &str) -> String {
        Initdata::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn every_document_is_kept_under_its_key() {
        let text = format!(
            "{HEAD}from_the_future = 1\n[data]\n\"policy.rego\" = '''\npackage agent_policy\n'''\n\"aa.toml\" = 'a'\n\"cdh.toml\" = \"c\"\n\"x\" = ''\n"
        );
        let initdata = Initdata::parse(text.as_bytes()).unwrap();
        assert_eq!(initdata.algorithm, Algorithm::Sha384);
        assert_eq!(initdata.bytes, text.len());
        assert_eq!(initdata.document(Initdata::POLICY), Some("package agent_policy\n"));
        assert_eq!(initdata.document(Initdata::ATTESTATION_AGENT), Some("a"));
        assert_eq!(initdata.document(Initdata::DATA_HUB), Some("c"));
        assert_eq!(initdata.others().collect::<Vec<_>>(), [("x", "")]);
    }

    #[test]
    fn an_initdata_without_policy_is_one() {
        assert_eq!(Initdata::parse(format!("{HEAD}[data]\n").as_bytes()).unwrap().document(Initdata::POLICY), None);
    }

    #[test]
    fn what_the_runtime_would_not_read_is_named_with_its_place() {
        let integer = reason(&format!("{HEAD}[data]\nx = 1\n"));
        assert!(integer.starts_with("line 4, column 5 of its document: invalid type: integer `1`"), "{integer}");
        assert!(reason(HEAD).contains("missing field `data`"), "{}", reason(HEAD));
        assert!(reason("algorithm = \"sha256\"\n[data]\n").contains("missing field `version`"));
        assert!(reason("version = \"0.1.0\"\n[data]\n").contains("missing field `algorithm`"));
        assert!(reason("version = \"0.1.0\n").starts_with("line 1, column "), "{}", reason("version = \"0.1.0\n"));
        assert!(
            reason(&format!("{HEAD}[data]\nx = ''\nx = ''\n")).starts_with("line 5, column 1 of its document: duplicate key")
        );
        assert_eq!(
            reason("version = \"0.2.0\"\nalgorithm = \"sha256\"\n[data]\n"),
            "its document has version \"0.2.0\", and only \"0.1.0\" is known"
        );
    }

    #[test]
    fn an_algorithm_is_known_by_its_exact_name() {
        for name in ["sha-256", "SHA256", "sha1", "sha512/256", ""] {
            let reason = reason(&format!("version = \"0.1.0\"\nalgorithm = \"{name}\"\n[data]\n"));
            assert!(reason.starts_with(&format!("its document names algorithm {name:?}, and only \"sha256\"")), "{reason}");
        }
    }

    #[test]
    fn a_document_of_countless_parts_is_refused_before_it_is_built() {
        let many = format!("{HEAD}x = [{}]\n[data]\n", "1,".repeat(TOKENS));
        assert_eq!(Initdata::parse(many.as_bytes()), Err(MalformedPolicy::TooManyTokens { limit: TOKENS }));
        let deep = format!("{HEAD}x = {}{}\n[data]\n", "[".repeat(4000), "]".repeat(4000));
        assert!(reason(&deep).contains("line 3"), "{}", reason(&deep));
    }

    #[test]
    fn the_reason_is_one_short_line_whatever_the_document_holds() {
        let reason = reason(&format!("{HEAD}data = '''\n{}'''\n", "many words\n".repeat(1000)));
        assert!(reason.len() < 400 && !reason.contains('\n'), "{reason}");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let malformed = Initdata::parse(b"version = \"\xff\"").unwrap_err();
        assert_eq!(malformed.to_string(), "byte 12 of the unpacked initdata is not UTF-8 text");
    }
}
