//! Each keyword of the subset of JSON Schema, and what is refused because it could cost too much.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;

#[track_caller]
fn check(schema: Value, value: &Value, expected: &[(&str, &str)]) {
    let schema = Schema::new(schema).unwrap();
    let found = schema.violations(value);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|violation| (violation.pointer.as_str(), violation.message.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[track_caller]
fn refused(schema: Value, pointer: &str, part: &str) {
    let violation = Schema::new(schema).unwrap_err();
    assert_eq!(violation.pointer, pointer, "{violation}");
    assert!(violation.message.contains(part), "{violation}");
}

#[test]
fn each_keyword_has_its_sentence() {
    let text = || json!({"type": "string"});
    check(
        text(),
        &json!(1),
        &[("", "expected text, found a whole number")],
    );
    check(
        json!({"type": ["integer", "null"]}),
        &json!(1.5),
        &[(
            "",
            "expected a whole number or nothing, found a number with a fraction",
        )],
    );
    check(json!({"type": "integer"}), &json!(3.0), &[]);
    check(
        json!({"required": ["b", "a"]}),
        &json!({}),
        &[("", "`b` is missing"), ("", "`a` is missing")],
    );
    check(
        json!({"properties": {"a": text()}, "additionalProperties": false}),
        &json!({"a": true, "b~/": 1}),
        &[
            ("/a", "expected text, found true or false"),
            ("/b~0~1", "this is not allowed here"),
        ],
    );
    check(
        json!({"additionalProperties": text()}),
        &json!({"x": "y"}),
        &[],
    );
    check(
        json!({"items": text()}),
        &json!(["a", 1]),
        &[("/1", "expected text, found a whole number")],
    );
    check(
        json!({"enum": ["red", "blue"]}),
        &json!("green"),
        &[("", "expected one of: red, blue")],
    );
    check(json!({"enum": [1, null]}), &json!(1.0), &[]);
    check(json!({"const": {"a": [1]}}), &json!({"a": [1.0]}), &[]);
    check(
        json!({"const": "yes"}),
        &json!("no"),
        &[("", "expected `yes`")],
    );
    check(
        json!({"minimum": 1, "maximum": 5}),
        &json!(0),
        &[("", "must be 1 or more")],
    );
    check(
        json!({"exclusiveMaximum": 0.3}),
        &json!(0.3),
        &[("", "must be less than 0.3")],
    );
    check(
        json!({"minimum": 9_007_199_254_740_993_i64}),
        &json!(9_007_199_254_740_992_i64),
        &[("", "must be 9007199254740993 or more")],
    );
    check(
        json!({"multipleOf": 5}),
        &json!(12),
        &[("", "must be a multiple of 5")],
    );
    check(
        json!({"minLength": 2, "maxLength": 3}),
        &json!("ü"),
        &[("", "must have at least 2 characters")],
    );
    check(
        json!({"minItems": 1}),
        &json!([]),
        &[("", "must have at least 1 item")],
    );
    check(
        json!({"uniqueItems": true}),
        &json!([1, "1", 1.0]),
        &[("", "must not name anything twice")],
    );
    check(
        json!({"pattern": "^[A-Z]{3}$"}),
        &json!("abc"),
        &[("", "does not have the form that is asked for")],
    );
    check(
        json!({"if": {"properties": {"kind": {"const": "rent"}}, "required": ["kind"]},
               "then": {"required": ["landlord"]}, "else": {"required": ["reason"]}}),
        &json!({"kind": "rent"}),
        &[("", "`landlord` is missing")],
    );
    check(json!(false), &json!(1), &[("", "this is not allowed here")]);
}

#[test]
fn formats_are_checked() {
    let accepts = |format: &str, text: &str| {
        let schema = Schema::new(json!({"format": format})).unwrap();
        schema.violations(&json!(text)).is_empty()
    };
    for (format, good, bad) in [
        ("date", "2024-02-29", "2023-02-29"),
        ("date", "2026-12-31", "2026-1-1"),
        ("date", "2000-02-29", "1900-02-29"),
        ("date-time", "2026-11-23T09:30:00Z", "2026-11-23 09:30:00Z"),
        (
            "date-time",
            "2026-11-23T09:30:00.125+10:00",
            "2026-11-23T09:30:00",
        ),
        ("date-time", "2026-11-23T23:59:60Z", "2026-11-23T24:00:00Z"),
        ("email", "o.brien+x@mail.example.org", "o.brien@localhost"),
        ("email", "müller@example.org", "a b@example.org"),
        ("uuid", "0190b2a4-7c3e-7b1d-8f00-0123456789ab", "0190b2a4"),
    ] {
        assert!(accepts(format, good), "{good}");
        assert!(!accepts(format, bad), "{bad}");
    }
}

#[test]
fn alternatives_tell_what_was_nearest() {
    let shapes = json!({"oneOf": [
        {
            "type": "object",
            "properties": {"kind": {"const": "card"}, "number": {"type": "string"}},
            "required": ["kind", "number"],
        },
        {"type": "object", "properties": {"kind": {"const": "cash"}}, "required": ["kind"]},
    ]});
    check(
        shapes.clone(),
        &json!({"kind": "card"}),
        &[("", "`number` is missing")],
    );
    check(
        shapes.clone(),
        &json!({"kind": "cheque"}),
        &[("", "fits none of the forms that are allowed here")],
    );
    check(shapes, &json!({"kind": "cash"}), &[]);
    check(
        json!({"oneOf": [{"type": "integer"}, {"minimum": 2}]}),
        &json!(3),
        &[("", "fits several forms, of which only one is allowed")],
    );
    check(
        json!({"anyOf": [{"type": "integer", "minimum": 5}, {"type": "null"}]}),
        &json!(3),
        &[("", "must be 5 or more")],
    );
    check(
        json!({"oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]}),
        &json!("c"),
        &[("", "expected one of: a, b")],
    );
}

#[test]
fn messages_never_quote_the_value() {
    let secret = "Ana Ćosić";
    for schema in [
        json!({"type": "integer"}),
        json!({"enum": ["x"]}),
        json!({"maxLength": 2}),
        json!({"pattern": "^x$"}),
        json!({"format": "date"}),
        json!({"anyOf": [{"const": 1}, {"const": 2}]}),
    ] {
        let violations = Schema::new(schema).unwrap().violations(&json!(secret));
        assert!(!violations.is_empty());
        assert!(
            violations.iter().all(|v| !v.message.contains("Ana")),
            "{violations:?}"
        );
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    refused(
        json!({"properties": {"a": {"not": {}}}}),
        "/properties/a/not",
        "say what is allowed",
    );
    refused(json!({"type": "text"}), "/type", "a type is one of");
    refused(
        json!({"$ref": "https://example.org/x"}),
        "/$ref",
        "own `#/$defs/...`",
    );
    refused(
        json!({"$ref": "#/$defs/none"}),
        "/$ref",
        "there is no `/$defs/none`",
    );
    refused(json!({"format": "regex"}), "/format", "not checked here");
    refused(json!({"pattern": "(?=x)"}), "/pattern", "linear time");
    refused(
        json!({"multipleOf": 0.1}),
        "/multipleOf",
        "without rounding",
    );
    refused(json!({"required": "a"}), "/required", "list of names");
    refused(json!({"minimun": 1}), "/minimun", "begin with `x-`");
    refused(json!([]), "", "a schema is an object");
    refused(
        json!({"items": {"$defs": {}}}),
        "/items/$defs",
        "at the top",
    );
    assert!(
        Schema::new(
            json!({"x-ui": "long", "$schema": "https://json-schema.org/draft/2020-12/schema"})
        )
        .is_ok()
    );
}

#[test]
fn recursion_and_doubling_are_refused() {
    refused(
        json!({
            "$defs": {"a": {"properties": {"next": {"$ref": "#/$defs/a"}}}},
            "$ref": "#/$defs/a",
        }),
        "/$defs/a",
        "refers to itself",
    );
    let mut definitions = serde_json::Map::new();
    definitions.insert("d0".into(), json!({"type": "string"}));
    for level in 1..40 {
        let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
        definitions.insert(format!("d{level}"), json!({"allOf": [below, below]}));
    }
    let doubling = json!({"$defs": definitions, "$ref": "#/$defs/d39"});
    assert!(
        Schema::new(doubling)
            .unwrap_err()
            .message
            .contains("20000 parts")
    );
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({ "items": deep });
    }
    assert!(
        Schema::new(deep)
            .unwrap_err()
            .message
            .contains("more than 64 deep")
    );
}

#[test]
fn violations_are_bounded() {
    let schema = Schema::new(json!({"items": {"type": "string"}})).unwrap();
    let many: Value = (0..5000).map(Value::from).collect();
    assert_eq!(schema.violations(&many).len(), VIOLATIONS_MAX);
}

mod derived {
    #![allow(dead_code, reason = "only their schemas are used")]

    use std::collections::{BTreeMap, BTreeSet};

    use schemars::JsonSchema;

    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub(super) struct Order {
        /// Who asks.
        pub(super) name: String,
        small: u8,
        large: u64,
        signed: i32,
        ratio: f64,
        flag: bool,
        letter: char,
        maybe: Option<String>,
        inner: Inner,
        maybe_inner: Option<Inner>,
        list: Vec<Inner>,
        set: BTreeSet<String>,
        map: BTreeMap<String, i64>,
        three: [i32; 3],
        plain: Plain,
        tagged: Tagged,
        outer: Outer,
        anything: serde_json::Value,
        unit: (),
        wrapped: Wrapped,
    }

    #[derive(JsonSchema)]
    struct Inner {
        #[schemars(range(min = 1, max = 10))]
        count: u32,
        #[serde(default)]
        note: String,
    }

    #[derive(JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Plain {
        First,
        /// Told.
        Second,
    }

    #[derive(JsonSchema)]
    #[serde(tag = "kind")]
    enum Tagged {
        Unit,
        Struct { a: u16 },
    }

    #[derive(JsonSchema)]
    enum Outer {
        Text(String),
        Struct { x: Inner },
        None,
    }

    #[derive(JsonSchema)]
    struct Wrapped(String);
}

#[test]
fn schemas_of_ordinary_rust_types_are_accepted() {
    let document = schemars::schema_for!(derived::Order).to_value();
    let schema = Schema::new(document).unwrap();
    let value = json!({
        "name": "a", "small": 255, "large": u64::MAX, "signed": -1, "ratio": 0.5, "flag": true,
        "letter": "x", "maybe": null, "inner": {"count": 10},
        "maybe_inner": {"count": 1, "note": ""},
        "list": [{"count": 3}], "set": ["a", "b"], "map": {"k": 1}, "three": [1, 2, 3],
        "plain": "second", "tagged": {"kind": "Struct", "a": 1},
        "outer": {"Struct": {"x": {"count": 2}}},
        "anything": [null], "unit": null, "wrapped": "w",
    });
    assert_eq!(schema.violations(&value), []);
    let mut wrong = value;
    wrong["small"] = json!(256);
    wrong["inner"]["count"] = json!(11);
    wrong["set"] = json!(["a", "a"]);
    wrong["extra"] = json!(1);
    let pointers: Vec<String> = schema
        .violations(&wrong)
        .into_iter()
        .map(|v| v.pointer)
        .collect();
    assert_eq!(pointers, ["/extra", "/inner/count", "/set", "/small"]);
}
