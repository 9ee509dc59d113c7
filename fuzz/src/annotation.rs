//! The annotation with an agent policy, and the text of a digest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_golden::{DIGEST, POLICY};
use countersign_policy::{Digest, Limits, Measured};

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let samples = crate::cases::samples("rego").into_iter().map(|text| STANDARD.encode(text).into_bytes());
    samples.chain([POLICY.into(), DIGEST.into(), DIGEST.split_at("sha256:".len()).1.into(), b"cGFja2E".to_vec()]).collect()
}

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(reading) = Measured::AgentPolicy.read(text, Limits::DEFAULT) {
        let policy = reading.document.policy().unwrap();
        assert_eq!(STANDARD.encode(policy), text, "a policy has one spelling");
        assert_eq!(reading.digest, Digest::sha256_of(policy.as_bytes()));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        let printed = digest.to_string();
        assert!(printed == text || printed == format!("sha256:{text}"), "{text} is printed as {printed}");
        assert_eq!(printed.parse(), Ok(digest));
    }
}
