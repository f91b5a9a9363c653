//! What `#[function]` makes of a Rust function. Nobody writes this by hand.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Context, Error, Outcome, Reason};

/// What a function does to the world outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing; it may be called any number of times.
    None,
    /// Something the remote side does once per idempotency key; retried with the same key.
    Keyed,
    /// Something that must not be repeated: when in doubt, a person decides.
    AtMostOnce,
}

impl Effect {
    /// As `describe()` writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Keyed => "keyed",
            Self::AtMostOnce => "at-most-once",
        }
    }
}

/// One function of a plugin; implemented by `#[function]`.
pub trait Function {
    /// The name in `call: <plugin>.<name>`.
    const NAME: &'static str;
    /// The first paragraph of the doc comment.
    const TITLE: &'static str;
    /// The rest of the doc comment; may be empty.
    const DESCRIPTION: &'static str;
    /// What it does outside.
    const EFFECT: Effect;
    /// Whether the answer may come later.
    const RESUMES: bool = false;
    /// What it hands to others about people, for the agency; empty when nothing.
    const DISCLOSES: &'static [&'static str] = &[];
    /// Where the money that it pays stands in its input, as a JSON pointer; for functions that pay.
    const PAYS: Option<&'static str> = None;
    /// The codes of the business errors it may give.
    const ERRORS: &'static [&'static str];
    /// What it takes.
    type Input: DeserializeOwned + JsonSchema;
    /// What it gives.
    type Output: Serialize + JsonSchema;

    /// Runs it.
    fn call(context: &Context, input: Self::Input) -> Result<Outcome<Self::Output>, Error>;

    /// Goes on after it answered [`Outcome::Pending`].
    fn resume(
        _context: &Context,
        _state: &str,
        _reason: Reason,
    ) -> Result<Outcome<Self::Output>, Error> {
        let message = format!("the function `{}` does not resume", Self::NAME);
        Err(Error::permanent("not-resumable", message))
    }
}
