//! Shapes of a case and of the times in which somebody worked with its family; nothing of what
//! they told.

use casewright_casework::case;
use casewright_runtime::view;
use serde::Serialize;
use utoipa::ToSchema;

use super::Instance;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Case {
    id: String,
    #[schema(example = "IFS-2026-00001")]
    number: String,
    agency: String,
    #[schema(format = DateTime)]
    opened: String,
    /// The calendar that its days are counted by, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<String>,
    /// Times in which somebody worked with the family, the latest last.
    episodes: Vec<Episode>,
    instances: Vec<Instance>,
}

/// A time in which a case was open.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Episode {
    /// From 1.
    number: u32,
    #[schema(format = DateTime)]
    opened: String,
    /// Id of who opened it.
    opened_by: String,
    /// Why it was opened again; the first has none.
    because: Option<String>,
    #[schema(format = DateTime)]
    closed: Option<String>,
    closed_by: Option<String>,
    /// A word of `closingReasons` of the pack.
    reason: Option<String>,
    /// `achieved`, `partly`, `not` or `excluded`.
    counts: Option<&'static str>,
    consent_given: Option<bool>,
}

impl From<view::CaseView> for Case {
    fn from(view: view::CaseView) -> Self {
        Self {
            id: view.id,
            number: view.number,
            agency: view.agency,
            opened: view.opened.to_string(),
            calendar: view.calendar,
            episodes: view.episodes.into_iter().map(Into::into).collect(),
            instances: view.instances.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<case::Episode> for Episode {
    fn from(one: case::Episode) -> Self {
        let closed = one.closed.as_ref();
        Self {
            number: one.number,
            opened: one.opened.to_string(),
            opened_by: one.opened_by,
            because: one.because,
            closed: closed.map(|end| end.at.to_string()),
            closed_by: closed.map(|end| end.by.clone()),
            reason: closed.map(|end| end.reason.clone()),
            counts: closed.map(|end| end.counts.as_str()),
            consent_given: closed.map(|end| end.consent_given),
        }
    }
}
