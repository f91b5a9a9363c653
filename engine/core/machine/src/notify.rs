//! `call: notify`: a message to somebody. For an instance it is a call like any other: fixed with
//! its key, sent after the commit, sent again under the same key.
//!
//! It names a person and a template, never an address: who sends it looks the address up, and asks
//! each time whether it may be sent.

/// What [`crate::Call::function`] is for a message.
pub const FUNCTION: &str = "notify";
