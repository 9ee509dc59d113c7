//! References `$(NAME)` in commands, arguments and values, as the kubelet resolves them.
//!
//! Source: Kubernetes, "Define Dependent Environment Variables" and `third_party/forked/golang/expansion`: `$$` is a dollar sign, a
//! reference to what is not defined stays as it is.

use std::cell::Cell;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This text.
    Known(String),
    /// A text that nobody knows before the pod runs.
    Unknown,
    /// Nothing: the reference stays.
    Undefined,
}

/// The text with its references resolved; `None` if one stands for what nobody knows, or if what they stand for is more bytes than are
/// `left`, from which they are taken: values that refer to each other double in length with each.
pub(super) fn expand(text: &str, left: &Cell<usize>, meaning: impl Fn(&str) -> Meaning) -> Option<String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match meaning(name) {
                Meaning::Known(value) => {
                    left.set(left.get().checked_sub(value.len())?);
                    expanded.push_str(&value);
                }
                Meaning::Unknown => return None,
                Meaning::Undefined => {
                    expanded.push_str("$(");
                    expanded.push_str(name);
                    expanded.push(')');
                }
            }
            rest = after;
        } else {
            expanded.push('$');
        }
    }
    expanded.push_str(rest);
    Some(expanded)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Meaning, expand};

    fn expanded(text: &str) -> Option<String> {
        expand(text, &Cell::new(3), |name| match name {
            "A" => Meaning::Known("a".to_owned()),
            "LATER" => Meaning::Unknown,
            _ => Meaning::Undefined,
        })
    }

    #[test]
    fn references_are_resolved_as_the_kubelet_resolves_them() {
        for (text, expected) in
            [("x$(A)y", "xay"), ("$$(A)", "$(A)"), ("$(B) $A $", "$(B) $A $"), ("$(A", "$(A"), ("$$$(A)", "$a"), ("", "")]
        {
            assert_eq!(expanded(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn no_more_is_put_in_than_there_is_room_for() {
        assert_eq!(expanded("$(A)$(A)$(A)").as_deref(), Some("aaa"));
        assert_eq!(expanded("$(A)$(A)$(A)$(A)"), None);
    }

    #[test]
    fn a_reference_to_what_nobody_knows_makes_the_text_unknown() {
        assert_eq!(expanded("x$(LATER)"), None);
    }
}
