//! Mistakes name the field and keep the value to themselves.

use serde::Deserialize;

use crate::{Date, Error, Line, Money};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading it matters")]
struct Payment {
    payee: Payee,
    money: Money,
    on: Option<Date>,
    kind: Option<Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading it matters")]
struct Payee {
    name: Line<20>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Household,
}

fn check(text: &str, field: &str, message: &str) {
    let error: Error = super::input::<Payment>(text).expect_err("is wrong");
    assert_eq!(error.code(), "invalid-input", "{text}");
    assert_eq!(error.field(), Some(field), "{text}");
    assert_eq!(error.message(), message, "{text}");
}

#[test]
fn every_mistake_names_its_field() {
    let good = r#""money":{"minor":1,"currency":"AUD"}"#;
    check(
        "",
        "",
        "the input is not well-formed JSON of a sensible depth",
    );
    check("7", "", "the input is not an object");
    check("[]", "", "the input is not an object");
    check(&format!("{{{good}}}"), "/payee", "`/payee` is missing");
    check(
        &format!(r#"{{{good},"payee":{{}}}}"#),
        "/payee/name",
        "`/payee/name` is missing",
    );
    check(
        &format!(r#"{{{good},"payee":{{"name":null}}}}"#),
        "/payee/name",
        "`/payee/name` is not valid: expected one line of text of 1 to 20 characters",
    );
    check(
        &format!(r#"{{{good},"payee":{{"name":"a","extra":1}}}}"#),
        "/payee/extra",
        "`/payee/extra` is not a known field",
    );
    check(
        r#"{"payee":{"name":"a"},"money":{"minor":"Maria","currency":"AUD"}}"#,
        "/money/minor",
        "`/money/minor` is not valid: expected i64",
    );
    check(
        r#"{"payee":{"name":"a"},"money":{"minor":1.5,"currency":"AUD"}}"#,
        "/money/minor",
        "`/money/minor` is not valid: expected i64",
    );
    check(
        &format!(r#"{{{good},"payee":{{"name":"a"}},"on":"2026-02-30"}}"#),
        "/on",
        "`/on` is not valid: expected a date of the calendar such as 2026-05-12",
    );
    check(
        &format!(r#"{{{good},"payee":{{"name":"a"}},"kind":"Maria"}}"#),
        "/kind",
        "`/kind` is not valid: expected `household`",
    );
    check(
        &format!(r#"{{{good},{good},"payee":{{"name":"a"}}}}"#),
        "/money",
        "`/money` is given twice",
    );
}

#[test]
fn numbers_out_of_range_and_deep_nesting_end_as_values() {
    let error = super::input::<Payment>(r#"{"money":{"minor":1e400}}"#).expect_err("is wrong");
    assert_eq!(error.code(), "invalid-input");
    let deep = format!("{}{}", r#"{"payee":"#.repeat(10_000), "}".repeat(10_000));
    let error = super::input::<Payment>(&deep).expect_err("is wrong");
    assert_eq!(error.code(), "invalid-input");
    let deep = "[".repeat(10_000);
    let error = super::input::<serde_json::Value>(&deep).expect_err("is wrong");
    assert_eq!(error.code(), "invalid-input");
}

#[test]
fn no_mistake_quotes_the_input() {
    let texts = [
        r#"{"payee":{"name":["Maria"]}}"#,
        r#"{"payee":"Maria"}"#,
        r#"{"Maria Example":1}"#,
        r#"{"kind":"Maria, expected Maria Example"}"#,
    ];
    for text in texts {
        let error = super::input::<Payment>(text).expect_err("is wrong");
        assert!(!format!("{error:?}").contains("Maria Example"), "{error:?}");
    }
}
