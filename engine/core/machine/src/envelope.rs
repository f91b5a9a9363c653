//! Events after `CloudEvents` 1.0: what every one of them must have, and what can be told of it
//! before any instance sees it.

use std::collections::BTreeMap;

use casewright_language::{Answers, Expression};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Largest event, as JSON: four times what every intermediary must carry.
pub const EVENT_BYTES_MAX: usize = 256 << 10;

/// Longest attribute besides the data.
pub const ATTRIBUTE_BYTES_MAX: usize = 1024;

/// Why a map is no event; the sentence names attributes and quotes no value.
pub fn check(event: &Map<String, Value>) -> Result<(), String> {
    if event.get("specversion").and_then(Value::as_str) != Some("1.0") {
        return Err("`specversion` must be \"1.0\"".to_owned());
    }
    for name in ["id", "source", "type"] {
        let text = event.get(name).and_then(Value::as_str);
        if text.is_none_or(str::is_empty) {
            return Err(format!("`{name}` must be text and not empty"));
        }
    }
    for (name, value) in event {
        if name != "data" && name != "data_base64" {
            attribute(name, value)?;
        }
    }
    if event.contains_key("data") && event.contains_key("data_base64") {
        return Err("an event has `data` or `data_base64`, not both".to_owned());
    }
    if event
        .get("data_base64")
        .is_some_and(|data| !data.is_string())
    {
        return Err("`data_base64` must be text".to_owned());
    }
    let bytes = serde_json::to_vec(event).map_or(usize::MAX, |bytes| bytes.len());
    if bytes > EVENT_BYTES_MAX {
        return Err(format!("an event has at most {EVENT_BYTES_MAX} bytes"));
    }
    Ok(())
}

fn attribute(name: &str, value: &Value) -> Result<(), String> {
    let well = name
        .bytes()
        .all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit());
    if !well || name.is_empty() {
        return Err("attributes are named in small letters and digits".to_owned());
    }
    match value {
        Value::String(text) => {
            let control = text.chars().any(char::is_control);
            if control || text.len() > ATTRIBUTE_BYTES_MAX {
                return Err(format!(
                    "`{name}` must be text of at most {ATTRIBUTE_BYTES_MAX} bytes in one line"
                ));
            }
            if name == "time" && text.parse::<Timestamp>().is_err() {
                return Err("`time` must be a moment such as 2026-08-03T09:00:00Z".to_owned());
            }
            Ok(())
        }
        Value::Bool(_) if !KNOWN_TEXT.contains(&name) => Ok(()),
        Value::Number(number) if number.is_i64() && !KNOWN_TEXT.contains(&name) => Ok(()),
        _ => Err(format!("`{name}` must be text")),
    }
}

/// Attributes that are text whatever an extension may be.
const KNOWN_TEXT: [&str; 5] = ["time", "subject", "datacontenttype", "dataschema", "type"];

/// `type` of an event.
pub fn kind(event: &Value) -> &str {
    event
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// What a correlation finds in an event, as text to be compared by; `None` where it finds nothing
/// that can be. `from` is a simple expression without variables.
pub fn correlation(from: &str, event: &Value) -> Option<String> {
    let expression = Expression::new(from).ok()?;
    let nothing: BTreeMap<String, Value> = BTreeMap::new();
    let value = expression.evaluate(event, &nothing, &Answers::default());
    token(&value.ok()?)
}

/// Equal values have equal tokens, also a number written in another way.
pub fn token(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(format!("s{text}")),
        Value::Bool(value) => Some(format!("b{value}")),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(format!("n{whole}")),
            None => number.as_f64().map(|number| format!("n{number}")),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(event: &Value) -> Option<String> {
        check(event.as_object().unwrap()).err()
    }

    #[test]
    fn an_event_has_what_cloudevents_asks_for() {
        let least = json!({"specversion": "1.0", "id": "1", "source": "urn:a", "type": "t"});
        assert_eq!(refused(&least), None);
        for (name, value) in [
            ("specversion", json!("0.3")),
            ("id", json!("")),
            ("source", json!(null)),
            ("type", json!(7)),
            ("time", json!("yesterday")),
            ("Upper", json!("x")),
            ("nested", json!({"a": 1})),
            ("subject", json!("two\nlines")),
            ("subject", json!(true)),
            ("data_base64", json!(1)),
            ("data", json!("x".repeat(EVENT_BYTES_MAX))),
        ] {
            let mut event = least.clone();
            event[name] = value;
            assert!(refused(&event).is_some(), "{name}");
        }
        let mut event = least;
        event["time"] = json!("2026-08-03T09:00:00+10:00");
        event["familyid"] = json!(7);
        event["data"] = json!({"Free": ["form"]});
        assert_eq!(refused(&event), None);
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let event = json!({"data": {"a": 7, "b": 7.0, "c": "7"}});
        assert_eq!(correlation(".data.a", &event), Some("n7".to_owned()));
        assert_eq!(correlation(".data.b", &event), Some("n7".to_owned()));
        assert_eq!(correlation(".data.c", &event), Some("s7".to_owned()));
        assert_eq!(correlation(".data.none", &event), None);
        assert_eq!(correlation(".data", &event), None);
        assert_eq!(correlation(".data.a.b", &event), None);
    }
}
