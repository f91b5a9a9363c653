//! Deadlines by the calendar, one voucher whatever the provider does, and bad input that reaches
//! nobody.

use casewright_sdk::http::{Credential, ErrorKind, Method};
use casewright_sdk::prelude::*;
use casewright_sdk::testing::{Answer, World, context};
use casewright_sdk::{Context, Kind};

use crate::PLUGIN;

const VOUCHERS: &str = "http://127.0.0.1:9/relief/vouchers";
const QUERY: &str = "http://127.0.0.1:9/relief/vouchers/key-1";

fn world() -> World {
    World::new().config(json!({
        "endpoint": "http://127.0.0.1:9",
        "voucherMax": { "minor": 20_000, "currency": "AUD" },
    }))
}

fn advice_only() -> Value {
    json!({
        "event": "left-home-dfv",
        "eventDate": "2026-05-09",
        "today": "2026-05-12",
        "severeHardship": true,
        "incomeSupport": "yes",
    })
}

fn wanted() -> Value {
    json!({ "type": "grocery", "money": { "minor": 8_000, "currency": "AUD" } })
}

fn emergency() -> Value {
    let mut input = advice_only();
    input["agencyVoucher"] = wanted();
    input
}

fn voucher() -> Value {
    json!({ "id": "v-1", "code": "GROC-4417-2290", "expires": "2026-08-10" })
}

fn attempt(number: u32) -> Context {
    Context {
        attempt: number,
        ..context("key-1")
    }
}

fn arranged(world: &World, number: u32, input: &Value) -> Result<Value, Error> {
    world.invoke(&PLUGIN, "arrange", &input.to_string(), &attempt(number))
}

/// Runs an attempt against a script of the provider; its voucher.
fn issued(number: u32, script: Vec<(Method, Answer)>) -> Result<Value, Error> {
    let world = world();
    for (method, answer) in script {
        match method {
            Method::Post => world
                .expect(method, VOUCHERS)
                .header("Idempotency-Key", "key-1")
                .json(wanted())
                .answer(answer),
            _ => world.expect(method, QUERY).answer(answer),
        }
    }
    arranged(&world, number, &emergency()).map(|relief| relief["voucher"].clone())
}

fn post(answer: Answer) -> (Method, Answer) {
    (Method::Post, answer)
}

fn query(answer: Answer) -> (Method, Answer) {
    (Method::Get, answer)
}

fn ok() -> Answer {
    Answer::json(201, &voucher())
}

fn status(status: u16) -> Answer {
    Answer::json(status, &json!({}))
}

#[test]
fn the_seventh_day_is_in_time_and_the_eighth_is_late() {
    // No request is expected: without a voucher nobody is asked.
    for (event, today, contact_by, likely, first) in [
        (
            "2026-05-09",
            "2026-05-09",
            "2026-05-16",
            "yes",
            "contact-income-agency",
        ),
        (
            "2026-05-09",
            "2026-05-16",
            "2026-05-16",
            "yes",
            "contact-income-agency",
        ),
        (
            "2026-05-09",
            "2026-05-17",
            "2026-05-16",
            "ask",
            "contact-although-late",
        ),
        // Over the end of a year and of a February, in days of the calendar.
        (
            "2026-12-28",
            "2026-12-31",
            "2027-01-04",
            "yes",
            "contact-income-agency",
        ),
        (
            "2028-02-25",
            "2028-03-03",
            "2028-03-03",
            "yes",
            "contact-income-agency",
        ),
        (
            "2027-02-25",
            "2027-03-05",
            "2027-03-04",
            "ask",
            "contact-although-late",
        ),
    ] {
        let mut input = advice_only();
        input["eventDate"] = json!(event);
        input["today"] = json!(today);
        let relief = arranged(&world(), 1, &input).unwrap();
        let payment =
            json!({ "contactBy": contact_by, "claimByAfterContact": 14, "likely": likely });
        assert_eq!(relief["crisisPayment"], payment, "{event} {today}");
        assert_eq!(
            relief["steps"],
            json!([first, "ask-whether-paid-before", "send-claim"])
        );
        assert_eq!(relief["voucher"], Value::Null);
    }
}

#[test]
fn who_is_likely_to_be_paid_is_said_with_care() {
    for (hardship, support, likely) in [
        (true, "yes", "yes"),
        (true, "unknown", "ask"),
        (true, "no", "no"),
        (false, "yes", "no"),
        (false, "unknown", "no"),
    ] {
        let mut input = advice_only();
        input["severeHardship"] = json!(hardship);
        input["incomeSupport"] = json!(support);
        let relief = arranged(&world(), 1, &input).unwrap();
        assert_eq!(
            relief["crisisPayment"]["likely"], likely,
            "{hardship} {support}"
        );
        let asks = relief["steps"][0] == "ask-about-income-support";
        assert_eq!(asks, support == "unknown");
        // Even a "no" tells the family how to ask: the income agency decides.
        let steps = relief["steps"].as_array().unwrap();
        assert!(steps.contains(&json!("contact-income-agency")));
    }
}

#[test]
fn a_voucher_is_asked_for_with_the_key_and_handed_over_last() {
    let world = world();
    world
        .expect(Method::Post, VOUCHERS)
        .header("Idempotency-Key", "key-1")
        .json(wanted())
        .answer(ok());
    let relief = arranged(&world, 1, &emergency()).unwrap();
    assert_eq!(relief["voucher"], voucher());
    let steps = relief["steps"].as_array().unwrap();
    assert_eq!(steps.last(), Some(&json!("hand-over-voucher")));
}

#[test]
fn an_answer_that_got_lost_is_asked_for_and_never_issued_again() {
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
        assert_eq!(issued(1, vec![post(answer), query(ok())]), Ok(voucher()));
    }
    for nothing in [status(404), Answer::not_sent(ErrorKind::Connect)] {
        for answer in lost() {
            let script = vec![post(answer), query(nothing.clone())];
            let error = issued(1, script).expect_err("is unclear");
            assert_eq!(error.kind(), Kind::Retryable, "{error}");
        }
    }
    assert_eq!(issued(2, vec![query(ok())]), Ok(voucher()));
    assert_eq!(
        issued(2, vec![query(status(404)), post(ok())]),
        Ok(voucher())
    );
    let error = issued(2, vec![query(status(409))]).expect_err("is in flight");
    assert_eq!((error.kind(), error.code()), (Kind::Retryable, "in-flight"));
}

#[test]
fn refusals_of_the_provider_keep_their_meaning() {
    for (answer, kind, code) in [
        (status(402), Kind::Business, "declined"),
        (status(422), Kind::Business, "conflict"),
        (status(400), Kind::Permanent, "upstream-4xx"),
        (status(302), Kind::Permanent, "upstream-3xx"),
        (
            Answer::not_sent(ErrorKind::Connect),
            Kind::Retryable,
            "upstream-unreachable",
        ),
        (
            Answer::not_sent(ErrorKind::Denied),
            Kind::Permanent,
            "denied",
        ),
    ] {
        let error = issued(1, vec![post(answer)]).expect_err(code);
        assert_eq!((error.kind(), error.code()), (kind, code));
    }
}

#[test]
fn a_success_without_a_voucher_is_a_bad_response_that_tells_no_code() {
    let mut no_id = voucher();
    no_id.as_object_mut().unwrap().remove("id");
    let mut no_day = voucher();
    no_day["expires"] = json!("soon");
    for answer in [
        Answer::json(200, &no_id),
        Answer::json(200, &no_day),
        Answer::text(200, "text/html", "<html>GROC-4417-2290</html>"),
        Answer::empty(204),
    ] {
        let error = issued(1, vec![post(answer)]).expect_err("proves nothing");
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Permanent, "bad-response")
        );
        assert!(!format!("{error:?}").contains("4417"), "{error:?}");
    }
}

#[test]
fn a_voucher_above_the_bound_is_declined_and_nothing_is_sent() {
    for (max, minor, code) in [
        (
            json!({ "minor": 20_000, "currency": "AUD" }),
            20_001,
            "declined",
        ),
        (json!(null), 1, "declined"),
        (
            json!({ "minor": 20_000, "currency": "USD" }),
            1,
            "invalid-input",
        ),
    ] {
        let world =
            World::new().config(json!({ "endpoint": "http://127.0.0.1:9", "voucherMax": max }));
        let mut input = emergency();
        input["agencyVoucher"]["money"]["minor"] = json!(minor);
        let error = arranged(&world, 1, &input).expect_err(code);
        assert_eq!(error.code(), code);
    }
}

#[test]
fn a_credential_is_named() {
    let world = World::new().config(json!({
        "endpoint": "https://relief.example/",
        "path": "",
        "credential": "relief-api",
        "voucherMax": { "minor": 20_000, "currency": "AUD" },
    }));
    world
        .expect(Method::Post, "https://relief.example/vouchers")
        .credential(Credential::Bearer("relief-api".into()))
        .answer(ok());
    assert!(arranged(&world, 1, &emergency()).is_ok());
}

/// No request is expected in these worlds, so that one sent would fail the test.
fn refused(input: &str, field: &str) {
    let error = world()
        .invoke(&PLUGIN, "arrange", input, &attempt(1))
        .expect_err(field);
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Permanent, "invalid-input"),
        "{error}"
    );
    assert_eq!(error.field(), Some(field), "{error}");
}

fn with(pointer: &str, value: Value) -> String {
    let mut input = emergency();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = input.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().insert(key.into(), value);
    input.to_string()
}

fn without(pointer: &str) -> String {
    let mut input = emergency();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = input.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().remove(key).unwrap();
    input.to_string()
}

#[test]
fn bad_input_is_named_by_field_and_sends_nothing() {
    for pointer in [
        "/event",
        "/eventDate",
        "/today",
        "/severeHardship",
        "/incomeSupport",
        "/agencyVoucher/type",
        "/agencyVoucher/money",
        "/agencyVoucher/money/minor",
        "/agencyVoucher/money/currency",
    ] {
        refused(&without(pointer), pointer);
        refused(&with(pointer, Value::Null), pointer);
        refused(&with(pointer, json!([1])), pointer);
    }
    for pointer in ["/name", "/agencyVoucher/cash", "/agencyVoucher/money/cents"] {
        refused(&with(pointer, json!(1)), pointer);
    }
    // An event of tomorrow, a day that is none, a voucher over nothing.
    refused(&with("/eventDate", json!("2026-05-13")), "/eventDate");
    refused(&with("/eventDate", json!("2026-02-30")), "/eventDate");
    refused(&with("/event", json!("left home")), "/event");
    refused(&with("/incomeSupport", json!("maybe")), "/incomeSupport");
    refused(
        &with("/agencyVoucher/type", json!("cash")),
        "/agencyVoucher/type",
    );
    for minor in [json!(0), json!(-8_000), json!(80.5), json!("80")] {
        let pointer = "/agencyVoucher/money/minor";
        refused(&with(pointer, minor), pointer);
    }
    let edge = with("/eventDate", json!("9999-12-31"));
    refused(&edge.replace("2026-05-12", "9999-12-31"), "/eventDate");
}

#[test]
fn without_a_key_no_voucher_is_issued() {
    let nobody = Context {
        idempotency_key: String::new(),
        ..attempt(1)
    };
    let error = world()
        .invoke(&PLUGIN, "arrange", &emergency().to_string(), &nobody)
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "bug"));
}

#[test]
fn it_describes_itself() {
    let description = PLUGIN.description();
    let arrange = &description["functions"][0];
    assert_eq!(arrange["name"], "arrange");
    assert_eq!(arrange["effect"], "keyed");
    assert_eq!(
        arrange["errors"],
        json!([{ "code": "declined" }, { "code": "conflict" }])
    );
    assert_eq!(arrange["input"]["additionalProperties"], json!(false));
    assert_eq!(description["config"]["required"], json!(["endpoint"]));
}
