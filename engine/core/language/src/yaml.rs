//! YAML text as a tree in which every key and every value knows its place in the text.
//!
//! YAML 1.2 with only `true` and `false` for booleans, no duplicate keys, aliases, merge keys or
//! tags, at most 1 MiB and 32 levels. What a document means is not decided here.

use serde_json::Value;

mod fields;
mod scalar;
mod syntax;
mod tree;

#[cfg(test)]
mod tests;

pub(crate) use fields::{Fields, expected, under};
pub(crate) use tree::parse;

/// Largest text that is read at all.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of lists and maps.
pub(crate) const DEPTH_MAX: usize = 32;

/// A stretch of the text: bytes for cutting, lines and columns (from 1, in characters) for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end_line: usize,
    pub(crate) end_column: usize,
}

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Text),
    List(Vec<Node>),
    /// In the author's order; keys differ from each other.
    Map(Vec<Entry>),
}

/// Text with what is needed to point into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) quoted: bool,
    /// Byte in the source where `value` stands letter by letter, on one line; absent for text with
    /// escapes and text over several lines.
    pub(crate) verbatim_at: Option<usize>,
    /// For a block of lines (`|`): how far they are indented, when each stands in the source letter
    /// by letter.
    pub(crate) indent: Option<usize>,
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// The lines of a text as YAML counts them: a carriage return alone ends one too.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let after = after.strip_prefix('\r').unwrap_or(after);
        rest = after.strip_prefix('\n').unwrap_or(after);
        Some(line)
    })
}

impl Place {
    /// The beginning of a line, where nothing better is known.
    pub(crate) fn of_line(line: usize) -> Self {
        Self {
            start: 0,
            end: 0,
            line,
            column: 1,
            end_line: line,
            end_column: 1,
        }
    }

    /// The same within a block of lines; ends with the line it begins in.
    fn within_block(self, value: &str, indent: usize, offset: usize, length: usize) -> Self {
        let boundary = |at: usize| (at..=value.len()).find(|at| value.is_char_boundary(*at));
        let from = boundary(offset.min(value.len())).unwrap_or(value.len());
        let line_start = value[..from].rfind('\n').map_or(0, |at| at + 1);
        let line_end = value[from..].find('\n').map_or(value.len(), |at| from + at);
        let to = boundary((from + length).min(line_end)).unwrap_or(line_end);
        let line = self.line + value[..from].matches('\n').count();
        let column = indent + 1 + value[line_start..from].chars().count();
        Self {
            line,
            column,
            end_line: line,
            end_column: column + value[from..to].chars().count(),
            ..self
        }
    }

    /// The stretch within one line that begins `offset` bytes into a verbatim text.
    fn within(self, value: &str, verbatim_at: usize, offset: usize, length: usize) -> Self {
        let boundary = |at: usize| (at..=value.len()).find(|at| value.is_char_boundary(*at));
        let from = boundary(offset.min(value.len())).unwrap_or(value.len());
        let to = boundary((offset + length).min(value.len())).unwrap_or(value.len());
        let lead = value[..from].chars().count() + (verbatim_at - self.start);
        let column = self.column + lead;
        Self {
            start: verbatim_at + from,
            end: verbatim_at + to,
            line: self.line,
            column,
            end_line: self.line,
            end_column: column + value[from..to].chars().count(),
        }
    }
}

impl Node {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(&text.value),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Node]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.content {
            Content::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn as_integer(&self) -> Option<i64> {
        match self.content {
            Content::Integer(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.content == Content::Null
    }

    /// The entry under a key of a map; `None` for anything that is not a map.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().find(|entry| entry.key.text == key)
    }

    /// The value under a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// What this is, for "expected ..., found ...".
    pub(crate) fn described(&self) -> String {
        match &self.content {
            Content::Null => "nothing".to_owned(),
            Content::Bool(value) => format!("`{value}`"),
            Content::Integer(value) => format!("`{value}`"),
            Content::Float(value) => format!("`{value}`"),
            Content::Text(_) => "text".to_owned(),
            Content::List(items) if items.is_empty() => "an empty list".to_owned(),
            Content::List(_) => "a list".to_owned(),
            Content::Map(entries) if entries.is_empty() => "an empty map".to_owned(),
            Content::Map(_) => "a map".to_owned(),
        }
    }

    /// The place of a part of this text, as near as it can be told: the stretch itself where the
    /// text stands in the source letter by letter, otherwise the whole value.
    pub(crate) fn place_within(&self, offset: usize, length: usize) -> Place {
        match &self.content {
            Content::Text(Text {
                value,
                verbatim_at: Some(at),
                ..
            }) => self.place.within(value, *at, offset, length),
            Content::Text(Text {
                value,
                indent: Some(indent),
                ..
            }) => self.place.within_block(value, *indent, offset, length),
            _ => self.place,
        }
    }

    /// The tree without its places.
    pub(crate) fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Integer(value) => Value::from(*value),
            Content::Float(value) => Value::from(*value),
            Content::Text(text) => Value::String(text.value.clone()),
            Content::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Content::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.text.clone(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }

    /// The value at a JSON pointer, or the nearest one above it; for pointing at what a schema
    /// complains about.
    pub(crate) fn nearest(&self, pointer: &str) -> &Self {
        let mut node = self;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let next = match &node.content {
                Content::Map(_) => node.get(&part),
                Content::List(items) => part.parse::<usize>().ok().and_then(|at| items.get(at)),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }
}

impl Entry {
    /// Where to point when the value is wrong: at the value, or at its key when nothing is written.
    pub(crate) fn place(&self) -> Place {
        if self.value.place.start == self.value.place.end {
            self.key.place
        } else {
            self.value.place
        }
    }
}
