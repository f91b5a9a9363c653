//! JSON text to a value, with errors that name the field and never quote what was in it: input
//! holds personal data and errors go to logs.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::Error;

/// Longest key that is repeated in a pointer; longer or unusual ones are not ours.
const KEY_CHARS_MAX: usize = 64;

/// What is wrong, and where.
pub(crate) struct Mistake {
    pub(crate) pointer: String,
    pub(crate) problem: String,
}

/// The input of a function; a mistake is an `invalid-input` error with its field.
pub(crate) fn input<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    read(text).map_err(|mistake| Error::invalid_input(&mistake.pointer, mistake.problem))
}

pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            mistake(&pointer(error.path()), &inner.to_string())
        } else {
            not_json(pointer(error.path()))
        }
    })?;
    deserializer.end().map_err(|_| not_json(String::new()))?;
    Ok(value)
}

fn not_json(pointer: String) -> Mistake {
    Mistake {
        pointer,
        problem: "is not well-formed JSON of a sensible depth".into(),
    }
}

/// serde's sentences quote the value ("invalid type: string \"..\", expected u64"); only what our
/// own types contribute is kept.
fn mistake(pointer: &str, message: &str) -> Mistake {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(sentence, _)| sentence);
    let named = |problem: &str| {
        let field = message.split('`').nth(1).unwrap_or_default();
        let pointer = if pointer.ends_with(&format!("/{field}")) {
            pointer.to_owned()
        } else {
            format!("{pointer}/{}", key(field))
        };
        Mistake {
            pointer,
            problem: problem.into(),
        }
    };
    if message.starts_with("missing field") {
        return named("is missing");
    }
    if message.starts_with("unknown field") {
        return named("is not a known field");
    }
    if message.starts_with("duplicate field") {
        return named("is given twice");
    }
    let problem = match message.rsplit_once(", expected ") {
        // A name of a Rust type tells the caller nothing.
        Some((_, expected)) if expected.starts_with("struct ") => "is not an object".into(),
        Some((_, expected)) => format!("is not valid: expected {expected}"),
        None => "is not valid".into(),
    };
    Mistake {
        pointer: pointer.to_owned(),
        problem,
    }
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.extend(["/", &index.to_string()]),
            Segment::Map { key: name } => pointer.extend(["/", key(name)]),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn key(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let sound = !name.is_empty() && name.len() <= KEY_CHARS_MAX && name.chars().all(plain);
    if sound { name } else { "?" }
}

#[cfg(test)]
mod tests;
