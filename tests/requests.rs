//! `call: http` by the front doors: a document asks a real server on this machine, under what the
//! operator allows, and no secret is ever told.

#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test reports what went wrong"
)]

#[path = "front_door/client.rs"]
mod client;
#[path = "requests/openapi.rs"]
mod openapi;
#[path = "requests/sealed.rs"]
mod sealed;
#[path = "front_door/served.rs"]
mod served;
#[path = "requests/server.rs"]
mod server;
#[path = "requests/tokens.rs"]
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use client::Client;
use serde_json::{Value, json};
use served::Served;
use server::{Server, answer};

/// A hanging server must not hang the test.
const PATIENCE: Duration = Duration::from_mins(1);

const TOKEN: &str = "tok-7f3a9c-of-the-register";

/// A folder with one document, `it.yaml`; `HOST` in its tasks is the server.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(server: &Server, tasks: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("it.yaml", &document("tests", server, tasks));
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text_of(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn document(namespace: &str, server: &Server, tasks: &str) -> String {
    let head = format!(
        "document: {{ dsl: '1.0.3', namespace: {namespace}, name: it, version: '1.0.0' }}\n"
    );
    head + &tasks.replace("HOST", &server.host())
}

fn casewright(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_casewright"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What `run --json` printed, with the whole text of both streams.
struct Ran {
    code: i32,
    printed: Value,
    told: String,
}

fn run(folder: &Folder, more: &[&str]) -> Ran {
    let document = folder.text_of("it.yaml");
    let mut arguments = vec!["run", &document, "--json"];
    arguments.extend(more);
    let output = casewright(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        printed: serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{talk}")),
        told: text + &talk,
    }
}

/// One task, one answer, the host allowed.
fn ask(tasks: &str, answers: Vec<Option<String>>) -> (Ran, Vec<String>) {
    let server = Server::new(answers);
    let folder = Folder::new(&server, tasks);
    let ran = run(&folder, &["--allow-host", &server.host()]);
    (ran, server.received())
}

fn json_answer(body: &str) -> Vec<Option<String>> {
    vec![Some(answer(
        "200 OK\r\nContent-Type: application/json",
        body,
    ))]
}

#[test]
fn each_output_gives_what_it_says() {
    let tasks = |output: &str| {
        format!(
            "do:\n  - look:\n      call: http\n      with:\n        method: get\n        \
             endpoint: http://HOST/homes?near=park\n        \
             headers: {{ Accept: text/json }}\n        \
             query: {{ beds: '3' }}\n        output: {output}\n"
        )
    };
    let body = r#"{"homes":[1,2]}"#;
    let (ran, received) = ask(&tasks("content"), json_answer(body));
    assert_eq!(ran.code, 0, "{}", ran.told);
    assert_eq!(ran.printed["output"], json!({"homes": [1, 2]}));
    assert!(
        received[0].starts_with("GET /homes?near=park&beds=3 HTTP/1.1\r\n"),
        "{received:?}"
    );
    assert!(
        received[0].contains("accept: text/json\r\n"),
        "{received:?}"
    );
    let (ran, _) = ask(&tasks("raw"), json_answer(body));
    assert_eq!(ran.printed["output"], "eyJob21lcyI6WzEsMl19");
    let (ran, received) = ask(&tasks("response"), json_answer(body));
    let output = &ran.printed["output"];
    assert_eq!(output["statusCode"], 200, "{output:#}");
    assert_eq!(output["content"], json!({"homes": [1, 2]}));
    assert_eq!(output["headers"]["content-type"], "application/json");
    assert_eq!(output["request"]["method"], "GET");
    assert_eq!(output["request"]["headers"], json!({"accept": "text/json"}));
    let uri = output["request"]["uri"].as_str().unwrap();
    assert!(uri.ends_with("/homes?near=park&beds=3"), "{uri}");
    assert_eq!(received.len(), 1);
}

#[test]
fn text_is_text_and_everything_else_is_base64() {
    let tasks =
        "do:\n  - look:\n      call: http\n      with: { method: get, endpoint: 'http://HOST/' }\n";
    for (kind, body, expected) in [
        ("text/plain", "7", json!("7")),
        ("application/octet-stream", "7", json!("Nw==")),
        ("application/problem+json", "7", json!(7)),
    ] {
        let head = format!("200 OK\r\nContent-Type: {kind}");
        let (ran, _) = ask(tasks, vec![Some(answer(&head, body))]);
        assert_eq!(ran.printed["output"], expected, "{kind}");
    }
}

const POST: &str = "
use: { secrets: [ register ] }
do:
  - apply:
      call: http
      with:
        method: post
        endpoint:
          uri: http://HOST/applications
          authentication: { SCHEME: { use: register } }
        body: { beds: 3 }
        output: response
";

#[test]
fn a_secret_reaches_the_server_and_nobody_else() {
    for (scheme, file, header, word) in [
        ("bearer", TOKEN.to_owned(), format!("Bearer {TOKEN}"), TOKEN),
        (
            "bearer",
            json!({ "token": TOKEN }).to_string(),
            format!("Bearer {TOKEN}"),
            TOKEN,
        ),
        (
            "basic",
            "kim:s3cr3t-word\n".to_owned(),
            "Basic a2ltOnMzY3IzdC13b3Jk".to_owned(),
            "s3cr3t-word",
        ),
    ] {
        // A server that repeats whatever it was sent.
        let echo = json!({ "you": header, "sent": word }).to_string();
        let head = format!("201 Created\r\nContent-Type: application/json\r\nX-You: {header}");
        let server = Server::new(vec![Some(answer(&head, &echo))]);
        let folder = Folder::new(&server, &POST.replace("SCHEME", scheme));
        folder.write("secret", &file);
        let secret = format!("register={}", folder.text_of("secret"));
        let ran = run(
            &folder,
            &["--allow-host", &server.host(), "--secret", &secret],
        );
        assert_eq!(ran.code, 0, "{}", ran.told);
        let received = server.received().remove(0);
        let sent = format!("authorization: {header}\r\n");
        assert!(received.contains(&sent), "{received}");
        assert!(received.contains("idempotency-key: "), "{received}");
        assert!(
            received.contains("content-type: application/json\r\n"),
            "{received}"
        );
        assert!(received.ends_with("\r\n\r\n{\"beds\":3}"), "{received}");
        let output = &ran.printed["output"];
        assert_eq!(output["request"]["headers"]["authorization"], "redacted");
        assert!(!ran.told.contains(word), "{}", ran.told);
        assert!(!ran.told.contains("a2ltOnMzY3IzdC13b3Jk"), "{}", ran.told);
    }
}

#[test]
fn words_of_the_input_are_sent_too() {
    let tasks = "
use:
  authentications:
    person: { basic: { username: '${ .user }', password: '${ .word }' } }
do:
  - who:
      set: { user: kim, word: of-the-day }
  - look:
      call: http
      with:
        method: get
        endpoint: { uri: 'http://HOST/', authentication: { use: person } }
";
    let (ran, received) = ask(tasks, json_answer("{}"));
    assert_eq!(ran.code, 0, "{}", ran.told);
    let sent = "authorization: Basic a2ltOm9mLXRoZS1kYXk=\r\n";
    assert!(received[0].contains(sent), "{received:?}");
    assert!(!received[0].contains("idempotency-key"), "{received:?}");
}

#[test]
fn a_secret_without_a_value_says_what_to_add() {
    let server = Server::new(Vec::new());
    let folder = Folder::new(&server, &POST.replace("SCHEME", "bearer"));
    let ran = run(&folder, &["--allow-host", &server.host()]);
    assert_eq!(ran.code, 1, "{}", ran.told);
    let error = &ran.printed["error"];
    assert_eq!(
        error["type"],
        "https://serverlessworkflow.io/spec/1.0.0/errors/authorization"
    );
    assert_eq!(error["status"], 403);
    let detail = error["detail"].as_str().unwrap();
    assert!(detail.contains("--secret register=FILE"), "{detail}");
    assert!(detail.contains("[http.secrets]"), "{detail}");
    assert!(server.received().is_empty());
}

const LOOK: &str = "
do:
  - look:
      call: http
      with: { method: get, endpoint: 'http://HOST/homes/7' MORE}
";

#[test]
fn a_host_that_is_not_allowed_is_not_asked() {
    let server = Server::new(Vec::new());
    let folder = Folder::new(&server, &LOOK.replace("MORE", ""));
    for more in [&[][..], &["--allow-host", "127.0.0.1:1"][..]] {
        let ran = run(&folder, more);
        assert_eq!(ran.code, 1, "{}", ran.told);
        let error = &ran.printed["error"];
        assert_eq!(error["type"], "urn:casewright:error:not-allowed");
        assert_eq!(error["status"], 403);
        assert_eq!(error["instance"], "/do/0/look");
        let detail = error["detail"].as_str().unwrap();
        let add = format!("--allow-host {}", server.host());
        assert!(
            detail.contains(&add) && detail.contains("[http]"),
            "{detail}"
        );
    }
    assert!(server.received().is_empty());
}

#[test]
fn a_pack_binds_what_its_documents_may_ask() {
    let pack = "namespace: tests\ntitle: Tests\ntimeZone: Etc/UTC\n";
    let server = Server::new(json_answer("{}"));
    let folder = Folder::new(&server, &LOOK.replace("MORE", ""));
    folder.write("pack.yaml", pack);
    let allow = ["--allow-host", &server.host()];
    let ran = run(&folder, &allow);
    let detail = ran.printed["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("in pack.yaml, write `http:"), "{detail}");
    assert!(!detail.contains("--allow-host"), "{detail}");
    let host = server.host();
    folder.write(
        "pack.yaml",
        &format!("{pack}http: {{ hosts: [ '{host}' ] }}\n"),
    );
    let ran = run(&folder, &[]);
    let detail = ran.printed["error"]["detail"].as_str().unwrap();
    assert!(
        !detail.contains("pack.yaml") && detail.contains("--allow-host"),
        "{detail}"
    );
    assert!(server.received().is_empty());
    let ran = run(&folder, &allow);
    assert_eq!(ran.code, 0, "{}", ran.told);
    folder.write(
        "pack.yaml",
        &format!("{pack}http: {{ hosts: [ homes.example ] }}\n"),
    );
    let output = casewright(&["validate", &folder.text_of("pack.yaml")]);
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("CW0530"), "{told}");
}

#[test]
fn a_redirection_is_an_error_unless_it_is_wanted() {
    let moved = || Some(answer("302 Found\r\nLocation: /there", "moved"));
    let (ran, received) = ask(&LOOK.replace("MORE", ""), vec![moved()]);
    assert_eq!(ran.printed["error"]["status"], 302, "{}", ran.told);
    assert_eq!(
        ran.printed["error"]["type"],
        "https://serverlessworkflow.io/spec/1.0.0/errors/communication"
    );
    assert_eq!(received.len(), 1);
    let there = Some(answer("200 OK\r\nContent-Type: text/plain", "there"));
    let (ran, received) = ask(
        &LOOK.replace("MORE", ", redirect: true "),
        vec![moved(), there],
    );
    assert_eq!(
        (ran.code, &ran.printed["output"]),
        (0, &json!("there")),
        "{}",
        ran.told
    );
    assert!(received[1].starts_with("GET /there "), "{received:?}");
}

#[test]
fn a_status_that_is_no_success_can_be_caught() {
    let tasks = "
do:
  - attempt:
      try:
        - look:
            call: http
            with: { method: get, endpoint: 'http://HOST/homes/{id}' }
      catch:
        errors:
          with:
            type: https://serverlessworkflow.io/spec/1.0.0/errors/communication
            status: 404
        do:
          - none:
              set: { status: '${ $error.status }', found: false }
input: { from: { id: 7 } }
";
    let (ran, received) = ask(tasks, vec![Some(answer("404 Not Found", "nobody"))]);
    assert_eq!(ran.code, 0, "{}", ran.told);
    assert_eq!(
        ran.printed["output"],
        json!({"status": 404, "found": false})
    );
    assert!(received[0].starts_with("GET /homes/7 "), "{received:?}");
    let (ran, _) = ask(tasks, vec![Some(answer("503 Busy", ""))]);
    assert_eq!(
        (ran.code, &ran.printed["error"]["status"]),
        (1, &json!(503))
    );
}

#[test]
fn what_may_have_arrived_is_in_doubt_and_never_sent_again() {
    let tasks = "
do:
  - attempt:
      try:
        - send:
            call: http
            with: { method: METHOD, endpoint: 'http://HOST/', body: { beds: 3 } }
      catch:
        errors: { with: { status: 502 } }
        retry: { delay: { milliseconds: 10 }, limit: { attempt: { count: 3 } } }
";
    // The server takes the request and goes without a word.
    let (ran, received) = ask(&tasks.replace("METHOD", "post"), vec![None, None]);
    assert_eq!(ran.code, 1, "{}", ran.told);
    assert_eq!(
        ran.printed["error"]["type"],
        "urn:casewright:error:in-doubt"
    );
    assert_eq!(received.len(), 1);
    // Where twice is as once, a retry sends it again under the same key.
    let last = Some(answer("200 OK", ""));
    let (ran, received) = ask(&tasks.replace("METHOD", "put"), vec![None, None, last]);
    assert_eq!(ran.code, 0, "{}", ran.told);
    let key = |request: &String| {
        let line = request
            .lines()
            .find_map(|line| line.strip_prefix("idempotency-key: "));
        line.unwrap().to_owned()
    };
    assert_eq!(received.len(), 3);
    assert!(
        received
            .iter()
            .all(|request| key(request) == key(&received[0]))
    );
}

#[test]
fn nobody_at_the_other_end_is_a_communication_error() {
    let server = Server::new(Vec::new());
    let (host, folder) = (
        server.host(),
        Folder::new(&server, &LOOK.replace("MORE", "")),
    );
    drop(server);
    let ran = run(&folder, &["--allow-host", &host]);
    let error = &ran.printed["error"];
    assert_eq!(
        (&error["type"], &error["status"]),
        (
            &json!("https://serverlessworkflow.io/spec/1.0.0/errors/communication"),
            &json!(503)
        ),
        "{}",
        ran.told
    );
}

#[test]
fn wrong_words_for_hosts_and_secrets_are_wrong_usage() {
    let server = Server::new(Vec::new());
    let folder = Folder::new(&server, &LOOK.replace("MORE", ""));
    let document = folder.text_of("it.yaml");
    for more in [["--allow-host", "homes.example"], ["--secret", "hunter2"]] {
        let mut arguments = vec!["run", &document];
        arguments.extend(more);
        let output = casewright(&arguments);
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            told.contains(more[0]) && !told.contains("hunter2"),
            "{told}"
        );
    }
}

#[test]
fn a_picture_shows_that_another_service_is_asked() {
    let server = Server::new(Vec::new());
    let folder = Folder::new(&server, &LOOK.replace("MORE", ""));
    let output = casewright(&["graph", &folder.text_of("it.yaml"), "--format", "mermaid"]);
    let drawn = String::from_utf8(output.stdout).unwrap();
    assert!(drawn.contains("Asks another service"), "{drawn}");
    assert!(
        casewright(&["validate", &folder.text_of("it.yaml")])
            .status
            .success()
    );
}

const TESTS: &str = "
workflow: it
people: { kim: case-worker }
http:
  apply:
    - error: { status: 503 }
    - returns: { statusCode: 201 }
tests:
  - test: It is refused once
    steps:
      - { start: it, as: kim }
      - { ended: faulted }
      - { calls: http.apply, times: 1, input: { method: POST, body: { beds: 3 } } }
      - { start: it, as: kim }
      - { ended: completed, output: { statusCode: 201 } }
  - test: Nobody knows whether it arrived
    http: { apply: [ { error: { code: in-doubt } } ] }
    steps:
      - { start: it, as: kim }
      - { ended: faulted }
";

#[test]
fn the_tests_of_a_pack_answer_requests() {
    let server = Server::new(Vec::new());
    let folder = Folder::new(&server, &POST.replace("SCHEME", "bearer"));
    folder.write(
        "pack.yaml",
        "namespace: tests\ntitle: Tests\ntimeZone: Etc/UTC\n\
         roles: { case-worker: { title: Case worker, starts: true } }\n",
    );
    folder.write("tests/it.test.yaml", TESTS);
    let output = casewright(&["test", folder.0.path().to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let silent = TESTS.replace("http:\n  apply:", "samples:\n  apply:");
    folder.write("tests/it.test.yaml", &silent);
    let output = casewright(&["test", folder.0.path().to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("http.apply was called"), "{told}");
    assert!(told.contains("add it to `http`: `apply:"), "{told}");
    assert!(server.received().is_empty());
}

const PACK: &str = "
namespace: small-agency
title: Small agency
timeZone: Australia/Brisbane
roles:
  case-worker: { title: Case worker, starts: true }
";

fn serve(folder: &Path) -> (Served, Client) {
    let serving = Served::new(folder);
    let client = serving.client(folder, "token.json");
    (serving, client)
}

/// A server's configuration with one member of staff and the secret `register`.
fn configure(folder: &Folder, host: &str) {
    folder.write("passphrase", "a passphrase of the tests alone");
    folder.write(
        "casewright.toml",
        &format!(
            "listen = \"127.0.0.1:0\"\ndata = \"data\"\nkeys = \"keys/epoch.json\"\n\
             packs = [\"pack\"]\n\n[http]\nhosts = [\"{host}\"]\n\n[http.agency.small-agency]\n\
             secrets = {{ register = \"register\" }}\n\n[[staff]]\nagency = \"small-agency\"\n\
             id = \"u-kim\"\nsign_in = \"kim\"\nname = \"Kim Example\"\nroles = [\"case-worker\"]\n\
             passphrase_file = \"passphrase\"\ntoken_file = \"token.json\"\n"
        ),
    );
}

/// The instance once it runs no more.
fn ended(client: &Client, path: &str) -> Value {
    let began = Instant::now();
    loop {
        let view = client.get(path).unwrap().body;
        if view["status"] != "running" {
            return view;
        }
        assert!(began.elapsed() < PATIENCE, "{view:#}");
        std::thread::yield_now();
    }
}

#[test]
fn a_server_gives_the_secret_and_keeps_it_from_case_and_history() {
    let echo = json!({ "you": TOKEN, "id": 7 }).to_string();
    let head = "201 Created\r\nContent-Type: application/json";
    let server = Server::new(vec![Some(answer(head, &echo))]);
    let host = server.host();
    let folder = Folder(tempfile::tempdir().unwrap());
    let tasks = POST.replace("SCHEME", "bearer");
    folder.write(
        "pack/pack.yaml",
        &format!("{PACK}http: {{ hosts: [ '{host}' ] }}\n"),
    );
    folder.write("pack/it.yaml", &document("small-agency", &server, &tasks));
    folder.write("register", &format!("{TOKEN}\n"));
    configure(&folder, &host);
    let (serving, client) = serve(folder.0.path());
    let started = client.post("/api/v1/instances", &json!({ "workflow": "it" }), None);
    let started = started.unwrap();
    assert_eq!(started.status, 201, "{started:?}");
    let path = format!("/api/v1/instances/{}", started.body["id"].as_str().unwrap());
    let ended = ended(&client, &path);
    assert_eq!(ended["status"], "completed", "{ended:#}");
    assert_eq!(
        ended["output"]["content"],
        json!({ "you": "[redacted]", "id": 7 })
    );
    let received = server.received().remove(0);
    assert!(
        received.contains(&format!("authorization: Bearer {TOKEN}\r\n")),
        "{received}"
    );
    let case = started.body["case"].as_str().unwrap();
    for path in [
        path.clone(),
        format!("{path}/history"),
        format!("/api/v1/cases/{case}"),
        format!("/api/v1/cases/{case}/timeline"),
        format!("/api/v1/cases/{case}/audit"),
    ] {
        let reply = client.get(&path).unwrap();
        assert_eq!(reply.status, 200, "{path}");
        assert!(
            !reply.body.to_string().contains(TOKEN),
            "{path}: {:#}",
            reply.body
        );
    }
    drop(serving);
    // What is stored is sealed; that nothing was written beside it is the rest.
    for name in ["data/casewright.redb", "ready.json"] {
        let bytes = fs::read(folder.path(name)).unwrap();
        let found = bytes
            .windows(TOKEN.len())
            .any(|part| part == TOKEN.as_bytes());
        assert!(!found, "{name}");
    }
}
