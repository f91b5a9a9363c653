//! Shapes of lifecycle events: structured CloudEvents.

use casewright_runtime::view;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A page of lifecycle events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LifecyclePage {
    items: Vec<LifecycleEvent>,
    /// Give it back as `cursor` for what comes later; it is there also when nothing has come yet.
    next: String,
}

/// What happened to a run or a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LifecycleEvent {
    #[schema(example = "1.0")]
    specversion: &'static str,
    /// The same whenever it is asked for.
    id: String,
    #[schema(example = "urn:casewright:instance:i06anbh1xm8qk3v5c2d7e9f0g2")]
    source: String,
    #[serde(rename = "type")]
    #[schema(example = "io.serverlessworkflow.task.completed.v1")]
    kind: String,
    /// Id of the run.
    subject: String,
    #[schema(format = DateTime)]
    time: String,
    datacontenttype: &'static str,
    /// After the specification; with `run`, which run of the task it is, and of an error its type
    /// and status alone.
    #[schema(value_type = Object)]
    data: Value,
}

impl From<view::LifecyclePage> for LifecyclePage {
    fn from(page: view::LifecyclePage) -> Self {
        Self {
            items: page.items.into_iter().map(LifecycleEvent::from).collect(),
            next: page.next,
        }
    }
}

impl From<view::LifecycleEvent> for LifecycleEvent {
    fn from(event: view::LifecycleEvent) -> Self {
        Self {
            specversion: "1.0",
            id: event.id,
            source: event.source,
            kind: event.kind,
            subject: event.subject,
            time: event.time.to_string(),
            datacontenttype: "application/json",
            data: event.data,
        }
    }
}
