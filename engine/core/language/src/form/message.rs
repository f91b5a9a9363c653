//! What is wrong with a filled form, in plain sentences for the person who fills it.

use serde_json::Value;

use super::{Control, Field, FieldError, Form};
use crate::expression::money_text;
use crate::schema::{Bound, Breach, Format};

pub(super) fn check(form: &Form, value: &Value) -> Vec<FieldError> {
    let mut filled = value.clone();
    prune(&mut filled);
    let mut errors: Vec<FieldError> = Vec::new();
    for (pointer, breach) in form.schema.breaches(&filled) {
        let mut path: Vec<String> = pointer
            .split('/')
            .skip(1)
            .map(|part| part.replace("~1", "/").replace("~0", "~"))
            .collect();
        if let Breach::Missing(name) = &breach {
            path.push(name.clone());
        }
        for error in found(&form.fields, &path, &breach) {
            // One sentence for each field: the first is the one to mend first.
            if !errors.iter().any(|known| known.field == error.field) {
                errors.push(error);
            }
        }
    }
    errors.sort_by_key(|error| position(&form.fields, &error.field));
    errors
}

/// Drops text without anything in it: a field left empty is posted as such.
fn prune(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(
                |_, member| !matches!(member, Value::String(text) if text.trim().is_empty()),
            );
            members.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

/// The sentences for a breach at a path into the value.
fn found(fields: &[Field], path: &[String], breach: &Breach) -> Vec<FieldError> {
    if let Some((name, field)) = at(fields, path) {
        return vec![error(name, field, breach)];
    }
    // A missing object is asked for through its required members.
    let inside: Vec<FieldError> = below(fields, path)
        .into_iter()
        .filter(|(_, field)| field.required)
        .map(|(name, field)| error(name, field, &Breach::Missing(field.name.clone())))
        .collect();
    if !inside.is_empty() {
        return inside;
    }
    let field = path.join(".");
    let message = match breach {
        Breach::NotAllowed => format!("This form has no field `{field}`"),
        Breach::Missing(name) => format!("`{name}` is missing"),
        other => capital(&other.to_string()),
    };
    vec![FieldError { field, message }]
}

/// The field that a path leads to or into.
fn at<'f>(fields: &'f [Field], path: &[String]) -> Option<(String, &'f Field)> {
    for field in fields {
        let depth = field.name.split('.').count();
        if path.len() < depth || path[..depth].join(".") != field.name {
            continue;
        }
        let rest = &path[depth..];
        if let (Control::Group(members), Some((index, rest))) = (&field.control, rest.split_first())
        {
            let prefix = format!("{}.{index}", field.name);
            return match at(members, rest) {
                Some((name, member)) => Some((format!("{prefix}.{name}"), member)),
                // Something about the row as a whole.
                None => Some((field.name.clone(), field)),
            };
        }
        return Some((field.name.clone(), field));
    }
    None
}

/// Fields whose names begin with the path.
fn below<'f>(fields: &'f [Field], path: &[String]) -> Vec<(String, &'f Field)> {
    let prefix = format!("{}.", path.join("."));
    fields
        .iter()
        .filter(|field| field.name.starts_with(&prefix))
        .map(|field| (field.name.clone(), field))
        .collect()
}

/// Where the field of an error stands in the form, rows counted.
fn position(fields: &[Field], name: &str) -> Vec<usize> {
    for (place, field) in fields.iter().enumerate() {
        if name == field.name {
            return vec![place];
        }
        if let Control::Group(members) = &field.control
            && let Some(rest) = name.strip_prefix(&format!("{}.", field.name))
        {
            let (index, rest) = rest.split_once('.').unwrap_or((rest, ""));
            let mut found = vec![place, index.parse().unwrap_or(usize::MAX)];
            found.extend(position(members, rest));
            return found;
        }
    }
    vec![usize::MAX]
}

fn error(name: String, field: &Field, breach: &Breach) -> FieldError {
    let message = field
        .error
        .clone()
        .unwrap_or_else(|| sentence(field, breach));
    FieldError {
        field: name,
        message,
    }
}

fn sentence(field: &Field, breach: &Breach) -> String {
    let label = &field.label;
    match (breach, &field.control) {
        (Breach::Missing(_), _) | (Breach::NotAmong(_), Control::Choices(_)) => ask(field),
        // A member of an amount: nothing was typed that could be read.
        (Breach::Kind { .. }, Control::Money { currency }) => format!(
            "{label} must be an amount of money, like {}",
            money_text(130_000, currency)
        ),
        (Breach::Kind { .. }, Control::Integer) => format!("{label} must be a whole number"),
        (Breach::Kind { .. } | Breach::Format(_), Control::Date) => {
            format!("{label} must be a real date, like 2026-11-23")
        }
        (Breach::Kind { .. } | Breach::NotAmong(_), Control::YesNo | Control::Choice(_)) => {
            ask(field)
        }
        (Breach::TooFew(_), Control::Choices(_) | Control::Group(_)) => match breach {
            Breach::TooFew(1) => ask(field),
            Breach::TooFew(count) => format!("{label}: at least {count} are needed"),
            _ => ask(field),
        },
        (Breach::TooMany(count), _) => format!("{label}: no more than {count} are allowed"),
        (Breach::Repeated, _) => format!("{label}: nothing may be named twice"),
        (Breach::Bound(bound, limit), Control::Money { currency }) => {
            let limit = limit
                .as_i64()
                .map_or_else(|| limit.to_string(), |minor| money_text(minor, currency));
            bounded(label, *bound, &limit)
        }
        (Breach::Bound(bound, limit), _) => bounded(label, *bound, &limit.to_string()),
        (Breach::NotMultiple(divisor), Control::Money { currency }) => {
            let step = i64::try_from(*divisor).unwrap_or(i64::MAX);
            format!(
                "{label} must be a multiple of {}",
                money_text(step, currency)
            )
        }
        (Breach::TooShort(count), _) => format!("{label} must be {count} characters or more"),
        (Breach::TooLong(count), _) => format!("{label} must be {count} characters or fewer"),
        (Breach::Format(Format::Email), _) => {
            format!("{label} must be an email address, like name@example.org")
        }
        (Breach::Pattern, _) => format!("{label} is not written in the right form"),
        (breach, _) => format!("{label}: {breach}"),
    }
}

fn bounded(label: &str, bound: Bound, limit: &str) -> String {
    match bound {
        Bound::Minimum => format!("{label} must be {limit} or more"),
        Bound::Maximum => format!("{label} must be {limit} or less"),
        Bound::Above => format!("{label} must be more than {limit}"),
        Bound::Below => format!("{label} must be less than {limit}"),
    }
}

/// Asks for a field that was left empty.
fn ask(field: &Field) -> String {
    let label = &field.label;
    if label.ends_with('?') {
        return format!("Answer \u{201c}{label}\u{201d}");
    }
    let verb = match &field.control {
        Control::Text { .. }
        | Control::LongText { .. }
        | Control::Integer
        | Control::Money { .. }
        | Control::Date => "Enter",
        Control::YesNo | Control::Choice(_) | Control::Choices(_) => "Select",
        Control::Group(_) => return format!("Add at least one entry under {label}"),
    };
    let lower = lower(label);
    let determined = [
        "the ", "a ", "an ", "your ", "their ", "what ", "who ", "why ", "how ", "when ", "where ",
        "which ",
    ];
    if determined.iter().any(|word| lower.starts_with(word)) {
        format!("{verb} {lower}")
    } else {
        format!("{verb} the {lower}")
    }
}

/// The label within a sentence; abbreviations keep their capitals.
fn lower(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().collect::<String>() + &label[first.len_utf8()..]
        }
        _ => label.to_owned(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
