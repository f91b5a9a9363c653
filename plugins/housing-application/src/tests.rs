//! One application, one decision, whatever the register does; and bad input never reaches it.

use std::time::Duration;

use casewright_sdk::http::{ErrorKind, Method};
use casewright_sdk::prelude::*;
use casewright_sdk::testing::{Answer, World, context};
use casewright_sdk::{Callback, Context, Kind};

use crate::PLUGIN;

const APPLICATIONS: &str = "http://127.0.0.1:9/housing/applications";
const ONE: &str = "http://127.0.0.1:9/housing/applications/H-7";

fn world() -> World {
    World::new().config(json!({ "endpoint": "http://127.0.0.1:9", "pollSeconds": 60 }))
}

fn application() -> Value {
    json!({
        "applicants": [
            { "role": "applicant", "identifiesFirstNations": false },
            { "role": "child", "dateOfBirth": "2019-03-04" },
        ],
        "suburbWishes": ["Logan Central"],
        "bedrooms": 3,
        "violencePriority": false,
        "wellbeingReasons": ["homeless", "disability"],
        "weeklyIncome": { "minor": 68_000, "currency": "AUD" },
        "documents": [{ "type": "proof-of-income", "ref": "doc:test-case/12" }],
    })
}

fn called() -> Context {
    Context {
        callback_url: Some("https://casewright.test/api/v1/callbacks/cwc_1".into()),
        ..context("key-1")
    }
}

fn shown(state: &str) -> Value {
    json!({ "applicationNo": "H-7", "state": state, "needLevel": "high", "queue": 12 })
}

fn decided(state: &str) -> Value {
    json!({ "applicationNo": "H-7", "state": state, "missing": [], "needLevel": "high" })
}

fn send(answer: Answer) -> Result<Outcome<Value>, Error> {
    let world = world();
    world
        .expect(Method::Post, APPLICATIONS)
        .header("Idempotency-Key", "key-1")
        .header(
            "Callback-Url",
            "https://casewright.test/api/v1/callbacks/cwc_1",
        )
        .json(application())
        .answer(answer);
    world.send(&PLUGIN, "apply", &application().to_string(), &called())
}

fn go_on(reason: Reason, script: Vec<(Method, Answer)>) -> Result<Outcome<Value>, Error> {
    let world = world();
    for (method, answer) in script {
        world.expect(method, ONE).answer(answer);
    }
    let kept = json!({ "application_no": "H-7", "asked": 1 });
    world.resume(&PLUGIN, "apply", &kept, reason, &called())
}

fn message(body: &str) -> Reason {
    Reason::Callback(Callback {
        headers: Vec::new(),
        body: body.into(),
    })
}

fn waits(outcome: Result<Outcome<Value>, Error>, asked: u64, pause_s: u64) {
    let kept = Pending::new(&json!({ "application_no": "H-7", "asked": asked }))
        .unwrap()
        .correlate("H-7")
        .poll_after(Duration::from_secs(pause_s))
        .expires_after(&called(), Duration::from_hours(90 * 24));
    assert_eq!(outcome, Ok(Outcome::Pending(kept)));
}

#[test]
fn an_application_waits_for_its_decision() {
    waits(send(Answer::json(201, &shown("received"))), 0, 60);
    waits(send(Answer::json(200, &shown("assessed"))), 0, 60);
    let at_once = send(Answer::json(200, &shown("registered")));
    assert_eq!(at_once, Ok(Outcome::Done(decided("registered"))));
}

#[test]
fn a_message_makes_it_ask_the_register() {
    for body in [
        r#"{"state":"declined"}"#,
        "",
        "no JSON",
        r#"{"applicationNo":"H-8"}"#,
    ] {
        let script = vec![(Method::Get, Answer::json(200, &shown("registered")))];
        let outcome = go_on(message(body), script);
        assert_eq!(outcome, Ok(Outcome::Done(decided("registered"))), "{body}");
        let script = vec![(Method::Get, Answer::json(200, &shown("received")))];
        waits(go_on(message(body), script), 1, 120);
    }
}

#[test]
fn it_asks_less_and_less_often() {
    let script = || vec![(Method::Get, Answer::json(200, &shown("received")))];
    waits(go_on(Reason::Poll, script()), 2, 240);
    let world = world();
    world
        .expect(Method::Get, ONE)
        .answer(Answer::json(200, &shown("received")));
    let kept = json!({ "application_no": "H-7", "asked": 40 });
    let outcome = world.resume(&PLUGIN, "apply", &kept, Reason::Poll, &called());
    waits(outcome, 41, 960);
}

#[test]
fn at_the_end_of_the_time_it_asks_once_more() {
    let script = vec![(Method::Get, Answer::json(200, &shown("declined")))];
    let outcome = go_on(Reason::Expired, script);
    assert_eq!(outcome, Ok(Outcome::Done(decided("declined"))));
    let script = vec![(Method::Get, Answer::json(200, &shown("received")))];
    let error = go_on(Reason::Expired, script).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Business, "no-answer"));
}

#[test]
fn what_nobody_waits_for_is_taken_back() {
    for status in [204, 404, 409] {
        let script = vec![(Method::Delete, Answer::empty(status))];
        let error = go_on(Reason::Cancelled, script).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Permanent, "taken-back")
        );
    }
    let script = vec![(Method::Delete, Answer::empty(503))];
    assert_eq!(
        go_on(Reason::Cancelled, script).unwrap_err().kind(),
        Kind::Retryable
    );
}

#[test]
fn more_information_is_an_answer_that_says_what() {
    let mut wanted = shown("more-info");
    wanted["missing"] = json!(["proof of identity"]);
    let Ok(Outcome::Done(answer)) = send(Answer::json(200, &wanted)) else {
        panic!("an answer")
    };
    assert_eq!(answer["state"], "more-info");
    assert_eq!(answer["missing"], json!(["proof of identity"]));
    let error = send(Answer::json(200, &shown("more-info"))).unwrap_err();
    assert_eq!(error.code(), "bad-response");
}

#[test]
fn trouble_has_its_kind() {
    let cases = [
        (Answer::empty(503), Kind::Retryable, "upstream-5xx"),
        (Answer::empty(409), Kind::Retryable, "in-flight"),
        (Answer::empty(422), Kind::Business, "conflict"),
        (Answer::empty(403), Kind::Permanent, "upstream-4xx"),
        (
            Answer::text(200, "text/html", "<html>"),
            Kind::Permanent,
            "bad-response",
        ),
        (
            Answer::json(200, &json!({ "state": "received" })),
            Kind::Permanent,
            "bad-response",
        ),
        (
            Answer::json(200, &json!({ "applicationNo": "H-7", "state": "lost" })),
            Kind::Permanent,
            "bad-response",
        ),
    ];
    for (answer, kind, code) in cases {
        let error = send(answer).unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code));
    }
    let broken = send(Answer::broken(ErrorKind::Protocol)).unwrap_err();
    assert_eq!(
        broken.kind(),
        Kind::Retryable,
        "the same key and body may go again"
    );
    assert_eq!(
        send(Answer::not_sent(ErrorKind::Connect))
            .unwrap_err()
            .kind(),
        Kind::Retryable
    );
    let other = json!({ "applicationNo": "H-8", "state": "registered" });
    let script = vec![(Method::Get, Answer::json(200, &other))];
    assert_eq!(
        go_on(Reason::Poll, script).unwrap_err().code(),
        "bad-response"
    );
}

#[test]
fn a_number_that_is_a_path_goes_into_no_address() {
    let kept = json!({ "application_no": "../../pay/payments", "asked": 0 });
    let error = world()
        .resume(&PLUGIN, "apply", &kept, Reason::Poll, &called())
        .unwrap_err();
    assert_eq!(error.code(), "bad-response");
}

#[test]
fn bad_input_is_refused_with_its_field_and_sends_nothing() {
    let set = |pointer: &str, value: Value| {
        let mut input = application();
        *input.pointer_mut(pointer).unwrap() = value;
        input
    };
    let long = "x".repeat(100_000);
    let cases = [
        (
            set("/wellbeingReasons", json!(["homeless"])),
            "/wellbeingReasons",
        ),
        (
            set("/wellbeingReasons", json!(["homeless", "homeless"])),
            "/wellbeingReasons/1",
        ),
        (
            set("/wellbeingReasons/0", json!("poor")),
            "/wellbeingReasons/0",
        ),
        (set("/applicants", json!([])), "/applicants"),
        (set("/applicants/1/role", json!("applicant")), "/applicants"),
        (
            set("/applicants/1/dateOfBirth", json!("2019-02-30")),
            "/applicants/1/dateOfBirth",
        ),
        (
            set("/applicants/1/dateOfBirth", json!("2031-02-03")),
            "/applicants/1/dateOfBirth",
        ),
        (set("/suburbWishes", json!([])), "/suburbWishes"),
        (
            set("/suburbWishes/0", json!("Logan\u{202e}")),
            "/suburbWishes/0",
        ),
        (set("/suburbWishes/0", json!("\u{0}")), "/suburbWishes/0"),
        (set("/suburbWishes/0", json!(long)), "/suburbWishes/0"),
        (set("/suburbWishes/0", json!("")), "/suburbWishes/0"),
        (set("/bedrooms", json!(0)), "/bedrooms"),
        (set("/bedrooms", json!(9)), "/bedrooms"),
        (set("/bedrooms", json!(-1)), "/bedrooms"),
        (set("/bedrooms", json!(1e300)), "/bedrooms"),
        (set("/bedrooms", json!("3")), "/bedrooms"),
        (set("/bedrooms", json!(null)), "/bedrooms"),
        (set("/weeklyIncome/minor", json!(-1)), "/weeklyIncome/minor"),
        (
            set("/weeklyIncome/minor", json!(2_000_001)),
            "/weeklyIncome/minor",
        ),
        (
            set("/documents/0/ref", json!("C:\\secret")),
            "/documents/0/ref",
        ),
        (
            set("/documents/0/ref", json!("doc:test-case/../x")),
            "/documents/0/ref",
        ),
    ];
    for (input, field) in cases {
        let error = world()
            .invoke(&PLUGIN, "apply", &input.to_string(), &called())
            .unwrap_err();
        assert_eq!(
            (error.code(), error.field()),
            ("invalid-input", Some(field)),
            "{error}"
        );
    }
    let mut named = application();
    named["applicants"][0]["name"] = json!("Maria Nguyen");
    let error = world()
        .invoke(&PLUGIN, "apply", &named.to_string(), &called())
        .unwrap_err();
    assert_eq!(error.field(), Some("/applicants/0/name"), "{error}");
    assert!(!error.message().contains("Nguyen"), "{error}");
    for text in ["", "{", "[]", "null", "NaN", &"[".repeat(10_000)] {
        let error = world()
            .invoke(&PLUGIN, "apply", text, &called())
            .unwrap_err();
        assert_eq!(error.code(), "invalid-input");
    }
}

#[test]
fn a_document_of_another_case_is_denied() {
    let mut input = application();
    input["documents"][0]["ref"] = json!("doc:other-case/12");
    let error = world()
        .invoke(&PLUGIN, "apply", &input.to_string(), &called())
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "denied"));
    assert_eq!(error.field(), Some("/documents/0/ref"));
}

#[test]
fn it_says_that_it_waits_and_what_it_discloses() {
    let description = PLUGIN.description();
    let function = &description["functions"][0];
    assert_eq!(function["name"], "apply");
    assert_eq!(
        (&function["effect"], &function["resumes"]),
        (&json!("keyed"), &json!(true))
    );
    assert!(
        function["discloses"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
}
