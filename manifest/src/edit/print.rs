//! JSON values as YAML text.

use serde_json::Value;

use super::site::Layout;
use crate::plain::safe_without_quotes;

/// How a value is written that begins on a line of others.
#[derive(Clone)]
pub(super) enum Style {
    /// Among lines of block style: a scalar, or an empty collection.
    Block,
    /// YAML between brackets; `step` is by how much elements on lines of their own are indented.
    Flow { step: Option<String> },
    /// JSON; collections take several lines where there is a step.
    Json { step: Option<String>, line_break: &'static str },
}

impl Style {
    pub(super) fn step(&self) -> Option<&str> {
        match self {
            Self::Block => None,
            Self::Flow { step } | Self::Json { step, .. } => step.as_deref(),
        }
    }

    pub(super) fn on_one_line(self) -> Self {
        match self {
            Self::Block => Self::Block,
            Self::Flow { .. } => Self::Flow { step: None },
            Self::Json { line_break, .. } => Self::Json { step: None, line_break },
        }
    }

    pub(super) fn key(&self, key: &str) -> String {
        let flow = !matches!(self, Self::Block);
        let plain = !matches!(self, Self::Json { .. }) && safe_without_quotes(key, flow);
        if plain { key.to_owned() } else { quoted(key) }
    }

    /// `indent` is that of the line on which the value begins.
    pub(super) fn value(&self, value: &Value, indent: &str) -> String {
        match value {
            Value::String(text) => self.key(text),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item, &self.deeper(indent)));
                self.brackets(['[', ']'], &items.collect::<Vec<_>>(), indent)
            }
            Value::Object(map) => {
                let deeper = self.deeper(indent);
                let entries = map.iter().map(|(key, value)| format!("{}: {}", self.key(key), self.value(value, &deeper)));
                self.brackets(['{', '}'], &entries.collect::<Vec<_>>(), indent)
            }
            scalar => scalar.to_string(),
        }
    }

    fn deeper(&self, indent: &str) -> String {
        indent.to_owned() + self.step().unwrap_or_default()
    }

    fn brackets(&self, [open, close]: [char; 2], elements: &[String], indent: &str) -> String {
        match self {
            Self::Json { step: Some(step), line_break } if !elements.is_empty() => {
                let between = format!("{line_break}{indent}{step}");
                let elements = elements.join(&format!(",{between}"));
                format!("{open}{between}{elements}{line_break}{indent}{close}")
            }
            _ => format!("{open}{}{close}", elements.join(", ")),
        }
    }
}

/// Whether block style gives the value lines of its own.
pub(super) fn needs_lines(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

/// The lines of a key and its value in a block mapping that begins at `column`.
pub(super) fn entry(key: &str, value: &Value, column: usize, layout: Layout) -> Vec<String> {
    let key = format!("{:column$}{}:", "", Style::Block.key(key));
    if needs_lines(value) {
        let deeper = if value.is_array() { layout.dashes } else { layout.mapping };
        std::iter::once(key).chain(collection(value, column + deeper, layout)).collect()
    } else {
        vec![format!("{key} {}", Style::Block.value(value, ""))]
    }
}

/// The lines of an element of a block sequence whose dashes stand at `column`.
pub(super) fn item(value: &Value, column: usize, layout: Layout) -> Vec<String> {
    if !needs_lines(value) {
        return vec![format!("{:column$}- {}", "", Style::Block.value(value, ""))];
    }
    let mut lines = collection(value, column + 2, layout);
    if let Some(first) = lines.first_mut() {
        *first = format!("{:column$}- {}", "", first.trim_start());
    }
    lines
}

/// The lines of a collection with content that begins at `column`.
pub(super) fn collection(value: &Value, column: usize, layout: Layout) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(|value| item(value, column, layout)).collect(),
        Value::Object(map) => map.iter().flat_map(|(key, value)| entry(key, value, column, layout)).collect(),
        _ => Vec::new(),
    }
}

/// `text` in double quotes, as JSON and every YAML read it.
pub(super) fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        // Control characters, and what some readers take for a line break or a byte order mark.
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
            format!("\\u{:04x}", u32::from(c))
        }
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
