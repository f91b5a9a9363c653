//! Facts that reach an instance. Written to the journal as they are: their shape is a format.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Delivery;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    Started(Box<Started>),
    /// A function of a plugin or of the engine answered.
    CallReturned {
        at: Timestamp,
        delivery: Delivery,
        result: Result<Value, CallError>,
    },
    /// Enough people decided.
    WorkItemCompleted {
        at: Timestamp,
        /// Number of the item within the instance.
        item: u32,
        outcome: String,
        data: Value,
        comment: Option<String>,
        by: Vec<Decider>,
        overdue: bool,
    },
    TimerFired {
        at: Timestamp,
        timer: u32,
    },
    /// After [`crate::Effect::Yield`]: go on.
    Resumed {
        at: Timestamp,
    },
    Cancelled {
        at: Timestamp,
        by: String,
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    pub at: Timestamp,
    /// Id of the instance, unique for ever; idempotency keys are made from it.
    pub id: String,
    pub input: Value,
    /// Person id of who started it (or of who started its parent).
    pub started_by: String,
    pub case: CaseFacts,
    pub runtime: RuntimeFacts,
}

/// `$case`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFacts {
    pub id: String,
    pub number: String,
    pub opened: Timestamp,
}

/// `$runtime`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeFacts {
    pub name: String,
    pub version: String,
}

/// Who decided a work item, as `$steps.decision.by` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decider {
    pub person: String,
    /// The role under which they decided.
    pub role: String,
}

/// Why a function gave no value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallError {
    pub kind: ErrorKind,
    /// Full code: `insufficient-funds`, `payment-issue.declined`; becomes
    /// `urn:casewright:error:<code>` unless `kind` names a standard type.
    pub code: String,
    pub status: i64,
    pub message: String,
    pub details: Option<Value>,
    pub retry_after_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// Try again with the same key and the same bytes.
    Retryable,
    /// A retry cannot mend it.
    Permanent,
    /// An expected refusal that a workflow may branch on.
    Business,
    /// Nobody knows whether it happened: not retried, a person decides.
    InDoubt,
}
