//! The functions of the simple subset.

use serde_json::Value;

use super::super::money;
use super::super::term::{Function, Term};
use super::path::index;
use super::{Here, Outcome, Run, Seen, Stop, Work, number, order, text};

/// Calls one function on the value seen here; arguments are evaluated on the same value.
pub(super) fn call<'r: 'v, 'v>(
    run: &mut Run<'r>,
    function: Function,
    arguments: &'v [Term],
    here: Here<'_, 'v>,
) -> Outcome<'v> {
    let argument = match arguments.first() {
        Some(term) => Some(run.term(term, here)?),
        None => None,
    };
    let input = here.value;
    let seen = Seen {
        value: std::borrow::Cow::Borrowed(input),
        ordered: here.ordered,
    };
    let work = &mut run.work;
    match (function, argument) {
        (Function::Empty, _) => Err(Stop::Empty),
        (Function::First, _) => index(seen.value, &Value::from(0)).map(|value| Seen {
            value,
            ordered: here.ordered,
        }),
        (Function::Last, _) => index(seen.value, &Value::from(-1)).map(|value| Seen {
            value,
            ordered: here.ordered,
        }),
        (Function::Abs, _) => {
            if order::compare(work, input, &Value::from(0))?.is_lt() {
                number::negate(input).map(Seen::owned)
            } else {
                Ok(seen)
            }
        }
        (Function::ToText, _) if input.is_string() => Ok(seen),
        (Function::ToText, _) => {
            let mut joined = String::new();
            text::push(work, &mut joined, &seen)?;
            Ok(Seen::owned(joined.into()))
        }
        (Function::ToJson, _) => {
            let mut joined = String::new();
            text::push_json(work, &mut joined, &seen)?;
            Ok(Seen::owned(joined.into()))
        }
        (Function::Join, Some(separator)) => join(work, &seen, &separator).map(Seen::owned),
        (function, argument) => {
            let argument = argument.as_ref().map_or(&Value::Null, |seen| &*seen.value);
            plain(work, function, input, argument).map(Seen::owned)
        }
    }
}

fn plain(
    work: &mut Work,
    function: Function,
    input: &Value,
    argument: &Value,
) -> Result<Value, Stop> {
    let text = || string(input);
    match function {
        Function::AsciiDowncase => cased(work, text()?, str::to_ascii_lowercase),
        Function::AsciiUpcase => cased(work, text()?, str::to_ascii_uppercase),
        Function::Ceil => number::rounded(input, f64::ceil),
        Function::Floor => number::rounded(input, f64::floor),
        Function::Round => number::rounded(input, f64::round),
        Function::Contains => contains(work, input, argument).map(Value::Bool),
        Function::StartsWith => Ok(text()?.starts_with(string(argument)?).into()),
        Function::EndsWith => Ok(text()?.ends_with(string(argument)?).into()),
        Function::Ltrimstr => {
            let text = text()?;
            let rest = text.strip_prefix(string(argument)?).unwrap_or(text);
            copied(work, rest)
        }
        Function::Rtrimstr => {
            let text = text()?;
            let rest = text.strip_suffix(string(argument)?).unwrap_or(text);
            copied(work, rest)
        }
        Function::Trim => copied(work, text()?.trim()),
        Function::Ltrim => copied(work, text()?.trim_start()),
        Function::Rtrim => copied(work, text()?.trim_end()),
        Function::Has => has(input, argument).map(Value::Bool),
        Function::Keys => keys(work, input),
        Function::Length => length(work, input),
        Function::Money => money::write(input).map(Value::String),
        Function::Not => Ok(matches!(input, Value::Null | Value::Bool(false)).into()),
        Function::Split => split(work, input, argument),
        Function::ToNumber => to_number(input),
        Function::Type => Ok(match input {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
        .into()),
        Function::Abs
        | Function::Empty
        | Function::First
        | Function::Last
        | Function::Join
        | Function::ToText
        | Function::ToJson => Err(Stop::Ask),
    }
}

fn string(value: &Value) -> Result<&str, Stop> {
    value
        .as_str()
        .ok_or_else(|| Stop::Failed(format!("expected a text, found {}", text::kind(value))))
}

fn copied(work: &mut Work, text: &str) -> Result<Value, Stop> {
    work.bytes(text.len())?;
    Ok(text.into())
}

fn cased(work: &mut Work, text: &str, change: fn(&str) -> String) -> Result<Value, Stop> {
    work.bytes(text.len())?;
    Ok(change(text).into())
}

/// Text contains text, an array what all elements of the other are contained in, an object what its
/// members contain; anything else what equals it.
fn contains(work: &mut Work, whole: &Value, part: &Value) -> Result<bool, Stop> {
    work.spend(1)?;
    match (whole, part) {
        (Value::String(whole), Value::String(part)) => {
            work.bytes(whole.len())?;
            Ok(whole.contains(part.as_str()))
        }
        (Value::Array(whole), Value::Array(parts)) => {
            for part in parts {
                let mut found = false;
                for whole in whole {
                    if contains(work, whole, part)? {
                        found = true;
                        break;
                    }
                }
                if !found {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Object(whole), Value::Object(parts)) => {
            for (key, part) in parts {
                let Some(whole) = whole.get(key) else {
                    return Ok(false);
                };
                if !contains(work, whole, part)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(order::compare(work, whole, part)?.is_eq()),
    }
}

fn has(input: &Value, key: &Value) -> Result<bool, Stop> {
    match (input, key) {
        (Value::Null, _) | (Value::Object(_), Value::Null | Value::Bool(_) | Value::Number(_)) => {
            Ok(false)
        }
        (Value::Object(members), Value::String(key)) => Ok(members.contains_key(key)),
        (Value::Array(items), Value::Number(index)) => match number::position(index)? {
            Some(position) => Ok(number::wrap(position, items.len()).is_some()),
            None => Err(Stop::Failed("an array has no such index".into())),
        },
        (_, Value::Array(_) | Value::Object(_)) => Err(Stop::Ask),
        _ => Err(Stop::Failed(format!(
            "cannot look up {} in {}",
            text::kind(key),
            text::kind(input)
        ))),
    }
}

fn keys(work: &mut Work, input: &Value) -> Result<Value, Stop> {
    match input {
        Value::Array(items) => {
            work.spend(items.len())?;
            Ok((0..items.len()).collect())
        }
        Value::Object(members) => {
            members.keys().try_for_each(|key| work.bytes(key.len()))?;
            Ok(members.keys().cloned().collect())
        }
        other => Err(Stop::Failed(format!("{} has no keys", text::kind(other)))),
    }
}

fn length(work: &mut Work, input: &Value) -> Result<Value, Stop> {
    match input {
        Value::Null => Ok(0.into()),
        Value::Bool(_) => Err(Stop::Failed("a boolean has no length".into())),
        Value::Number(number) => number::magnitude(number),
        Value::String(text) => {
            work.bytes(text.len())?;
            Ok(text.chars().count().into())
        }
        Value::Array(items) => Ok(items.len().into()),
        Value::Object(members) => Ok(members.len().into()),
    }
}

/// Only what prints again as it was written: jq keeps the text of other decimals, and reads several
/// values or none from one text.
fn to_number(input: &Value) -> Result<Value, Stop> {
    match input {
        Value::Number(_) => Ok(input.clone()),
        Value::String(text) => {
            let number: serde_json::Number = text.parse().map_err(|_| Stop::Ask)?;
            if number.to_string() == *text && !number.is_f64() {
                Ok(Value::Number(number))
            } else {
                Err(Stop::Ask)
            }
        }
        other => Err(Stop::Failed(format!(
            "cannot read {} as a number",
            text::kind(other)
        ))),
    }
}

/// Parts of a text between separators; an empty separator parts every character.
pub(super) fn split(work: &mut Work, input: &Value, separator: &Value) -> Result<Value, Stop> {
    let (text, separator) = (string(input)?, string(separator)?);
    // Each part is a value of its own.
    work.spend(text.len())?;
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    if separator.is_empty() {
        return Ok(text.chars().map(|c| Value::String(c.into())).collect());
    }
    Ok(text.split(separator).map(Value::from).collect())
}

fn join(work: &mut Work, seen: &Seen<'_>, separator: &Seen<'_>) -> Result<Value, Stop> {
    let Value::Array(items) = &*seen.value else {
        return Err(match &*seen.value {
            Value::Object(_) => Stop::Ask,
            other => Stop::Failed(format!("cannot join {}", text::kind(other))),
        });
    };
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        let mut written = String::new();
        let item = Seen {
            value: std::borrow::Cow::Borrowed(item),
            ordered: seen.ordered,
        };
        text::push(work, &mut written, &item)?;
        texts.push(written);
    }
    let between = match &*separator.value {
        // Nothing stands between fewer than two.
        _ if texts.len() < 2 => "",
        Value::Null => "",
        Value::String(separator) => separator,
        other => {
            return Err(Stop::Failed(format!(
                "cannot join texts with {}",
                text::kind(other)
            )));
        }
    };
    work.bytes(between.len().saturating_mul(texts.len()))?;
    Ok(texts.join(between).into())
}
