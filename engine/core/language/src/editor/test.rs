//! What an editor is told of the tests of a pack, narrowed to what they may name.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{definitions, parsed, reference};
use crate::pack_test::Around;

const BASE: &str = include_str!("test.yaml");

/// The schema of `tests/*.test.yaml`. A kind of name of which nothing is known stays open.
pub fn schema(around: &Around) -> Value {
    let mut schema = parsed(BASE);
    let definitions = definitions(&mut schema);
    let workflows = around.workflows.keys().map(String::as_str).collect();
    for (definition, what, names) in [
        ("workflowName", "A workflow of the pack.", workflows),
        ("roleName", "A role of the pack.", names(&around.roles)),
        ("fundName", "A fund of the pack.", names(&around.funds)),
        (
            "calendarName",
            "A calendar of the pack.",
            names(&around.calendars),
        ),
        ("refusalName", "Why it is refused.", names(&around.refusals)),
        (
            "actionName",
            "An entry of the record.",
            names(&around.actions),
        ),
    ] {
        if !names.is_empty() {
            let narrowed = json!({"description": what, "enum": names});
            definitions.insert(definition.to_owned(), narrowed);
        }
    }
    if let Some(functions) = around.functions.as_ref().filter(|all| !all.is_empty()) {
        // What is not installed may be answered for by the test itself.
        let known = json!({
            "description": "A function of a plugin, `http.<task>`, or `notify`.",
            "anyOf": [{"enum": functions}, {"type": "string", "pattern": "\\.|^notify$"}],
        });
        definitions.insert("functionName".to_owned(), known);
        let each = functions.iter();
        let each = each.map(|name| (name.clone(), reference("answers")));
        definitions["plugins"]["properties"] = Value::Object(each.collect());
    }
    schema
}

fn names(of: &BTreeSet<String>) -> Vec<&str> {
    of.iter().map(String::as_str).collect()
}
