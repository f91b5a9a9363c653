//! Request bodies: one size limit, one time limit, and the key that makes a repeated POST harmless.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use casewright_runtime::engine::RequestKey;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::Site;
use crate::json;
use crate::problem::Problem;

/// Bytes of a body: the size of the largest document the language takes.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// A body that takes longer holds a connection for nothing.
const BODY_SECONDS_MAX: u64 = 30;
const KEY_LENGTH_MAX: usize = 200;

/// A POST with its body read.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) bytes: Bytes,
    pub(crate) key: Option<RequestKey>,
    json: bool,
}

impl Posted {
    /// The body as JSON of a shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !self.json {
            return Err(Problem::unsupported_media_type("application/json"));
        }
        json::read(&self.bytes)
    }

    /// The same where a body may be left out.
    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.bytes.is_empty() {
            return Ok(T::default());
        }
        self.json()
    }
}

impl FromRequest<Site> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Site) -> Result<Self, Problem> {
        Self::within(request, BODY_BYTES_MAX).await
    }
}

impl Posted {
    /// The same for a body that may be larger than others.
    pub(crate) async fn within(request: Request, bytes_max: usize) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let key = idempotency_key(&parts.headers)?;
        let bytes = read_within(body, bytes_max).await?;
        let key = key.map(|key| RequestKey {
            key,
            body_hash: request_hash(&parts.method, parts.uri.path(), &bytes),
        });
        let json = content_type(&parts.headers) == Some("application/json");
        Ok(Self { bytes, key, json })
    }
}

/// Reads a body within the limits.
pub(crate) async fn read(body: Body) -> Result<Bytes, Problem> {
    read_within(body, BODY_BYTES_MAX).await
}

/// The same with a smaller one.
pub(crate) async fn read_within(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let limit = Duration::from_secs(BODY_SECONDS_MAX);
    match tokio::time::timeout(limit, axum::body::to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::too_large(bytes_max)),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "the body did not arrive in time",
        )),
    }
}

/// The media type without its parameters.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim())
}

/// What must be equal for two requests to be one: method, path and body.
pub(crate) fn request_hash(method: &Method, path: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [method.as_str(), path] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(body);
    hash.finalize().into()
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.as_bytes();
    let fits =
        !text.is_empty() && text.len() <= KEY_LENGTH_MAX && text.iter().all(u8::is_ascii_graphic);
    if !fits || values.next().is_some() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-idempotency-key",
            format!("send one Idempotency-Key of 1 to {KEY_LENGTH_MAX} visible ASCII characters"),
        ));
    }
    Ok(value.to_str().ok().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_its_method_path_and_body() {
        let one = request_hash(&Method::POST, "/api/v1/instances", b"{}");
        assert_eq!(one, request_hash(&Method::POST, "/api/v1/instances", b"{}"));
        assert_ne!(one, request_hash(&Method::PUT, "/api/v1/instances", b"{}"));
        assert_ne!(one, request_hash(&Method::POST, "/api/v1/instance", b"s{}"));
        assert_ne!(
            one,
            request_hash(&Method::POST, "/api/v1/instances", b"{ }")
        );
    }

    #[test]
    fn keys_are_one_short_visible_word() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("idempotency-key", value.parse().unwrap());
            }
            idempotency_key(&headers)
        };
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&["k-1"]).unwrap(), Some("k-1".into()));
        let long = "k".repeat(201);
        for bad in [&["", ""][..], &["a", "a"], &[""], &["a b"], &[&long]] {
            assert_eq!(read(bad).unwrap_err().code(), "invalid-idempotency-key");
        }
    }
}
