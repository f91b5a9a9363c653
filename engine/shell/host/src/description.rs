//! `describe()`: what a plugin says it offers, checked before anything relies on it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::json;
use crate::manifest::name_is_valid;

/// Version of the document that this host reads.
const SCHEMA: &str = "casewright-plugin-1";
const FUNCTIONS_MAX: usize = 200;

/// `describe()`, checked.
#[derive(Debug, Clone)]
pub struct Description {
    /// In the order in which the plugin lists them.
    pub functions: Vec<Function>,
    /// JSON Schema of the configuration.
    pub config: Value,
}

/// One function that a plugin offers.
#[derive(Debug, Clone)]
pub struct Function {
    /// `[a-z][a-z0-9-]*`, without the plugin's name.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// JSON Schema.
    pub input: Value,
    /// JSON Schema.
    pub output: Value,
    /// What it does outside.
    pub effect: EffectKind,
    /// Whether an answer may come later.
    pub resumes: bool,
    /// Whether it hands facts about people to others, as the plugin says.
    pub discloses: Option<Value>,
    /// JSON pointer of the money in its input, where it pays somebody.
    pub pays: Option<String>,
    /// Codes of the errors that a workflow may branch on.
    pub errors: Vec<String>,
}

/// What a function does outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// Nothing that a second run could repeat.
    None,
    /// The same idempotency key has it done once.
    Keyed,
    /// A second run would do it twice; in doubt a person decides.
    AtMostOnce,
}

#[derive(Deserialize)]
struct Document {
    schema: String,
    functions: Vec<FunctionDocument>,
    #[serde(default)]
    config: Option<Value>,
}

#[derive(Deserialize)]
struct FunctionDocument {
    name: String,
    #[serde(default)]
    title: String,
    input: Value,
    output: Value,
    effect: EffectKind,
    #[serde(default)]
    resumes: bool,
    #[serde(default)]
    discloses: Option<Value>,
    #[serde(default)]
    pays: Option<String>,
    #[serde(default)]
    errors: Vec<ErrorDocument>,
}

#[derive(Deserialize)]
struct ErrorDocument {
    code: String,
}

impl Description {
    /// Reads what `describe()` returned; the error is a sentence.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let value = json::read(text).map_err(|e| format!("it is not strict JSON: {e}"))?;
        let schema = value
            .get("schema")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if schema != SCHEMA {
            return Err(format!(
                "its schema is `{schema}`; this engine reads `{SCHEMA}`"
            ));
        }
        let document: Document =
            serde_json::from_value(value).map_err(|e| format!("it lacks its form: {e}"))?;
        document.check()
    }

    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }
}

impl Document {
    fn check(self) -> Result<Description, String> {
        debug_assert_eq!(self.schema, SCHEMA);
        if self.functions.is_empty() || self.functions.len() > FUNCTIONS_MAX {
            return Err(format!(
                "it lists {} functions; 1 to {FUNCTIONS_MAX} are possible",
                self.functions.len()
            ));
        }
        let mut seen = BTreeSet::new();
        let mut functions = Vec::new();
        for function in self.functions {
            if !seen.insert(function.name.clone()) {
                return Err(format!("it lists the function `{}` twice", function.name));
            }
            functions.push(function.check()?);
        }
        let config = self.config.filter(|config| !config.is_null());
        let config = config.unwrap_or_else(|| json!({"type": "object"}));
        check_schema("config", &config)?;
        Ok(Description { functions, config })
    }
}

impl FunctionDocument {
    fn check(self) -> Result<Function, String> {
        let name = self.name;
        if !name_is_valid(&name) {
            return Err(format!(
                "`{name}` is not a function's name; a lower-case letter, then letters, digits \
                and hyphens"
            ));
        }
        check_schema(&format!("{name}: input"), &self.input)?;
        check_schema(&format!("{name}: output"), &self.output)?;
        let errors: Vec<_> = self.errors.into_iter().map(|error| error.code).collect();
        if let Some(odd) = errors.iter().find(|code| !code_is_valid(code)) {
            return Err(format!(
                "{name}: `{odd}` is not an error code; 1 to 64 of a-z, 0-9, `.`, `_`, `-`, not \
                beginning with `plugin.`"
            ));
        }
        if let Some(pays) = &self.pays {
            if !pays.starts_with('/') {
                return Err(format!(
                    "{name}: `pays` is `{pays}`; it is a JSON pointer into the input, such as \
                     `/money`"
                ));
            }
            if self.effect == EffectKind::None {
                return Err(format!(
                    "{name}: a function that pays is `keyed` or `at-most-once`, so that it pays \
                     once"
                ));
            }
        }
        Ok(Function {
            title: if self.title.is_empty() {
                name.clone()
            } else {
                self.title
            },
            name,
            input: self.input,
            output: self.output,
            effect: self.effect,
            resumes: self.resumes,
            discloses: self.discloses,
            pays: self.pays,
            errors,
        })
    }
}

/// Whether a plugin may use this code for an error of its own.
pub(crate) fn code_is_valid(code: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    (1..=64).contains(&code.len()) && code.bytes().all(plain) && !code.starts_with("plugin.")
}

/// A schema is an object or a boolean and refers to nothing outside itself. What else it may say
/// is the language's business.
fn check_schema(at: &str, schema: &Value) -> Result<(), String> {
    if !(schema.is_object() || schema.is_boolean()) {
        return Err(format!("{at} is not a JSON Schema"));
    }
    match remote_reference(schema) {
        Some(reference) => Err(format!(
            "{at} refers to `{reference}`; only `#/...` within the schema is possible"
        )),
        None => Ok(()),
    }
}

/// The depth is bounded by [`json::DEPTH_MAX`].
fn remote_reference(schema: &Value) -> Option<&str> {
    match schema {
        Value::Object(entries) => entries.iter().find_map(|(key, value)| match value {
            Value::String(text) if key == "$ref" && !text.starts_with('#') => Some(text.as_str()),
            _ => remote_reference(value),
        }),
        Value::Array(items) => items.iter().find_map(remote_reference),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Description;

    fn refused(text: &str) -> String {
        Description::read(text).unwrap_err()
    }

    #[test]
    fn a_full_description_is_read() {
        let text = r#"{"schema": "casewright-plugin-1", "functions": [
            {"name": "pay", "title": "Pay", "input": {"type": "object"}, "output": true,
             "effect": "at-most-once", "resumes": true, "errors": [{"code": "declined"}]}]}"#;
        let description = Description::read(text).unwrap();
        let pay = description.function("pay").unwrap();
        assert_eq!(pay.effect, super::EffectKind::AtMostOnce);
        assert_eq!(pay.errors, ["declined"]);
        assert!(pay.resumes);
        assert!(description.function("charge").is_none());
    }

    #[test]
    fn what_nobody_can_rely_on_is_refused() {
        let function = |rest: &str| {
            format!(r#"{{"schema": "casewright-plugin-1", "functions": [{{{rest}}}]}}"#)
        };
        for (text, expected) in [
            ("[".to_owned(), "strict JSON"),
            (
                r#"{"schema": "other", "functions": []}"#.to_owned(),
                "this engine reads",
            ),
            (
                r#"{"schema": "casewright-plugin-1", "functions": []}"#.to_owned(),
                "lists 0",
            ),
            (
                function(r#""name": "Pay", "input": {}, "output": {}, "effect": "none""#),
                "`Pay`",
            ),
            (
                function(r#""name": "pay", "input": {}, "output": {}"#),
                "effect",
            ),
            (
                function(r#""name": "pay", "input": {}, "output": {}, "effect": "twice""#),
                "twice",
            ),
            (
                function(r#""name": "pay", "input": 3, "output": {}, "effect": "none""#),
                "input is not",
            ),
            (
                function(
                    r#""name": "pay", "input": {"a": [{"$ref": "http://x"}]}, "output": {},
                        "effect": "none""#,
                ),
                "refers to `http://x`",
            ),
            (
                function(
                    r#""name": "pay", "input": {}, "output": {}, "effect": "none",
                        "errors": [{"code": "plugin.x"}]"#,
                ),
                "`plugin.x`",
            ),
        ] {
            let error = refused(&text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
