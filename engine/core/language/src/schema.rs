//! The subset of JSON Schema that packs and plugins may use: acyclic, of bounded cost, no remote
//! reference. Validation is total and linear in the value.

use serde_json::Value;

/// A checked schema.
#[derive(Debug, Clone)]
pub struct Schema {
    document: Value,
}

/// One thing wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer into the value.
    pub pointer: String,
    /// What was expected and what was found; for people, without quoting the value.
    pub message: String,
}

impl Schema {
    /// Accepts the subset; the error says which keyword at which pointer is refused and why.
    pub fn new(_document: Value) -> Result<Self, Violation> {
        unimplemented!()
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// All violations, in document order; empty when the value is valid.
    pub fn violations(&self, _value: &Value) -> Vec<Violation> {
        unimplemented!()
    }
}
