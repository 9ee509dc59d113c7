//! Templates: a text in which `{{name}}` stands for a literal.

/// Puts the values into a template, in one pass: what a value contains is never read as a placeholder. A placeholder that no
/// value has stays as it is.
pub(super) fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let placeholder = after.split_once("}}").and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value.as_str(), after))
        });
        let (value, after) = placeholder.unwrap_or(("{{", after));
        text.push_str(value);
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_their_values_once() {
        let values = [("a", "{{b}}".to_owned()), ("b", "2".to_owned())];
        assert_eq!(fill("{{a}} {{b}}}, {x: {{b}}}", &values), "{{b}} 2}, {x: 2}");
        assert_eq!(fill("none", &values), "none");
    }

    #[test]
    fn what_no_value_has_stays_to_be_seen() {
        assert_eq!(fill("{{c}} {{b", &[("b", "2".to_owned())]), "{{c}} {{b");
    }
}
