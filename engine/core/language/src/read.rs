//! From text to [`Workflow`]: every mistake in one pass.

use crate::{Diagnostic, Question, Surroundings, Workflow};

/// What reading a document gave.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Present when no diagnostic is an error.
    pub workflow: Option<Workflow>,
    pub diagnostics: Vec<Diagnostic>,
    /// Expressions beyond the simple subset, to be compiled by the evaluator so that `validate` can
    /// report their syntax; each with the place it stands at.
    pub questions: Vec<Doubt>,
}

/// A question about syntax alone, and the diagnostic to report when the answer is that it fails.
#[derive(Debug, Clone)]
pub struct Doubt {
    pub question: Question,
    pub finding: Diagnostic,
}

/// Reads one document. `file` is only used to name the place.
pub fn read(_file: &str, _text: &str, _surroundings: &Surroundings) -> Reading {
    unimplemented!()
}
