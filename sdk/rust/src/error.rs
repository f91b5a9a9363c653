//! Why a function gives no value: the three kinds the engine tells apart.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// What the engine makes of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Tried again under the step's retry policy, with the same idempotency key.
    Retryable,
    /// A defect or a refusal that a retry cannot mend.
    Permanent,
    /// An expected negative answer; the workflow may branch on its code.
    Business,
}

/// The error of a plugin function.
///
/// The message is for people and goes to logs: never put a name, an account or another value of
/// the input into it.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    kind: Kind,
    code: String,
    message: String,
    retry_after: Option<Duration>,
    details: Option<Value>,
}

impl Error {
    /// An expected negative answer, declared in `#[function(errors = [..])]`.
    pub fn business(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::Business, code, message)
    }

    /// Something that may pass: the engine tries again.
    pub fn retryable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::Retryable, code, message)
    }

    /// Something a retry cannot mend.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::Permanent, code, message)
    }

    /// The input is wrong at `field`, a JSON pointer such as `/payee/name`.
    ///
    /// ```
    /// # use casewright_sdk::Error;
    /// let error = Error::invalid_input("/money/minor", "must be above zero");
    /// assert_eq!(error.code(), "invalid-input");
    /// assert_eq!(error.message(), "`/money/minor` must be above zero");
    /// ```
    pub fn invalid_input(field: &str, problem: impl fmt::Display) -> Self {
        let place = if field.is_empty() {
            "the input".into()
        } else {
            format!("`{field}`")
        };
        Self::permanent("invalid-input", format!("{place} {problem}"))
            .with_details(json!({ "field": field }))
    }

    /// The answer of a remote server makes no sense.
    pub fn bad_response(message: impl Into<String>) -> Self {
        Self::permanent("bad-response", message)
    }

    /// Adds facts for programs.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Asks for a pause before the next attempt; only read for retryable errors.
    #[must_use]
    pub fn with_retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// What the engine makes of it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Stable, for programs.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// For people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The pause asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Facts for programs.
    pub fn details(&self) -> Option<&Value> {
        self.details.as_ref()
    }

    /// The field an `invalid-input` error is about.
    pub fn field(&self) -> Option<&str> {
        self.details.as_ref()?.get("field")?.as_str()
    }

    fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            details: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
