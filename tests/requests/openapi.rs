//! `call: openapi` against servers on this machine that describe themselves: what is asked for, and
//! what a wrong, hostile or silent description comes to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const ERRORS: &str = "https://serverlessworkflow.io/spec/1.0.0/errors";

fn json_of(head: &str, body: &Value) -> String {
    let head = format!("{head}\r\nContent-Type: application/json");
    answer(&head, &body.to_string())
}

/// A service that describes itself so, and gives this for everything else.
pub(crate) fn service(description: Value, gives: Value) -> Server {
    Server::answering(move |request: &str| {
        if request.starts_with("GET /v2/openapi.json ") {
            return json_of("200 OK", &description);
        }
        json_of("200 OK", &gives)
    })
}

pub(crate) fn find(more: &str) -> String {
    format!(
        "do:\n  - find:\n      call: openapi\n      with:\n        document:\n          \
         endpoint: http://HOST/v2/openapi.json\n        operationId: find\n{more}"
    )
}

fn run_at(server: &Server, tasks: &str) -> Ran {
    let folder = Folder::new(server, tasks);
    run(&folder, &["--allow-host", &server.host()])
}

fn swagger() -> Value {
    json!({
        "swagger": "2.0",
        "basePath": "/v2",
        "schemes": ["https", "http"],
        "produces": ["application/xml", "application/json"],
        "paths": { "/pet/findByStatus": { "get": {
            "operationId": "find",
            "parameters": [{
                "name": "status", "in": "query", "required": true, "type": "array",
                "items": { "type": "string" }, "collectionFormat": "multi",
            }],
        } } },
    })
}

#[test]
fn an_operation_of_swagger_is_asked_for() {
    let server = service(swagger(), json!([{ "id": 1 }, { "id": 2 }]));
    let more = "        parameters:\n          status: ${ .status }\n      output:\n        \
                as: . | length\n";
    let tasks = format!("input: {{ from: {{ status: available }} }}\n{}", find(more));
    let ran = run_at(&server, &tasks);
    assert_eq!(
        (ran.code, &ran.printed["output"]),
        (0, &json!(2)),
        "{}",
        ran.told
    );
    let received = server.received();
    assert_eq!(received.len(), 2);
    let sent = &received[1];
    assert!(
        sent.starts_with("GET /v2/pet/findByStatus?status=available HTTP/1.1\r\n"),
        "{sent}"
    );
    assert!(sent.contains("accept: application/json\r\n"), "{sent}");
}

const YAML: &str = "
openapi: 3.1.0
servers:
  - url: /{base}
    variables: { base: { default: api } }
paths:
  /homes/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer } }
    put:
      operationId: find
      parameters:
        - $ref: '#/components/parameters/filter'
        - { name: X-Office, in: header, schema: { type: string } }
      requestBody:
        required: true
        content:
          application/json:
            schema: { type: object, properties: { beds: { type: integer } } }
      responses:
        200: { description: kept, content: { application/json: {} } }
components:
  parameters:
    filter: { name: filter, in: query, style: deepObject, explode: true, schema: { type: object } }
";

#[test]
fn an_operation_of_a_description_in_yaml_is_asked_for() {
    let server = Server::answering(|request: &str| {
        if request.starts_with("GET ") {
            return answer("200 OK\r\nContent-Type: application/yaml", YAML);
        }
        json_of("200 OK", &json!({ "kept": true }))
    });
    let more = "        output: response\n        \
                parameters: { id: 7, filter: { near: the park }, X-Office: north, beds: 3 }\n";
    let ran = run_at(&server, &find(more));
    assert_eq!(ran.code, 0, "{}", ran.told);
    let output = &ran.printed["output"];
    assert_eq!(output["statusCode"], 200);
    assert_eq!(output["content"], json!({ "kept": true }));
    assert_eq!(output["request"]["method"], "PUT");
    let sent = server.received().remove(1);
    assert!(
        sent.starts_with("PUT /api/homes/7?filter%5Bnear%5D=the%20park HTTP/1.1\r\n"),
        "{sent}"
    );
    assert!(sent.contains("x-office: north\r\n"), "{sent}");
    assert!(
        sent.contains("content-type: application/json\r\n"),
        "{sent}"
    );
    assert!(sent.contains("idempotency-key: "), "{sent}");
    assert!(sent.ends_with("\r\n\r\n{\"beds\":3}"), "{sent}");
}

#[test]
fn description_and_operation_are_asked_for_by_different_people() {
    let description = json!({
        "openapi": "3.0.0", "paths": { "/homes": { "get": { "operationId": "find" } } },
    });
    let server = Server::answering(move |request: &str| {
        if request.starts_with("GET /openapi.json ") {
            return json_of("200 OK", &description);
        }
        if request.starts_with("POST /oauth2/token ") {
            return json_of("200 OK", &json!({ "access_token": TOKEN }));
        }
        json_of("200 OK", &json!({ "you": TOKEN }))
    });
    let tasks = "
use: { secrets: [ reader, login ] }
do:
  - find:
      call: openapi
      with:
        document:
          name: homes
          endpoint: { uri: 'http://HOST/openapi.json', authentication: { basic: { use: reader } } }
        operationId: find
        authentication: { oauth2: { use: login } }
";
    let folder = Folder::new(&server, tasks);
    folder.write("reader", "kim:s3cr3t-word");
    let login = json!({
        "authority": format!("http://{}", server.host()), "grant": "client_credentials",
        "client": { "id": "casewright", "secret": "s3cr3t-word" },
    });
    folder.write("login", &login.to_string());
    let secret = |name: &str| format!("{name}={}", folder.text_of(name));
    let host = server.host();
    let all = [
        "--allow-host",
        &host,
        "--secret",
        &secret("reader"),
        "--secret",
        &secret("login"),
    ];
    let ran = run(&folder, &all);
    assert_eq!(ran.code, 0, "{}", ran.told);
    assert_eq!(ran.printed["output"]["you"], "[redacted]");
    let received = server.received();
    assert!(
        received[0].contains("authorization: Basic a2ltOnMzY3IzdC13b3Jk\r\n"),
        "{}",
        received[0]
    );
    assert!(
        received[2].contains(&format!("authorization: Bearer {TOKEN}\r\n")),
        "{}",
        received[2]
    );
    assert!(
        !ran.told.contains(TOKEN) && !ran.told.contains("s3cr3t-word"),
        "{}",
        ran.told
    );
}

/// How a run ended whose service describes itself so, and how many requests it had sent.
fn failing(description: impl Fn() -> String + Clone + Send + 'static, more: &str) -> (Ran, usize) {
    let server = Server::answering(move |_: &str| description());
    let ran = run_at(&server, &find(more));
    assert_eq!(ran.code, 1, "{}", ran.told);
    let count = server.received().len();
    (ran, count)
}

#[test]
fn a_description_that_leads_nowhere_is_an_error() {
    let well = |description: Value| json_of("200 OK", &description);
    let huge = format!(
        "{{\"openapi\":\"3.0.0\",\"x\":\"{}\"}}",
        "x".repeat(2 * 1024 * 1024)
    );
    let mut circle = swagger();
    circle["paths"]["/pet/findByStatus"]["get"]["parameters"] =
        json!([{ "$ref": "#/parameters/a" }]);
    circle["parameters"] = json!({ "a": { "$ref": "#/parameters/a" } });
    for (said, kind, status, word) in [
        (
            answer("200 OK", &huge),
            "communication",
            502,
            "2097152 bytes",
        ),
        (
            answer(
                "302 Found\r\nLocation: http://evil.example/openapi.json",
                "",
            ),
            "communication",
            302,
            "302",
        ),
        (answer("404 Not Found", "7f3a"), "communication", 404, "404"),
        (
            answer("200 OK", "<html>7f3a</html>"),
            "configuration",
            400,
            "describes no service",
        ),
        (well(circle), "configuration", 400, "circle"),
        (
            well(json!({
                "openapi": "3.0.0",
                "paths": { "/": { "get": { "operationId": "found" } } },
            })),
            "configuration",
            400,
            "it has `found`",
        ),
        (well(swagger()), "validation", 400, "needs `status` (query)"),
    ] {
        let (ran, count) = failing(move || said.clone(), "");
        let error = &ran.printed["error"];
        assert_eq!(
            error["type"],
            format!("{ERRORS}/{kind}"),
            "{word}: {}",
            ran.told
        );
        assert_eq!(error["status"], status, "{}", ran.told);
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{detail}");
        assert!(!ran.told.contains("7f3a"), "{}", ran.told);
        assert_eq!(count, 1, "{word}");
    }
    let said = well(swagger());
    let (ran, count) = failing(
        move || said.clone(),
        "        parameters: { status: [ a ], state: 7f3a }\n",
    );
    let detail = ran.printed["error"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("has no parameter `state`; it has `status`"),
        "{detail}"
    );
    assert!(!ran.told.contains("7f3a"), "{}", ran.told);
    assert_eq!(count, 1);
}

#[test]
fn a_description_leads_to_no_host_that_is_not_allowed() {
    let other = Server::new(Vec::new());
    let description = json!({
        "openapi": "3.0.0", "servers": [{ "url": format!("http://{}", other.host()) }],
        "paths": { "/": { "get": { "operationId": "find" } } },
    });
    let server = service(description, json!({}));
    let ran = run_at(&server, &find(""));
    let error = &ran.printed["error"];
    assert_eq!(
        error["type"], "urn:casewright:error:not-allowed",
        "{}",
        ran.told
    );
    let detail = error["detail"].as_str().unwrap();
    assert!(
        detail.contains(&format!("--allow-host {}", other.host())),
        "{detail}"
    );
    assert!(other.received().is_empty());
    let folder = Folder::new(&server, &find(""));
    let ran = run(&folder, &[]);
    assert_eq!(
        ran.printed["error"]["type"], "urn:casewright:error:not-allowed",
        "{}",
        ran.told
    );
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_redirection_of_an_operation_is_as_for_any_request() {
    let description = json!({
        "openapi": "3.0.0", "paths": { "/here": { "get": { "operationId": "find" } } },
    });
    let server = Server::answering(move |request: &str| {
        if request.starts_with("GET /v2/openapi.json ") {
            return json_of("200 OK", &description);
        }
        if request.starts_with("GET /here ") {
            return answer("302 Found\r\nLocation: /there", "");
        }
        json_of("200 OK", &json!("there"))
    });
    let ran = run_at(&server, &find(""));
    assert_eq!(ran.printed["error"]["status"], 302, "{}", ran.told);
    let ran = run_at(&server, &find("        redirect: true\n"));
    assert_eq!(
        (ran.code, &ran.printed["output"]),
        (0, &json!("there")),
        "{}",
        ran.told
    );
}

const CHECKED: &str = "
workflow: it
people: { kim: case-worker }
http:
  find: [ { error: { status: 503 } }, { returns: [ 1 ] } ]
tests:
  - test: The service is asked for its homes
    steps:
      - { start: it, as: kim }
      - { ended: faulted }
      - { start: it, as: kim }
      - { ended: completed, output: [ 1 ] }
      - { calls: http.find, times: 2, input: { body: { near: park } } }
";

#[test]
fn the_tests_of_a_pack_answer_operations() {
    let server = Server::new(Vec::new());
    let folder = Folder::new(&server, &find("        parameters: { near: park }\n"));
    folder.write(
        "pack.yaml",
        "namespace: tests\ntitle: Tests\ntimeZone: Etc/UTC\n\
         roles: { case-worker: { title: Case worker, starts: true } }\n",
    );
    folder.write("tests/it.test.yaml", CHECKED);
    let output = casewright(&["test", folder.0.path().to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(server.received().is_empty());
}

/// A service whose first answer to the operation never comes.
fn silent_once(asked: &Arc<AtomicUsize>) -> Server {
    let count = Arc::clone(asked);
    let description = json!({
        "openapi": "3.0.0", "paths": { "/homes": { "put": { "operationId": "find" } } },
    });
    Server::answering(move |request: &str| {
        if request.starts_with("GET ") {
            return json_of("200 OK", &description);
        }
        if count.fetch_add(1, Ordering::AcqRel) == 0 {
            // Until the test is over; nobody waits for this thread.
            loop {
                std::thread::park();
            }
        }
        json_of("200 OK", &json!({ "kept": true }))
    })
}

#[test]
fn a_killed_server_sends_the_operation_again_under_its_key() {
    let asked = Arc::new(AtomicUsize::new(0));
    let server = silent_once(&asked);
    let host = server.host();
    let folder = Folder(tempfile::tempdir().unwrap());
    folder.write(
        "pack/pack.yaml",
        &format!("{PACK}http: {{ hosts: [ '{host}' ] }}\n"),
    );
    folder.write(
        "pack/it.yaml",
        &document("small-agency", &server, &find("")),
    );
    folder.write("register", TOKEN);
    configure(&folder, &host);
    let (serving, client) = serve(folder.0.path());
    let started = client
        .post("/api/v1/instances", &json!({ "workflow": "it" }), None)
        .unwrap();
    assert_eq!(started.status, 201, "{started:?}");
    let began = Instant::now();
    while asked.load(Ordering::Acquire) == 0 {
        assert!(began.elapsed() < PATIENCE, "the operation was never sent");
        std::thread::yield_now();
    }
    // Dropping kills, and asks nobody.
    drop(serving);
    fs::remove_file(folder.path("ready.json")).unwrap();
    let (_serving, client) = serve(folder.0.path());
    let path = format!("/api/v1/instances/{}", started.body["id"].as_str().unwrap());
    let ended = ended(&client, &path);
    assert_eq!(ended["status"], "completed", "{ended:#}");
    assert_eq!(ended["output"], json!({ "kept": true }));
    let received = server.received();
    let looked = received.iter().filter(|it| it.starts_with("GET ")).count();
    assert_eq!((looked, received.len()), (1, 3));
    let key = |it: &String| {
        let mut lines = it.lines();
        lines
            .find(|line| line.starts_with("idempotency-key: "))
            .map(str::to_owned)
    };
    assert!(key(&received[1]).is_some());
    assert_eq!(key(&received[1]), key(&received[2]));
}

const OWN: &str = "
use: { secrets: [ key ] }
do:
  - begin:
      call: openapi
      with:
        document: { endpoint: 'http://HOST/openapi.json' }
        operationId: startInstance
        parameters: { body: { workflow: it } }
        authentication: { bearer: { use: key } }
  - look:
      call: openapi
      with:
        document: { endpoint: 'http://HOST/openapi.json' }
        operationId: getInstanceLifecycle
        parameters: { id: '${ .id }', limit: 1 }
        authentication: { bearer: { use: key } }
";

/// The engine describes itself as it asks others to.
#[test]
fn an_operation_of_casewright_itself_is_asked_for_by_its_id() {
    let server = Server::new(Vec::new());
    let folder = Folder(tempfile::tempdir().unwrap());
    folder.write("pack/pack.yaml", PACK);
    let waits = "do:\n  - wait: { wait: { days: 1 } }\n";
    folder.write("pack/it.yaml", &document("small-agency", &server, waits));
    folder.write("register", "unused\n");
    configure(&folder, &server.host());
    let (serving, client) = serve(folder.0.path());
    folder.write("key", &served::token(folder.0.path(), "token.json"));
    let host = serving.url.trim_start_matches("http://").to_owned();
    let tasks = OWN.replace("HOST", &host);
    let text = document("tests", &server, &tasks);
    folder.write("it.yaml", &text);
    let key = format!("key={}", folder.text_of("key"));
    let ran = run(&folder, &["--allow-host", &host, "--secret", &key]);
    assert_eq!(ran.code, 0, "{}", ran.told);
    let event = &ran.printed["output"]["items"][0];
    assert_eq!(
        event["type"], "io.serverlessworkflow.workflow.started.v1",
        "{event:#}"
    );
    let id = event["subject"].as_str().unwrap();
    let found = client.get(&format!("/api/v1/instances/{id}")).unwrap();
    assert_eq!(found.body["status"], "waiting", "{found:?}");
}
