//! Building a request.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::{Error, ErrorKind, Response};
use crate::{Context, world};

/// The methods the engine sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        })
    }
}

/// A credential by the name of a granted secret; the engine fills it in after its checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer <secret>`
    Bearer(String),
    /// `Authorization: Basic <user:secret>`
    Basic {
        /// In clear.
        user: String,
        /// The name of the secret.
        secret: String,
    },
    /// A header of its own.
    Header {
        /// The name of the header.
        name: String,
        /// The name of the secret.
        secret: String,
    },
}

/// What a message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A request being built.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until `send()`"]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) credential: Option<Credential>,
    pub(crate) timeout: Option<Duration>,
    unwritable: bool,
}

impl Request {
    pub(super) fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Body::Empty,
            credential: None,
            timeout: None,
            unwritable: false,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds `name=value` to the query, escaped. URLs are logged: no personal data in here.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let mark = if self.url.contains('?') { '&' } else { '?' };
        self.url.push(mark);
        escape(&mut self.url, name);
        self.url.push('=');
        escape(&mut self.url, value);
        self
    }

    /// Adds `Idempotency-Key`, so that the remote side acts once however often this is sent.
    pub fn idempotency_key(self, context: &Context) -> Self {
        self.header("Idempotency-Key", &context.idempotency_key)
    }

    /// Sends a bearer token: the secret of this name.
    pub fn credential_bearer(mut self, secret: impl Into<String>) -> Self {
        self.credential = Some(Credential::Bearer(secret.into()));
        self
    }

    /// Sends user and password: the secret of this name.
    pub fn credential_basic(mut self, user: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credential = Some(Credential::Basic {
            user: user.into(),
            secret: secret.into(),
        });
        self
    }

    /// Sends the secret of this name in a header of its own.
    pub fn credential_header(mut self, name: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credential = Some(Credential::Header {
            name: name.into(),
            secret: secret.into(),
        });
        self
    }

    /// The body, as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_string(value) {
            Ok(text) => self.body = Body::Text(text),
            Err(_) => self.unwritable = true,
        }
        self.header("Content-Type", "application/json")
    }

    /// The body, as text of this content type.
    pub fn text(mut self, content_type: &str, text: impl Into<String>) -> Self {
        self.body = Body::Text(text.into());
        self.header("Content-Type", content_type)
    }

    /// The body, as bytes of this content type.
    pub fn bytes(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Bytes(bytes.into());
        self.header("Content-Type", content_type)
    }

    /// How long to wait; the engine takes the smaller of this and the step's deadline.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it. See the module for which statuses are errors.
    pub fn send(self) -> Result<Response, Error> {
        if self.unwritable {
            return Err(Error::Transport {
                kind: ErrorKind::InvalidRequest,
                message: "the body cannot be written as JSON".into(),
                not_sent: true,
            });
        }
        let response = world::send(self)?;
        let passing = matches!(response.status(), 408 | 425 | 429 | 500..=599);
        if passing {
            Err(Error::Unavailable(response))
        } else {
            Ok(response)
        }
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(super) fn escape(into: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(DIGITS[usize::from(byte >> 4)]));
            into.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}
