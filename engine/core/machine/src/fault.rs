//! An error of a workflow, after RFC 7807: the standard types, ours, and which of them are equal.
//!
//! Raising and catching live in `raise` and `try`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What went wrong, as `catch` sees it and as a faulted instance shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// `https://serverlessworkflow.io/spec/1.0.0/errors/<kind>` or `urn:casewright:error:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status that HTTP would give.
    pub status: i64,
    /// What kind of thing went wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// What went wrong this time, for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// JSON pointer of the task: `/do/0/tryGetPet/try/0/getPet`; `/input`, `/output` or `/timeout`
    /// when the workflow itself failed.
    pub instance: String,
    /// What a function said beyond the sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub details: Option<Value>,
}

/// Before the kind of a standard error, as this engine writes it.
pub const STANDARD_PREFIX: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

/// Before the code of an error of the engine or of a plugin.
pub const OWN_PREFIX: &str = "urn:casewright:error:";

/// Type of the fault of a call whose earlier attempt may have acted: only a person can tell.
pub const IN_DOUBT: &str = "urn:casewright:error:in-doubt";

/// Hosts and folders under which documents write the standard types: the specification was
/// renamed, and its own examples never agreed on the folder.
const HOSTS: [&str; 2] = [
    "https://serverlessworkflow.io/",
    "https://open-workflow-specification.org/",
];
const FOLDERS: [&str; 4] = [
    "spec/1.0.0/errors/",
    "dsl/errors/types/",
    "errors/types/",
    "errors/",
];

impl Fault {
    pub(crate) fn validation(place: &str, detail: impl Into<String>) -> Self {
        Self::standard("validation", 400, "Data not as required", place, detail)
    }

    pub(crate) fn expression(place: &str, detail: impl Into<String>) -> Self {
        Self::standard("expression", 400, "Expression failed", place, detail)
    }

    pub(crate) fn timeout(place: &str, detail: impl Into<String>) -> Self {
        Self::standard("timeout", 408, "Time ran out", place, detail)
    }

    pub(crate) fn in_doubt(place: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: IN_DOUBT.to_owned(),
            status: 409,
            title: Some("Nobody knows whether it happened".to_owned()),
            detail: Some(detail.into()),
            instance: place.to_owned(),
            details: None,
        }
    }

    fn standard(
        kind: &str,
        status: i64,
        title: &str,
        place: &str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("{STANDARD_PREFIX}{kind}"),
            status,
            title: Some(title.to_owned()),
            detail: Some(detail.into()),
            instance: place.to_owned(),
            details: None,
        }
    }
}

/// Whether two error types mean the same: every known spelling of a standard type is equal.
pub(crate) fn same_kind(one: &str, other: &str) -> bool {
    match (standard_kind(one), standard_kind(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// The kinds that the specification names.
const STANDARD: [&str; 8] = [
    "authentication",
    "authorization",
    "communication",
    "configuration",
    "expression",
    "runtime",
    "timeout",
    "validation",
];

/// Whether it is a type of the specification, in any spelling.
pub(crate) fn standard(kind: &str) -> bool {
    standard_kind(kind).is_some_and(|kind| STANDARD.contains(&kind))
}

/// `communication` of any spelling of that type.
fn standard_kind(text: &str) -> Option<&str> {
    let rest = HOSTS.iter().find_map(|host| text.strip_prefix(host))?;
    FOLDERS.iter().find_map(|folder| rest.strip_prefix(folder))
}

#[cfg(test)]
mod tests {
    use super::same_kind;

    #[test]
    fn every_spelling_of_a_standard_type_is_equal() {
        let spellings = [
            "https://serverlessworkflow.io/spec/1.0.0/errors/timeout",
            "https://serverlessworkflow.io/dsl/errors/types/timeout",
            "https://serverlessworkflow.io/errors/types/timeout",
            "https://serverlessworkflow.io/errors/timeout",
            "https://open-workflow-specification.org/spec/1.0.0/errors/timeout",
        ];
        for one in spellings {
            for other in spellings {
                assert!(same_kind(one, other), "{one} {other}");
            }
        }
    }

    #[test]
    fn other_types_are_equal_only_to_themselves() {
        assert!(same_kind(
            "urn:casewright:error:a.b",
            "urn:casewright:error:a.b"
        ));
        assert!(!same_kind(
            "urn:casewright:error:a.b",
            "urn:casewright:error:a"
        ));
        assert!(!same_kind(
            "https://example.org/errors/timeout",
            "https://serverlessworkflow.io/errors/timeout"
        ));
        assert!(!same_kind(
            "https://serverlessworkflow.io/errors/timeout",
            "https://serverlessworkflow.io/errors/runtime"
        ));
    }
}
