//! What an editor is told of workflow documents: a JSON Schema (draft-07, which editors
//! understand), narrowed to the functions, forms and names around a document.
//!
//! It completes and explains while somebody types. What is right the reader decides: the schema
//! never refuses what the reader takes, and takes some of what the reader refuses.

use serde_json::{Map, Value, json};

use crate::diagnostic::Findings;
use crate::read::BUILT_IN;
use crate::schema::Schema;
use crate::{Surroundings, yaml};

pub mod decision;
pub mod form;
pub mod message;
pub mod pack;
pub mod test;

const BASE: &str = include_str!("editor/workflow.yaml");

/// The schema of documents that stand in these surroundings.
///
/// Names that are not known stay open: without a pack any role will do.
pub fn schema(around: &Surroundings) -> Value {
    let mut schema = parsed(BASE);
    let definitions = definitions(&mut schema);
    functions(definitions, around);
    if let Some(pack) = &around.pack {
        let forms = pack.forms.iter();
        let forms = forms.map(|(name, form)| (name.as_str(), form.title.as_str()));
        narrow(definitions, "formName", "A form of the pack.", forms);
        let messages = pack.messages.keys().map(|name| (name.as_str(), ""));
        narrow(
            definitions,
            "messageName",
            "A message of the pack.",
            messages,
        );
        let tables = pack.tables.iter();
        let tables = tables.map(|(name, table)| (name.as_str(), table.title.as_str()));
        narrow(
            definitions,
            "tableName",
            "A decision table of the pack.",
            tables,
        );
        for (definition, what, names) in [
            ("roleName", "A role of the pack.", &pack.roles),
            ("teamName", "A team of the pack.", &pack.teams),
            ("fundName", "A fund of the pack.", &pack.funds),
            ("calendarName", "A calendar of the pack.", &pack.calendars),
            (
                "policyName",
                "A policy of the pack.",
                &pack.policies.keys().cloned().collect(),
            ),
        ] {
            let names = names.iter().map(|name| (name.as_str(), ""));
            narrow(definitions, definition, what, names);
        }
    }
    if let Some(workflows) = &around.workflows {
        let names = workflows.keys().map(|name| (name.as_str(), ""));
        narrow(
            definitions,
            "workflowName",
            "A workflow of the pack.",
            names,
        );
    }
    schema
}

/// The schema as it is written, which is part of the engine.
fn parsed(text: &str) -> Value {
    let mut findings = Findings::new("editor");
    let base = yaml::parse(text, &mut findings);
    base.map_or(Value::Null, |base| base.to_json())
}

fn definitions(schema: &mut Value) -> &mut Map<String, Value> {
    match schema.get_mut("definitions") {
        Some(Value::Object(definitions)) => definitions,
        _ => unreachable!("the schema for editors is part of the engine"),
    }
}

/// One of these names, or what an expression gives.
fn narrow<'n>(
    definitions: &mut Map<String, Value>,
    definition: &str,
    what: &str,
    names: impl Iterator<Item = (&'n str, &'n str)>,
) {
    let mut names = names.peekable();
    // A choice of nothing is no schema.
    let any = match names.peek() {
        Some(_) => vec![one_of(names), reference("expression")],
        None => vec![reference("expression")],
    };
    let narrowed = json!({"description": what, "anyOf": any});
    definitions.insert(definition.to_owned(), narrowed);
}

fn one_of<'n>(names: impl Iterator<Item = (&'n str, &'n str)>) -> Value {
    let (names, titles): (Vec<_>, Vec<_>) = names.unzip();
    if titles.iter().all(|title| title.is_empty()) {
        return json!({"enum": names});
    }
    json!({"enum": names, "enumDescriptions": titles})
}

fn reference(definition: &str) -> Value {
    json!({"$ref": format!("#/definitions/{definition}")})
}

/// Names of functions, and what each takes.
fn functions(definitions: &mut Map<String, Value>, around: &Surroundings) {
    let installed = around.functions.iter();
    let installed = installed.map(|(name, known)| (name.as_str(), known.title.as_str()));
    let names = one_of(
        BUILT_IN
            .map(|name| (name, built_in(name)))
            .into_iter()
            .chain(installed),
    );
    // Of the document itself, with a version or a catalogue, and any plugin's while nobody knows
    // which are installed.
    let open = if around.functions_known {
        "[:@]|^[A-Za-z][A-Za-z0-9_-]*$"
    } else {
        "[.:@]|^[A-Za-z][A-Za-z0-9_-]*$"
    };
    let name = json!({
        "description": "A function of the engine, of a plugin or of this document.",
        "anyOf": [names, {"type": "string", "pattern": open}],
    });
    definitions.insert("functionName".to_owned(), name);
    let mut calls = Vec::new();
    for (name, signature) in &around.functions {
        let key = format!("function-{name}");
        let arguments = arguments(&key, &signature.title, &signature.input);
        let asked = arguments["required"]
            .as_array()
            .is_some_and(|it| !it.is_empty());
        definitions.insert(key.clone(), arguments);
        let meant = format!("^{}([:@]|$)", name.replace('.', "\\."));
        let mut call = json!({
            "if": {"properties": {"call": {"type": "string", "pattern": meant}}},
            "then": {"properties": {"with": {"$ref": format!("#/definitions/{key}")}}},
        });
        if asked {
            call["then"]["required"] = json!(["with"]);
        }
        calls.push(call);
    }
    let known = definitions
        .get_mut("callTask")
        .and_then(|task| task.get_mut("allOf"));
    if let Some(known) = known.and_then(Value::as_array_mut) {
        known.extend(calls);
    }
}

/// What an editor says of a function of the engine.
fn built_in(name: &str) -> &'static str {
    match name {
        "human-task" => "A person does something",
        "approval" => "A person decides; never who asked",
        "notify" => "A message to somebody of the case, or to colleagues that they have a task",
        "decide" => "What a decision table of the pack says",
        "http" => "A request without a plugin",
        "openapi" => "An operation of a service that describes itself",
        "fund.reserve" => "Sets money of a fund aside",
        "fund.commit" => "Spends what was set aside",
        "fund.release" => "Gives back what was set aside",
        "case.close" => "Ends the work with a family, with a reason that is counted",
        "plan.propose" => "Writes a version of the plan of the case",
        "plan.agree" => "Writes down what the family says to a version",
        "plan.activate" => "Puts the version in force that the family agreed to",
        _ => "A function of the engine",
    }
}

/// What a function takes, where each part may be an expression instead.
fn arguments(key: &str, title: &str, input: &Schema) -> Value {
    let mut schema = input.document().clone();
    loosen(&mut schema, key, true);
    if let Some(object) = schema.as_object_mut() {
        object.entry("description").or_insert_with(|| title.into());
    }
    schema
}

/// Points references at where the schema now stands, and lets an expression stand for every part.
fn loosen(schema: &mut Value, key: &str, whole: bool) {
    let Value::Object(object) = schema else {
        return;
    };
    // Editors would look for another vocabulary, or for another place.
    object.remove("$schema");
    object.remove("$id");
    if let Some(Value::String(target)) = object.get_mut("$ref")
        && let Some(inner) = target.strip_prefix("#/")
    {
        *target = format!("#/definitions/{key}/{inner}");
    }
    for named in ["properties", "$defs", "definitions"] {
        let members = object.get_mut(named).and_then(Value::as_object_mut);
        members
            .into_iter()
            .flat_map(Map::values_mut)
            .for_each(|it| loosen(it, key, false));
    }
    for one in ["items", "additionalProperties"] {
        if let Some(member) = object.get_mut(one) {
            loosen(member, key, false);
        }
    }
    // An expression may be any of several choices, and nobody knows yet what a condition will find.
    for word in ["if", "then", "else"] {
        object.remove(word);
    }
    let one = object.remove("oneOf").map(|any| json!({"anyOf": any}));
    if let Some(any) = one {
        let all = object.entry("allOf").or_insert_with(|| json!([]));
        all.as_array_mut()
            .into_iter()
            .for_each(|all| all.push(any.clone()));
    }
    for list in ["allOf", "anyOf"] {
        let members = object.get_mut(list).and_then(Value::as_array_mut);
        members
            .into_iter()
            .flatten()
            .for_each(|it| loosen(it, key, true));
    }
    let is_plain =
        object.is_empty() || object.len() == 1 && object.get("type") == Some(&json!("string"));
    if whole || is_plain {
        return;
    }
    let mut outer = Map::new();
    for word in ["title", "description", "default"] {
        if let Some(value) = object.get(word) {
            outer.insert(word.to_owned(), value.clone());
        }
    }
    let inner = std::mem::take(object);
    outer.insert("anyOf".to_owned(), json!([inner, reference("expression")]));
    *object = outer;
}

#[cfg(test)]
mod tests;
