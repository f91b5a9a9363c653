//! One payment or a clear refusal, whatever the partner does; and bad input never reaches it.

use casewright_sdk::http::{Credential, ErrorKind, Method};
use casewright_sdk::prelude::*;
use casewright_sdk::testing::{Answer, World, context};
use casewright_sdk::{Context, Kind};

use crate::PLUGIN;

const PAYMENTS: &str = "http://127.0.0.1:9/pay/payments";
const QUERY: &str = "http://127.0.0.1:9/pay/payments?key=key-1";

fn world() -> World {
    World::new().config(json!({ "endpoint": "http://127.0.0.1:9" }))
}

fn payment() -> Value {
    json!({
        "payee": {
            "name": "Ridgeview Beds Pty Ltd",
            "taxId": "99000000000",
            "accountHandle": "sec:pay/ridgeview",
        },
        "money": { "minor": 130_000, "currency": "AUD" },
        "reference": "FS-2026-00417-B3",
        "purposeCode": "household",
    })
}

fn receipt(state: &str) -> Value {
    json!({ "paymentId": "p-1", "state": state, "bankRef": "B1", "at": "2026-05-12T00:00:00Z" })
}

fn attempt(number: u32) -> Context {
    Context {
        attempt: number,
        ..context("key-1")
    }
}

/// Runs an attempt against a script of the partner.
fn paid(number: u32, script: Vec<(Method, Answer)>) -> Result<Value, Error> {
    let world = world();
    for (method, answer) in script {
        match method {
            Method::Post => world
                .expect(method, PAYMENTS)
                .header("Idempotency-Key", "key-1")
                .json(payment())
                .answer(answer),
            _ => world.expect(method, QUERY).answer(answer),
        }
    }
    world.invoke(&PLUGIN, "pay", &payment().to_string(), &attempt(number))
}

fn post(answer: Answer) -> (Method, Answer) {
    (Method::Post, answer)
}

fn query(answer: Answer) -> (Method, Answer) {
    (Method::Get, answer)
}

fn ok(state: &str) -> Answer {
    Answer::json(200, &receipt(state))
}

fn status(status: u16) -> Answer {
    Answer::json(status, &json!({}))
}

#[test]
fn a_payment_is_asked_for_with_the_key_and_its_receipt_returned() {
    for state in ["accepted", "settled", "rejected"] {
        assert_eq!(paid(1, vec![post(ok(state))]), Ok(receipt(state)));
    }
    assert_eq!(
        paid(1, vec![post(Answer::json(201, &receipt("settled")))]),
        Ok(receipt("settled"))
    );
}

#[test]
fn an_answer_that_got_lost_is_asked_for_and_never_paid_again() {
    let lost = || {
        [
            Answer::broken(ErrorKind::Timeout),
            Answer::broken(ErrorKind::Protocol),
            status(500),
            status(503),
            status(408),
            status(409),
        ]
    };
    for answer in lost() {
        assert_eq!(
            paid(1, vec![post(answer), query(ok("settled"))]),
            Ok(receipt("settled"))
        );
    }
    for answer in lost() {
        let error = paid(1, vec![post(answer), query(status(404))]).expect_err("is unclear");
        assert_eq!(error.kind(), Kind::Retryable, "{error}");
    }
    for answer in lost() {
        let unreachable = Answer::not_sent(ErrorKind::Connect);
        let error = paid(1, vec![post(answer), query(unreachable)]).expect_err("is unclear");
        assert_eq!(error.kind(), Kind::Retryable, "{error}");
    }
}

#[test]
fn a_later_attempt_asks_before_it_pays() {
    assert_eq!(paid(2, vec![query(ok("settled"))]), Ok(receipt("settled")));
    assert_eq!(
        paid(2, vec![query(status(404)), post(ok("accepted"))]),
        Ok(receipt("accepted"))
    );
    let error = paid(2, vec![query(Answer::broken(ErrorKind::Timeout))]).expect_err("is unclear");
    assert_eq!((error.kind(), error.code()), (Kind::Retryable, "timeout"));
    let error = paid(2, vec![query(status(409))]).expect_err("is in flight");
    assert_eq!((error.kind(), error.code()), (Kind::Retryable, "in-flight"));
}

#[test]
fn a_request_that_was_never_sent_is_tried_again() {
    let error = paid(1, vec![post(Answer::not_sent(ErrorKind::Connect))]).expect_err("not sent");
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Retryable, "upstream-unreachable")
    );
    let error = paid(1, vec![post(Answer::not_sent(ErrorKind::Denied))]).expect_err("denied");
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "denied"));
}

#[test]
fn refusals_of_the_partner_keep_their_meaning() {
    for (answer, kind, code) in [
        (status(402), Kind::Business, "declined"),
        (status(422), Kind::Business, "conflict"),
        (status(400), Kind::Permanent, "upstream-4xx"),
        (status(401), Kind::Permanent, "upstream-4xx"),
        (status(302), Kind::Permanent, "upstream-3xx"),
    ] {
        let error = paid(1, vec![post(answer)]).expect_err(code);
        assert_eq!((error.kind(), error.code()), (kind, code));
    }
}

#[test]
fn a_success_that_proves_nothing_is_a_bad_response() {
    let without_id = json!({ "state": "settled", "bankRef": "B1", "at": "2026-05-12T00:00:00Z" });
    for answer in [
        Answer::json(200, &without_id),
        Answer::json(
            200,
            &json!({ "paymentId": "", "state": "settled", "at": "x" }),
        ),
        Answer::json(
            200,
            &json!({ "paymentId": "p", "state": "maybe", "at": "x" }),
        ),
        Answer::text(200, "text/html", "<html>welcome</html>"),
        Answer::text(200, "application/json", r#"{"paymentId":"p-1","sta"#),
        Answer::empty(204),
    ] {
        let error = paid(1, vec![post(answer.clone())]).expect_err("proves nothing");
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Permanent, "bad-response")
        );
        let lost = Answer::broken(ErrorKind::Timeout);
        let error = paid(1, vec![post(lost), query(answer)]).expect_err("proves nothing");
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Permanent, "bad-response")
        );
    }
}

#[test]
fn the_partner_decides_about_the_pause() {
    let busy = status(409).header("Retry-After", "9");
    let error = paid(1, vec![post(busy), query(status(404))]).expect_err("is in flight");
    assert_eq!(error.retry_after().map(|pause| pause.as_secs()), Some(9));
}

#[test]
fn a_credential_is_named_and_a_path_can_be_empty() {
    let world = World::new().config(json!({
        "endpoint": "https://pay.example/",
        "path": "",
        "credential": "payments-api",
    }));
    world
        .expect(Method::Post, "https://pay.example/payments")
        .credential(Credential::Bearer("payments-api".into()))
        .answer(ok("settled"));
    assert!(
        world
            .invoke(&PLUGIN, "pay", &payment().to_string(), &attempt(1))
            .is_ok()
    );
}

#[test]
fn without_an_endpoint_it_says_which_setting_is_missing() {
    let world = World::new();
    let error = world
        .invoke(&PLUGIN, "pay", &payment().to_string(), &attempt(1))
        .unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        ("bad-config", "setting `/endpoint` is missing")
    );
}

/// No request is expected in these worlds, so that one sent would fail the test.
fn refused(input: &str, field: &str) {
    let error = world()
        .invoke(&PLUGIN, "pay", input, &attempt(1))
        .expect_err(field);
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Permanent, "invalid-input"),
        "{error}"
    );
    assert_eq!(error.field(), Some(field), "{error}");
}

fn with(pointer: &str, value: Value) -> String {
    let mut payment = payment();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = payment
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap();
    parent.insert(key.into(), value);
    payment.to_string()
}

fn without(pointer: &str) -> String {
    let mut payment = payment();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    payment
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(key)
        .unwrap();
    payment.to_string()
}

#[test]
fn bad_input_is_named_by_field_and_sends_nothing() {
    for pointer in [
        "/payee",
        "/payee/name",
        "/payee/accountHandle",
        "/money",
        "/money/minor",
        "/money/currency",
        "/reference",
        "/purposeCode",
    ] {
        refused(&without(pointer), pointer);
        refused(&with(pointer, Value::Null), pointer);
        refused(&with(pointer, json!(true)), pointer);
    }
    for pointer in ["/extra", "/payee/extra", "/money/cents"] {
        refused(&with(pointer, json!(1)), pointer);
    }
    let long = "A".repeat(100_000);
    let text_fields = [
        "/payee/name",
        "/payee/accountHandle",
        "/reference",
        "/purposeCode",
    ];
    for pointer in text_fields
        .into_iter()
        .chain(["/payee/taxId", "/money/currency"])
    {
        for text in ["", long.as_str(), "a\0b", "\u{202e}b", "a\nb"] {
            refused(&with(pointer, json!(text)), pointer);
        }
    }
    for minor in [
        json!(0),
        json!(-1),
        json!(1_000_000_000_000_i64),
        json!(12.345),
        json!("1"),
    ] {
        refused(&with("/money/minor", minor), "/money/minor");
    }
    refused(&with("/money/currency", json!("aud")), "/money/currency");
    for id in ["9900", "99 000 000 000", "990000000000000", "ABC00000000"] {
        refused(&with("/payee/taxId", json!(id)), "/payee/taxId");
    }
    for handle in [
        "062-000 12345678",
        "sec:",
        "sec:pay/",
        "sec:pay/12345678",
        "pay/ridgeview",
    ] {
        refused(
            &with("/payee/accountHandle", json!(handle)),
            "/payee/accountHandle",
        );
    }
    for reference in [
        "Maria Nguyen",
        "NGUYEN-417",
        "FS-BEDS-1",
        "FS-2026-00417-b3",
    ] {
        refused(&with("/reference", json!(reference)), "/reference");
    }
}

#[test]
fn what_is_not_json_is_refused_as_a_whole() {
    for text in [
        "",
        "{",
        "nonsense",
        "[]",
        "\"pay\"",
        "{}{}",
        r#"{"money":{"minor":NaN}}"#,
    ] {
        let error = world()
            .invoke(&PLUGIN, "pay", text, &attempt(1))
            .expect_err(text);
        assert_eq!(error.code(), "invalid-input", "{text}");
    }
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let error = world()
        .invoke(&PLUGIN, "pay", &deep, &attempt(1))
        .unwrap_err();
    assert_eq!(error.code(), "invalid-input");
    let huge = payment().to_string().replace("130000", "1e400");
    refused(&huge, "/money/minor");
}

#[test]
fn without_a_key_nothing_is_paid() {
    let nobody = Context {
        idempotency_key: String::new(),
        ..attempt(1)
    };
    let error = world()
        .invoke(&PLUGIN, "pay", &payment().to_string(), &nobody)
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "bug"));
}

#[test]
fn no_message_repeats_the_payee() {
    let inputs = [
        with("/reference", json!("RIDGEVIEW-1")),
        with("/payee/extra", json!("Ridgeview")),
    ];
    for input in inputs {
        let error = world()
            .invoke(&PLUGIN, "pay", &input, &attempt(1))
            .unwrap_err();
        assert!(
            !format!("{error:?}").to_lowercase().contains("ridgeview"),
            "{error:?}"
        );
    }
}

#[test]
fn it_describes_itself() {
    let description = PLUGIN.description();
    let pay = &description["functions"][0];
    assert_eq!(pay["name"], "pay");
    assert_eq!(pay["title"], "Pays a supplier once");
    assert_eq!(pay["effect"], "keyed");
    assert_eq!(
        pay["errors"],
        json!([{ "code": "declined" }, { "code": "conflict" }])
    );
    assert_eq!(pay["input"]["additionalProperties"], json!(false));
    assert_eq!(description["config"]["required"], json!(["endpoint"]));
}
