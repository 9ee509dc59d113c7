//! What is refused before the engine sees it, because the engine's own bounds do not hold it.
//!
//! The engine looks at its clock between statements and nowhere else. So nothing is parsed whose parsing takes exponential time, and
//! no function is called whose result may be of any size. Generators write neither.
//! Source: regorus 0.14, `src/parser.rs` (a bracket's first element is parsed twice, as a comprehension and as a literal),
//! `src/interpreter.rs`, `src/builtins`; Open Policy Agent, "Policy Language", recursion.

mod tokens;

use tokens::{Kind, Token, tokens};

use super::error::Unreadable;

/// Functions whose result can be of any size, whatever the size of what goes in.
const BOUNDLESS: [&str; 4] = ["numbers.range", "numbers.range_step", "bits.lsh", "sprintf"];
/// How often all tokens together may be parsed: some 100 ms. Policies of generators need a tenth of it.
const MOST_PARSED: u64 = 250_000;

/// Looks `policy` over.
pub(super) fn vet(policy: &str) -> Result<(), Unreadable> {
    let boundless = tokens(policy).find_map(|Token { kind, line, .. }| match kind {
        Kind::Word(word) => BOUNDLESS.into_iter().find(|function| *function == word).map(|function| (function, line)),
        _ => None,
    });
    if let Some((function, line)) = boundless {
        return Err(Unreadable::Boundless { function: function.to_owned(), line });
    }
    nested_too_deep(policy).map_or(Ok(()), |line| Err(Unreadable::Nested { line }))
}

/// Whether the code has a word that is, or begins with, `name`.
pub(super) fn mentions(policy: &str, name: &str) -> bool {
    tokens(policy).any(|token| matches!(token.kind, Kind::Word(word) if word.split('.').next() == Some(name)))
}

/// The line at which all tokens so far would be parsed more often than permitted: what stands in the first element of a bracket is
/// parsed twice as often as the bracket.
fn nested_too_deep(policy: &str) -> Option<usize> {
    let mut parsed: u64 = 0;
    let mut brackets: Vec<u64> = Vec::new();
    let mut times: u64 = 1;
    for Token { kind, line, .. } in tokens(policy) {
        match kind {
            Kind::Sign('[' | '{') => {
                brackets.push(times);
                times = times.saturating_mul(2);
            }
            Kind::Sign('(') => brackets.push(times),
            Kind::Sign(']' | '}' | ')') => times = brackets.pop().unwrap_or(1),
            Kind::Sign(',') => times = brackets.last().copied().unwrap_or(1),
            _ => {}
        }
        parsed = parsed.saturating_add(times);
        if parsed > MOST_PARSED {
            return Some(line);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_in_first_elements_is_parsed_more_than_once() {
        assert_eq!(vet(&format!("a := {}1{}", "[1, ".repeat(100), "]".repeat(100))), Ok(()), "later elements are parsed once");
        let calls = format!("a := {}1{}", "[f(1) + ".repeat(30), "]".repeat(30));
        assert_eq!(vet(&calls), Err(Unreadable::Nested { line: 1 }), "a bracket that closes ends no other");
        let many = usize::try_from(MOST_PARSED).unwrap();
        assert_eq!(vet(&"a ".repeat(many)), Ok(()));
        assert_eq!(vet(&"a ".repeat(many + 1)), Err(Unreadable::Nested { line: 1 }));
    }
}
