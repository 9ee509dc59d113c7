//! The time that the API server gives an answer, said as `?timeout=5s`.
//!
//! Source: Kubernetes writes it with Go's `time.Duration`; Go's `time.ParseDuration` is the grammar: decimal numbers,
//! each with a unit of ns, us, µs (percent-encoded here), ms, s, m or h.

use std::time::Duration;

/// The nanoseconds of each unit; `ms` stands before `m`, which it begins with.
const UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("%C2%B5s", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// The `timeout` of a query string, or none where it has none; the error is the value that is no duration above zero.
pub(super) fn asked_timeout(query: Option<&str>) -> Result<Option<Duration>, String> {
    let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("timeout="));
    asked.map(|text| parse(text).ok_or_else(|| text.to_owned())).transpose()
}

fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut nanoseconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let (unit, size) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        rest = after.strip_prefix(unit)?;
        nanoseconds += number * size;
    }
    Duration::try_from_secs_f64(nanoseconds / 1e9).ok().filter(|asked| !asked.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Result<Option<Duration>, String> {
        asked_timeout(Some(&format!("dryRun=All&timeout={value}")))
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, milliseconds) in [
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("2.5s", 2_500),
            ("500ms", 500),
            ("1h0m0s", 3_600_000),
            ("1000us", 1),
            ("1000%C2%B5s", 1),
        ] {
            assert_eq!(asked(text), Ok(Some(Duration::from_millis(milliseconds))), "{text}");
        }
    }

    #[test]
    fn anything_else_is_named_in_the_error() {
        for text in ["", "5", "s", "-5s", "5 s", "0s", "1.2.3s", "5d", "999999999999999999999h", "5s5", "NaNs"] {
            assert_eq!(asked(text), Err(text.to_owned()));
        }
    }

    #[test]
    fn a_query_without_timeout_asks_for_none() {
        assert_eq!(asked_timeout(None), Ok(None));
        assert_eq!(asked_timeout(Some("mytimeout=5s")), Ok(None));
    }
}
