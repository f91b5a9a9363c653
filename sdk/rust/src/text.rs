//! One line of text from outside: bounded, and without characters that hide or reorder others.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

/// One line of 1 to `MAX` characters.
///
/// Control characters (NUL, line breaks), direction overrides and invisible characters are refused
/// when it is read: they would let a payee look like another one on a screen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    /// `None` when the text is not such a line.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let sound = !text.trim().is_empty()
            && text.chars().nth(MAX).is_none()
            && !text.chars().any(|c| c.is_control() || deceives(c));
        sound.then_some(Self(text))
    }
}

/// Characters without a picture of their own that change how others are drawn or compared.
fn deceives(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    )
}

impl<const MAX: usize> Deref for Line<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Line<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Line<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<const MAX: usize>;

        impl<const MAX: usize> Visitor<'_> for Reader<MAX> {
            type Value = Line<MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one line of text of 1 to {MAX} characters")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Line::new(text).ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
            }
        }

        deserializer.deserialize_str(Reader)
    }
}

impl<const MAX: usize> JsonSchema for Line<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Line{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_bounded_and_hides_nothing() {
        for good in ["a", "Ridgeview Beds Pty Ltd", "Nguyễn", "بيت", "0123456789"] {
            assert!(Line::<30>::new(good).is_some(), "{good:?}");
        }
        let bad = [
            "",
            "  ",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{2066}b",
        ];
        for bad in bad {
            assert!(Line::<30>::new(bad).is_none(), "{bad:?}");
        }
        assert!(Line::<3>::new("äöü").is_some());
        assert!(Line::<3>::new("äöüß").is_none());
    }
}
