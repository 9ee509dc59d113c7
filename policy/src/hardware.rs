//! A digest as the hardware holds it, in a field of fixed length.

use crate::digest::Digest;

/// Hardware that holds the digest of a policy, given by the host when the virtual machine starts and reported by attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardware {
    /// AMD SEV-SNP.
    SevSnp,
    /// Intel TDX.
    Tdx,
    /// Arm CCA.
    Cca,
}

impl Hardware {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SevSnp, Self::Tdx, Self::Cca];

    /// The platform and its field, as their makers write them.
    pub const fn field(self) -> &'static str {
        match self {
            Self::SevSnp => "SEV-SNP HOST_DATA",
            Self::Tdx => "TDX MRCONFIGID",
            Self::Cca => "CCA personalization value",
        }
    }

    /// The length of the field, in bytes.
    ///
    /// Source: SEV-SNP firmware ABI specification (`HOST_DATA`); Intel TDX module specification (`MRCONFIGID`); Arm RMM
    /// specification (realm personalization value).
    pub const fn length(self) -> usize {
        match self {
            Self::SevSnp => 32,
            Self::Tdx => 48,
            Self::Cca => 64,
        }
    }
}

impl Digest {
    /// The digest as the hardware's field holds it: a longer one is cut, a shorter one filled up with zeros, both at the end.
    ///
    /// Source: Confidential Containers trustee, `kbs/docs/initdata.md`; Kata Containers, `adjust_digest`.
    pub fn held_by(&self, hardware: Hardware) -> &[u8] {
        self.padded().split_at(hardware.length()).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{Algorithm, Hexadecimal};

    #[test]
    fn each_platform_has_the_field_and_the_length_that_its_maker_specifies() {
        let fields = Hardware::ALL.map(|hardware| (hardware.field(), hardware.length()));
        assert_eq!(fields, [("SEV-SNP HOST_DATA", 32), ("TDX MRCONFIGID", 48), ("CCA personalization value", 64)]);
    }

    #[test]
    fn a_digest_is_cut_or_filled_up_at_its_end() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let digest = Digest::of(algorithm, b"x");
            for hardware in Hardware::ALL {
                let held = digest.held_by(hardware);
                let kept = hardware.length().min(algorithm.length());
                assert_eq!(held.len(), hardware.length());
                assert_eq!(held[..kept], digest.bytes()[..kept]);
                assert!(held[kept..].iter().all(|byte| *byte == 0), "{}", Hexadecimal(held));
            }
        }
    }
}
