//! What a server answered.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Body, retry_after};
use crate::{Error, decode};

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

impl Response {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.body {
            Body::Empty => Cow::Borrowed(""),
            Body::Text(text) => Cow::Borrowed(text),
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes),
        }
    }

    /// The body as bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Empty => &[],
            Body::Text(text) => text.as_bytes(),
            Body::Bytes(bytes) => bytes,
        }
    }

    /// The body as `T`; anything else is the permanent error `bad-response`, which says where the
    /// answer is wrong and does not quote it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        decode::read(&self.text()).map_err(|mistake| {
            let place = if mistake.pointer.is_empty() {
                "the body"
            } else {
                &mistake.pointer
            };
            Error::bad_response(format!(
                "in the server's answer, {place} {}",
                mistake.problem
            ))
        })
    }

    /// Refuses every status but 2xx: 3xx and 4xx are permanent, `upstream-3xx` and `upstream-4xx`.
    pub fn success(self) -> Result<Self, Error> {
        match self.status {
            200..=299 => Ok(self),
            status => Err(Error::permanent(
                format!("upstream-{}xx", status / 100),
                format!("the server answered {status}"),
            )),
        }
    }

    /// The pause that `Retry-After` asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::read(self.header("Retry-After")?)
    }
}
