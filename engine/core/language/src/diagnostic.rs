//! What is wrong with an author's text: where, why, and what to write instead.
//!
//! Not an error type: reading always succeeds and returns a list of these.

use serde::Serialize;

use crate::yaml::Place;

mod draw;
mod suggestion;

pub use crate::explain::explain;
pub use draw::draw;
pub(crate) use suggestion::{listed, similar, suggestion};

/// Whether a finding forbids running the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The text is refused.
    Error,
    /// The text is accepted, and is probably not what its author meant.
    Warning,
}

/// One finding. The field names are those of `validate --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// Stable: `CW0103`; `casewright explain` has a page for each.
    pub code: &'static str,
    /// Whether the text is refused.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// As given to [`crate::read()`].
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Line of the first character after the stretch meant.
    pub end_line: usize,
    /// Column of the first character after the stretch meant.
    pub end_column: usize,
    /// What to write.
    pub help: Option<String>,
}

/// How many findings are kept; whoever has as many mends the first ones first.
const FINDINGS_MAX: usize = 500;

/// Collects what is found in one file.
#[derive(Debug)]
pub(crate) struct Findings {
    file: String,
    list: Vec<Diagnostic>,
    has_errors: bool,
    /// The latest one beyond what is kept.
    beyond: Option<Diagnostic>,
}

impl Diagnostic {
    /// An error of a file as a whole: it is missing from its pack, or does not fit the others.
    pub fn of_file(file: &str, message: String, help: &str) -> Self {
        Self {
            code: "CW0501",
            severity: Severity::Error,
            message,
            file: file.to_owned(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
            help: Some(help.to_owned()),
        }
    }

    /// Says what to write instead.
    pub(crate) fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }
}

impl Findings {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            list: Vec::new(),
            has_errors: false,
            beyond: None,
        }
    }

    /// Notes something that forbids running the text; returned, so that help can be added.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(code, Severity::Error, place, message.into())
    }

    /// Notes something that is probably not meant.
    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(code, Severity::Warning, place, message.into())
    }

    /// A finding that is not noted: for doubts that somebody else settles.
    pub(crate) fn unnoted(&self, code: &'static str, place: Place, message: String) -> Diagnostic {
        self.diagnostic(code, Severity::Error, place, message)
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// Whether more would not be kept.
    pub(crate) fn full(&self) -> bool {
        self.list.len() >= FINDINGS_MAX
    }

    /// How many there are: to tell whether reading a part found anything.
    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    /// In the order of the text.
    pub(crate) fn into_list(mut self) -> Vec<Diagnostic> {
        self.list
            .sort_by_key(|found| (found.line, found.column, found.code));
        self.list
    }

    fn add(
        &mut self,
        code: &'static str,
        severity: Severity,
        place: Place,
        message: String,
    ) -> &mut Diagnostic {
        let found = self.diagnostic(code, severity, place, message);
        let first_error = severity == Severity::Error && !self.has_errors;
        self.has_errors |= first_error;
        if self.list.len() >= FINDINGS_MAX && !first_error {
            return self.beyond.insert(found);
        }
        self.list.push(found);
        self.list.last_mut().expect("one was just added")
    }

    fn diagnostic(
        &self,
        code: &'static str,
        severity: Severity,
        place: Place,
        message: String,
    ) -> Diagnostic {
        Diagnostic {
            code,
            severity,
            message,
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            end_line: place.end_line,
            end_column: place.end_column,
            help: None,
        }
    }
}
