//! The subset of JSON Schema that packs and plugins may use: acyclic, of bounded cost, no remote
//! reference. Validation is total and linear in the value.
//!
//! Understood are `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`,
//! `const`,
//! `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf` with a whole number,
//! `minLength`, `maxLength`, `minItems`, `maxItems`, `uniqueItems`, `pattern` (without look-around
//! or back-references, so that it runs in linear time), `format`, `allOf`, `anyOf`, `oneOf`,
//! `if`/`then`/`else`, and `$ref` into `$defs` or `definitions`. Titles, descriptions, defaults,
//! examples and `x-` keywords are left to whoever shows a form. Anything else is refused: a keyword
//! that is silently ignored is a check that its author believes in.
//!
//! Fetches nothing and changes nothing: defaults are not filled in.

mod check;
mod compile;
pub(crate) mod format;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use check::Breach;
pub(crate) use compile::Bound;
pub(crate) use format::Format;

/// A checked schema.
#[derive(Debug, Clone)]
pub struct Schema {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    document: Value,
    nodes: Vec<compile::Node>,
}

/// One thing wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer into the value.
    pub pointer: String,
    /// What was expected and what was found; for people, without quoting the value.
    pub message: String,
}

/// Deepest nesting of a schema document.
pub const DEPTH_MAX: usize = 64;
/// Most subschemas, each counted as often as references lead to it: what one value can cost.
pub const COST_MAX: usize = 20_000;
/// Longest `pattern`.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Most violations that are reported.
pub const VIOLATIONS_MAX: usize = 100;

impl Schema {
    /// Accepts the subset; the error says which keyword at which pointer is refused and why.
    pub fn new(document: Value) -> Result<Self, Violation> {
        let nodes = compile::compile(&document)?;
        Ok(Self {
            inner: Arc::new(Inner { document, nodes }),
        })
    }

    /// As written.
    pub fn document(&self) -> &Value {
        &self.inner.document
    }

    /// All violations, in document order; empty when the value is valid.
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        self.breaches(value)
            .into_iter()
            .map(|(pointer, breach)| Violation {
                pointer,
                message: breach.to_string(),
            })
            .collect()
    }

    /// The same, for those who have words of their own for each kind.
    pub(crate) fn breaches(&self, value: &Value) -> Vec<(String, Breach)> {
        check::check(&self.inner.nodes, value)
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.inner.document == other.inner.document
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}

impl std::error::Error for Violation {}
