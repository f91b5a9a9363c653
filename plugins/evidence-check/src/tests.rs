//! Each rule finds what it should at its boundary, and bad input is named by field.

use casewright_sdk::Kind;
use casewright_sdk::prelude::*;
use casewright_sdk::testing::{World, context};

use crate::PLUGIN;

fn request() -> Value {
    json!({
        "money": { "minor": 130_000, "currency": "AUD" },
        "category": "household",
        "goalActive": true,
        "quotes": [quote("Ridgeview Beds", "2026-05-01")],
        "invoice": {
            "number": "INV-77",
            "taxId": "99 000 000 000",
            "money": { "minor": 130_000, "currency": "AUD" },
            "gst": { "minor": 11_818, "currency": "AUD" },
            "date": "2026-05-10",
        },
        "earlier": [],
        "today": "2026-05-12",
    })
}

fn quote(supplier: &str, date: &str) -> Value {
    json!({
        "supplier": supplier,
        "money": { "minor": 130_000, "currency": "AUD" },
        "date": date,
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut request = request();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match request.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        parent => parent[key] = value,
    }
    request
}

fn check(world: &World, request: &Value) -> Value {
    world
        .invoke(&PLUGIN, "check", &request.to_string(), &context("key-1"))
        .unwrap()
}

/// The codes found, and whether the request may go on.
fn found(request: &Value) -> (bool, Vec<String>) {
    let verdict = check(&World::new(), request);
    let findings = verdict["findings"].as_array().unwrap();
    let codes = findings
        .iter()
        .map(|finding| finding["code"].as_str().unwrap().to_owned());
    (verdict["ok"].as_bool().unwrap(), codes.collect())
}

fn finds(request: &Value, code: &str, ok: bool) {
    assert_eq!(found(request), (ok, vec![code.to_owned()]), "{request}");
}

fn finds_nothing(request: &Value) {
    assert_eq!(found(request), (true, Vec::new()), "{request}");
}

#[test]
fn a_request_in_order_has_no_findings() {
    finds_nothing(&request());
    let bare = json!({
        "money": { "minor": 130_000, "currency": "AUD" },
        "category": "household",
        "goalActive": true,
        "quotes": [quote("Ridgeview Beds", "2026-05-12")],
        "today": "2026-05-12",
    });
    finds_nothing(&bare);
    finds_nothing(&with("/invoice", Value::Null));
}

#[test]
fn quotes_are_counted_by_supplier_and_amount() {
    let ask = |minor: i64, suppliers: &[&str]| {
        let mut request = with("/money/minor", json!(minor));
        let quotes = suppliers
            .iter()
            .map(|supplier| quote(supplier, "2026-05-01"));
        request["quotes"] = quotes.collect();
        request
    };
    finds_nothing(&ask(200_000, &[]));
    finds(&ask(200_001, &["A"]), "too-few-quotes", false);
    finds(&ask(200_001, &["A", " a "]), "too-few-quotes", false);
    finds_nothing(&ask(500_000, &["A", "B"]));
    finds(&ask(500_001, &["A", "B"]), "too-few-quotes", false);
    finds_nothing(&ask(500_001, &["A", "B", "C"]));
}

#[test]
fn the_cap_goal_and_category_are_held() {
    let mut request = with("/money/minor", json!(1_000_001));
    request["quotes"] = ["A", "B", "C"]
        .map(|one| quote(one, "2026-05-01"))
        .to_vec()
        .into();
    finds(&request, "over-cap", false);
    request["money"]["minor"] = json!(1_000_000);
    finds_nothing(&request);
    finds(&with("/goalActive", json!(false)), "goal-not-active", false);
    finds(&with("/category", json!("Fines")), "excluded-item", false);
}

#[test]
fn a_stale_quote_and_a_related_supplier_are_for_the_approver_to_weigh() {
    finds_nothing(&with("/quotes/0/date", json!("2026-02-11")));
    finds(
        &with("/quotes/0/date", json!("2026-02-10")),
        "stale-quote",
        true,
    );
    let supplier = |related| json!({ "name": "A", "isRelatedToRequester": related });
    finds(&with("/supplier", supplier(true)), "related-party", true);
    finds_nothing(&with("/supplier", supplier(false)));
}

#[test]
fn an_invoice_is_recognised_by_supplier_number_and_amount() {
    let paid = |tax_id: &str, number: &str, minor: i64| {
        let money = json!({ "minor": minor, "currency": "AUD" });
        with(
            "/earlier",
            json!([{ "taxId": tax_id, "number": number, "money": money }]),
        )
    };
    finds(
        &paid("99000000000", "inv 77", 130_000),
        "duplicate-invoice",
        false,
    );
    finds_nothing(&paid("51824753556", "INV-77", 130_000));
    finds_nothing(&paid("99000000000", "INV-78", 130_000));
    finds_nothing(&paid("99000000000", "INV-77", 130_001));
}

#[test]
fn a_wrong_checksum_is_a_finding() {
    finds(
        &with("/invoice/taxId", json!("51 824 753 557")),
        "abn-invalid",
        false,
    );
    finds_nothing(&with("/invoice/taxId", json!("51 824 753 556")));
}

#[test]
fn findings_add_up_and_name_nobody() {
    let mut request = with("/goalActive", json!(false));
    request["category"] = json!("cash");
    request["quotes"] = json!([quote("Ridgeview Beds", "2025-05-01")]);
    let verdict = check(&World::new(), &request);
    assert_eq!(verdict["findings"].as_array().unwrap().len(), 3);
    assert!(!verdict.to_string().contains("Ridgeview"));
}

#[test]
fn the_agency_sets_its_own_rules() {
    let rules = json!({
        "capMinor": 129_999,
        "quotes": [{ "aboveMinor": 100_000, "count": 2 }],
        "quoteDaysMax": 1,
        "excluded": ["Household"],
    });
    let verdict = check(&World::new().config(rules), &request());
    let codes: Vec<_> = verdict["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["code"])
        .collect();
    assert_eq!(
        codes,
        ["excluded-item", "over-cap", "too-few-quotes", "stale-quote"]
    );
    let error = World::new()
        .config(json!({ "capCents": 1 }))
        .invoke(&PLUGIN, "check", &request().to_string(), &context("key-1"))
        .unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        ("bad-config", "setting `/capCents` is not a known field")
    );
}

fn refused_text(text: &str) -> Error {
    let error = World::new()
        .invoke(&PLUGIN, "check", text, &context("key-1"))
        .expect_err("is bad");
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Permanent, "invalid-input"),
        "{error}"
    );
    error
}

fn refused(request: &Value, field: &str) {
    let error = refused_text(&request.to_string());
    assert_eq!(error.field(), Some(field), "{error}");
}

#[test]
fn bad_input_is_named_by_field() {
    for pointer in ["/money", "/category", "/goalActive", "/quotes", "/today"] {
        let mut request = request();
        request
            .as_object_mut()
            .unwrap()
            .remove(&pointer[1..])
            .unwrap();
        refused(&request, pointer);
        refused(&with(pointer, Value::Null), pointer);
        refused(&with(pointer, json!(7)), pointer);
    }
    for pointer in [
        "/extra",
        "/money/cents",
        "/quotes/0/cents",
        "/invoice/lines",
    ] {
        refused(&with(pointer, json!(1)), pointer);
    }
    for pointer in [
        "/money/minor",
        "/quotes/0/money/minor",
        "/invoice/money/minor",
    ] {
        for minor in [
            json!(0),
            json!(-1),
            json!(1_000_000_000_000_i64),
            json!(12.345),
            json!("1"),
        ] {
            refused(&with(pointer, minor), pointer);
        }
    }
    for pointer in [
        "/quotes/0/money/currency",
        "/invoice/money/currency",
        "/invoice/gst/currency",
    ] {
        refused(&with(pointer, json!("USD")), pointer);
        refused(&with(pointer, json!("aud")), pointer);
    }
    for pointer in ["/today", "/quotes/0/date", "/invoice/date"] {
        for date in [
            "2026-02-30",
            "30.4.2026",
            "",
            "Mars/X",
            "2026-05-12T10:00:00Z",
        ] {
            refused(&with(pointer, json!(date)), pointer);
        }
    }
    let long = "x".repeat(100_000);
    for pointer in ["/category", "/quotes/0/supplier", "/invoice/number"] {
        for text in ["", "  ", "a\0b", "a\u{202e}b", long.as_str()] {
            refused(&with(pointer, json!(text)), pointer);
        }
    }
    for id in [
        "9900000000",
        "990000000000",
        "",
        "ninety-nine",
        long.as_str(),
    ] {
        refused(&with("/invoice/taxId", json!(id)), "/invoice/taxId");
    }
}

#[test]
fn totals_and_dates_must_be_possible() {
    refused(
        &with("/quotes/0/date", json!("2026-05-13")),
        "/quotes/0/date",
    );
    refused(&with("/invoice/date", json!("2026-05-13")), "/invoice/date");
    finds_nothing(&with("/invoice/gst/minor", json!(11_819)));
    finds_nothing(&with("/invoice/gst/minor", json!(0)));
    refused(
        &with("/invoice/gst/minor", json!(11_820)),
        "/invoice/gst/minor",
    );
    refused(&with("/invoice/gst/minor", json!(-1)), "/invoice/gst/minor");
    let quotes: Vec<_> = (0..21).map(|_| quote("A", "2026-05-01")).collect();
    refused(&with("/quotes", quotes.into()), "/quotes");
}

#[test]
fn what_is_not_json_is_refused_as_a_whole() {
    for text in [
        "",
        "{",
        "nonsense",
        "[]",
        "{}{}",
        r#"{"money":{"minor":NaN}}"#,
    ] {
        refused_text(text);
    }
    refused_text(&format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)));
    let huge = request().to_string().replace("130000", "1e400");
    refused_text(&huge);
}
