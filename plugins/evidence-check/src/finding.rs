//! What the check finds; codes are for workflows, messages for people, neither names anybody.

use casewright_sdk::prelude::*;

/// One thing found.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) message: String,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    /// The request cannot go on like this.
    Error,
    /// Whoever approves should know.
    Warning,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    DuplicateInvoice,
    TooFewQuotes,
    OverCap,
    AbnInvalid,
    StaleQuote,
    GoalNotActive,
    ExcludedItem,
    RelatedParty,
}

impl Finding {
    pub(crate) fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
        }
    }

    pub(crate) fn warning(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            message: message.into(),
        }
    }
}
