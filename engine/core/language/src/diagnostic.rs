//! What is wrong with an author's text: where, why, and what to write instead.
//!
//! Not an error type: reading always succeeds and returns a list of these.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// One finding. The field names are those of `validate --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// Stable: `CW0103`; `casewright explain` has a page for each.
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    /// As given to [`crate::read()`].
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
    /// What to write.
    pub help: Option<String>,
}

/// Draws findings with the source around them, as a terminal shows them.
pub fn draw(_diagnostics: &[Diagnostic], _source: &str, _colour: bool) -> String {
    unimplemented!()
}

/// The page of a code: meaning, example, remedy. `None` for a code that does not exist.
pub fn explain(_code: &str) -> Option<&'static str> {
    unimplemented!()
}
