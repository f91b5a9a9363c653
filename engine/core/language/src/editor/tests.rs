//! The schema for editors keeps step with the reader, and takes plugins' schemas as they are.

mod kinds;

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::Signature;

fn around(input: Value) -> Surroundings {
    let nothing = || Schema::new(json!({})).unwrap();
    let signature = Signature {
        title: "Pays somebody".to_owned(),
        input: Schema::new(input).unwrap(),
        output: nothing(),
        pays: None,
        errors: Vec::new(),
        discloses: Vec::new(),
    };
    Surroundings {
        functions: [("pay.issue".to_owned(), signature)].into(),
        functions_known: true,
        ..Surroundings::default()
    }
}

fn keys(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let found = schema.pointer(pointer).and_then(Value::as_object);
    found.unwrap().keys().cloned().collect()
}

#[test]
fn the_schema_is_there_and_every_reference_leads_somewhere() {
    let schema = schema(&around(json!({
        "type": "object",
        "properties": {"to": {"$ref": "#/$defs/payee"}},
        "$defs": {"payee": {"type": "object", "properties": {"name": {"type": "string"}}}},
    })));
    let mut open = vec![&schema];
    let mut references = 0;
    while let Some(value) = open.pop() {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(schema.pointer(pointer).is_some(), "{target}");
            references += 1;
        }
        match value {
            Value::Object(object) => open.extend(object.values()),
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    assert!(references > 80, "{references}");
}

#[test]
fn it_has_the_keys_that_the_reader_has() {
    let schema = schema(&Surroundings::default());
    let tasks = crate::read::task_keys();
    assert_eq!(keys(&schema, "/definitions/task/properties"), tasks);
    let root = crate::read::ROOT_KEYS.map(str::to_owned);
    assert_eq!(keys(&schema, "/properties"), BTreeSet::from(root));
}

#[test]
fn an_expression_may_stand_for_every_argument() {
    let schema = schema(&around(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["amount"],
        "properties": {
            "amount": {"type": "integer", "description": "In cents", "minimum": 1},
            "note": {"type": "string"},
        },
    })));
    let arguments = &schema["definitions"]["function-pay.issue"];
    assert_eq!(arguments["description"], "Pays somebody");
    assert_eq!(arguments.get("$schema"), None);
    let amount = &arguments["properties"]["amount"];
    assert_eq!(amount["description"], "In cents");
    assert_eq!(amount["anyOf"][0]["minimum"], 1);
    assert_eq!(amount["anyOf"][1]["$ref"], "#/definitions/expression");
    assert_eq!(arguments["properties"]["note"], json!({"type": "string"}));
    let calls = schema["definitions"]["callTask"]["allOf"]
        .as_array()
        .unwrap();
    assert_eq!(calls.last().unwrap()["then"]["required"], json!(["with"]));
}

#[test]
fn names_of_the_pack_are_offered_and_without_one_any_will_do() {
    let mut around = Surroundings::default();
    assert_eq!(
        schema(&around)["definitions"]["roleName"],
        json!({"type": "string"})
    );
    around.pack = Some(crate::surroundings::PackNames {
        roles: ["team-leader".to_owned()].into(),
        ..Default::default()
    });
    let role = &schema(&around)["definitions"]["roleName"];
    assert_eq!(role["anyOf"][0]["enum"], json!(["team-leader"]));
    // The pack has no teams.
    let team = &schema(&around)["definitions"]["teamName"]["anyOf"];
    assert_eq!(team, &json!([{"$ref": "#/definitions/expression"}]));
}

#[test]
fn what_an_expression_leaves_open_is_not_refused() {
    let by = |way: &str| json!({"properties": {"by": {"const": way}}});
    let schema = schema(&around(json!({
        "type": "object",
        "oneOf": [by("card"), by("bank")],
        "if": by("bank"),
        "then": {"required": ["account"]},
    })));
    let arguments = &schema["definitions"]["function-pay.issue"];
    let choice = &arguments["allOf"][0]["anyOf"];
    assert_eq!(choice.as_array().map(Vec::len), Some(2));
    assert_eq!(
        choice[0]["properties"]["by"]["anyOf"][1]["$ref"],
        "#/definitions/expression"
    );
    assert_eq!((arguments.get("oneOf"), arguments.get("if")), (None, None));
}

#[test]
fn a_version_and_a_catalogue_may_follow_a_name() {
    let schema = schema(&around(json!({})));
    let open = schema["definitions"]["functionName"]["anyOf"][1]["pattern"].as_str();
    let open = regex::Regex::new(open.unwrap()).unwrap();
    assert!(open.is_match("pay.issue:1.0.0@default") && open.is_match("http@default"));
    assert!(!open.is_match("pay.isue"));
}
