//! The words and signs of a policy, without its comments and with its strings as one sign each: enough to see what is nested in
//! what and what calls what, before the engine is let at it.

/// One token, with where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: Kind<'a>,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A name, keyword or number; names joined by dots are one.
    Word(&'a str),
    /// A string.
    Text,
    /// One character that is neither.
    Sign(char),
}

/// Every token of `policy`, in order. A string that does not end takes the rest: the engine will refuse it.
pub(super) fn tokens(policy: &str) -> impl Iterator<Item = Token<'_>> {
    Tokens { rest: policy, line: 1 }
}

struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    /// Takes `bytes` of the rest and counts its lines.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let sign = self.rest.chars().next()?;
            let blank = self.rest.find(|c: char| !c.is_whitespace()).unwrap_or(self.rest.len());
            if sign == '#' {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if blank > 0 {
                self.take(blank);
            } else {
                let line = self.line;
                let kind = match sign {
                    '"' | '`' => {
                        self.take(string(self.rest, sign));
                        Kind::Text
                    }
                    _ if is_word(sign) => {
                        let end = self.rest.find(|c| !is_word(c) && c != '.').unwrap_or(self.rest.len());
                        Kind::Word(self.take(end))
                    }
                    _ => {
                        self.take(sign.len_utf8());
                        Kind::Sign(sign)
                    }
                };
                return Some(Token { kind, line });
            }
        }
    }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length of the string that `text` begins with, quotes included; only the double-quoted one has escapes.
fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + quote.len_utf8();
        }
        escaped = c == '\\' && !escaped && quote == '"';
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_not_read_as_code() {
        let kinds: Vec<_> = tokens("a.b(\"x\\\"[\", `\\`) # c [\n ]").map(|token| (token.kind, token.line)).collect();
        let sign = Kind::Sign;
        assert_eq!(
            kinds,
            [
                (Kind::Word("a.b"), 1),
                (sign('('), 1),
                (Kind::Text, 1),
                (sign(','), 1),
                (Kind::Text, 1),
                (sign(')'), 1),
                (sign(']'), 2),
            ]
        );
    }

    #[test]
    fn a_string_ends_at_its_first_quote_that_is_not_escaped_and_a_name_at_its_last_letter() {
        let kinds = |text| tokens(text).map(|token| token.kind).collect::<Vec<_>>();
        assert_eq!(kinds(r#"_a_1.b"\\"["#), [Kind::Word("_a_1.b"), Kind::Text, Kind::Sign('[')]);
        assert_eq!(kinds(r#""\\\"["]"#), [Kind::Text, Kind::Sign(']')]);
        assert_eq!(kinds("\"[["), [Kind::Text], "one that does not end takes the rest");
        assert_eq!(kinds("\u{00e4}["), [Kind::Sign('\u{00e4}'), Kind::Sign('[')]);
    }
}
