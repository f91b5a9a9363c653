//! What an editor is told of the messages of a pack. They name nothing else, so that it is the
//! same everywhere.

use serde_json::Value;

use super::parsed;

const BASE: &str = include_str!("message.yaml");

/// The schema of `messages/*.yaml`.
pub fn schema() -> Value {
    parsed(BASE)
}
