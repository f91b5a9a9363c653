//! Shapes of deadlines, of calendars that change, and of the calendar of a case.

use casewright_runtime::view;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the moments of a work item were computed from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deadline {
    /// As a document writes it; absent where only alarms have a moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "3 business days")]
    rule: Option<String>,
    /// What it runs from.
    #[schema(format = DateTime)]
    from: String,
    /// Name of the calendar.
    calendar: String,
    /// Which version of it: another one counts otherwise.
    version: String,
    /// What is still to come.
    alarms: Vec<Alarm>,
    /// The last time that its calendar changed and it moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<Shift>,
}

/// A moment at which people are reminded, or others are asked as well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alarm {
    #[schema(format = DateTime)]
    at: String,
    /// `remind` or `escalate`.
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1 business day before")]
    rule: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shift {
    #[schema(format = DateTime)]
    at: String,
    /// When it was due before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    from: Option<String>,
    /// The moment by the changed calendar had passed, so it became due at once.
    at_once: bool,
}

/// A calendar that has changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalendarChange {
    calendar: String,
    /// What the pack in force says: `keep`, `recompute` or `ask`.
    policy: String,
    /// `asked`: somebody is to decide. `moving`: open deadlines are being moved. `settled`.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
    /// The version that is asked about. Give it back with the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// What became of earlier changes, latest first.
    decided: Vec<CalendarDecision>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalendarDecision {
    #[schema(format = DateTime)]
    at: String,
    version: String,
    /// `moved`, `kept` or `lapsed`: the calendar changed again before anybody decided.
    outcome: String,
    /// Person id; absent where the pack said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// An open deadline that a change moves.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadlineMove {
    work_item: String,
    case: String,
    case_number: String,
    task: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// What the rule runs from.
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    due: Option<String>,
    #[schema(format = DateTime)]
    new_due: Option<String>,
    /// The new moment has passed, so it is due at once.
    at_once: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarChangeRequest {
    /// Others read it.
    pub(crate) reason: String,
    /// The version that was looked at: `stale-revision` if the calendar has changed again since.
    pub(crate) version: Option<String>,
}

/// The calendar of a case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseCalendar {
    case: String,
    /// Null where its workflows say it.
    calendar: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseCalendarRequest {
    /// A calendar of the pack in force; null has the workflows say it again.
    pub(crate) calendar: Option<String>,
}

impl From<view::DeadlineView> for Deadline {
    fn from(view: view::DeadlineView) -> Self {
        Self {
            rule: view.rule,
            from: view.from.to_string(),
            calendar: view.calendar,
            version: view.version,
            alarms: view.alarms.into_iter().map(Into::into).collect(),
            moved: view.moved.map(Into::into),
        }
    }
}

impl From<view::AlarmView> for Alarm {
    fn from(view: view::AlarmView) -> Self {
        Self {
            at: view.at.to_string(),
            kind: view.kind,
            rule: view.rule,
        }
    }
}

impl From<view::ShiftView> for Shift {
    fn from(view: view::ShiftView) -> Self {
        Self {
            at: view.at.to_string(),
            from: view.from.map(|at| at.to_string()),
            at_once: view.at_once,
        }
    }
}

impl From<view::CalendarChangeView> for CalendarChange {
    fn from(view: view::CalendarChangeView) -> Self {
        Self {
            calendar: view.calendar,
            policy: view.policy,
            state: view.state,
            since: view.since.map(|at| at.to_string()),
            version: view.version,
            decided: view.decided.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<view::CalendarDecisionView> for CalendarDecision {
    fn from(view: view::CalendarDecisionView) -> Self {
        Self {
            at: view.at.to_string(),
            version: view.version,
            outcome: view.outcome,
            by: view.by,
            reason: view.reason,
        }
    }
}

impl From<view::DeadlineMoveView> for DeadlineMove {
    fn from(view: view::DeadlineMoveView) -> Self {
        Self {
            work_item: view.work_item,
            case: view.case,
            case_number: view.case_number,
            task: view.task,
            rule: view.rule,
            from: view.from.to_string(),
            due: view.due.map(|at| at.to_string()),
            new_due: view.new_due.map(|at| at.to_string()),
            at_once: view.at_once,
        }
    }
}

impl From<view::CaseCalendarView> for CaseCalendar {
    fn from(view: view::CaseCalendarView) -> Self {
        Self {
            case: view.case,
            calendar: view.calendar,
        }
    }
}
