//! `/events`: events after CloudEvents 1.0 from outside, structured or binary. It reads the two
//! forms; what an event must have is the engine's to say.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use casewright_runtime::Engine;
use casewright_runtime::engine::RequestKey;
use serde_json::{Map, Value};

use crate::Site;
use crate::api::dto::EventAccepted;
use crate::body::{content_type, idempotency_key, read, request_hash};
use crate::json;
use crate::problem::Problem;
use crate::visitor::Visitor;

const STRUCTURED: &str = "application/cloudevents+json";

/// Before the name of an attribute in binary mode.
const PREFIX: &str = "ce-";

/// An event, in whichever form it came.
#[derive(Debug)]
pub(super) struct Arrived {
    event: Map<String, Value>,
    key: Option<RequestKey>,
}

/// Send an event to the instances of your agency that listen for it. An event with the same
/// source and id is the same event for ninety days: it is accepted again and nothing more happens.
#[utoipa::path(
    post, operation_id = "sendEvent",
    path = "/events", tag = "events",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body(
        content = Object, content_type = "application/cloudevents+json",
        description = "A CloudEvents 1.0 event; or, with `ce-` headers for its attributes, the \
            data alone (binary mode)."
    ),
    responses(
        (status = 202, body = EventAccepted, description = "The event is on disk."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn publish(
    State(engine): State<Engine>,
    visitor: Visitor,
    arrived: Arrived,
) -> Result<impl IntoResponse, Problem> {
    let Arrived { event, key } = arrived;
    let view = engine.publish(&visitor.principal, event, key).await?;
    Ok((StatusCode::ACCEPTED, Json(EventAccepted::from(view))))
}

impl FromRequest<Site> for Arrived {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, _: &Site) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let headers = &parts.headers;
        let key = idempotency_key(headers)?;
        let bytes = read(body).await?;
        let event = if content_type(headers).is_some_and(is_structured) {
            json::read(&bytes)?
        } else if headers.contains_key("ce-specversion") {
            binary(headers, &bytes)?
        } else {
            return Err(Problem::unsupported_media_type(STRUCTURED));
        };
        let key = key.map(|key| RequestKey {
            key,
            // The whole event, since in binary mode the body is only its data.
            body_hash: request_hash(
                &parts.method,
                parts.uri.path(),
                Value::Object(event.clone()).to_string().as_bytes(),
            ),
        });
        Ok(Self { event, key })
    }
}

fn is_structured(kind: &str) -> bool {
    kind.eq_ignore_ascii_case(STRUCTURED)
}

/// Attributes from headers, data from the body.
fn binary(headers: &HeaderMap, body: &Bytes) -> Result<Map<String, Value>, Problem> {
    let mut event = Map::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else {
            continue;
        };
        let text = value.to_str().ok().and_then(percent_decoded);
        let text = text.ok_or_else(|| {
            Problem::invalid_input(format!("the header `ce-{name}` cannot be read"))
        })?;
        if event.insert(name.to_owned(), text.into()).is_some() {
            let detail = format!("the header `ce-{name}` stands twice");
            return Err(Problem::invalid_input(detail));
        }
    }
    if event.contains_key("data") || event.contains_key("datacontenttype") {
        let detail = "data are the body of the request, their type is `Content-Type`";
        return Err(Problem::invalid_input(detail));
    }
    let kind = content_type(headers);
    if let Some(kind) = kind {
        event.insert("datacontenttype".to_owned(), kind.into());
    }
    if !body.is_empty() {
        let (name, data) = data(kind, body)?;
        event.insert(name.to_owned(), data);
    }
    Ok(event)
}

fn data(kind: Option<&str>, body: &Bytes) -> Result<(&'static str, Value), Problem> {
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    if kind == "application/json" || kind.ends_with("+json") {
        return Ok(("data", json::read(body)?));
    }
    Ok(match std::str::from_utf8(body) {
        Ok(text) => ("data", text.into()),
        Err(_) => ("data_base64", base64(body).into()),
    })
}

/// Header values carry what is no visible ASCII as `%C3%A9`.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let sixth = (bits >> (18 - 6 * place)) & 63;
            let letter = char::from(ALPHABET[sixth as usize]);
            text.push(if place <= group.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xff, 0x00, 0x10], "/wAQ"),
        ] {
            assert_eq!(base64(bytes), text);
        }
    }

    #[test]
    fn header_values_are_percent_decoded() {
        let decoded = percent_decoded("Ren%C3%A9e%20%25");
        assert_eq!(decoded.as_deref(), Some("Renée %"));
        for broken in ["%", "%G0", "%2", "%FF"] {
            assert_eq!(percent_decoded(broken), None, "{broken}");
        }
    }

    #[test]
    fn binary_mode_takes_attributes_from_headers_and_data_from_the_body() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-familyid", "f7"),
            ("content-type", "application/json; charset=utf-8"),
            ("accept", "*/*"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let event = binary(&headers, &Bytes::from_static(b"{\"yes\":true}")).unwrap();
        let expected = serde_json::json!({
            "specversion": "1.0", "id": "1", "familyid": "f7",
            "datacontenttype": "application/json", "data": {"yes": true},
        });
        assert_eq!(Value::Object(event), expected);
        headers.insert("content-type", "image/png".parse().unwrap());
        let event = binary(&headers, &Bytes::from_static(&[0xff, 0x00])).unwrap();
        assert_eq!(event["data_base64"], "/wA=");
        headers.insert("ce-data", "x".parse().unwrap());
        assert_eq!(
            binary(&headers, &Bytes::new()).unwrap_err().code(),
            "invalid-input"
        );
    }
}
