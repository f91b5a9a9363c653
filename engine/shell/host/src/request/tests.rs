//! Requests against real servers on this machine: who may be asked, what is sent, what comes back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server that gives these answers, one for each connection, and keeps what it received.
struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            for answer in answers {
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
                kept.lock().unwrap().push(String::from_utf8(text).unwrap());
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { address, received }
    }

    fn allowed(&self) -> Allowed {
        Allowed {
            pack: None,
            operator: vec![self.address.to_string()],
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
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

fn answer(head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn get(url: String) -> Outgoing {
    Outgoing {
        method: "GET".to_owned(),
        url,
        headers: Vec::new(),
        body: Vec::new(),
        credential: None,
        sealed: Sealed::default(),
        follow: false,
        answer_bytes_max: ANSWER_BYTES_MAX,
        owner: "north".to_owned(),
    }
}

async fn send(allowed: &Allowed, request: Outgoing) -> Result<Incoming, Failed> {
    let requests = Requests::default();
    requests.send(allowed, request, Requests::patience()).await
}

#[tokio::test]
async fn what_is_sent_arrives_and_what_is_answered_comes_back() {
    let server = Server::new(vec![answer("201 Created\r\nX-Place: north", "{}")]).await;
    let request = Outgoing {
        method: "POST".to_owned(),
        headers: vec![("idempotency-key".to_owned(), "key-1".to_owned())],
        body: b"{\"a\":1}".to_vec(),
        ..get(server.url("/v1/applications?q=1"))
    };
    let incoming = send(&server.allowed(), request).await.unwrap();
    assert_eq!((incoming.status, &incoming.body[..]), (201, &b"{}"[..]));
    assert!(
        incoming
            .headers
            .contains(&("x-place".to_owned(), "north".to_owned()))
    );
    let received = server.received().remove(0);
    assert!(
        received.starts_with("POST /v1/applications?q=1 HTTP/1.1\r\n"),
        "{received}"
    );
    assert!(
        received.contains("idempotency-key: key-1\r\n"),
        "{received}"
    );
    assert!(received.contains("user-agent: casewright/"), "{received}");
    assert!(received.ends_with("\r\n\r\n{\"a\":1}"), "{received}");
}

#[tokio::test]
async fn a_credential_arrives_and_is_taken_out_of_what_comes_back() {
    let secret = "tok\"en-7f3a";
    for (credential, header, coded, hidden) in [
        (
            Credential::Bearer(Secret::new(secret)),
            "authorization: Bearer tok\"en-7f3a\r\n",
            "tok\\\"en-7f3a",
            [secret, "7f3a"],
        ),
        (
            Credential::Basic("kim".to_owned(), Secret::new("pw:word")),
            "authorization: Basic a2ltOnB3OndvcmQ=\r\n",
            "pw:word",
            ["pw:word", "a2ltOnB3OndvcmQ="],
        ),
    ] {
        let told = format!("{{\"you\":\"{coded}\",\"sent\":\"a2ltOnB3OndvcmQ=\"}}");
        let head = format!("200 OK\r\nX-Echo: {}", header.trim_end().split_at(15).1);
        let server = Server::new(vec![answer(&head, &told)]).await;
        let request = Outgoing {
            credential: Some(credential),
            ..get(server.url("/"))
        };
        assert!(!format!("{request:?}").contains("7f3a"));
        let incoming = send(&server.allowed(), request).await.unwrap();
        assert!(
            server.received()[0].contains(header),
            "{}",
            server.received()[0]
        );
        let shown = format!("{incoming:?} {}", String::from_utf8_lossy(&incoming.body));
        for word in hidden {
            assert!(!shown.contains(word), "{shown}");
        }
        assert!(shown.contains("[redacted]"), "{shown}");
    }
}

#[tokio::test]
async fn who_is_not_allowed_is_not_asked_and_the_sentence_says_what_to_add() {
    let server = Server::new(Vec::new()).await;
    let host = server.address.to_string();
    let named = Some(vec![host.clone()]);
    for (pack, operator, missing) in [
        (None, vec![], &["--allow-host", "[http]"][..]),
        (Some(vec![]), vec![host.clone()], &["pack.yaml"][..]),
        (named.clone(), vec![], &["--allow-host"][..]),
        (
            Some(vec![]),
            vec![],
            &["pack.yaml", "; and the operator"][..],
        ),
        (named, vec!["127.0.0.1:1".to_owned()], &["--allow-host"][..]),
    ] {
        let allowed = Allowed { pack, operator };
        let failed = send(&allowed, get(server.url("/"))).await.unwrap_err();
        assert_eq!(failed.kind, FailedKind::Denied);
        for words in missing {
            assert!(failed.message.contains(words), "{}", failed.message);
        }
        assert!(failed.message.contains(&host), "{}", failed.message);
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_name_of_this_machine_is_asked_only_when_it_was_named() {
    let server = Server::new(vec![answer("200 OK", "here")]).await;
    let port = server.address.port();
    let named = Allowed {
        pack: None,
        operator: vec![format!("localhost:{port}")],
    };
    let by_address = send(&named, get(server.url("/"))).await.unwrap_err();
    assert_eq!(by_address.kind, FailedKind::Denied);
    let by_name = send(&named, get(format!("http://localhost:{port}/"))).await;
    assert_eq!(by_name.unwrap().body, b"here");
    // A public name that leads to this machine is what an attacker would write.
    let origin = Origin::read("http://homes.example:80").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], 80));
    let allowed = Allowed {
        pack: None,
        operator: vec!["homes.example:80".to_owned()],
    };
    assert!(allowed.connection(&origin, address).is_err());
}

#[tokio::test]
async fn a_redirection_is_followed_when_wanted_and_within_its_origin() {
    let to = |place: &str| answer(&format!("302 Found\r\nLocation: {place}"), "moved");
    let follow = |url| Outgoing {
        follow: true,
        ..get(url)
    };
    let server = Server::new(vec![to("/there?x=1"), answer("200 OK", "there")]).await;
    let incoming = send(&server.allowed(), follow(server.url("/here")))
        .await
        .unwrap();
    assert_eq!((incoming.status, &incoming.body[..]), (200, &b"there"[..]));
    assert!(server.received()[1].starts_with("GET /there?x=1 "));
    let server = Server::new(vec![to("/there")]).await;
    let incoming = send(&server.allowed(), get(server.url("/here")))
        .await
        .unwrap();
    assert_eq!(incoming.status, 302);
    // Also an allowed host gets no credential that was meant for another.
    let other = Server::new(vec![answer("200 OK", "elsewhere")]).await;
    let server = Server::new(vec![to(&other.url("/"))]).await;
    let mut allowed = server.allowed();
    allowed.operator.push(other.address.to_string());
    let incoming = send(&allowed, follow(server.url("/"))).await.unwrap();
    assert_eq!(incoming.status, 302);
    assert!(other.received().is_empty());
    // What changes something is not sent twice.
    let server = Server::new(vec![to("/there")]).await;
    let request = Outgoing {
        method: "POST".to_owned(),
        ..follow(server.url("/here"))
    };
    assert_eq!(send(&server.allowed(), request).await.unwrap().status, 302);
    // A circle ends.
    let server = Server::new(vec![to("/"); 20]).await;
    let incoming = send(&server.allowed(), follow(server.url("/")))
        .await
        .unwrap();
    assert_eq!(incoming.status, 302);
    assert_eq!(server.received().len(), HOPS_MAX + 1);
}

#[tokio::test]
async fn what_did_not_arrive_is_told_apart_from_what_may_have() {
    let kind = async |allowed: &Allowed, request| send(allowed, request).await.unwrap_err().kind;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let allowed = Allowed {
        pack: None,
        operator: vec![address.to_string()],
    };
    let request = get(format!("http://{address}/"));
    assert_eq!(kind(&allowed, request).await, FailedKind::Unreachable);
    // The server takes the request and goes.
    let server = Server::new(vec![String::new()]).await;
    let request = get(server.url("/"));
    assert_eq!(kind(&server.allowed(), request).await, FailedKind::Broken);
    // The answer breaks off.
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_owned();
    let server = Server::new(vec![short]).await;
    let request = get(server.url("/"));
    assert_eq!(kind(&server.allowed(), request).await, FailedKind::Broken);
    // Nobody answers in time.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let allowed = Allowed {
        pack: None,
        operator: vec![address.to_string()],
    };
    let request = get(format!("http://{address}/"));
    let patience = Duration::from_secs(2);
    let failed = Requests::default().send(&allowed, request, patience).await;
    assert_eq!(failed.unwrap_err().kind, FailedKind::TimedOut);
    let large = answer("200 OK", &"x".repeat(ANSWER_BYTES_MAX + 1));
    let server = Server::new(vec![large]).await;
    let request = get(server.url("/"));
    assert_eq!(kind(&server.allowed(), request).await, FailedKind::Broken);
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_its_values() {
    let server = Server::new(Vec::new()).await;
    let allowed = server.allowed();
    for url in [
        "kim smith",
        "http://kim smith.example/",
        "kim-smith",
        "ftp://a.example/",
    ] {
        let failed = send(&allowed, get(url.to_owned())).await.unwrap_err();
        assert_eq!(failed.kind, FailedKind::Invalid, "{url}");
        assert!(!failed.message.contains("kim"), "{}", failed.message);
    }
    let twice = Outgoing {
        headers: vec![("Authorization".to_owned(), "mine".to_owned())],
        credential: Some(Credential::Bearer(Secret::new("abcdefgh"))),
        ..get(server.url("/"))
    };
    let own = Outgoing {
        headers: vec![("Host".to_owned(), "other.example".to_owned())],
        ..get(server.url("/"))
    };
    let broken = Outgoing {
        credential: Some(Credential::Bearer(Secret::new("line\nbreak"))),
        ..get(server.url("/"))
    };
    for request in [twice, own, broken] {
        let failed = send(&allowed, request).await.unwrap_err();
        assert_eq!(failed.kind, FailedKind::Invalid);
        assert!(!failed.message.contains("abcdefgh") && !failed.message.contains("break"));
    }
    assert!(server.received().is_empty());
}

#[test]
fn hosts_that_can_never_match_are_told() {
    let allowed = Allowed {
        pack: Some(vec!["https://a.example".to_owned(), "a.example".to_owned()]),
        operator: vec!["b.example:443".to_owned(), "*".to_owned()],
    };
    assert_eq!(allowed.problems().len(), 2);
}

fn ask(words: &str) -> String {
    let head = format!("401 Unauthorized\r\nWWW-Authenticate: Digest {words}");
    answer(&head, "who are you?")
}

fn with_digest(url: String) -> Outgoing {
    Outgoing {
        method: "POST".to_owned(),
        headers: vec![("idempotency-key".to_owned(), "key-1".to_owned())],
        body: b"once".to_vec(),
        credential: Some(Credential::Digest("kim".to_owned(), Secret::new("pw-7f3a"))),
        ..get(url)
    }
}

#[tokio::test]
async fn a_digest_answers_once_and_counts_on() {
    let first = ask("realm=\"r\", qop=\"auth\", nonce=\"n1\", algorithm=SHA-256");
    let stale = ask("realm=\"r\", qop=\"auth\", nonce=\"n2\", stale=true");
    let well = || answer("200 OK\r\nX-Echo: pw-7f3a", "done");
    let server = Server::new(vec![first, well(), well(), stale, well(), well()]).await;
    let (requests, allowed) = (Requests::default(), server.allowed());
    for owner in ["north", "north", "north"] {
        let request = Outgoing {
            owner: owner.to_owned(),
            ..with_digest(server.url("/a?b=c"))
        };
        let incoming = requests
            .send(&allowed, request, Requests::patience())
            .await
            .unwrap();
        assert_eq!((incoming.status, &incoming.body[..]), (200, &b"done"[..]));
        assert!(
            incoming
                .headers
                .contains(&("x-echo".to_owned(), "[redacted]".to_owned()))
        );
    }
    let received = server.received();
    assert_eq!(received.len(), 5);
    assert!(!received[0].contains("authorization"), "{}", received[0]);
    for (at, words) in [
        (
            1,
            &[
                "nonce=\"n1\"",
                "nc=00000001",
                "uri=\"/a?b=c\"",
                "algorithm=SHA-256",
            ][..],
        ),
        (2, &["nonce=\"n1\"", "nc=00000002"][..]),
        (3, &["nonce=\"n1\"", "nc=00000003"][..]),
        (4, &["nonce=\"n2\"", "nc=00000001"][..]),
    ] {
        for word in words {
            assert!(received[at].contains(word), "{word}: {}", received[at]);
        }
    }
    for request in received {
        assert!(request.contains("idempotency-key: key-1\r\n"), "{request}");
        assert!(
            request.ends_with("\r\n\r\nonce") && !request.contains("7f3a"),
            "{request}"
        );
    }
    // Another owner is asked anew.
    let server_again = with_digest(server.url("/"));
    let other = Outgoing {
        owner: "south".to_owned(),
        ..server_again
    };
    let incoming = requests.send(&allowed, other, Requests::patience()).await;
    assert_eq!(incoming.unwrap().status, 200);
    assert!(!server.received()[5].contains("authorization"));
}

#[tokio::test]
async fn a_kept_challenge_that_does_not_fit_is_asked_for_again() {
    let first = || ask("realm=\"r\", qop=\"auth\", nonce=\"n1\"");
    let well = || answer("200 OK", "done");
    let silent = answer("401 Unauthorized", "");
    let server = Server::new(vec![first(), well(), silent, first(), well()]).await;
    let (requests, allowed) = (Requests::default(), server.allowed());
    for path in ["/a", "/b"] {
        let request = with_digest(server.url(path));
        let incoming = requests
            .send(&allowed, request, Requests::patience())
            .await
            .unwrap();
        assert_eq!(incoming.status, 200);
    }
    let received = server.received();
    assert!(received[2].contains("nc=00000002"), "{}", received[2]);
    assert!(!received[3].contains("authorization"), "{}", received[3]);
    assert!(received[4].contains("nc=00000001"), "{}", received[4]);
}

#[tokio::test]
async fn a_digest_that_is_not_taken_is_the_answer() {
    let no = || ask("realm=\"r\", qop=\"auth\", nonce=\"n1\"");
    let server = Server::new(vec![no(), no()]).await;
    let incoming = send(&server.allowed(), with_digest(server.url("/"))).await;
    assert_eq!(incoming.unwrap().status, 401);
    assert_eq!(server.received().len(), 2);
    // Who asks for something else gets no digest.
    let basic = answer("401 No\r\nWWW-Authenticate: Basic realm=\"r\"", "");
    let server = Server::new(vec![basic]).await;
    let incoming = send(&server.allowed(), with_digest(server.url("/"))).await;
    assert_eq!(incoming.unwrap().status, 401);
    let server = Server::new(vec![ask("realm=\"r\", qop=\"auth-int\", nonce=\"n1\"")]).await;
    let failed = send(&server.allowed(), with_digest(server.url("/"))).await;
    let failed = failed.unwrap_err();
    assert_eq!(failed.kind, FailedKind::Refused);
    assert!(failed.message.contains("qop=auth"), "{}", failed.message);
}
