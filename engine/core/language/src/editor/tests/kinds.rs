//! The schemas of forms, packs and tests keep step with their readers: at every place a reader
//! itself is asked which keys it knows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::keys;
use crate::editor::{decision, form, message, pack, test};
use crate::pack_test::Around;
use crate::schema::Schema;
use crate::{Diagnostic, Surroundings};

/// Known nowhere, and near nothing: a reader answers with what it knows.
const ALIEN: &str = "zzzzzzzzzzzz";

/// The keys that a reader names when it refuses the alien one.
fn known(findings: &[Diagnostic], text: &str) -> BTreeSet<String> {
    let refusal = format!("unknown key `{ALIEN}`");
    let found = findings.iter();
    let found: Vec<_> = found
        .filter(|one| one.message.starts_with(&refusal))
        .collect();
    assert_eq!(found.len(), 1, "{text}\n{findings:?}");
    let help = found[0].help.as_deref().unwrap_or_default();
    let listed = help
        .strip_prefix("write one of: ")
        .unwrap_or_else(|| panic!("{help}"));
    assert!(!listed.contains(" more"), "{help}");
    listed
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Each document holds the alien key once, at the place of which the schema speaks there; there is
/// no other place in the schema whose keys are fixed.
fn check(schema: &Value, read: impl Fn(&str) -> Vec<Diagnostic>, places: &[(&str, &str)]) {
    for (pointer, text) in places {
        let text = text.replace("ALIEN", &format!("{ALIEN}: 1"));
        assert_eq!(
            keys(schema, &format!("{pointer}/properties")),
            known(&read(&text), &text),
            "{pointer}"
        );
    }
    let mut fixed = BTreeSet::new();
    gather(schema, "", &mut fixed);
    let places: BTreeSet<_> = places
        .iter()
        .map(|(pointer, _)| (*pointer).to_owned())
        .collect();
    assert_eq!(fixed, places);
}

/// Pointers of all schemas that take no keys but those they name.
fn gather(schema: &Value, pointer: &str, found: &mut BTreeSet<String>) {
    if schema.get("additionalProperties") == Some(&json!(false))
        && schema.get("properties").is_some()
    {
        found.insert(pointer.to_owned());
    }
    let children: Vec<(String, &Value)> = match schema {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, value)| (index.to_string(), value))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, child) in children {
        gather(child, &format!("{pointer}/{key}"), found);
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_key_is_explained() {
    for schema in [
        decision::schema(),
        form::schema(),
        message::schema(),
        pack::schema(&Surroundings::default()),
        test::schema(&Around::default()),
    ] {
        let mut open = vec![(String::new(), &schema)];
        while let Some((pointer, value)) = open.pop() {
            if let Some(target) = value.get("$ref").and_then(Value::as_str) {
                let target = target.strip_prefix('#').unwrap();
                assert!(schema.pointer(target).is_some(), "{target}");
            }
            // A keyword of that name has no keys itself.
            if pointer.ends_with("/properties") && !pointer.ends_with("/properties/properties") {
                for (key, property) in value.as_object().unwrap() {
                    let target = property["$ref"]
                        .as_str()
                        .and_then(|to| schema.pointer(&to[1..]));
                    let told =
                        |it: &Value| it.get("description").is_some() || it.get("const").is_some();
                    assert!(
                        told(property) || target.is_some_and(told),
                        "{pointer}/{key}"
                    );
                }
            }
            match value {
                Value::Object(members) => {
                    open.extend(
                        members
                            .iter()
                            .map(|(key, value)| (format!("{pointer}/{key}"), value)),
                    );
                }
                Value::Array(items) => {
                    open.extend(items.iter().map(|item| (format!("{pointer}/-"), item)));
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_pack_has_the_keys_that_its_reader_has() {
    let money = "{ minor: 1, currency: AUD }";
    let fund = format!("funds: {{ a: {{ title: A, allocated: {money}, ALIEN }} }}");
    let row = format!("policies: {{ a: [ {{ role: a, upTo: {money}, ALIEN }} ] }}");
    let policy = "policies: { a: { limits: [], ALIEN } }";
    let one = "{ by: [family], within: 7 days, ALIEN }";
    let together = format!("policies: {{ a: {{ limits: [], together: [ {one} ] }} }}");
    check(
        &pack::schema(&Surroundings::default()),
        |text| crate::pack::read_pack("pack.yaml", text).1,
        &[
            ("", "ALIEN"),
            (
                "/definitions/calendar",
                "calendars: { a: { file: a.ics, ALIEN } }",
            ),
            (
                "/definitions/calendarVersion",
                "calendars: { a: [ { file: a.ics, ALIEN } ] }",
            ),
            ("/definitions/role", "roles: { a: { title: A, ALIEN } }"),
            ("/definitions/fund", &fund),
            ("/definitions/policyRow", &row),
            ("/definitions/policySummed", policy),
            ("/definitions/together", &together),
            ("/definitions/plugin", "plugins: { a: { ALIEN } }"),
            ("/definitions/http", "http: { ALIEN }"),
            ("/definitions/disclosure", "disclosure: { ALIEN }"),
            (
                "/definitions/closingReason",
                "closingReasons: { moved: { title: Moved, counts: not, ALIEN } }",
            ),
            ("/definitions/retention", "retention: { ALIEN }"),
            (
                "/definitions/retentionClass",
                "retention: { classes: { a: { title: A, keep: P7Y, from: closed, ALIEN } } }",
            ),
            (
                "/definitions/amount",
                "funds: { a: { title: A, allocated: { minor: 1, currency: AUD, ALIEN } } }",
            ),
        ],
    );
}

#[test]
fn a_form_has_the_keys_that_its_reader_has() {
    let mut schema = form::schema();
    // Keywords are the reader's of schemas, and looked at below.
    schema["definitions"]["node"] = Value::Null;
    let line = "schema: { type: object, properties: { a: { type: string, title: A } } }\n\
                layout: [ { field: a, ALIEN } ]";
    check(
        &schema,
        |text| crate::pack::read_form("a", "forms/a.yaml", text).1,
        &[("", "ALIEN"), ("/definitions/line", line)],
    );
}

#[test]
fn a_message_has_the_keys_that_its_reader_has() {
    check(
        &message::schema(),
        |text| crate::message::read("a", "messages/a.yaml", text).1,
        &[
            ("", "text: A\nALIEN"),
            (
                "/definitions/words",
                "text: A\nlanguages: { vi: { text: B, ALIEN } }",
            ),
        ],
    );
}

#[test]
fn a_form_has_the_controls_that_its_reader_has() {
    let schema = form::schema();
    let controls = &schema["definitions"]["line"]["properties"]["control"]["enum"];
    let controls: BTreeSet<_> = controls
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let exists = |control: &str| {
        let text = format!(
            "title: A\n\
             schema: {{ type: object, properties: {{ a: {{ type: integer, title: A }} }} }}\n\
             layout: [ {{ field: a, control: {control} }} ]"
        );
        let findings = crate::pack::read_form("a", "forms/a.yaml", &text).1;
        !findings
            .iter()
            .any(|found| found.message.starts_with("there is no control"))
    };
    assert!(controls.iter().all(|control| exists(control)) && !exists(ALIEN));
    assert_eq!(controls, BTreeSet::from(crate::form::CONTROLS));
}

/// Every keyword that any draft has, and what might stand under it.
#[test]
fn the_schema_of_a_form_has_the_keywords_that_are_understood() {
    let ours = keys(&form::schema(), "/definitions/node/properties");
    let elsewhere = [
        "$anchor",
        "$dynamicAnchor",
        "$dynamicRef",
        "$recursiveRef",
        "$vocabulary",
        "additionalItems",
        "contains",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "id",
        "maxContains",
        "maxProperties",
        "minContains",
        "minProperties",
        "not",
        "nullable",
        "patternProperties",
        "prefixItems",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
        ALIEN,
    ];
    let understood = |keyword: &str| match Schema::new(json!({ keyword: 0 })) {
        Ok(_) => true,
        Err(violation) => !violation.message.contains("is not understood here"),
    };
    for keyword in elsewhere {
        assert_eq!(understood(keyword), ours.contains(keyword), "{keyword}");
    }
    for keyword in &ours {
        assert!(understood(keyword), "{keyword}");
    }
    assert!(ours.len() > 35, "{}", ours.len());
}

#[test]
fn tests_have_the_keys_that_their_reader_has() {
    let step = |step: &str| format!("tests: [ {{ test: a, steps: [ {{ {step} }} ] }} ]");
    let fund = step("fund: a, available: { minor: 1, ALIEN }");
    let schema = test::schema(&Around::default());
    let read = |text: &str| crate::pack_test::read("a.test.yaml", text, &Around::default()).1;
    let mut narrowed = schema.clone();
    // A step knows other keys beside each word: below.
    narrowed["definitions"]["step"] = Value::Null;
    check(
        &narrowed,
        read,
        &[
            ("", "ALIEN"),
            (
                "/definitions/test",
                "tests: [ { test: a, steps: [], ALIEN } ]",
            ),
            (
                "/definitions/answer",
                "plugins: { a.b: [ { returns: 1, ALIEN } ] }",
            ),
            (
                "/definitions/answer/properties/error",
                "plugins: { a.b: [ { error: { code: a, ALIEN } } ] }",
            ),
            (
                "/definitions/response",
                "http: { a: [ { returns: 1, ALIEN } ] }",
            ),
            (
                "/definitions/response/properties/error",
                "http: { a: [ { error: { status: 404, ALIEN } } ] }",
            ),
            ("/definitions/amount", &fund),
        ],
    );
    let all = keys(&schema, "/definitions/step/properties");
    let mut seen = BTreeSet::new();
    for way in schema["definitions"]["step"]["allOf"].as_array().unwrap() {
        let word = way["if"]["required"][0].as_str().unwrap();
        let beside = way["then"]["propertyNames"]["enum"].as_array().unwrap();
        let beside: BTreeSet<_> = beside
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let text = step(&format!("{word}: a, {ALIEN}: 1"));
        assert_eq!(beside, known(&read(&text), &text), "{word}");
        seen.extend(beside);
    }
    assert_eq!(all, seen);
    let words = |pointer: &str| -> BTreeSet<String> {
        let list = schema.pointer(pointer).and_then(Value::as_array).unwrap();
        list.iter()
            .map(|one| {
                one.pointer("/required/0")
                    .or_else(|| one.pointer("/if/required/0"))
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(
        words("/definitions/step/anyOf"),
        words("/definitions/step/allOf")
    );
    let text = step("zzzzzzzz: 1");
    let nothing = read(&text);
    let help = nothing[0].help.as_deref().unwrap();
    let told: BTreeSet<_> = help
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(told, words("/definitions/step/anyOf"));
}

#[test]
fn names_around_are_offered() {
    let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let around = Around {
        roles: texts(&["team-leader"]),
        functions: Some(texts(&["pay.issue"])),
        ..Around::default()
    };
    let schema = test::schema(&around);
    assert_eq!(
        schema["definitions"]["roleName"]["enum"],
        json!(["team-leader"])
    );
    assert_eq!(schema["definitions"]["fundName"], json!({"type": "string"}));
    let answered = &schema["definitions"]["plugins"]["properties"];
    assert_eq!(answered["pay.issue"]["$ref"], "#/definitions/answers");
}

#[test]
fn decision_tables_have_the_keys_that_their_reader_has() {
    let schema = decision::schema();
    check(
        &schema,
        |text| crate::decision::read("t", "t.yaml", text).1,
        &[
            ("", "ALIEN"),
            (
                "/definitions/input",
                "inputs: { a: { ALIEN } }\nversions: []",
            ),
            (
                "/definitions/output",
                "outputs: { a: { ALIEN } }\nversions: []",
            ),
            (
                "/definitions/version",
                "inputs: { a: { type: number } }\noutputs: { b: { type: number } }\n\
                 versions: [ { ALIEN } ]",
            ),
            (
                "/definitions/row",
                "inputs: { a: { type: number } }\noutputs: { b: { type: number } }\n\
                 versions: [ { from: 2026-01-01, rows: [ { ALIEN } ] } ]",
            ),
        ],
    );
    let words = |pointer: &str| schema.pointer(pointer).cloned();
    assert_eq!(
        words("/definitions/type/enum"),
        Some(json!(crate::decision::TYPE_WORDS))
    );
    assert_eq!(
        words("/properties/hit/enum"),
        Some(json!(crate::decision::HIT_WORDS))
    );
}
