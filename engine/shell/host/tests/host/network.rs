//! A guest that calls out: inside its grant it reaches the server, outside it gets a denial as a
//! value and can go on.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use casewright_host::grant::{Grant, OperatorSide};
use casewright_host::manifest::{Limits, Manifest};
use casewright_host::plugin::{Context, Failure, FailureKind, Host};
use serde_json::{Value, json};

use crate::guest::{Guest, done, load};

const HTTP: &str = r#"(import "casewright:plugin/http@0.1.0" "send" (func $send
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;

/// GET the address that is the input; the answer's body is the output, a denial an error of the
/// plugin's own.
const FETCH: &str = "(call $send (i32.const 0)
    (i32.add (i32.load offset=8 (local.get $in)) (i32.const 1))
    (i32.sub (i32.load offset=12 (local.get $in)) (i32.const 2))
    (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0)
    (i32.const 512))
    (if (result i32) (i32.load8_u (i32.const 512))
        (then (call $fail (i32.const 1) (i32.const 11)
            (i32.load (i32.const 520)) (i32.load (i32.const 524))))
        (else (call $done (i32.load (i32.const 532)) (i32.load (i32.const 536)))))";

fn guest() -> Vec<u8> {
    let tail = "(data (i32.const 8192) \"http-failed\")";
    Guest {
        head: HTTP,
        invoke: FETCH,
        tail,
        ..Guest::default()
    }
    .component()
}

fn grant(origin: &str) -> Arc<Grant> {
    let manifest = r#"
        schema = 1
        name = "guest"
        version = "0.1.0"
        [[http]]
        origin = "{config.to}"
        methods = ["GET"]
        reason = "test"
    "#;
    let operator = OperatorSide {
        config: json!({ "to": origin }),
        hosts: vec![origin.to_owned()],
        ..OperatorSide::default()
    };
    Arc::new(Grant::intersect(
        &Manifest::read(manifest).unwrap(),
        None,
        &operator,
    ))
}

async fn fetch(url: &str, grant: &Arc<Grant>, limits: &Limits) -> Result<Value, Failure> {
    let host = Host::new(None).unwrap();
    let plugin = load(&host, &guest()).await;
    host.invoke(
        &plugin,
        "run",
        &json!(url),
        &Context::default(),
        grant,
        limits,
    )
    .await
    .map(done)
}

#[tokio::test]
async fn a_granted_origin_is_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let count = stream.read(&mut head).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"ok\":1}")
            .unwrap();
        String::from_utf8_lossy(&head[..count]).into_owned()
    });
    let url = format!("{origin}/v1");
    let answer = fetch(&url, &grant(&origin), &Limits::default()).await;
    assert_eq!(answer, Ok(json!({"ok": 1})));
    assert!(server.join().unwrap().starts_with("GET /v1 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_host_outside_the_grant_is_denied_as_a_value() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let outside = format!("http://{}/", listener.local_addr().unwrap());
    let granted = grant("http://granted.example");
    let failure = fetch(&outside, &granted, &Limits::default())
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_str()),
        (FailureKind::Permanent, "http-failed")
    );
    for part in [
        "plugin `guest` may not send GET",
        "plugin.toml",
        "--allow-host 127.0.0.1:",
    ] {
        assert!(
            failure.message.contains(part),
            "{part}: {}",
            failure.message
        );
    }
    assert!(!failure.sent);
    assert!(listener.accept().is_err(), "something connected");
}

#[tokio::test]
async fn a_partner_that_never_answers_ends_at_the_deadline_in_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let limits = crate::guest::limits("wall_ms = 200");
    let failure = fetch(&origin, &grant(&origin), &limits).await.unwrap_err();
    assert!(failure.sent, "{failure}");
}
