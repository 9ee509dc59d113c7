//! How values of the configuration are written in YAML and in CEL.

use countersign_decision::names::Name;

/// Names as a list in CEL. A [`Name`] has no character that would have to be escaped.
pub(super) fn cel_list<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    format!("[{}]", names.into_iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", "))
}

/// A text as the lines of a YAML block scalar, without the last line break.
pub(super) fn indented(text: &str, by: usize) -> String {
    let lines = text.trim_end().lines();
    lines.map(|line| if line.is_empty() { String::new() } else { format!("{:by$}{line}", "") }).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_list_of_names_is_a_cel_literal() {
        assert_eq!(cel_list([&name("a"), &name("b.c")]), "['a', 'b.c']");
        assert_eq!(cel_list([]), "[]");
    }
}
