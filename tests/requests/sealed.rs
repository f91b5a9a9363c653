//! Secrets in headers and in the query: sent as the operator gave them, and told to nobody else.

use super::*;

const SEALED: &str = "
use: { secrets: [ desk ] }
do:
  - again:
      try:
        - look:
            call: http
            with:
              method: put
              endpoint: http://HOST/homes
              headers: { X-Api-Key: '${ \"Token \" + $secrets.desk }', X-Note: '${ .note }' }
              query: { key: '${ $secrets.desk }', near: park }
              output: response
      catch:
        errors: { with: { status: 502 } }
        retry: { limit: { attempt: { count: 1 } } }
";

#[test]
fn a_secret_in_header_and_query_is_sent_and_never_told() {
    const DESK: &str = "s3cret & \"quoted\"";
    let said = json!({ "you": DESK, "query": "s3cret%20%26%20%22quoted%22" }).to_string();
    let server = Server::new(vec![
        None,
        Some(answer("200 OK\r\nContent-Type: application/json", &said)),
    ]);
    let folder = Folder::new(&server, SEALED);
    folder.write("desk", &format!("{DESK}\n"));
    let note = "{\"note\": \"$secrets.desk {\\\"secret\\\":\\\"desk\\\"}\"}";
    folder.write("input.json", note);
    let (host, input) = (server.host(), folder.text_of("input.json"));
    let secret = format!("desk={}", folder.text_of("desk"));
    let arguments = [
        "--allow-host",
        &host,
        "--input",
        &input,
        "--secret",
        &secret,
    ];
    let ran = run(&folder, &arguments);
    assert_eq!(ran.code, 0, "{}", ran.told);
    let received = server.received();
    assert_eq!(received.len(), 2, "{received:?}");
    for request in &received {
        let (line, _) = request.split_once("\r\n").unwrap();
        assert_eq!(
            line,
            "PUT /homes?near=park&key=s3cret+%26+%22quoted%22 HTTP/1.1"
        );
        let header = format!("x-api-key: Token {DESK}\r\n");
        assert!(request.contains(&header), "{request}");
        // What a form says of secrets is what a form says.
        assert!(
            request.contains("x-note: $secrets.desk {\"secret\":\"desk\"}\r\n"),
            "{request}"
        );
    }
    let key = |request: &String| {
        let mut lines = request.lines();
        lines
            .find(|line| line.starts_with("idempotency-key: "))
            .map(str::to_owned)
    };
    assert!(key(&received[0]).is_some());
    assert_eq!(
        key(&received[0]),
        key(&received[1]),
        "a retry is the same request"
    );
    assert!(!ran.told.contains("s3cret"), "{}", ran.told);
    let output = &ran.printed["output"];
    assert_eq!(output["content"]["you"], "[redacted]", "{output:#}");
    assert_eq!(
        output["request"]["uri"],
        format!("http://{host}/homes?near=park")
    );

    for value in ["two\nlines", ""] {
        folder.write("desk", value);
        let ran = run(&folder, &arguments);
        let error = &ran.printed["error"];
        assert_eq!(
            (&error["type"], &error["status"]),
            (
                &json!("https://serverlessworkflow.io/spec/1.0.0/errors/authorization"),
                &json!(403)
            ),
            "{value:?}: {}",
            ran.told
        );
    }
    let ran = run(&folder, &arguments[..4]);
    assert_eq!(ran.printed["error"]["status"], 403, "{}", ran.told);
    assert!(ran.told.contains("has no value here"), "{}", ran.told);
    assert_eq!(server.received().len(), 2, "nothing was sent without it");
}

#[test]
fn a_secret_goes_into_a_header_or_the_query_of_an_operation_and_nowhere_else() {
    let parameter = |place: &str| json!({ "name": "key", "in": place, "required": true });
    for (place, sent) in [
        ("header", Some("key: s3cret")),
        ("query", Some("?key=s3cret ")),
        ("path", None),
    ] {
        let description = json!({
            "openapi": "3.0.3",
            "paths": { "/homes/{key}": { "get": {
                "operationId": "find", "parameters": [parameter(place)],
            } } },
        });
        let text = description.to_string();
        let text = if place == "path" {
            text
        } else {
            text.replace("/{key}", "")
        };
        let server = openapi::service(
            serde_json::from_str(&text).unwrap(),
            json!({ "you": "s3cret" }),
        );
        let tasks = openapi::find("        parameters: { key: '${ $secrets.desk }' }\n");
        let folder = Folder::new(&server, &format!("use: {{ secrets: [ desk ] }}\n{tasks}"));
        folder.write("desk", "s3cret\n");
        let secret = format!("desk={}", folder.text_of("desk"));
        let ran = run(
            &folder,
            &["--allow-host", &server.host(), "--secret", &secret],
        );
        let received = server.received();
        assert!(!ran.told.contains("s3cret"), "{}", ran.told);
        if let Some(sent) = sent {
            assert_eq!(ran.printed["output"]["you"], "[redacted]", "{}", ran.told);
            assert!(received[1].contains(sent), "{received:?}");
        } else {
            assert_eq!(ran.printed["error"]["status"], 400, "{}", ran.told);
            assert!(
                ran.told.contains("only in a header or in the query"),
                "{}",
                ran.told
            );
            assert_eq!(received.len(), 1, "only the description was asked for");
        }
    }
}
