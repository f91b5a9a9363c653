//! What an editor is told of the decision tables of a pack. They name nothing else, so that it is
//! the same everywhere.

use serde_json::Value;

use super::parsed;

const BASE: &str = include_str!("decision.yaml");

/// The schema of `decisions/*.yaml`.
pub fn schema() -> Value {
    parsed(BASE)
}
