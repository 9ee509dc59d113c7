//! What a scalar without quotes means to kubectl, and which strings are safe to write without quotes.
//!
//! Source: sigs.k8s.io/yaml (goyaml.v2/resolve.go), which reads YAML 1.1 in most respects: `yes` is true and 0644 is octal.

use serde_json::{Number, Value};

/// What a plain scalar means.
pub(crate) enum Plain {
    /// Null, a boolean, a number or the text itself.
    Value(Value),
    /// JSON has no such number, or not with all its digits.
    NoJsonNumber,
}

/// Numbers up to here are the same as floating point and as integer.
const EXACT_IN_A_FLOAT: f64 = 9_007_199_254_740_992.0;

pub(crate) fn resolve(text: &str) -> Plain {
    Plain::Value(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => return number(text).unwrap_or_else(|| Plain::Value(Value::String(text.to_owned()))),
    })
}

fn number(text: &str) -> Option<Plain> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Plain::NoJsonNumber);
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let unsigned = if text.starts_with('.') { unsigned.to_owned() } else { unsigned.replace('_', "") };
    let negative = text.starts_with('-');
    let octal = unsigned.strip_prefix('0').filter(|digits| !digits.is_empty()).map(|digits| (digits, 8));
    let (digits, radix) = prefixed(&unsigned).or(octal).unwrap_or((&unsigned, 10));
    if !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)) {
        return Some(integer(digits, radix, negative));
    }
    float(&unsigned, negative)
}

fn prefixed(text: &str) -> Option<(&str, u32)> {
    let strip = |lower, upper| text.strip_prefix(lower).or_else(|| text.strip_prefix(upper));
    (strip("0x", "0X").map(|digits| (digits, 16)))
        .or_else(|| strip("0o", "0O").map(|digits| (digits, 8)))
        .or_else(|| strip("0b", "0B").map(|digits| (digits, 2)))
}

fn integer(digits: &str, radix: u32, negative: bool) -> Plain {
    let number = u64::from_str_radix(digits, radix).ok().and_then(|magnitude| {
        if negative { 0i64.checked_sub_unsigned(magnitude).map(Number::from) } else { Some(Number::from(magnitude)) }
    });
    number.map_or(Plain::NoJsonNumber, |number| Plain::Value(Value::Number(number)))
}

/// A number with a point or an exponent; whole ones become integers, as in Go's JSON.
fn float(unsigned: &str, negative: bool) -> Option<Plain> {
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let shaped = digits(whole) && digits(part) && digits(exponent) && !exponent.is_empty();
    if !shaped || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let magnitude = unsigned.parse::<f64>().ok().filter(|magnitude| magnitude.is_finite())?;
    let value = if negative { -magnitude } else { magnitude };
    let number = if value.fract() == 0.0 && magnitude <= EXACT_IN_A_FLOAT {
        format!("{value:.0}").parse::<i64>().ok().map(Number::from)
    } else {
        Number::from_f64(value)
    };
    number.map(|number| Plain::Value(Value::Number(number)))
}

/// Whether `text` without quotes is a string to every reader of YAML 1.1 and 1.2.
pub(crate) fn safe_without_quotes(text: &str, flow: bool) -> bool {
    let first_fits = text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '$'));
    let rest_fits = text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.$-+=()@:; ".contains(c));
    // Older readers stumble over any colon between brackets.
    let colon_fits = if flow { !text.contains(':') } else { !text.contains(": ") && !text.ends_with(':') };
    let is_text = matches!(resolve(&text.to_ascii_lowercase()), Plain::Value(Value::String(_)));
    first_fits && rest_fits && colon_fits && !text.ends_with(' ') && is_text && !like_a_number(text)
}

/// Whether it has the look of a number, a date or a time in any YAML: a string that is no word.
fn like_a_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !text.contains(|c: char| c.is_ascii_alphabetic() && !"abcdefoxtz".contains(c.to_ascii_lowercase()))
        && !text.contains('/')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use serde_json::json;

    use super::*;

    /// Each of these was read so by sigs.k8s.io/yaml 1.6.0.
    #[test]
    fn plain_scalars_mean_what_kubectl_takes_them_for() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("nULL", json!("nULL")),
            ("y", json!(true)),
            ("No", json!(false)),
            ("oN", json!("oN")),
            ("0644", json!(420)),
            ("-0644", json!(-420)),
            ("08", json!(8)),
            ("0o17", json!(15)),
            ("-0x1F", json!(-31)),
            ("0b101", json!(5)),
            ("0x", json!("0x")),
            ("1_000", json!(1000)),
            ("_1", json!("_1")),
            ("1e3", json!(1000)),
            ("1e", json!("1e")),
            ("1.", json!(1)),
            ("-.5", json!(-0.5)),
            ("._5", json!("._5")),
            ("1e400", json!("1e400")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("12:30:00", json!("12:30:00")),
            ("2024-01-01", json!("2024-01-01")),
            ("1Gi", json!("1Gi")),
            ("+", json!("+")),
        ] {
            let Plain::Value(read) = resolve(text) else { panic!("{text} is no JSON number") };
            assert_eq!(read, value, "{text}");
        }
    }

    #[test]
    fn numbers_that_json_would_round_are_not_read() {
        for text in ["18446744073709551616", "-9223372036854775809", "0x10000000000000000", "-.Inf", ".nan"] {
            assert!(matches!(resolve(text), Plain::NoJsonNumber), "{text}");
        }
    }
}
