//! Answers that come later: what a function leaves behind when it waits, and why it goes on.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Context, Error, decode};

/// What a function with `resume = ..` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The answer.
    Done(T),
    /// The answer comes later; until then nothing of the plugin is kept but this.
    Pending(Pending),
}

/// What is kept until the answer is there.
///
/// ```
/// use std::time::Duration;
/// use casewright_sdk::prelude::*;
///
/// # fn wait(context: &Context) -> Result<Outcome<Value>, Error> {
/// let pending = Pending::new(&json!({ "number": "H-1" }))?
///     .correlate("H-1")
///     .poll_after(Duration::from_hours(1))
///     .expires_after(context, Duration::from_secs(30 * 86_400));
/// Ok(pending.into())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub(crate) state: Value,
    pub(crate) correlation: Vec<String>,
    pub(crate) poll_after: Option<Duration>,
    pub(crate) expires_unix_ms: Option<u64>,
}

/// Why a function goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Somebody sent this to the call's `callback_url`. It may come twice, early or out of order.
    Callback(Callback),
    /// Nothing came for as long as [`Pending::poll_after`] says: ask.
    Poll,
    /// Nothing came at all: give an answer or an error, or the call fails with `expired`.
    Expired,
    /// Nobody waits any more: take back what can be taken back. The answer is not used.
    Cancelled,
}

/// A message as it arrived, so that a signature can be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// In order.
    pub headers: Vec<(String, String)>,
    /// Unchanged.
    pub body: Vec<u8>,
}

impl<T> Outcome<T> {
    /// The same with another answer.
    pub fn map<U>(self, answer: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(done) => Outcome::Done(answer(done)),
            Self::Pending(pending) => Outcome::Pending(pending),
        }
    }
}

impl<T> From<Pending> for Outcome<T> {
    fn from(pending: Pending) -> Self {
        Self::Pending(pending)
    }
}

impl Pending {
    /// Waits for a message, with this state to go on with; at most 64 KiB. Keep what identifies
    /// the matter, not what it is about.
    pub fn new(state: &impl Serialize) -> Result<Self, Error> {
        let state = serde_json::to_value(state)
            .map_err(|_| Error::permanent("bug", "the state cannot be written as JSON"))?;
        Ok(Self {
            state,
            correlation: Vec::new(),
            poll_after: None,
            expires_unix_ms: None,
        })
    }

    /// A name of the matter at the other side, such as its number there.
    #[must_use]
    pub fn correlate(mut self, name: impl Into<String>) -> Self {
        self.correlation.push(name.into());
        self
    }

    /// Asks by itself when nothing has come by then.
    #[must_use]
    pub fn poll_after(mut self, pause: Duration) -> Self {
        self.poll_after = Some(pause);
        self
    }

    /// Waits so long from the first attempt, and no longer. The same moment whenever it is asked.
    #[must_use]
    pub fn expires_after(mut self, context: &Context, length: Duration) -> Self {
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        self.expires_unix_ms = Some(context.step_started_unix_ms.saturating_add(length));
        self
    }

    /// What the function will go on with.
    pub fn state(&self) -> &Value {
        &self.state
    }
}

impl Callback {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The body as `T`; anything else is the permanent error `bad-callback`, which ends the call.
    /// Who would rather wait for a better message answers with a new [`Pending`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = str::from_utf8(&self.body).unwrap_or_default();
        decode::read(text).map_err(|mistake| {
            let place = match mistake.pointer.as_str() {
                "" => "the body",
                pointer => pointer,
            };
            Error::permanent(
                "bad-callback",
                format!("in the message, {place} {}", mistake.problem),
            )
        })
    }
}

/// Calls the function named by `resume = ..` with its state read.
#[doc(hidden)]
pub fn resume_with<S: DeserializeOwned, T>(
    go_on: fn(&Context, S, Reason) -> Result<Outcome<T>, Error>,
    context: &Context,
    state: &str,
    reason: Reason,
) -> Result<Outcome<T>, Error> {
    let state = decode::read(state).map_err(|mistake| {
        let place = mistake.pointer;
        let sentence = format!("in the kept state, `{place}` {}", mistake.problem);
        Error::permanent("bad-state", sentence)
    })?;
    go_on(context, state, reason)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::context;

    #[test]
    fn the_end_of_the_time_is_the_same_in_every_attempt() {
        let (mut first, hour) = (context("k"), Duration::from_hours(1));
        let pending = Pending::new(&json!({})).unwrap();
        let expires = pending.clone().expires_after(&first, hour).expires_unix_ms;
        assert_eq!(expires, Some(first.step_started_unix_ms + 3_600_000));
        first.attempt = 3;
        assert_eq!(pending.expires_after(&first, hour).expires_unix_ms, expires);
    }

    #[test]
    fn a_message_that_is_no_json_is_not_quoted() {
        let callback = Callback {
            headers: vec![("X-Signature".into(), "s".into())],
            body: b"Maria Nguyen".to_vec(),
        };
        let error = callback.json::<Value>().unwrap_err();
        assert_eq!(error.code(), "bad-callback");
        assert!(!error.message().contains("Nguyen"), "{error}");
        assert_eq!(callback.header("x-signature"), Some("s"));
    }
}
