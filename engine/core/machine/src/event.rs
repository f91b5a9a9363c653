//! Facts that reach an instance. Written to the journal as they are: their shape is a format.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Delivery, Interest, Outcome};

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first event of every instance.
    Started(Box<Started>),
    /// A function of a plugin or of the engine answered.
    CallReturned {
        /// When.
        at: Timestamp,
        /// Which attempt it answers.
        delivery: Delivery,
        /// Its output, or why there is none.
        result: Result<Value, CallError>,
    },
    /// Enough people decided.
    WorkItemCompleted {
        /// When.
        at: Timestamp,
        /// The day it was where the agency is; events of older engines do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Date>,
        /// Number of the item within the instance.
        item: u32,
        /// One of the outcomes offered.
        outcome: String,
        /// What the form holds; null without one.
        data: Value,
        /// What they wrote.
        comment: Option<String>,
        /// Who decided so, in order.
        by: Vec<Decider>,
        /// Whether it was due before.
        overdue: bool,
        /// Nobody answered: it was skipped, and the comment says why.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        skipped: bool,
    },
    /// The moment of [`crate::Effect::SetTimer`] has come.
    TimerFired {
        /// When it was noticed.
        at: Timestamp,
        /// Number of the timer within the instance.
        timer: u32,
    },
    /// A workflow that a task runs and waits for has ended.
    ChildEnded {
        /// When it was noticed.
        at: Timestamp,
        /// The key under which it was started.
        key: String,
        /// How it ended.
        outcome: Outcome,
        /// Whether it may have acted outside or asked people.
        acted: bool,
        /// Who did human work in it, and before it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        worked: Vec<Worked>,
    },
    /// An event after `CloudEvents` 1.0 that fits one of the instance's interests.
    EventReceived {
        /// When it reached the instance.
        at: Timestamp,
        /// With all attributes; shared with what is kept of it.
        envelope: Arc<Value>,
    },
    /// After [`crate::Effect::Yield`]: go on.
    Resumed {
        /// When.
        at: Timestamp,
    },
    /// Somebody has the instance go on from where a call failed; see [`crate::Instance::retry`].
    Retried {
        /// When.
        at: Timestamp,
        /// Person id.
        by: String,
        /// What they wrote.
        reason: Option<String>,
        /// They have made sure that what is in doubt did not happen.
        certain: bool,
    },
    /// Somebody moved the instance to another version of its workflow; see [`crate::Plan`].
    Migrated {
        /// When.
        at: Timestamp,
        /// Person id.
        by: String,
        /// What they wrote.
        reason: String,
        /// Digest of the workflow that it ran.
        from: String,
        /// Digest of the workflow that it runs from here on.
        to: String,
        /// Pointers of tasks that are others there.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        moves: BTreeMap<String, String>,
        /// What it wanted to hear of before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        interests: Vec<Interest>,
    },
    /// Somebody took the instance back.
    Cancelled {
        /// When.
        at: Timestamp,
        /// Person id.
        by: String,
        /// What they wrote.
        reason: Option<String>,
    },
}

/// The start of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// When.
    pub at: Timestamp,
    /// Id of the instance, unique for ever; idempotency keys are made from it.
    pub id: String,
    /// As the caller sent it; `{}` when nothing was sent. An explicit null fails an
    /// `input.schema` that wants an object, and is `{}` to the tasks.
    pub input: Value,
    /// Person id of who started it (or of who started its parent).
    pub started_by: String,
    /// The case it belongs to.
    pub case: CaseFacts,
    /// The engine that started it.
    pub runtime: RuntimeFacts,
    /// How many instances above it run each other with `run: workflow`; 0 for the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub depth: u32,
    /// Who did human work in the instances above, before this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worked: Vec<Worked>,
}

/// Somebody who did human work in an instance joined to this one by `run: workflow`. Approvals are
/// no such work: whoever decides is no editor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worked {
    /// Name of the task.
    pub task: String,
    /// Person id.
    pub person: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub(crate) fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// `$case`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFacts {
    /// Unique for ever.
    pub id: String,
    /// As people write it.
    pub number: String,
    /// When it was opened.
    pub opened: Timestamp,
}

/// `$runtime`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeFacts {
    /// Of the engine.
    pub name: String,
    /// Of the engine.
    pub version: String,
}

/// Who decided a work item, as `$steps.decision.by` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decider {
    /// Person id.
    pub person: String,
    /// The role under which they decided.
    pub role: String,
    /// For whom they acted, as whose work it counts as well.
    #[serde(default, rename = "actingFor", skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<String>,
}

/// Why a function gave no value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallError {
    /// What may be done about it.
    pub kind: ErrorKind,
    /// Full code: `insufficient-funds`, `payment-issue.declined`; becomes
    /// `urn:casewright:error:<code>` unless `kind` names a standard type.
    pub code: String,
    /// The status that HTTP would give.
    pub status: i64,
    /// A sentence for people.
    pub message: String,
    /// What it said beyond the sentence.
    pub details: Option<Value>,
    /// How long to wait before the next attempt, for retryable errors.
    pub retry_after_ms: Option<u64>,
}

/// What may be done about an error of a function.
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
    /// It was not sent, since this is no moment for it: sent when `retry_after_ms` has passed.
    NotYet,
}
