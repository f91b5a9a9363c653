//! Time and randomness from the engine. Prefer [`Context::step_started_unix_ms`] and ids derived
//! from the idempotency key: they are equal in every attempt.
//!
//! [`Context::step_started_unix_ms`]: crate::Context::step_started_unix_ms

use crate::world;

/// Milliseconds since 1970 in UTC.
pub fn now_unix_ms() -> u64 {
    world::now_unix_ms()
}

/// Random bytes, fit for secrets.
pub fn random_bytes(count: u32) -> Vec<u8> {
    world::random_bytes(count)
}
