//! Why a request brought no usable answer, and what a plugin's error says of it.

use std::fmt;

use super::Response;

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The plugin has no grant for this request.
    Denied,
    /// The request makes no sense.
    InvalidRequest,
    /// The name could not be resolved.
    Dns,
    /// Nobody answered at the address.
    Connect,
    /// No secure connection.
    Tls,
    /// The time was over.
    Timeout,
    /// The answer is larger than the engine allows.
    TooLarge,
    /// The connection broke, or what came was not HTTP.
    Protocol,
}

/// A request without a usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// There was no answer.
    Transport {
        /// What went wrong.
        kind: ErrorKind,
        /// For people.
        message: String,
        /// True when no byte of the request can have reached the server.
        not_sent: bool,
    },
    /// The server answered 408, 425, 429 or 5xx. Whether it acted is not known.
    Unavailable(Response),
}

impl Error {
    /// True when the server cannot have acted on the request.
    pub fn not_sent(&self) -> bool {
        matches!(self, Self::Transport { not_sent: true, .. })
    }

    /// True when asking again may help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Transport { kind, .. } => match kind {
                ErrorKind::Dns
                | ErrorKind::Connect
                | ErrorKind::Tls
                | ErrorKind::Timeout
                | ErrorKind::Protocol => true,
                ErrorKind::Denied | ErrorKind::InvalidRequest | ErrorKind::TooLarge => false,
            },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport { message, .. } => f.write_str(message),
            Self::Unavailable(response) => write!(f, "the server answered {}", response.status()),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Unavailable(response) => {
                let code = match response.status() {
                    408 => "timeout".to_owned(),
                    status => format!("upstream-{}xx", status / 100),
                };
                let error = Self::retryable(code, message);
                match response.retry_after() {
                    Some(pause) => error.with_retry_after(pause),
                    None => error,
                }
            }
            Error::Transport { kind, .. } => match kind {
                ErrorKind::Denied => Self::permanent("denied", message),
                ErrorKind::InvalidRequest => Self::permanent("bug", message),
                ErrorKind::TooLarge => Self::bad_response(message),
                ErrorKind::Timeout => Self::retryable("timeout", message),
                ErrorKind::Dns | ErrorKind::Connect | ErrorKind::Tls => {
                    Self::retryable("upstream-unreachable", message)
                }
                ErrorKind::Protocol => Self::retryable("upstream-broken", message),
            },
        }
    }
}
