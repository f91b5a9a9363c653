//! Requests of plugins against real servers on this machine, kind and hostile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::grant::OperatorSide;
use crate::manifest::{Limits, Manifest};

/// A server for one connection: what it received, as text.
struct Server {
    address: SocketAddr,
    received: JoinHandle<String>,
}

async fn serve(answer: Vec<u8>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let received = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = Vec::new();
        while !whole(&text) {
            let mut part = [0; 4096];
            let count = stream.read(&mut part).await.unwrap();
            if count == 0 {
                break;
            }
            text.extend_from_slice(&part[..count]);
        }
        // The reader may have had enough before the end.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
        String::from_utf8(text).unwrap()
    });
    Server { address, received }
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A call of a plugin that may use GET and POST at this origin, and three secrets.
fn state(origin: &str) -> State {
    let manifest = format!(
        r#"
        schema = 1
        name = "pay"
        version = "0.1.0"
        [[http]]
        origin = "{origin}"
        methods = ["GET", "POST"]
        reason = "test"
        [[secret]]
        name = "key"
        use = "http"
        reason = "test"
        [[secret]]
        name = "broken"
        use = "http"
        reason = "test"
        [[secret]]
        name = "signing"
        use = "hmac"
        reason = "test"
        "#
    );
    let operator = OperatorSide {
        config: json!({}),
        hosts: vec![origin.to_owned()],
        secrets: [("key", "s3cret"), ("broken", "a\nb"), ("signing", "s4cret")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        heard: false,
    };
    let grant = Grant::intersect(&Manifest::read(&manifest).unwrap(), None, &operator);
    State::new(Arc::new(grant), Arc::default(), &Limits::default())
}

fn get(url: impl Into<String>) -> Request {
    Request {
        method: GuestMethod::Get,
        url: url.into(),
        headers: Vec::new(),
        body: Payload::Empty,
        credential: None,
        timeout_ms: Some(5_000),
    }
}

async fn send(state: &mut State, request: Request) -> Result<GuestResponse, HttpError> {
    Host::send(state, request).await.unwrap()
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_granted_request_arrives_as_written() {
    let server = serve(answer(
        "200 OK\r\nContent-Type: application/json",
        "{\"a\":1}",
    ))
    .await;
    let origin = format!("http://{}", server.address);
    let mut state = state(&origin);
    let request = Request {
        method: GuestMethod::Post,
        headers: vec![
            header("Idempotency-Key", "k1"),
            header("content-type", "application/json"),
        ],
        body: Payload::Text("{}".to_owned()),
        credential: Some(Credential::Bearer("key".to_owned())),
        ..get(format!("{origin}/v1/pay?x=1"))
    };
    let response = send(&mut state, request).await.unwrap();
    assert_eq!(response.status, 200);
    assert!(matches!(response.body, Payload::Text(text) if text == "{\"a\":1}"));
    assert!(state.sent);
    let received = server.received.await.unwrap();
    for line in [
        "POST /v1/pay?x=1 HTTP/1.1\r\n",
        &format!("host: {}\r\n", server.address),
        "idempotency-key: k1\r\n",
        "authorization: Bearer s3cret\r\n",
        "content-length: 2\r\n",
        "user-agent: casewright/",
    ] {
        assert!(received.contains(line), "{line}: {received}");
    }
    assert_eq!(received.matches("content-length").count(), 1);
    assert!(received.ends_with("\r\n\r\n{}"), "{received}");
}

#[tokio::test]
async fn basic_and_header_credentials_are_added() {
    for (credential, line) in [
        (
            Credential::Basic(("u".to_owned(), "key".to_owned())),
            "authorization: Basic dTpzM2NyZXQ=\r\n",
        ),
        (
            Credential::Header(("X-Key".to_owned(), "key".to_owned())),
            "x-key: s3cret\r\n",
        ),
    ] {
        let server = serve(answer("204 No Content", "")).await;
        let origin = format!("http://{}", server.address);
        let request = Request {
            credential: Some(credential),
            ..get(format!("{origin}/"))
        };
        send(&mut state(&origin), request).await.unwrap();
        let received = server.received.await.unwrap();
        assert!(received.contains(line), "{received}");
    }
}

#[tokio::test]
async fn what_is_refused_never_connects() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut state = state("http://granted.example");
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://granted.example@127.0.0.1:{port}/"),
        format!("http://granted.example:80@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}#@granted.example/"),
        format!("http://127.0.0.1:{port}\\@granted.example/"),
        format!("http://granted.example.127.0.0.1.nip.io:{port}/"),
        format!("http://granted.example:{port}/"),
        "https://granted.example/".to_owned(),
        "http://GRANTED.example./".to_owned(),
        "http://sub.granted.example/".to_owned(),
        "http://evilgranted.example/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://gränted.example/".to_owned(),
        "http:///granted.example/".to_owned(),
        String::new(),
    ] {
        let error = send(&mut state, get(url.clone())).await.unwrap_err();
        assert!(
            matches!(error.kind, ErrorKind::Denied | ErrorKind::InvalidRequest),
            "{url}: {error:?}"
        );
        assert!(error.not_sent, "{url}");
    }
    assert!(!state.sent);
    let nobody = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(nobody.is_err(), "something connected");
}

#[tokio::test]
async fn a_denial_says_what_to_add_and_where() {
    let mut state = state("http://granted.example");
    let error = send(&mut state, get("https://other.example/v1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    for part in [
        "plugin.toml",
        "https://other.example",
        "--allow-host other.example:443",
    ] {
        assert!(error.message.contains(part), "{part}: {}", error.message);
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_this_machine_is_denied_unless_named() {
    // `localhost` stands for a name that somebody else made point inwards; the operator's grant of
    // the name is taken back to leave only the address to judge by.
    let mut state = state("http://localhost:9");
    let grant = Arc::get_mut(&mut state.grant).unwrap();
    grant.origins[0].private = false;
    let error = send(&mut state, get("http://localhost:9/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(
        error.message.contains("a loopback address"),
        "{}",
        error.message
    );
    assert!(error.not_sent);
}

#[tokio::test]
async fn redirects_are_handed_to_the_plugin() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/", target.local_addr().unwrap());
    let server = serve(answer(&format!("302 Found\r\nLocation: {location}"), "")).await;
    let origin = format!("http://{}", server.address);
    let response = send(&mut state(&origin), get(origin)).await.unwrap();
    assert_eq!(response.status, 302);
    assert!(
        response
            .headers
            .contains(&("location".to_owned(), location))
    );
    let nobody = tokio::time::timeout(Duration::ZERO, target.accept()).await;
    assert!(nobody.is_err(), "the redirect was followed");
}

#[tokio::test]
async fn headers_that_cut_the_wire_are_refused() {
    let mut state = state("http://127.0.0.1:9");
    let value = "x".repeat(40 * 1024);
    for (name, value) in [
        ("Host", "evil.example"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("Connection", "close"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("Proxy-Authorization", "x"),
        ("x\r\ny", "z"),
        ("x", "a\r\nb: c"),
        ("x", value.as_str()),
    ] {
        let request = Request {
            headers: vec![header(name, value)],
            ..get("http://127.0.0.1:9/")
        };
        let error = send(&mut state, request).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{name}");
        assert!(error.not_sent);
    }
    let request = Request {
        headers: vec![header("authorization", "mine")],
        credential: Some(Credential::Bearer("key".to_owned())),
        ..get("http://127.0.0.1:9/")
    };
    let error = send(&mut state, request).await.unwrap_err();
    assert!(
        error
            .message
            .contains("header `authorization` is the credential's"),
        "{error:?}"
    );
}

#[tokio::test]
async fn secrets_are_used_only_as_granted() {
    let mut state = state("http://127.0.0.1:9");
    for (credential, kind, part) in [
        (
            Credential::Bearer("signing".to_owned()),
            ErrorKind::Denied,
            "granted for `hmac`",
        ),
        (
            Credential::Bearer("other".to_owned()),
            ErrorKind::Denied,
            "add `[[secret]]`",
        ),
        (
            Credential::Bearer("broken".to_owned()),
            ErrorKind::InvalidRequest,
            "secret `broken`",
        ),
        (
            Credential::Header(("host".to_owned(), "key".to_owned())),
            ErrorKind::InvalidRequest,
            "by the host alone",
        ),
    ] {
        let request = Request {
            credential: Some(credential),
            ..get("http://127.0.0.1:9/")
        };
        let error = send(&mut state, request).await.unwrap_err();
        assert_eq!(error.kind, kind, "{}", error.message);
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[tokio::test]
async fn a_refused_connection_is_certainly_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut state = state(&origin);
    let error = send(&mut state, get(origin)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connect);
    assert!(error.not_sent && !state.sent);
}

#[tokio::test]
async fn a_connection_dropped_after_the_request_may_have_acted() {
    let server = serve(Vec::new()).await;
    let origin = format!("http://{}", server.address);
    let mut state = state(&origin);
    let error = send(&mut state, get(origin)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(!error.not_sent && state.sent);
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mut state = state(&origin);
    let request = Request {
        timeout_ms: Some(50),
        ..get(origin)
    };
    let error = send(&mut state, request).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(!error.not_sent && state.sent);
}

#[tokio::test]
async fn a_plain_server_is_no_tls_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&answer("200 OK", "")).await.unwrap();
        stream
    });
    let mut state = state(&origin);
    let error = send(&mut state, get(origin)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Tls, "{error:?}");
    assert!(error.not_sent && !state.sent);
    server.await.unwrap();
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_certainly_not_sent_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let mut state = state(&origin);
    let request = Request {
        // Long enough that the part for connecting ends well before the whole on a busy machine.
        timeout_ms: Some(2_000),
        ..get(origin)
    };
    let error = send(&mut state, request).await.unwrap_err();
    assert!(error.not_sent && !state.sent, "{error:?}");
}

#[tokio::test]
async fn sizes_are_bounded_in_both_directions() {
    let server = serve(answer("200 OK", &"x".repeat(RESPONSE_BYTES_MAX + 1))).await;
    let origin = format!("http://{}", server.address);
    let mut large = state(&origin);
    let error = send(&mut large, get(origin.clone())).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(!error.not_sent);
    let body = Payload::Bytes(vec![0; REQUEST_BYTES_MAX + 1]);
    let request = Request {
        method: GuestMethod::Post,
        body,
        ..get(origin)
    };
    let error = send(&mut large, request).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(error.not_sent);
}

#[tokio::test]
async fn bodies_are_text_only_when_they_are() {
    for (kind, body, textual) in [
        ("text/plain", &b"caf\xc3\xa9"[..], true),
        ("application/problem+json", b"{}", true),
        ("text/plain", b"\xff\xfe", false),
        ("application/octet-stream", b"abc", false),
    ] {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let server = serve([head.as_bytes(), body].concat()).await;
        let origin = format!("http://{}", server.address);
        let response = send(&mut state(&origin), get(origin)).await.unwrap();
        assert_eq!(
            matches!(response.body, Payload::Text(_)),
            textual,
            "{kind} {body:?}"
        );
    }
}

#[tokio::test]
async fn a_call_may_send_only_so_often() {
    let mut state = state("http://granted.example");
    for _ in 0..CALL_COUNT_MAX {
        send(&mut state, get("http://denied.example/"))
            .await
            .unwrap_err();
    }
    let error = send(&mut state, get("http://denied.example/"))
        .await
        .unwrap_err();
    assert!(
        error.message.contains("one call may send 50"),
        "{}",
        error.message
    );
}
