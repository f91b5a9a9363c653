//! One family's file: what instances, work items and audit entries belong to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::Audience;

/// What the engine itself knows of a case; what the family told lies in its instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub id: String,
    pub agency: String,
    /// For people: `IFS-2026-00001`.
    pub number: String,
    pub opened: Timestamp,
    pub opened_by: String,
    /// Name of the calendar that its days are counted by, where it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Of a case that a hidden run opened: as hidden as the run.
    #[serde(default, skip_serializing_if = "Audience::is_everybody")]
    pub seen_by: Audience,
}
