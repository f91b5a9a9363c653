//! `oauth2`, `oidc` and `digest` against servers on this machine: one token for many requests, none
//! of it told to anybody, and errors that say what is wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const SECRET: &str = "s3cr3t-7f3a";
const GIVEN: &str = "at-91c2e7-of-the-authority";

const AUTHENTICATION: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/authentication";
const COMMUNICATION: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/communication";

fn tasks(authentication: &str) -> String {
    format!(
        "use: {{ secrets: [ login ] }}\ndo:\n  - send:\n      call: http\n      with:\n        \
         method: post\n        endpoint:\n          uri: http://HOST/homes\n          \
         authentication: {authentication}\n        body: {{ beds: 3 }}\n        \
         output: response\n"
    )
}

fn json_of(status: &str, body: &Value) -> String {
    let head = format!("{status}\r\nContent-Type: application/json");
    answer(&head, &body.to_string())
}

/// A secret that holds what a document would write, and a run with it.
fn run_with(server: &Server, tasks: &str, words: &Value) -> Ran {
    let folder = Folder::new(server, tasks);
    folder.write("login", &words.to_string().replace("HOST", &server.host()));
    let secret = format!("login={}", folder.text_of("login"));
    let ran = run(
        &folder,
        &["--allow-host", &server.host(), "--secret", &secret],
    );
    for word in [SECRET, GIVEN] {
        assert!(!ran.told.contains(word), "{}", ran.told);
    }
    ran
}

fn words() -> Value {
    json!({
        "authority": "http://HOST/realms/one",
        "grant": "client_credentials",
        "client": { "id": "casewright", "secret": SECRET },
        "scopes": ["homes"],
    })
}

#[test]
fn a_token_is_asked_for_and_sent() {
    for (scheme, place) in [
        ("oauth2", "/realms/one/oauth2/token"),
        ("oidc", "/there/token"),
    ] {
        let server = Server::answering(move |request: &str| {
            let host = request.lines().find_map(|line| line.strip_prefix("host: "));
            let host = host.unwrap_or_default();
            if request.starts_with("GET /realms/one/.well-known/openid-configuration ") {
                let described = json!({ "token_endpoint": format!("http://{host}/there/token") });
                return json_of("200 OK", &described);
            }
            if request.starts_with(&format!("POST {place} ")) {
                return json_of(
                    "200 OK",
                    &json!({ "access_token": GIVEN, "expires_in": 300 }),
                );
            }
            json_of("201 Created", &json!({ "you": GIVEN }))
        });
        let ran = run_with(
            &server,
            &tasks(&format!("{{ {scheme}: {{ use: login }} }}")),
            &words(),
        );
        assert_eq!(ran.code, 0, "{}", ran.told);
        let output = &ran.printed["output"];
        assert_eq!(output["content"]["you"], "[redacted]");
        assert_eq!(output["request"]["headers"]["authorization"], "redacted");
        let received = server.received();
        let asked = &received[received.len() - 2];
        let body = format!(
            "grant_type=client_credentials&scope=homes&client_id=casewright&client_secret={SECRET}"
        );
        assert!(asked.ends_with(&format!("\r\n\r\n{body}")), "{asked}");
        assert!(!asked.contains("idempotency-key"), "{asked}");
        let sent = &received[received.len() - 1];
        assert!(
            sent.contains(&format!("authorization: Bearer {GIVEN}\r\n")),
            "{sent}"
        );
        assert!(
            sent.contains("idempotency-key: ") && !sent.contains(SECRET),
            "{sent}"
        );
    }
}

#[test]
fn words_of_a_document_ask_for_a_token_too() {
    let server = Server::answering(|request: &str| {
        if request.starts_with("POST /auth/token ") {
            return json_of("200 OK", &json!({ "access_token": GIVEN }));
        }
        json_of("200 OK", &json!({}))
    });
    let written = tasks(
        "\n            oauth2:\n              authority: 'http://HOST'\n              \
         endpoints: { token: /auth/token }\n              grant: password\n              \
         username: '${ .user }'\n              password: '${ .word }'\n              \
         client: { id: casewright, authentication: none }",
    );
    let written = format!("input: {{ from: {{ user: kim, word: of-the-day }} }}\n{written}");
    let folder = Folder::new(&server, &written);
    let ran = run(&folder, &["--allow-host", &server.host()]);
    assert_eq!(ran.code, 0, "{}", ran.told);
    let asked = server.received().remove(0);
    let body = "grant_type=password&username=kim&password=of-the-day&client_id=casewright";
    assert!(asked.ends_with(body), "{asked}");
}

/// Several requests side by side, and one after them.
fn several() -> String {
    let one = |name: &str, indent: usize| {
        let space = " ".repeat(indent);
        format!(
            "{space}- {name}:\n{space}    call: http\n{space}    with:\n{space}      method: \
             get\n{space}      endpoint:\n{space}        uri: http://HOST/{name}\n{space}        \
             authentication: {{ oauth2: {{ use: login }} }}\n"
        )
    };
    let branches: String = ["a", "b", "c", "d"]
        .iter()
        .map(|name| one(name, 10))
        .collect();
    format!(
        "use: {{ secrets: [ login ] }}\ndo:\n  - together:\n      fork:\n        branches:\n\
         {branches}{}",
        one("after", 2)
    )
}

#[test]
fn many_requests_ask_for_one_token() {
    let server = Server::answering(|request: &str| {
        if request.starts_with("POST ") {
            return json_of(
                "200 OK",
                &json!({ "access_token": GIVEN, "expires_in": 300 }),
            );
        }
        json_of("200 OK", &json!({}))
    });
    let ran = run_with(&server, &several(), &words());
    assert_eq!(ran.code, 0, "{}", ran.told);
    let received = server.received();
    let asked = received.iter().filter(|it| it.starts_with("POST "));
    assert_eq!((asked.count(), received.len()), (1, 6));
}

#[test]
fn a_kept_token_that_is_refused_is_asked_for_once_more() {
    let (asked, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, no) = (Arc::clone(&asked), Arc::clone(&refused));
    let server = Server::answering(move |request: &str| {
        if request.contains("/oauth2/token ") {
            let number = count.fetch_add(1, Ordering::AcqRel);
            let token = format!("{GIVEN}-{number}");
            return json_of(
                "200 OK",
                &json!({ "access_token": token, "expires_in": 300 }),
            );
        }
        // The first token is taken back after its first use.
        if request.starts_with("PUT /after ") && request.contains(&format!("{GIVEN}-0")) {
            no.fetch_add(1, Ordering::AcqRel);
            return json_of("401 Unauthorized", &json!({ "error": GIVEN }));
        }
        json_of("200 OK", &json!({}))
    });
    let written = "
use: { secrets: [ login ], authentications: { it: { oauth2: { use: login } } } }
do:
  - before:
      call: http
      with: { method: get, endpoint: { uri: 'http://HOST/', authentication: { use: it } } }
  - after:
      call: http
      with: { method: put, endpoint: { uri: 'http://HOST/after', authentication: { use: it } } }
";
    let ran = run_with(&server, written, &words());
    assert_eq!(ran.code, 0, "{}", ran.told);
    assert_eq!(asked.load(Ordering::Acquire), 2);
    assert_eq!(refused.load(Ordering::Acquire), 1);
    let received = server.received();
    let keys: Vec<&str> = received
        .iter()
        .filter(|it| it.starts_with("PUT "))
        .map(|it| {
            it.lines()
                .find(|line| line.starts_with("idempotency-key: "))
                .unwrap()
        })
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn a_fresh_token_that_is_refused_is_an_error() {
    let server = Server::answering(|request: &str| {
        if request.contains("/oauth2/token ") {
            return json_of("200 OK", &json!({ "access_token": GIVEN }));
        }
        json_of("401 Unauthorized", &json!({ "error": GIVEN }))
    });
    let ran = run_with(&server, &tasks("{ oauth2: { use: login } }"), &words());
    let error = &ran.printed["error"];
    assert_eq!(
        (&error["type"], &error["status"]),
        (&json!(COMMUNICATION), &json!(401))
    );
    assert_eq!(server.received().len(), 2);
}

#[test]
fn an_authority_that_gives_no_token_is_an_error_without_its_words() {
    for (head, body, kind, status) in [
        (
            "400 Bad Request",
            json!({ "error": "invalid_client", "hint": GIVEN }),
            AUTHENTICATION,
            401,
        ),
        (
            "401 Unauthorized",
            json!({ "error": SECRET }),
            AUTHENTICATION,
            401,
        ),
        ("503 Busy", json!(GIVEN), COMMUNICATION, 503),
        (
            "302 Found\r\nLocation: http://evil.example/token",
            json!({}),
            COMMUNICATION,
            302,
        ),
        ("200 OK", json!({ "token": GIVEN }), COMMUNICATION, 502),
    ] {
        let server = Server::answering(move |_: &str| json_of(head, &body));
        let ran = run_with(&server, &tasks("{ oauth2: { use: login } }"), &words());
        let error = &ran.printed["error"];
        assert_eq!(
            (&error["type"], &error["status"]),
            (&json!(kind), &json!(status)),
            "{head}"
        );
        // The request itself was never sent.
        assert_eq!(server.received().len(), 1, "{head}");
    }
}

#[test]
fn a_token_is_asked_only_of_hosts_that_are_allowed() {
    let authority = Server::new(Vec::new());
    let server = Server::new(Vec::new());
    let mut elsewhere = words();
    elsewhere["authority"] = format!("http://{}", authority.host()).into();
    let ran = run_with(&server, &tasks("{ oauth2: { use: login } }"), &elsewhere);
    let error = &ran.printed["error"];
    assert_eq!(
        error["type"], "urn:casewright:error:not-allowed",
        "{}",
        ran.told
    );
    let detail = error["detail"].as_str().unwrap();
    assert!(
        detail.contains(&format!("--allow-host {}", authority.host())),
        "{detail}"
    );
    // An authority that describes itself leads nowhere else either.
    let host = authority.host();
    let server = Server::answering(move |_: &str| {
        json_of(
            "200 OK",
            &json!({ "token_endpoint": format!("http://{host}/token") }),
        )
    });
    let ran = run_with(&server, &tasks("{ oidc: { use: login } }"), &words());
    assert_eq!(
        ran.printed["error"]["type"], "urn:casewright:error:not-allowed",
        "{}",
        ran.told
    );
    assert!(authority.received().is_empty());
}

#[test]
fn a_secret_that_says_too_little_names_what_is_missing() {
    let server = Server::new(Vec::new());
    for (more, named) in [
        (json!({ "client": { "secret": SECRET } }), "`client.id`"),
        (json!({ "grant": SECRET }), "`grant`"),
        (json!({ "authority": null }), "`authority`"),
    ] {
        let mut words = words();
        let Value::Object(more) = more else { panic!() };
        words.as_object_mut().unwrap().extend(more);
        let ran = run_with(&server, &tasks("{ oauth2: { use: login } }"), &words);
        let error = &ran.printed["error"];
        assert_eq!(error["status"], 403, "{}", ran.told);
        let detail = error["detail"].as_str().unwrap();
        assert!(
            detail.contains(named) && detail.contains("login"),
            "{detail}"
        );
    }
}

#[test]
fn a_digest_never_sends_the_password() {
    let server = Server::answering(|request: &str| {
        if !request.contains("authorization: Digest ") {
            let challenge = "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"homes\", \
                             qop=\"auth\", algorithm=SHA-256, nonce=\"n1\"";
            return json_of(challenge, &json!({}));
        }
        json_of("201 Created", &json!({ "sent": SECRET }))
    });
    let pair = json!({ "username": "kim", "password": SECRET });
    let ran = run_with(&server, &tasks("{ digest: { use: login } }"), &pair);
    assert_eq!(ran.code, 0, "{}", ran.told);
    assert_eq!(ran.printed["output"]["content"]["sent"], "[redacted]");
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert!(received[1].contains("username=\"kim\""), "{}", received[1]);
    assert!(received[1].contains("uri=\"/homes\""), "{}", received[1]);
    assert!(received.iter().all(|it| !it.contains(SECRET)));
    let key = |it: &str| {
        let mut lines = it.lines();
        lines
            .find(|line| line.starts_with("idempotency-key: "))
            .map(str::to_owned)
    };
    assert!(key(&received[0]).is_some());
    assert_eq!(key(&received[0]), key(&received[1]));
}

#[test]
fn a_server_keeps_neither_token_nor_words() {
    let server = Server::answering(|request: &str| {
        if request.contains("/oauth2/token ") {
            return json_of(
                "200 OK",
                &json!({ "access_token": GIVEN, "expires_in": 300 }),
            );
        }
        json_of("200 OK", &json!({ "you": GIVEN }))
    });
    let host = server.host();
    let folder = Folder(tempfile::tempdir().unwrap());
    let tasks = tasks("{ oauth2: { use: register } }").replace("[ login ]", "[ register ]");
    let hosts = format!("{PACK}http: {{ hosts: [ '{host}' ] }}\n");
    folder.write("pack/pack.yaml", &hosts);
    folder.write("pack/it.yaml", &document("small-agency", &server, &tasks));
    folder.write("register", &words().to_string().replace("HOST", &host));
    configure(&folder, &host);
    let (_serving, client) = serve(folder.0.path());
    for _ in 0..2 {
        let started = client.post("/api/v1/instances", &json!({ "workflow": "it" }), None);
        let started = started.unwrap().body;
        let path = format!("/api/v1/instances/{}", started["id"].as_str().unwrap());
        let ended = ended(&client, &path);
        assert_eq!(ended["status"], "completed", "{ended:#}");
        let case = started["case"].as_str().unwrap();
        for path in [
            path.clone(),
            format!("{path}/history"),
            format!("/api/v1/cases/{case}/timeline"),
            format!("/api/v1/cases/{case}/audit"),
        ] {
            let told = client.get(&path).unwrap().body.to_string();
            assert!(
                !told.contains(SECRET) && !told.contains(GIVEN),
                "{path}: {told}"
            );
        }
    }
    // The second run, in another case of the same agency, had the token of the first.
    let asked = server.received();
    let asked = asked.iter().filter(|it| it.contains("/oauth2/token "));
    assert_eq!(asked.count(), 1);
}
