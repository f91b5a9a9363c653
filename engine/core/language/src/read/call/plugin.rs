//! Functions of plugins: arguments checked against the function's own schema, as far as they are
//! written out.

use serde_json::Value;

use super::argument::{Arguments, misfits};
use super::{arguments, found, money_goes_out, unknown};
use crate::Schema;
use crate::diagnostic::{Findings, suggestion};
use crate::read::Reader;
use crate::read::tasks::{Body, Found};
use crate::yaml::Node;

pub(super) fn read(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    name: &str,
    version: Option<&str>,
) -> Option<Found> {
    let surroundings = reader.surroundings;
    let signature = surroundings.functions.get(name);
    let shaped = name.split_once('.').is_some_and(|(plugin, function)| {
        !plugin.is_empty() && !function.is_empty() && !function.contains('.')
    });
    if signature.is_none() && (surroundings.functions_known || !shaped || name.starts_with("fund."))
    {
        unknown(reader, body.entry, name);
        return None;
    }
    let owner = body.fields.owner.as_str();
    let function = format!("call: {name}");
    let mut all = Arguments::open(&mut reader.findings, &function, owner, arguments(body))?;
    if let Some(signature) = signature {
        let with = arguments(body).0;
        check(&mut reader.findings, &mut all, &signature.input, with);
        if signature.pays.is_some() {
            money_goes_out(reader, body.entry, name);
        }
    }
    found(reader, body, name, version)
}

/// Arguments against the schema of what a function takes.
pub(super) fn check(
    findings: &mut Findings,
    all: &mut Arguments<'_>,
    input: &Schema,
    with: Option<&Node>,
) {
    let document = input.document();
    let before = findings.count();
    names(findings, all, document);
    let Some(with) = with.filter(|_| findings.count() == before) else {
        return;
    };
    for (at, violation) in misfits(input, with) {
        let argument = violation.pointer.trim_start_matches('/').replace('/', ".");
        let what = if argument.is_empty() {
            "`with`".to_owned()
        } else {
            format!("`{argument}`")
        };
        let place = if at.place == with.place {
            all.place
        } else {
            at.place
        };
        findings.error(
            "CW0404",
            place,
            format!(
                "{what} of {} does not fit `{}`: {}",
                all.owner, all.function, violation.message
            ),
        );
    }
}

/// Missing and unknown names at the top, which deserve better words than a schema's.
fn names(findings: &mut Findings, all: &mut Arguments<'_>, document: &Value) {
    let properties = document.get("properties").and_then(Value::as_object);
    let known: Vec<&str> = properties
        .map(|all| all.keys().map(String::as_str).collect())
        .unwrap_or_default();
    match document.get("additionalProperties") {
        Some(Value::Bool(false)) => all.refuse_unknown(findings, &known),
        None if properties.is_some() => warn_unknown(findings, all, &known),
        _ => {}
    }
    let required = document.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        let example = properties
            .and_then(|all| all.get(name))
            .map_or("...", example);
        all.required(findings, name, &format!("{name}: {example}"));
    }
}

/// A function that ignores what it does not know hides a misspelt argument.
fn warn_unknown(findings: &mut Findings, all: &Arguments<'_>, known: &[&str]) {
    for entry in all.entries() {
        let name = entry.key.text.as_str();
        if !known.contains(&name) {
            findings
                .warning(
                    "CW0403",
                    entry.key.place,
                    format!("`{}` does not name an argument `{name}`", all.function),
                )
                .help(suggestion(
                    name,
                    known.iter().copied(),
                    "it takes no arguments",
                ));
        }
    }
}

fn example(schema: &Value) -> &'static str {
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => "1",
        Some("number") => "1.5",
        Some("boolean") => "true",
        Some("array") => "[ ... ]",
        Some("object") => "{ ... }",
        _ => "...",
    }
}
