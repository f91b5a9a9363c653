//! What `?` makes of answers and of their absence.

use std::time::Duration;

use serde_json::json;

use super::{ErrorKind, Method};
use crate::testing::{Answer, World};
use crate::{Error, Kind, http};

const URL: &str = "http://pay.test/payments";

fn sent(answer: Answer) -> Result<u16, Error> {
    let world = World::new().now_unix_ms(784_111_777_000);
    world.expect(Method::Get, URL).answer(answer);
    world.run(|| Ok(http::get(URL).send()?.success()?.status()))
}

#[test]
fn what_may_pass_is_retryable_and_the_rest_is_not() {
    let status = |status| Answer::json(status, &json!({}));
    assert_eq!(sent(status(201)), Ok(201));
    for (answer, kind, code) in [
        (status(302), Kind::Permanent, "upstream-3xx"),
        (status(404), Kind::Permanent, "upstream-4xx"),
        (status(408), Kind::Retryable, "timeout"),
        (status(425), Kind::Retryable, "upstream-4xx"),
        (status(429), Kind::Retryable, "upstream-4xx"),
        (status(500), Kind::Retryable, "upstream-5xx"),
        (status(503), Kind::Retryable, "upstream-5xx"),
        (
            Answer::not_sent(ErrorKind::Dns),
            Kind::Retryable,
            "upstream-unreachable",
        ),
        (
            Answer::not_sent(ErrorKind::Connect),
            Kind::Retryable,
            "upstream-unreachable",
        ),
        (
            Answer::broken(ErrorKind::Timeout),
            Kind::Retryable,
            "timeout",
        ),
        (
            Answer::broken(ErrorKind::Protocol),
            Kind::Retryable,
            "upstream-broken",
        ),
        (
            Answer::broken(ErrorKind::TooLarge),
            Kind::Permanent,
            "bad-response",
        ),
        (
            Answer::not_sent(ErrorKind::Denied),
            Kind::Permanent,
            "denied",
        ),
    ] {
        let error = sent(answer).expect_err(code);
        assert_eq!((error.kind(), error.code()), (kind, code));
    }
}

#[test]
fn retry_after_is_read_as_seconds_or_as_a_date() {
    let pause = |text| {
        let answer = Answer::json(503, &json!({})).header("retry-after", text);
        sent(answer).expect_err("is unavailable").retry_after()
    };
    assert_eq!(pause("7"), Some(Duration::from_secs(7)));
    assert_eq!(
        pause("Sun, 06 Nov 1994 08:50:37 GMT"),
        Some(Duration::from_mins(1))
    );
    assert_eq!(pause("Sun, 06 Nov 1994 08:40:00 GMT"), Some(Duration::ZERO));
    assert_eq!(pause("99999999999"), Some(Duration::from_hours(24)));
    assert_eq!(pause("soon"), None);
    assert_eq!(pause("Sun, 31 Feb 2027 08:40:00 GMT"), None);
}

#[test]
fn a_query_is_escaped() {
    let world = World::new();
    world
        .expect(Method::Get, "http://pay.test/?a=1&key=b%26c%20%C3%A4")
        .answer(Answer::empty(204));
    world
        .run(|| {
            http::get("http://pay.test/?a=1")
                .query("key", "b&c ä")
                .send()
        })
        .unwrap();
}

#[test]
fn an_answer_that_makes_no_sense_is_named_without_being_quoted() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only reading it matters")]
    struct Receipt {
        id: u64,
    }
    let world = World::new();
    world
        .expect(Method::Get, URL)
        .answer(Answer::json(200, &json!({ "id": "Maria" })));
    let error = world
        .run(|| http::get(URL).send()?.json::<Receipt>())
        .expect_err("is wrong");
    assert_eq!(error.code(), "bad-response");
    assert_eq!(
        error.message(),
        "in the server's answer, /id is not valid: expected u64"
    );
    world
        .expect(Method::Get, URL)
        .answer(Answer::text(200, "text/html", "<html>Maria"));
    let error = world
        .run(|| http::get(URL).send()?.json::<Receipt>())
        .expect_err("is wrong");
    assert!(!error.message().contains("Maria"), "{error}");
}

#[test]
fn a_service_keeps_its_address_credential_and_time() {
    let world = World::new();
    world
        .expect(Method::Post, "https://relief.test/v1/vouchers/a%2Fb%20c")
        .credential(http::Credential::Bearer("relief-api".into()))
        .header("Accept", "application/json")
        .answer(Answer::json(200, &json!({})));
    let service = http::Service::new("https://relief.test/", "/v1/")
        .credential(Some("relief-api".into()))
        .timeout_ms(2_000);
    let request = service.post(&["vouchers", "a/b c"]);
    assert_eq!(request.timeout, Some(Duration::from_secs(2)));
    assert_eq!(
        world.run(|| Ok::<_, Error>(request.send()?.status())),
        Ok(200)
    );

    let bare = http::Service::new("https://relief.test", "").get(&["vouchers"]);
    assert_eq!(bare.url, "https://relief.test/vouchers");
    assert_eq!((bare.timeout, bare.credential), (None, None));
}
