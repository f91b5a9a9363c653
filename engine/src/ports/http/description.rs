//! `call: openapi`: what a service says of itself, asked for under the same wall as everything
//! else, and the one operation in it that somebody wants.
//!
//! Only the operation is given back: it is kept in an event, where a whole description would weigh
//! too much.

use casewright_host::request::Outgoing;
use casewright_language::workflow::{Method, OutputAs};
use casewright_machine::http::{Answer, Request, Sealed};
use casewright_machine::openapi::{self, Operation, Wish};
use casewright_machine::{CallError, ErrorKind};
use casewright_runtime::port::{Invocation, Reply};
use serde_json::{Value, json};

use super::{Http, no_request, outgoing};

/// Largest description that is read.
const DESCRIPTION_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Largest operation that is kept with an instance.
const OPERATION_BYTES_MAX: usize = 64 * 1024;

impl Http {
    /// The operation that a task wants, by the service's own word.
    pub(crate) async fn describe(&self, invocation: Invocation) -> Result<Reply, CallError> {
        let Some(wish) = Wish::of(&invocation.input) else {
            return Err(no_request());
        };
        let request = request(&wish);
        let outgoing = Outgoing {
            answer_bytes_max: DESCRIPTION_BYTES_MAX,
            ..outgoing(&request, &invocation.agency, &invocation.key)
        };
        let who = request.authentication.as_ref();
        let answer = self.authenticated(&invocation.agency, outgoing, who).await;
        let answer = answer.map_err(|unanswered| unanswered.error(&request))?;
        if !matches!(answer.status, 200..=299) {
            let status = i64::from(answer.status);
            let message = format!("the description was answered {status}");
            return Err(error("communication", status, message));
        }
        // Reading two megabytes takes a while, and is no waiting.
        let read = tokio::task::spawn_blocking(move || read(&answer, &wish)).await;
        let read = read.unwrap_or_else(|_| Err("the description could not be read".to_owned()));
        let operation = read.map_err(|message| error("configuration", 400, message))?;
        Ok(Reply::Done(operation))
    }
}

/// For the description itself.
fn request(wish: &Wish) -> Request {
    let accept = "application/json, application/yaml;q=0.9, */*;q=0.5";
    Request {
        method: Method::Get,
        uri: wish.document.uri.clone(),
        headers: [("accept".to_owned(), accept.to_owned())].into(),
        body: None,
        sealed: Sealed::default(),
        authentication: wish.document.authentication.clone(),
        output: OutputAs::Content,
        redirect: true,
    }
}

fn read(answer: &Answer, wish: &Wish) -> Result<Value, String> {
    let document = parsed(&answer.body)?;
    let mut operation = Operation::of(&document, &wish.document.uri, &wish.operation_id)?;
    operation.digest = openapi::digest(&answer.body);
    let operation = json!(operation);
    if operation.to_string().len() > OPERATION_BYTES_MAX {
        return Err(format!(
            "the operation takes more than {OPERATION_BYTES_MAX} bytes to describe"
        ));
    }
    Ok(operation)
}

/// JSON, or YAML without aliases, which could make much of little.
fn parsed(bytes: &[u8]) -> Result<Value, String> {
    let none = "the description is neither JSON nor YAML";
    if let Ok(document) = serde_json::from_slice(bytes) {
        return Ok(document);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| none)?;
    let options = serde_yaml::options! {
        strict_booleans: true,
        budget: serde_yaml::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_documents: 1,
            max_depth: 128,
        },
    };
    // Its own words would repeat the text.
    serde_yaml::from_str_with_options(text, options).map_err(|_| none.to_owned())
}

fn error(code: &str, status: i64, message: String) -> CallError {
    CallError {
        kind: ErrorKind::Business,
        code: code.to_owned(),
        status,
        message,
        details: None,
        retry_after_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &[u8]) -> Result<Value, String> {
        let wish = json!({
            "document": { "uri": "https://homes.example/openapi.yaml" }, "operationId": "find",
        });
        let answer = Answer {
            status: 200,
            headers: Vec::new(),
            body: body.to_vec(),
        };
        read(&answer, &Wish::of(&wish).unwrap())
    }

    const YAML: &str = "
openapi: 3.1.0
paths:
  /homes:
    get: { operationId: find, responses: { 200: { content: { application/json: {} } } } }
";

    #[test]
    fn a_description_is_json_or_yaml() {
        let written = r#"{"openapi":"3.0.3","paths":{"/homes":{"get":{"operationId":"find"}}}}"#;
        let operation = found(written.as_bytes()).unwrap();
        assert_eq!(operation["path"], "/homes");
        assert_eq!(operation["digest"].as_str().unwrap().len(), 64);
        let operation = found(YAML.as_bytes()).unwrap();
        assert_eq!(operation["server"], "https://homes.example");
        assert_eq!(operation["accept"], "application/json");
    }

    #[test]
    fn what_is_no_description_is_said_without_its_words() {
        let deep = "[".repeat(100_000);
        let aliases = format!("a: &a [7f3a]\nb: [*a, *a]\n{YAML}");
        for (text, word) in [
            ("<html>7f3a</html>", "describes no service"),
            ("{\"7f3a\": ", "neither JSON nor YAML"),
            ("", "describes no service"),
            (deep.as_str(), "neither JSON nor YAML"),
            (aliases.as_str(), "neither JSON nor YAML"),
            ("openapi: 2.0", "describes no service"),
            ("openapi: 3.0.0", "no operation `find`"),
        ] {
            let reason = found(text.as_bytes()).unwrap_err();
            assert!(
                reason.contains(word) && !reason.contains("7f3a"),
                "{reason}"
            );
        }
        assert!(found(b"\xff\xfe").is_err());
    }

    #[test]
    fn an_operation_that_would_weigh_too_much_is_not_kept() {
        let name = "n".repeat(1024);
        let parameter = |index: usize| json!({ "name": format!("{name}{index}"), "in": "query" });
        let parameters: Vec<Value> = (0..100).map(parameter).collect();
        let document = json!({
            "openapi": "3.0.0",
            "paths": { "/": { "get": { "operationId": "find", "parameters": parameters } } },
        });
        let reason = found(document.to_string().as_bytes()).unwrap_err();
        assert!(reason.contains("bytes to describe"), "{reason}");
    }
}
