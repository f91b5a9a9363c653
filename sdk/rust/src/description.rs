//! The document of `describe()`: doc comments and types in, JSON out.
//!
//! Schemas are written in the plain subset the engine accepts: no references, no formats that only
//! name a Rust type.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::Function;

/// The format of the document; a host refuses one it does not know.
const FORMAT: &str = "casewright-plugin-1";

/// Formats that schemars writes for Rust's number types and that JSON Schema does not know.
const NUMBER_FORMATS: &[&str] = &[
    "int8", "int16", "int32", "int64", "int", "uint8", "uint16", "uint32", "uint64", "uint",
    "float", "double",
];

pub(crate) fn document(functions: &[Value], config: &Value) -> Value {
    json!({ "schema": FORMAT, "functions": functions, "config": config })
}

pub(crate) fn function<F: Function>() -> Value {
    let errors: Vec<_> = F::ERRORS
        .iter()
        .map(|code| json!({ "code": code }))
        .collect();
    let mut function = json!({
        "name": F::NAME,
        "title": F::TITLE,
        "input": schema::<F::Input>(SchemaSettings::for_deserialize),
        "output": schema::<F::Output>(SchemaSettings::for_serialize),
        "effect": F::EFFECT.word(),
        "resumes": F::RESUMES,
        "errors": errors,
    });
    if let Some(pays) = F::PAYS {
        function["pays"] = json!(pays);
    }
    if !F::DISCLOSES.is_empty() {
        function["discloses"] = json!(F::DISCLOSES);
    }
    if !F::DESCRIPTION.is_empty() {
        function["description"] = F::DESCRIPTION.into();
    }
    function
}

/// The schema of the configuration of type `T`.
pub fn config_schema<T: JsonSchema>() -> Value {
    schema::<T>(SchemaSettings::for_deserialize)
}

/// The schema of a plugin without configuration.
pub fn no_config() -> Value {
    json!({ "type": "object", "additionalProperties": false })
}

fn schema<T: JsonSchema>(contract: fn(SchemaSettings) -> SchemaSettings) -> Value {
    let settings = contract(SchemaSettings::draft2020_12())
        .with(|settings| {
            settings.meta_schema = None;
            settings.inline_subschemas = true;
        })
        .with_transform(RecursiveTransform(plain));
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn plain(schema: &mut Schema) {
    let format = schema.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| NUMBER_FORMATS.contains(&format)) {
        schema.remove("format");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema matters")]
    struct Outer {
        /// How many.
        count: u32,
        inner: Option<Inner>,
    }

    #[derive(serde::Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema matters")]
    struct Inner {
        name: String,
    }

    #[test]
    fn schemas_are_plain() {
        let text = config_schema::<Outer>().to_string();
        for word in ["$ref", "$defs", "$schema", "uint32"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        assert!(text.contains("How many."), "{text}");
    }
}
