//! Values as text, the way jq writes them, and the names of kinds of values.

use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::{Seen, Stop, Work};

/// A kind of value within a sentence.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A number as jaq writes it: floats by the crate that jaq uses, since libraries differ in where
/// exponents begin and whether they have a plus.
pub(super) fn number(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => ryu::Buffer::new().format_finite(float).to_owned(),
        _ => number.to_string(),
    }
}

/// Appends a value as `tostring` gives it: text as it is, anything else as JSON.
pub(super) fn push(work: &mut Work, text: &mut String, seen: &Seen<'_>) -> Result<(), Stop> {
    match &*seen.value {
        Value::String(plain) => {
            work.bytes(plain.len())?;
            text.push_str(plain);
            Ok(())
        }
        _ => push_json(work, text, seen),
    }
}

/// Appends a value as JSON without spaces.
pub(super) fn push_json(work: &mut Work, text: &mut String, seen: &Seen<'_>) -> Result<(), Stop> {
    json(work, text, &seen.value, seen.ordered)
}

fn json(work: &mut Work, text: &mut String, value: &Value, ordered: bool) -> Result<(), Stop> {
    work.spend(1)?;
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(plain) => text.push_str(&number(plain)),
        Value::String(plain) => quote(work, text, plain)?,
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                json(work, text, item, ordered)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            if !ordered && members.len() > 1 {
                return Err(Stop::Ask);
            }
            text.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                quote(work, text, key)?;
                text.push(':');
                json(work, text, member, ordered)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn quote(work: &mut Work, text: &mut String, plain: &str) -> Result<(), Stop> {
    work.bytes(plain.len())?;
    text.push('"');
    for character in plain.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            other => text.push(other),
        }
    }
    text.push('"');
    Ok(())
}
