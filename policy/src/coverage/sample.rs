//! One text that a regular expression matches.
//!
//! Why: a policy describes paths and identifiers of the guest by patterns. A request that it should allow needs some value there, and
//! the pod does not say which.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The most characters that are made: patterns may repeat without end.
const LONGEST: usize = 4096;

/// The text, made of the first alternatives and the fewest repetitions; `None` where the pattern is none, or asks for more than a
/// path has. A text without any sign of a pattern is its own sample.
pub(super) fn matching(pattern: &str) -> Option<String> {
    let mut sample = Vec::new();
    write(&regex_syntax::parse(pattern).ok()?, &mut sample)?;
    String::from_utf8(sample).ok()
}

fn write(part: &Hir, sample: &mut Vec<u8>) -> Option<()> {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => sample.extend_from_slice(&literal.0),
        HirKind::Class(Class::Unicode(class)) => {
            let mut buffer = [0; 4];
            sample.extend_from_slice(class.ranges().first()?.start().encode_utf8(&mut buffer).as_bytes());
        }
        HirKind::Class(Class::Bytes(class)) => sample.push(class.ranges().first()?.start()),
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                write(&repetition.sub, sample)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, sample)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, sample))?,
        HirKind::Alternation(parts) => write(parts.first()?, sample)?,
    }
    (sample.len() <= LONGEST).then_some(())
}

#[cfg(test)]
mod tests {
    use super::matching;

    #[test]
    fn a_sample_matches_its_pattern() {
        let sample = |pattern| matching(pattern).unwrap();
        assert_eq!(sample("^one\\-container$"), "one-container");
        assert_eq!(sample("^consumer-[bcd2]+-[bcd2]{2}$"), "consumer-2-22");
        assert_eq!(sample("^/run/shared(?:/passthrough)?/(watchable/)?[a-z0-9]{4}-hosts$"), "/run/shared/0000-hosts");
        assert_eq!(sample("(tcp|udp)"), "tcp");
        assert_eq!(sample("/run/plain"), "/run/plain");
    }

    #[test]
    fn what_is_no_pattern_or_too_long_has_none() {
        assert_eq!(matching("("), None);
        assert_eq!(matching("(a{1000}){1000}"), None);
    }
}
