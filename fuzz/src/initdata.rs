//! The annotation with an initdata document: as it stands, and unpacked, since no fuzzer finds a checksum.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_policy::{Digest, Limits, Measured};
use flate2::Compression;
use flate2::write::GzEncoder;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let documents = ["sha256", "sha384", "sha512"].map(|algorithm| {
        format!(
            "version = \"0.1.0\"\nalgorithm = \"{algorithm}\"\n\n[data]\n\"aa.toml\" = '''\n[token_configs]\n'''\n\
             \"policy.rego\" = \"package agent_policy\\n\"\n"
        )
    });
    documents.into_iter().flat_map(|document| [packed(document.as_bytes()).into_bytes(), document.into_bytes()]).collect()
}

pub(crate) fn run(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = Measured::Initdata.read(text, Limits::DEFAULT);
    }
    let Ok(reading) = Measured::Initdata.read(&packed(input), Limits::DEFAULT) else { return };
    let document = reading.document.initdata().unwrap();
    assert_eq!(reading.digest, Digest::of(document.algorithm, input), "each byte of the document is measured");
}

/// The annotation's text for a document.
fn packed(document: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(document).unwrap();
    STANDARD.encode(encoder.finish().unwrap())
}
