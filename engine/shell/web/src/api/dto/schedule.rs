//! The shape of a schedule.

use casewright_runtime::view;
use serde::Serialize;
use utoipa::ToSchema;

/// A workflow that begins by itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schedule {
    workflow: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Five fields on the wall clock of `timeZone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "30 8 * * 1-5")]
    cron: Option<String>,
    /// Or the time between two beginnings.
    #[serde(skip_serializing_if = "Option::is_none")]
    every_milliseconds: Option<u64>,
    /// Or the time from the end of one to the beginning of the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_milliseconds: Option<u64>,
    /// Or the types of events that it begins with; an empty list stands for every type.
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<Vec<String>>,
    time_zone: String,
    /// `once`: one instance begins for all times that nobody could see to; `skip`: none does.
    missed: String,
    /// The next times, earliest first.
    #[schema(format = DateTime)]
    next: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<ScheduledRun>,
}

/// What began last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduledRun {
    /// The time that was meant.
    #[schema(format = DateTime)]
    due: String,
    instance: String,
}

impl From<view::ScheduleView> for Schedule {
    fn from(view: view::ScheduleView) -> Self {
        Self {
            workflow: view.workflow,
            title: view.title,
            cron: view.cron,
            every_milliseconds: view.every_ms,
            after_milliseconds: view.after_ms,
            on: view.on,
            time_zone: view.zone,
            missed: view.missed,
            next: view.next.iter().map(ToString::to_string).collect(),
            last: view.last.map(|last| ScheduledRun {
                due: last.due.to_string(),
                instance: last.instance,
            }),
        }
    }
}
