//! Shapes of a move of a run to another version of its workflow. They name tasks and nothing of a
//! case.

use casewright_runtime::view;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Why a run is moved, and where to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MigrateRequest {
    /// Only this version will do; without it the one in force.
    pub(crate) to: Option<String>,
    /// Back to the version that it was moved away from last.
    #[serde(default)]
    pub(crate) undo: bool,
    /// Why; it stays in the history of the run.
    pub(crate) reason: String,
}

/// What a move does, or would do, to a run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Migration {
    /// Of the run.
    id: String,
    workflow: String,
    /// Version that it runs, or ran.
    from: String,
    to: String,
    /// Whether nothing keeps it from being moved.
    possible: bool,
    /// Whether it was.
    moved: bool,
    /// Tasks under way as `{task, before, after}` with JSON pointers; `after` is null where the
    /// task is gone.
    stands: Vec<Value>,
    /// What keeps it, as `{code, task, message}`.
    obstacles: Vec<Value>,
    /// What else is worth knowing, as `{task, message}`.
    notes: Vec<Value>,
}

impl From<view::MigrationView> for Migration {
    fn from(view: view::MigrationView) -> Self {
        Self {
            id: view.id,
            workflow: view.workflow,
            from: view.from,
            to: view.to,
            possible: view.possible,
            moved: view.moved,
            stands: view.stands,
            obstacles: view.obstacles,
            notes: view.notes,
        }
    }
}
