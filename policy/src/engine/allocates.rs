//! Calls whose result can be of any size, whatever the size of what goes in: evaluated, one such call could take all memory before
//! the engine looks at its clock again. No generator writes them.
//!
//! Source: regorus 0.14, `src/builtins`: the engine bounds time between statements, and nothing within one call.

/// The functions, as package and name.
const FUNCTIONS: [(&str, &str, &str); 3] =
    [("numbers", "range", "numbers.range"), ("numbers", "range_step", "numbers.range_step"), ("bits", "lsh", "bits.lsh")];

/// The first of the functions that the policy mentions outside strings and comments, and its line. A mention is taken for a call:
/// built-in functions cannot be had under another name but by an import, which mentions them too.
pub(super) fn called(text: &str) -> Option<(&'static str, usize)> {
    (1..).zip(text.lines()).find_map(|(line, text)| {
        FUNCTIONS.into_iter().find(|(package, name, _)| mentions(text, package, name)).map(|(.., function)| (function, line))
    })
}

/// Whether both words stand in a line, in this order. Strings count too: `numbers["range"]` is the same function.
fn mentions(line: &str, package: &str, name: &str) -> bool {
    let code = if line.trim_start().starts_with('#') { "" } else { line };
    let mut words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.any(|word| word == package) && words.next() == Some(name)
}
