//! The sample directory searched, and directories that lie.

use casewright_sdk::Kind;
use casewright_sdk::http::{ErrorKind, Method};
use casewright_sdk::prelude::*;
use casewright_sdk::testing::{Answer, World, context};

use crate::PLUGIN;

const SAMPLE: &str = include_str!("hsds-services.json");

fn url(page: u32) -> String {
    format!("http://127.0.0.1:9/hsds/services?search=housing&page={page}&per_page=50&full=true")
}

fn world() -> World {
    World::new().config(json!({ "endpoint": "http://127.0.0.1:9" }))
}

fn search() -> Value {
    json!({
        "need": "housing", "postcode": "4114", "childAges": [9, 4], "language": "vi",
        "at": "2026-05-12T10:00",
    })
}

fn find(input: &Value, pages: Vec<Answer>) -> Result<Value, Error> {
    let world = world();
    for (number, answer) in (1..).zip(pages) {
        world.expect(Method::Get, &url(number)).answer(answer);
    }
    world.invoke(&PLUGIN, "find", &input.to_string(), &context("key-1"))
}

fn page(contents: &Value, last: bool) -> Answer {
    Answer::json(
        200,
        &json!({ "contents": contents, "last_page": last, "total_items": -3 }),
    )
}

fn service(number: u8, status: &str) -> Value {
    json!({
        "id": format!("6f0c1c5e-2b1c-4f5e-9a40-0f1f5e6a70{number:02}"),
        "name": format!("Service {number}"),
        "status": status,
    })
}

#[test]
fn the_sample_directory_is_ranked_with_reasons() {
    let answer = Answer::text(200, "application/json", SAMPLE);
    let found = find(&search(), vec![answer]).unwrap();
    let results = found["results"].as_array().unwrap();
    let names: Vec<_> = results
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Ridgeview Tenancy Sustainment",
            "Safe Harbour (confidential location)",
            "Little Gums Early Learning",
        ]
    );
    assert_eq!(
        results[0],
        json!({
            "serviceId": "6f0c1c5e-2b1c-4f5e-9a40-0f1f5e6a7001",
            "name": "Ridgeview Tenancy Sustainment",
            "organization": "Ridgeview Housing Inc",
            "phone": null,
            "emailDomain": "ridgeview.example",
            "eligible": "yes",
            "why": ["area-served", "ages-fit", "language-spoken"],
            "openNow": true,
            "closed": false,
            "location": "public",
            "documents": ["Current tenancy agreement", "Proof of income"],
            "languages": ["Vietnamese"],
        })
    );
    assert_eq!(
        (
            &results[1]["location"],
            &results[1]["phone"],
            &results[1]["eligible"]
        ),
        (
            &json!("confidential"),
            &json!("07 5550 0100"),
            &json!("maybe")
        )
    );
    assert_eq!(
        (&results[2]["closed"], &results[2]["openNow"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        (&found["truncated"], &found["warnings"]),
        (&json!(false), &json!([]))
    );
}

#[test]
fn hours_are_held_to_the_minute_and_the_day() {
    for (at, open) in [
        ("2026-05-12T08:29", false),
        ("2026-05-12T08:30", true),
        ("2026-05-12T16:59", true),
        ("2026-05-12T17:00", false),
        ("2026-05-16T10:00", false),
    ] {
        let mut input = search();
        input["at"] = json!(at);
        let answer = Answer::text(200, "application/json", SAMPLE);
        let found = find(&input, vec![answer]).unwrap();
        assert_eq!(found["results"][0]["openNow"], open, "{at}");
    }
}

#[test]
fn what_does_not_fit_is_said_and_ranked_last() {
    let mut input = search();
    input["postcode"] = json!("4870");
    input["childAges"] = json!([9, 4, 17]);
    let mut small = service(9, "active");
    small["minimum_age"] = json!(0);
    small["maximum_age"] = json!(5);
    let mut far = service(1, "active");
    far["service_areas"] = json!([{ "extent": "postcode:4114, 4127" }]);
    let found = find(&input, vec![page(&json!([far, small]), true)]).unwrap();
    let results = &found["results"];
    assert_eq!(results[0]["eligible"], "maybe", "one of the children fits");
    assert_eq!(results[1]["eligible"], "no");
    assert_eq!(results[1]["why"][0], "area-not-served");
}

#[test]
fn bad_rows_are_left_out_and_named_and_repeated_ones_are_one() {
    let contents = json!([
        service(1, "active"),
        { "id": "not-a-uuid", "name": "Odd", "status": "active" },
        { "name": "No id", "status": "active" },
        7,
        service(1, "active"),
        service(2, "defunct"),
        service(3, "inactive"),
        service(4, "on holiday"),
    ]);
    let found = find(&search(), vec![page(&contents, true)]).unwrap();
    assert_eq!(found["results"].as_array().unwrap().len(), 1);
    let places: Vec<_> = found["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["at"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["1:2", "1:3", "1:4", "1:8"]);
}

#[test]
fn a_directory_without_a_last_page_is_left_after_twenty() {
    let pages = (0..20).map(|_| page(&json!([service(1, "active")]), false));
    let found = find(&search(), pages.collect()).unwrap();
    assert_eq!(found["truncated"], true);
    let pages = vec![
        page(&json!([service(1, "active")]), false),
        page(&json!([]), false),
    ];
    assert_eq!(find(&search(), pages).unwrap()["truncated"], false);
}

#[test]
fn more_than_wanted_is_cut() {
    let contents: Vec<_> = (0..60).map(|number| service(number, "active")).collect();
    let found = find(&search(), vec![page(&json!(contents), true)]).unwrap();
    assert_eq!(found["results"].as_array().unwrap().len(), 10);
    assert_eq!(found["truncated"], true);
}

#[test]
fn trouble_has_its_kind() {
    let slow = Answer::empty(429).header("Retry-After", "7");
    let error = find(&search(), vec![slow]).unwrap_err();
    assert_eq!(error.kind(), Kind::Retryable);
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(7)));
    for (answer, kind, code) in [
        (Answer::empty(503), Kind::Retryable, "upstream-5xx"),
        (Answer::empty(404), Kind::Permanent, "upstream-4xx"),
        (
            Answer::text(200, "text/html", "<html>"),
            Kind::Permanent,
            "bad-response",
        ),
        (
            Answer::json(200, &json!([])),
            Kind::Permanent,
            "bad-response",
        ),
        (
            Answer::json(200, &json!({})),
            Kind::Permanent,
            "bad-response",
        ),
    ] {
        let error = find(&search(), vec![answer]).unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code));
    }
    let broken = find(&search(), vec![Answer::broken(ErrorKind::Timeout)]).unwrap_err();
    assert_eq!(broken.kind(), Kind::Retryable);
}

#[test]
fn bad_input_is_refused_with_its_field_and_sends_nothing() {
    let cases = [
        ("need", json!("Maria Nguyen"), "/need"),
        ("need", json!(null), "/need"),
        ("postcode", json!(""), "/postcode"),
        ("postcode", json!("12 Oak Street"), "/postcode"),
        ("postcode", json!("41\u{202e}14"), "/postcode"),
        ("postcode", json!("\u{0}\u{0}\u{0}"), "/postcode"),
        ("postcode", json!("4".repeat(100_000)), "/postcode"),
        ("postcode", json!(4114), "/postcode"),
        ("childAges", json!([9, 121]), "/childAges/1"),
        ("childAges", json!([-1]), "/childAges/0"),
        ("childAges", json!(vec![1; 21]), "/childAges"),
        ("language", json!("Vietnamese"), "/language"),
        ("at", json!("2026-02-30T10:00"), "/at"),
        ("at", json!("2026-05-12T24:30"), "/at"),
        ("at", json!("10:00"), "/at"),
        ("max", json!(0), "/max"),
        ("max", json!(51), "/max"),
        ("max", json!(1e300), "/max"),
        ("name", json!("Maria"), "/name"),
    ];
    for (key, value, field) in cases {
        let mut input = search();
        input[key] = value;
        let error = find(&input, Vec::new()).unwrap_err();
        assert_eq!(
            (error.code(), error.field()),
            ("invalid-input", Some(field)),
            "{error}"
        );
        assert!(!error.message().contains("Nguyen"), "{error}");
    }
}

#[test]
fn it_does_nothing_outside() {
    let description = PLUGIN.description();
    let function = &description["functions"][0];
    assert_eq!(
        (&function["name"], &function["effect"]),
        (&json!("find"), &json!("none"))
    );
    assert_eq!(function["discloses"], Value::Null);
}
