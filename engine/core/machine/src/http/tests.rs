//! Requests as they are sent, answers as they become output.

use serde_json::{Value, json};

use super::{Answer, Request, Unanswered};
use crate::ErrorKind;

const KEY: &str = "key-1";

fn request(input: &Value) -> Request {
    Request::of(input).expect("a request")
}

fn get(output: &str) -> Request {
    request(&json!({ "method": "GET", "uri": "https://a.example/x", "output": output }))
}

fn answer(status: u16, kind: Option<&str>, body: &[u8]) -> Answer {
    let kind = kind.map(|kind| ("content-type".to_owned(), kind.to_owned()));
    Answer {
        status,
        headers: kind.into_iter().collect(),
        body: body.to_vec(),
    }
}

#[test]
fn content_is_read_by_its_type() {
    for (kind, body, expected) in [
        (Some("application/json"), &b"{\"a\":1}"[..], json!({"a": 1})),
        (
            Some("application/problem+json; charset=utf-8"),
            b"[1]",
            json!([1]),
        ),
        (Some("text/plain"), b"{\"a\":1}", json!("{\"a\":1}")),
        (Some("Text/HTML; charset=utf-8"), b"<p>", json!("<p>")),
        (Some("text/plain"), b"\xff", json!("/w==")),
        (Some("application/pdf"), b"%PDF", json!("JVBERg==")),
        (None, b"{\"a\":1}", json!({"a": 1})),
        (None, b"hello", json!("hello")),
        (None, b"\xff\xfe\xfd", json!("//79")),
        (Some("application/json"), b"", json!(null)),
    ] {
        let output = answer(200, kind, body).output(&get("content"), KEY);
        assert_eq!(output.unwrap(), expected, "{kind:?}");
    }
    let broken = answer(200, Some("application/json"), b"{");
    let error = broken.output(&get("content"), KEY).unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("communication", 502));
}

#[test]
fn raw_is_base64_whatever_its_type() {
    for (body, expected) in [
        (&b""[..], json!(null)),
        (b"a", json!("YQ==")),
        (b"ab", json!("YWI=")),
        (b"abc", json!("YWJj")),
        (b"{}", json!("e30=")),
    ] {
        let output = answer(200, Some("application/json"), body).output(&get("raw"), KEY);
        assert_eq!(output.unwrap(), expected);
    }
}

#[test]
fn a_response_says_what_was_asked_without_credentials() {
    let request = request(&json!({
        "method": "POST",
        "uri": "https://a.example/x?q=1",
        "headers": { "Accept": "application/json", "Cookie": "session=1" },
        "body": { "a": 1 },
        "authentication": { "scheme": "bearer", "use": "homes-token" },
        "output": "response",
    }));
    let answer = Answer {
        status: 201,
        headers: [
            ("content-type", "application/json"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("set-cookie", "session=2"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        body: b"{\"id\":7}".to_vec(),
    };
    let expected = json!({
        "request": {
            "method": "POST",
            "uri": "https://a.example/x?q=1",
            "headers": {
                "accept": "application/json",
                "authorization": "redacted",
                "content-type": "application/json",
                "cookie": "redacted",
                "idempotency-key": "key-1",
            },
        },
        "statusCode": 201,
        "headers": { "content-type": "application/json", "x-a": "1, 2", "set-cookie": "redacted" },
        "content": { "id": 7 },
    });
    assert_eq!(answer.output(&request, KEY).unwrap(), expected);
}

#[test]
fn a_body_is_text_json_or_a_form() {
    let sent = |headers: Value, body: Value| {
        let request = request(&json!({
            "method": "POST", "uri": "https://a.example", "headers": headers, "body": body,
        }));
        let kind = request.headers_sent(KEY).into_iter();
        let kind = kind.filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let kinds: Vec<String> = kind.map(|(_, value)| value).collect();
        (kinds, String::from_utf8(request.body_sent()).unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    for (headers, body, kind, expected) in [
        (json!({}), json!({"a": 1}), "application/json", "{\"a\":1}"),
        (json!({}), json!("hi"), "text/plain; charset=utf-8", "hi"),
        (json!({}), json!([null]), "application/json", "[null]"),
        (
            json!({"Content-Type": "text/csv"}),
            json!("a,b"),
            "text/csv",
            "a,b",
        ),
        (
            json!({"Content-Type": form}),
            json!({"a b": "c&d", "n": 1}),
            form,
            "a%20b=c%26d&n=1",
        ),
    ] {
        let expected = (vec![kind.to_owned()], expected.to_owned());
        assert_eq!(sent(headers, body), expected);
    }
    assert_eq!(get("raw").body_sent(), b"");
}

#[test]
fn only_what_changes_something_carries_a_key_and_only_the_engines() {
    for (method, carries) in [
        ("GET", false),
        ("HEAD", false),
        ("OPTIONS", false),
        ("POST", true),
        ("PUT", true),
        ("PATCH", true),
        ("DELETE", true),
    ] {
        let request = request(&json!({
            "method": method,
            "uri": "https://a.example",
            "headers": { "Idempotency-Key": "of-the-document" },
        }));
        let keys: Vec<_> = request
            .headers_sent(KEY)
            .into_iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"))
            .map(|(_, value)| value)
            .collect();
        let expected: &[&str] = if carries { &[KEY] } else { &[] };
        assert_eq!(keys, expected, "{method}");
    }
}

#[test]
fn a_redirection_is_an_error_unless_it_is_wanted() {
    let mut request = get("content");
    let moved = answer(302, Some("text/plain"), b"over there");
    let error = moved.output(&request, KEY).unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("communication", 302));
    request.redirect = true;
    assert_eq!(moved.output(&request, KEY).unwrap(), json!("over there"));
    for status in [199, 400, 404, 500, 503] {
        assert!(answer(status, None, b"").output(&request, KEY).is_err());
    }
}

#[test]
fn what_may_have_arrived_is_in_doubt_unless_twice_is_as_once() {
    let error = |method: &str, unanswered: Unanswered| {
        let request = request(&json!({ "method": method, "uri": "https://a.example" }));
        let error = unanswered.error(&request);
        (error.kind, error.code, error.status)
    };
    let lost = || Unanswered::TimedOut("no answer in time".to_owned());
    let communication = |kind, status| (kind, "communication".to_owned(), status);
    for method in ["POST", "PATCH"] {
        let doubt = (ErrorKind::InDoubt, "in-doubt".to_owned(), 409);
        assert_eq!(error(method, lost()), doubt);
    }
    for method in ["PUT", "DELETE"] {
        assert_eq!(
            error(method, lost()),
            communication(ErrorKind::Permanent, 504)
        );
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!(
            error(method, lost()),
            communication(ErrorKind::Business, 504)
        );
    }
    for method in ["GET", "POST"] {
        let unreachable = Unanswered::Unreachable("refused".to_owned());
        assert_eq!(
            error(method, unreachable),
            communication(ErrorKind::Business, 503)
        );
    }
}

#[test]
fn a_server_that_failed_may_have_acted() {
    let refused = |method: &str, status: u16| {
        let request = request(&json!({ "method": method, "uri": "https://a.example" }));
        answer(status, None, b"")
            .output(&request, KEY)
            .unwrap_err()
            .kind
    };
    for (method, status, kind) in [
        ("POST", 404, ErrorKind::Business),
        ("POST", 422, ErrorKind::Business),
        ("POST", 409, ErrorKind::Permanent),
        ("POST", 500, ErrorKind::Permanent),
        ("PUT", 503, ErrorKind::Permanent),
        ("GET", 503, ErrorKind::Business),
    ] {
        assert_eq!(refused(method, status), kind, "{method} {status}");
    }
}
