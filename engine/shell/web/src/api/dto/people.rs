//! Shapes of what goes from hand to hand: who is away, who acts for whom, what somebody arranged.

use casewright_casework::absence;
use casewright_runtime::view;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Person;

/// Days on which somebody is away, and who stands in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Absence {
    id: String,
    person: Person,
    substitute: Person,
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// When the first day begins, where the agency is.
    #[schema(format = DateTime)]
    starts: String,
    /// When the last day ends.
    #[schema(format = DateTime)]
    ends: String,
    /// Id of whoever wrote it down.
    recorded_by: String,
    #[schema(format = DateTime)]
    recorded: String,
    /// When it was taken back, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AbsenceRequest {
    /// Id or sign-in name; you, when it is left out. For others it needs a role that arranges.
    pub(crate) person: Option<String>,
    /// Id or sign-in name of who stands in.
    pub(crate) substitute: String,
    #[schema(value_type = String, format = Date)]
    pub(crate) from: Date,
    /// The last day; at most 90 days in all.
    #[schema(value_type = String, format = Date)]
    pub(crate) to: Date,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DelegateRequest {
    /// Id or sign-in name of a colleague.
    pub(crate) to: String,
    /// A moment, or a day: it comes back when that day begins for the agency.
    #[schema(example = "2026-12-01")]
    pub(crate) until: String,
    /// Others read it.
    pub(crate) reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignRequest {
    /// Id or sign-in name of a colleague who might take it themselves.
    pub(crate) to: String,
    /// Others read it.
    pub(crate) reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReassignRequest {
    pub(crate) to: Recipient,
    /// Others read it.
    pub(crate) reason: String,
}

/// Exactly one of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Recipient {
    /// Id or sign-in name.
    Person(String),
    /// A role of the run's pack; not for an approval.
    Role(String),
    /// A team of the run's pack; not for an approval.
    Team(String),
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkipRequest {
    /// Others read it, and the workflow is given it.
    pub(crate) reason: String,
}

/// One time that a work item went to somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Move {
    /// `handed-over`, `given` or `reassigned`.
    what: String,
    #[schema(format = DateTime)]
    at: String,
    by: Person,
    /// `{role}`, `{team}` or `{person}`.
    #[schema(value_type = Object)]
    to: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
    reason: String,
}

impl From<view::MoveView> for Move {
    fn from(view: view::MoveView) -> Self {
        Self {
            what: view.what,
            at: view.at.to_string(),
            by: view.by.into(),
            to: view.to,
            until: view.until.map(|at| at.to_string()),
            reason: view.reason,
        }
    }
}

impl From<absence::Absence> for Absence {
    fn from(absence: absence::Absence) -> Self {
        Self {
            id: absence.id,
            person: Person {
                id: absence.person,
                display_name: absence.display_name,
            },
            substitute: Person {
                id: absence.substitute,
                display_name: absence.substitute_name,
            },
            from: absence.from,
            to: absence.to,
            starts: absence.starts_at.to_string(),
            ends: absence.ends_at.to_string(),
            recorded_by: absence.recorded_by,
            recorded: absence.recorded_at.to_string(),
            ended: absence.ended.map(|ended| ended.at.to_string()),
        }
    }
}
