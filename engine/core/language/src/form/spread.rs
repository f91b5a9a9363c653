//! From a value to the pairs that a browser would post for it.

use serde_json::Value;

use super::{Control, Field, amount, lookup};

pub(super) fn spread(fields: &[Field], value: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    within(fields, "", value, &mut pairs);
    pairs
}

fn within(fields: &[Field], prefix: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    for field in fields {
        let Some(value) = lookup(value, &field.name) else {
            continue;
        };
        let name = format!("{prefix}{}", field.name);
        match (&field.control, value) {
            (Control::Group(members), Value::Array(rows)) => {
                for (index, row) in rows.iter().enumerate() {
                    let before = pairs.len();
                    within(members, &format!("{name}.{index}."), row, pairs);
                    if pairs.len() == before
                        && let Some(first) = members.first()
                    {
                        // A row without anything in it is still a row.
                        pairs.push((format!("{name}.{index}.{}", first.name), String::new()));
                    }
                }
            }
            (Control::Choices(_), Value::Array(chosen)) => {
                for choice in chosen {
                    pairs.push((name.clone(), text(choice)));
                }
            }
            (Control::YesNo, Value::Bool(answer)) => {
                pairs.push((name, if *answer { "yes" } else { "no" }.to_owned()));
            }
            (Control::Money { currency }, _) => {
                let typed = amount::write(value, currency).unwrap_or_else(|| text(value));
                pairs.push((name, typed));
            }
            _ => pairs.push((name, text(value))),
        }
    }
}

/// Scalars as they are typed; anything else cannot stand in a field.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}
