//! From posted pairs to a value.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Control, Field, Form, ROWS_MAX, amount};

/// Pairs by name, repeated names in the order they came.
type Posted<'p> = BTreeMap<&'p str, Vec<&'p str>>;

pub(super) fn gather(form: &Form, pairs: &[(String, String)]) -> Value {
    let mut posted = Posted::new();
    for (name, value) in pairs {
        posted.entry(name).or_default().push(value);
    }
    let mut gathered = Map::new();
    fields(&form.fields, "", &posted, &mut gathered);
    required_objects(form, &mut gathered);
    for (name, constant) in &form.constants {
        // A constant of an object that was left empty would fill it.
        let parent = name.rsplit_once('.').map(|(parent, _)| parent);
        let wanted = parent
            .is_none_or(|parent| super::lookup(&Value::Object(gathered.clone()), parent).is_some());
        if wanted {
            insert(&mut gathered, name, constant.clone());
        }
    }
    Value::Object(gathered)
}

fn fields(fields: &[Field], prefix: &str, posted: &Posted<'_>, into: &mut Map<String, Value>) {
    for field in fields {
        let name = format!("{prefix}{}", field.name);
        if let Some(value) = field_value(field, &name, posted) {
            insert(into, &field.name, value);
        }
    }
}

fn field_value(field: &Field, name: &str, posted: &Posted<'_>) -> Option<Value> {
    let values = posted.get(name).map(Vec::as_slice).unwrap_or_default();
    let first = || {
        values
            .first()
            .copied()
            .filter(|text| !text.trim().is_empty())
    };
    let or_text = |value: Option<Value>, typed: &str| value.unwrap_or_else(|| typed.into());
    match &field.control {
        Control::Text { .. } | Control::Choice(_) => first().map(Value::from),
        // Browsers post lines with both characters between them.
        Control::LongText { .. } => first().map(|text| text.replace("\r\n", "\n").into()),
        Control::Date => first().map(|text| text.trim().into()),
        Control::Integer => first().map(|text| or_text(integer(text), text)),
        Control::Money { currency } => {
            first().map(|text| or_text(amount::read(text, currency), text))
        }
        Control::YesNo => first().map(|text| match text {
            "yes" | "true" | "on" => Value::Bool(true),
            "no" | "false" => Value::Bool(false),
            other => other.into(),
        }),
        Control::Choices(_) => {
            let chosen = values.iter().filter(|text| !text.is_empty());
            let chosen: Vec<Value> = chosen.map(|text| Value::from(*text)).collect();
            (field.required || !chosen.is_empty()).then_some(Value::Array(chosen))
        }
        Control::Group(members) => {
            let rows = rows(members, name, posted);
            (field.required || !rows.is_empty()).then_some(Value::Array(rows))
        }
    }
}

/// Rows up to the last that was posted; one in between without anything in it stays as an empty
/// object, so that the numbers of the others are still theirs.
fn rows(members: &[Field], name: &str, posted: &Posted<'_>) -> Vec<Value> {
    let prefix = format!("{name}.");
    let count = posted
        .range(prefix.as_str()..)
        .take_while(|(posted, _)| posted.starts_with(&prefix))
        .filter_map(|(posted, _)| posted[prefix.len()..].split('.').next()?.parse().ok())
        .map(|index: usize| index.saturating_add(1))
        .max()
        .unwrap_or(0);
    (0..count.min(ROWS_MAX))
        .map(|index| {
            let mut row = Map::new();
            fields(members, &format!("{prefix}{index}."), posted, &mut row);
            Value::Object(row)
        })
        .collect()
}

/// Objects that must be there although nothing in them was filled.
fn required_objects(form: &Form, gathered: &mut Map<String, Value>) {
    for field in &form.fields {
        let mut schema = form.schema.document();
        let mut path = String::new();
        let parts: Vec<&str> = field.name.split('.').collect();
        for part in &parts[..parts.len() - 1] {
            let required = schema["required"]
                .as_array()
                .is_some_and(|names| names.iter().any(|name| name == part));
            if !required {
                break;
            }
            schema = &schema["properties"][*part];
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(part);
            if super::lookup(&Value::Object(gathered.clone()), &path).is_none() {
                insert(gathered, &path, Value::Object(Map::new()));
            }
        }
    }
}

/// Puts a value at a dotted name.
fn insert(into: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            into.insert(name.to_owned(), value);
        }
        Some((parent, rest)) => {
            let parent = into
                .entry(parent)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(parent) = parent {
                insert(parent, rest, value);
            }
        }
    }
}

/// A whole number, commas between thousands allowed.
fn integer(typed: &str) -> Option<Value> {
    let text = typed.trim();
    let (negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits = amount::ungrouped(text)?;
    if negative {
        format!("-{digits}").parse::<i64>().ok().map(Value::from)
    } else {
        digits.parse::<u64>().ok().map(Value::from)
    }
}
