//! What came back from a request, as the output of its task or as an error.

use serde_json::{Map, Value, json};

use super::{Repeat, Request, base64};
use crate::{CallError, ErrorKind};
use casewright_language::workflow::OutputAs;

/// What a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// From 100 to 599.
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// Pack or operator do not allow it; nothing was sent. A sentence that says what to add.
    NotAllowed(String),
    /// The secret has no value here, or is no such credential; nothing was sent.
    NoSecret(String),
    /// Whoever gives tokens gives none to this client, or the server asks for a credential that
    /// cannot be made; the request did nothing.
    NotKnown(String),
    /// Whoever gives tokens gave no answer that helps; the request was not sent. With the status
    /// that says it best.
    NoToken(i64, String),
    /// The request is none; nothing was sent.
    Invalid(String),
    /// No connection; nothing was sent.
    Unreachable(String),
    /// It may have arrived, and no answer came in time.
    TimedOut(String),
    /// It may have arrived, and the answer broke off or was too long.
    Broken(String),
}

/// Headers that say who somebody is, in either direction.
const CREDENTIALS: [&str; 5] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-api-key",
];

/// Stands where a credential was.
const REDACTED: &str = "redacted";

/// Status of an answer that came and could not be read.
const BAD_ANSWER: i64 = 502;

impl Answer {
    /// The output of the task.
    pub fn output(&self, request: &Request, key: &str) -> Result<Value, CallError> {
        let well = match self.status {
            200..=299 => true,
            300..=399 => request.redirect,
            _ => false,
        };
        if !well {
            return Err(self.refused(request));
        }
        match request.output {
            OutputAs::Raw => Ok(match &self.body[..] {
                [] => Value::Null,
                bytes => base64::encode(bytes).into(),
            }),
            OutputAs::Content => self.content(),
            OutputAs::Response => Ok(json!({
                "request": {
                    "method": request.method_name(),
                    "uri": request.uri,
                    "headers": shown(&request.headers_shown(key)),
                },
                "statusCode": self.status,
                "headers": shown(&self.headers),
                "content": self.content()?,
            })),
        }
    }

    fn refused(&self, request: &Request) -> CallError {
        // Whoever says so has not done it, unless another under the same key is under way.
        let undone = matches!(self.status, 300..=499) && !matches!(self.status, 408 | 409);
        let kind = if undone || request.repeat() == Repeat::Free {
            ErrorKind::Business
        } else {
            ErrorKind::Permanent
        };
        let message = match self.status {
            300..=399 => format!(
                "the server answered {} (elsewhere); `redirect: true` takes that as an answer",
                self.status
            ),
            status => format!("the server answered {status}"),
        };
        error(kind, "communication", i64::from(self.status), message)
    }

    /// The body by its type. Without one it is JSON or text if it can be read as such.
    fn content(&self) -> Result<Value, CallError> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        let mut headers = self.headers.iter();
        let kind = headers.find(|(name, _)| name == "content-type");
        let kind = kind.map(|(_, value)| essence(value));
        let json = || serde_json::from_slice(&self.body);
        match kind.as_deref() {
            Some(kind) if is_json(kind) => json().map_err(|_| {
                let message = "the answer says that it is JSON, and is not".to_owned();
                error(ErrorKind::Permanent, "communication", BAD_ANSWER, message)
            }),
            Some(kind) if is_text(kind) => Ok(self.text()),
            Some(_) => Ok(base64::encode(&self.body).into()),
            None => Ok(json().unwrap_or_else(|_| self.text())),
        }
    }

    fn text(&self) -> Value {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text.into(),
            Err(_) => base64::encode(&self.body).into(),
        }
    }
}

impl Request {
    /// What was sent, as an output may show it.
    fn headers_shown(&self, key: &str) -> Vec<(String, String)> {
        let mut headers = self.headers_sent(key);
        if self.authentication.is_some() {
            headers.push(("authorization".to_owned(), String::new()));
        }
        headers
    }
}

impl Unanswered {
    /// The error of the task. Of a request that may have arrived and must not arrive twice nobody
    /// knows, and no `retry` sends it again.
    pub fn error(self, request: &Request) -> CallError {
        let communication = |kind, status, message| error(kind, "communication", status, message);
        let unsent = ErrorKind::Business;
        let (status, message) = match self {
            Self::NotAllowed(message) => return error(unsent, "not-allowed", 403, message),
            Self::NoSecret(message) => return error(unsent, "authorization", 403, message),
            Self::NotKnown(message) => return error(unsent, "authentication", 401, message),
            Self::NoToken(status, message) => return communication(unsent, status, message),
            Self::Invalid(message) => return error(unsent, "validation", 400, message),
            Self::Unreachable(message) => return communication(unsent, 503, message),
            Self::TimedOut(message) => (504, message),
            Self::Broken(message) => (BAD_ANSWER, message),
        };
        match request.repeat() {
            Repeat::Free => communication(unsent, status, message),
            Repeat::Keyed => communication(ErrorKind::Permanent, status, message),
            Repeat::Never => {
                let message = format!("{message}; the request may have arrived");
                error(ErrorKind::InDoubt, "in-doubt", 409, message)
            }
        }
    }
}

fn error(kind: ErrorKind, code: &str, status: i64, message: String) -> CallError {
    CallError {
        kind,
        code: code.to_owned(),
        status,
        message,
        details: None,
        retry_after_ms: None,
    }
}

/// Headers by name in small letters; several of one name are one text.
fn shown(headers: &[(String, String)]) -> Value {
    let mut members: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let value = if CREDENTIALS.contains(&name.as_str()) {
            REDACTED.to_owned()
        } else {
            match members.get(&name).and_then(Value::as_str) {
                Some(before) => format!("{before}, {value}"),
                None => value.clone(),
            }
        };
        members.insert(name, value.into());
    }
    Value::Object(members)
}

/// `text/html` of `Text/HTML; charset=utf-8`.
pub(super) fn essence(kind: &str) -> String {
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/")
        || kind.ends_with("+xml")
        || matches!(
            kind,
            "application/xml" | "application/javascript" | "application/x-www-form-urlencoded"
        )
}
