//! Values as YAML that an author could have written: plain words where they mean themselves,
//! quotes where they would not.

use serde_json::Value;

/// A step that would be wider gets a line for each of its parts.
const WIDTH_MAX: usize = 88;

/// The lines of a step, without its indentation.
pub(super) fn step(parts: &[(&str, String)]) -> Vec<String> {
    let parts: Vec<_> = parts
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    let line = format!("- {{ {} }}", parts.join(", "));
    if line.chars().count() <= WIDTH_MAX {
        return vec![line];
    }
    let dash = |(index, part)| format!("{} {part}", if index == 0 { "-" } else { " " });
    parts.into_iter().enumerate().map(dash).collect()
}

/// In flow style, on one line.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(self::value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, member)| format!("{}: {}", scalar(name), self::value(member)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

/// A text: as it is where YAML reads it back as the same text, in quotes otherwise.
pub(super) fn scalar(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" ._-/".contains(&byte);
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let itself = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.bytes().all(plain)
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if itself {
        return text.to_owned();
    }
    // What JSON writes in quotes YAML reads in quotes.
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_back() {
        for written in [
            json!("A bed"),
            json!("yes"),
            json!("2026-11-25"),
            json!("12"),
            json!("a: b # c"),
            json!("line\nline \"quoted\" \u{1f600} \\ end "),
            json!({"minor": 5, "list": [1.5, null, true, {}], "a key": "x"}),
            json!(""),
            json!("- dash"),
        ] {
            let text = value(&written);
            let read: Value = serde_yaml::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(read, written, "{text}");
        }
    }

    #[test]
    fn a_wide_step_has_a_line_for_each_part() {
        assert_eq!(step(&[("noTask", "ask".into())]), ["- { noTask: ask }"]);
        let long = "x".repeat(WIDTH_MAX);
        assert_eq!(
            step(&[("task", "ask".into()), ("title", long.clone())]),
            ["- task: ask".to_owned(), format!("  title: {long}")]
        );
    }
}
