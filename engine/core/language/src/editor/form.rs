//! What an editor is told of the forms of a pack. They name nothing else, so that it is the same
//! everywhere.

use serde_json::Value;

use super::parsed;

const BASE: &str = include_str!("form.yaml");

/// The schema of `forms/*.yaml`.
pub fn schema() -> Value {
    parsed(BASE)
}
