//! One run of a workflow, as data: a tree of positions, never replayed code.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CaseFacts, Effect, Fault};

/// State of one run. Serializable: a snapshot of it is a format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    // The state is private to this crate; what others may ask is below.
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Running,
    Waiting,
    Suspended,
    Cancelled,
    Faulted,
    Completed,
}

/// What an instance waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Waiting {
    WorkItem {
        task: String,
        item: u32,
    },
    Call {
        task: String,
        function: String,
    },
    Timer {
        task: String,
        until: Timestamp,
    },
    /// Between two attempts of a call or of a `try`.
    Retry {
        task: String,
        until: Timestamp,
    },
}

/// A run of a task, for `run --json` and history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskRun {
    pub name: String,
    pub reference: String,
    pub status: Status,
}

impl Instance {
    /// Before anything happened; only [`crate::Event::Started`] fits it.
    pub fn pending() -> Self {
        unimplemented!()
    }

    pub fn status(&self) -> Status {
        self.status
    }

    pub fn id(&self) -> &str {
        unimplemented!()
    }

    pub fn case(&self) -> &CaseFacts {
        unimplemented!()
    }

    pub fn started_by(&self) -> &str {
        unimplemented!()
    }

    pub fn output(&self) -> Option<&Value> {
        unimplemented!()
    }

    pub fn fault(&self) -> Option<&Fault> {
        unimplemented!()
    }

    pub fn waiting(&self) -> Vec<Waiting> {
        unimplemented!()
    }

    /// Tasks in the order they started (the last `TASK_RUNS_MAX` of them).
    pub fn task_runs(&self) -> &[TaskRun] {
        unimplemented!()
    }

    /// Effects that are still open - calls under way, offers, timers, a yield - for recovery.
    pub fn outstanding(&self) -> Vec<Effect> {
        unimplemented!()
    }
}
