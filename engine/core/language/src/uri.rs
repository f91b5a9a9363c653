//! Addresses with names in braces, `https://homes.example/v1/{id}`: what `call: http` sends to.
//!
//! Only whole names of the input's own members; of what the standard for such templates has beyond
//! that, nothing is read. Whether an address may be reached is not known here.

use std::fmt::Write as _;

use serde_json::Value;

/// Longest address, filled in.
const LENGTH_MAX: usize = 8192;

/// An address, some parts of which come from the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriTemplate {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Written(String),
    Named(String),
}

/// What keeps text from being an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

const EXAMPLE: &str = "write an address such as `https://homes.example/v1/applications/{id}`";

impl UriTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let bad = |message: &str, help| {
            Err(Malformed {
                message: message.to_owned(),
                help,
            })
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return bad("the endpoint is no address", EXAMPLE);
        };
        if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return bad(
                "only `https://` and `http://` are spoken",
                "write the address of the service as a browser takes it",
            );
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return bad("the endpoint names no host", EXAMPLE);
        }
        if authority.contains('@') {
            return bad(
                "the endpoint holds a user name",
                "write it under `authentication`, which keeps it out of addresses",
            );
        }
        if text.contains('#') {
            return bad(
                "the endpoint holds a fragment, which no server sees",
                "leave `#` and what follows out",
            );
        }
        let parts = parts(text)?;
        let unwritable = |part: &Part| match part {
            Part::Written(text) => text.bytes().any(|b| !b.is_ascii_graphic() || b == b'\\'),
            Part::Named(_) => false,
        };
        if parts.iter().any(unwritable) {
            return bad(
                "the endpoint holds a sign that no address may hold",
                "percent-encode it: a space is `%20`",
            );
        }
        Ok(Self { parts })
    }

    /// The address for this input. What is missing is an error, and so is a value that would lead
    /// elsewhere: `/case/{id}/close` must never become `/case//close`.
    pub fn fill(&self, input: &Value) -> Result<String, String> {
        let mut uri = String::new();
        for part in &self.parts {
            match part {
                Part::Written(text) => uri.push_str(text),
                Part::Named(name) => fill(&mut uri, name, input)?,
            }
        }
        let path = uri.split('?').next().unwrap_or_default();
        let upward = |segment: &str| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            plain == "." || plain == ".."
        };
        if self.names().next().is_some() && path.split('/').any(upward) {
            return Err("a value makes the endpoint lead upwards, with `.` or `..`".to_owned());
        }
        if uri.len() > LENGTH_MAX {
            return Err(format!(
                "the endpoint becomes longer than {LENGTH_MAX} bytes"
            ));
        }
        Ok(uri)
    }

    /// As it was written.
    pub fn written(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Written(text) => text.clone(),
            Part::Named(name) => format!("{{{name}}}"),
        });
        parts.collect()
    }

    /// Names in braces, in the author's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Named(name) => Some(name.as_str()),
            Part::Written(_) => None,
        })
    }
}

fn parts(text: &str) -> Result<Vec<Part>, Malformed> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((written, tail)) = rest.split_once('{') {
        parts.push(Part::Written(written.to_owned()));
        let Some((name, after)) = tail.split_once('}') else {
            return Err(Malformed {
                message: "`{` is opened and never closed".to_owned(),
                help: "close it with `}` behind the name",
            });
        };
        let well = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !well {
            return Err(Malformed {
                message: format!("`{{{name}}}` is no name of the input"),
                help: "in braces stands the name of one member of the task's input, such as \
                       `{id}`; for anything else write the endpoint as one `${ }`",
            });
        }
        parts.push(Part::Named(name.to_owned()));
        rest = after;
    }
    if rest.contains('}') {
        return Err(Malformed {
            message: "`}` closes nothing".to_owned(),
            help: "open it with `{` before the name",
        });
    }
    parts.push(Part::Written(rest.to_owned()));
    Ok(parts)
}

fn fill(uri: &mut String, name: &str, input: &Value) -> Result<(), String> {
    let value = match input.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(truth)) => truth.to_string(),
        Some(Value::Null) | None => {
            return Err(format!(
                "the endpoint names `{name}`, which the input lacks"
            ));
        }
        Some(Value::Array(_) | Value::Object(_)) => {
            return Err(format!(
                "the endpoint names `{name}`, which is neither text nor a number"
            ));
        }
    };
    if value.is_empty() && !uri.contains('?') {
        return Err(format!("the endpoint names `{name}`, which is empty"));
    }
    uri.push_str(&encoded(&value));
    Ok(())
}

/// Percent-encoded, but for letters, digits and `-._~`.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::UriTemplate;

    fn filled(text: &str, input: &serde_json::Value) -> Result<String, String> {
        UriTemplate::parse(text).unwrap().fill(input)
    }

    #[test]
    fn names_are_filled_in_and_encoded() {
        for (text, expected) in [
            ("https://a.example/{id}", "https://a.example/7"),
            (
                "https://a.example/{name}/x",
                "https://a.example/a%2Fb%20%C3%A4/x",
            ),
            (
                "https://a.example/?q={empty}&b={yes}",
                "https://a.example/?q=&b=true",
            ),
            ("http://{host}:80/", "http://h.example:80/"),
            ("https://a.example/../b", "https://a.example/../b"),
        ] {
            let input = json!({
                "id": 7, "name": "a/b ä", "empty": "", "yes": true, "host": "h.example",
            });
            assert_eq!(filled(text, &input).as_deref(), Ok(expected));
            assert_eq!(UriTemplate::parse(text).unwrap().written(), text);
        }
    }

    #[test]
    fn a_value_never_leads_elsewhere() {
        for input in [
            json!({}),
            json!({ "id": null }),
            json!({ "id": "" }),
            json!({ "id": ".." }),
            json!({ "id": "." }),
            json!({ "id": {} }),
            json!({ "id": [1] }),
            json!("text"),
            json!({ "id": "x".repeat(9000) }),
        ] {
            assert!(filled("https://a.example/case/{id}/close", &input).is_err());
        }
        let dots = json!({ "id": "." });
        assert!(filled("https://a.example/x/.{id}", &dots).is_err());
        assert!(filled("https://a.example/x/%2e{id}/", &dots).is_err());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "a.example/x",
            "ftp://a.example",
            "https://",
            "https:///x",
            "https://kim@a.example/",
            "https://a.example/#x",
            "https://a.example/a b",
            "https://a.example/ä",
            "https://a.example/{id",
            "https://a.example/id}",
            "https://a.example/{}",
            "https://a.example/{+id}",
            "https://a.example/{a.b}",
        ] {
            assert!(UriTemplate::parse(text).is_err(), "{text}");
        }
    }
}
