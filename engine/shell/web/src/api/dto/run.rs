//! Shapes of the list of runs, and of what has a failed one go on.

use casewright_runtime::view;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A run as the list shows it: nothing of a case is in here.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    id: String,
    workflow: String,
    version: String,
    case: String,
    case_number: String,
    #[schema(example = "faulted")]
    status: String,
    #[schema(format = DateTime)]
    started: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended: Option<String>,
    /// The run that runs this one with `run: workflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

/// Why a run failed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    /// Name of the step; empty when it was the workflow itself.
    task: String,
    /// Error type; `raised` where only the workflow knows what it means, `workflow-failed` where a
    /// workflow that it ran failed.
    #[schema(example = "urn:casewright:error:payment-issue.unavailable")]
    code: String,
    /// Whether it may go on from that step.
    retryable: bool,
}

/// Why a failed run may go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryRequest {
    /// What was done about the cause; it stays in the record.
    pub(crate) reason: String,
    /// You have made sure that what is in doubt did not happen.
    #[serde(default)]
    pub(crate) certain: bool,
}

impl From<view::RunView> for Run {
    fn from(view: view::RunView) -> Self {
        Self {
            id: view.id,
            workflow: view.workflow,
            version: view.version,
            case: view.case,
            case_number: view.case_number,
            status: view.status,
            started: view.started.to_string(),
            ended: view.ended.map(|at| at.to_string()),
            parent: view.parent,
            failure: view.failure.map(|failure| Failure {
                task: failure.task,
                code: failure.code,
                retryable: failure.retryable,
            }),
        }
    }
}
