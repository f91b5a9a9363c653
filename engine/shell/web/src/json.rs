//! JSON bodies, read strictly: a key that stands twice is an error, since parsers elsewhere
//! disagree about which one counts.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::Problem;

/// Reads a body into what an endpoint expects.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let Strict(value) = serde_json::from_slice(bytes).map_err(|error| {
        Problem::invalid_json(format!(
            "the body is not valid JSON at line {} column {}: {}",
            error.line(),
            error.column(),
            reason(&error)
        ))
    })?;
    serde_path_to_error::deserialize(value).map_err(|error| Problem::invalid_input(misfit(&error)))
}

/// What the shape lacks and where, without quoting what was sent: it may be about a family.
fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let place = match error.path().to_string().as_str() {
        "." => String::new(),
        place => format!(" at `{place}`"),
    };
    let text = error.inner().to_string();
    let lacks = match text.split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected}"),
        // A day or a moment; its reader's words are about digits.
        _ if text.starts_with("failed to parse") => {
            "expected a day such as 2026-11-30, or a moment such as 2026-11-30T09:00:00Z".to_owned()
        }
        _ => text,
    };
    format!("the body does not fit{place}: {lacks}")
}

/// The reader's words without the place, which is said already.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Any JSON value without repeated keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom("a key stands twice in one object"));
            }
            let Strict(value) = entries.next_value()?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(body: &str, code: &str, detail: &str) {
        let problem = read::<Value>(body.as_bytes()).unwrap_err();
        assert_eq!((problem.code(), problem.detail()), (code, detail));
    }

    #[test]
    fn any_value_is_read_as_it_stands() {
        let text = r#"{"a": [1, -2, 1.5, true, null, "x\u00e9"], "b": {"a": {}}}"#;
        let expected = json!({"a": [1, -2, 1.5, true, null, "xé"], "b": {"a": {}}});
        assert_eq!(read::<Value>(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_two_parsers_might_read_differently_is_refused() {
        refused(
            r#"{"role": "a", "role": "b"}"#,
            "invalid-json",
            "the body is not valid JSON at line 1 column 20: a key stands twice in one object",
        );
        refused(
            "{",
            "invalid-json",
            "the body is not valid JSON at line 1 column 1: EOF while parsing an object",
        );
        let deep = "[".repeat(200_000);
        assert_eq!(
            read::<Value>(deep.as_bytes()).unwrap_err().code(),
            "invalid-json"
        );
        assert_eq!(read::<Value>(b"\xff").unwrap_err().code(), "invalid-json");
        assert_eq!(read::<Value>(b"{} {}").unwrap_err().code(), "invalid-json");
    }

    #[test]
    fn the_wrong_shape_is_input_not_json() {
        let problem = read::<Vec<u8>>(br#""Anna""#).unwrap_err();
        assert_eq!(problem.code(), "invalid-input");
        assert_eq!(
            problem.detail(),
            "the body does not fit: expected a sequence"
        );
    }

    #[test]
    fn it_says_where_the_shape_is_wrong_and_quotes_nothing() {
        #[derive(Debug, Deserialize)]
        struct Move {
            #[expect(dead_code, reason = "only read")]
            on: Vec<jiff::civil::Date>,
        }
        let told = |body: &str| {
            let problem = read::<Move>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.code(), "invalid-input");
            problem.detail().to_owned()
        };
        let day = told(r#"{"on": ["2026-11-30", "Anna"]}"#);
        assert!(
            day.contains("at `on[1]`: expected a day such as 2026-11-30"),
            "{day}"
        );
        assert!(!day.contains("Anna"), "{day}");
        let day = told(r#"{"on": ["2026-13-30"]}"#);
        assert!(day.contains("at `on[0]`: expected a day"), "{day}");
        let list = told(r#"{"on": "Anna"}"#);
        assert_eq!(list, "the body does not fit at `on`: expected a sequence");
        assert!(told("{}").contains("missing field `on`"));
    }
}
