//! One run of a workflow, as data: a tree of positions, never replayed code.

use std::sync::Arc;

use casewright_language::Workflow;
use casewright_language::workflow::Kind;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use jiff::Timestamp;

use crate::human::excluded_since;
use crate::position::{List, Open, Purpose};
use crate::record::Record;
use crate::retry::Left;
use crate::snapshot::{FORMAT, known_format, restore};
use crate::{CaseFacts, Delivery, Effect, Exclusion, Fault, Outcome, Worked};

/// State of one run. Serializable: a snapshot of it is a format.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Instance {
    format: u32,
    pub(crate) status: Status,
    pub(crate) record: Record,
    /// The workflow's own list, while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<List>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
    /// Where it stood before the call failed that ended it: then the record is kept as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<Box<Left>>,
}

/// As it is read, before what was left out is put back.
#[derive(Deserialize)]
struct Read {
    #[serde(rename = "format", deserialize_with = "known_format")]
    _format: u32,
    status: Status,
    record: Record,
    body: Option<List>,
    outcome: Option<Outcome>,
    #[serde(default)]
    left: Option<Box<Left>>,
}

impl<'de> Deserialize<'de> for Instance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut read = Read::deserialize(deserializer)?;
        if let Some(body) = &mut read.body {
            restore(body, &read.record).map_err(de::Error::custom)?;
        }
        if let Some(left) = &mut read.left {
            restore(&mut left.body, &read.record).map_err(de::Error::custom)?;
        }
        Ok(Self {
            format: FORMAT,
            status: read.status,
            record: read.record,
            body: read.body,
            outcome: read.outcome,
            left: read.left,
        })
    }
}

/// Phases of an instance and of a task run, after the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Before [`crate::Event::Started`].
    Pending,
    /// A call is under way, or it yielded.
    Running,
    /// Only people or time can bring it on.
    Waiting,
    /// Held by an operator.
    Suspended,
    /// Taken back before its end.
    Cancelled,
    /// Ended by a fault that nothing caught.
    Faulted,
    /// Ended with an output.
    Completed,
}

/// What an instance waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Waiting {
    /// For people.
    WorkItem {
        /// Name of the task.
        task: String,
        /// Number of the item within the instance.
        item: u32,
    },
    /// For a function.
    Call {
        /// Name of the task.
        task: String,
        /// Full name of the function.
        function: String,
    },
    /// For another workflow that it runs.
    Child {
        /// Name of the task.
        task: String,
        /// Name of the workflow.
        workflow: String,
        /// The key under which it was started.
        key: String,
    },
    /// For a moment.
    Timer {
        /// Name of the task.
        task: String,
        /// The moment.
        until: Timestamp,
    },
    /// For events.
    Event {
        /// Name of the task.
        task: String,
        /// Types written in the document; empty when any will do.
        types: Vec<String>,
    },
    /// Between two attempts of a call or of a `try`.
    Retry {
        /// Name of the task.
        task: String,
        /// Beginning of the next attempt.
        until: Timestamp,
    },
}

/// A run of a task, for `run --json` and history. Shared texts: a run remembers hundreds of them,
/// and each event copies it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskRun {
    /// As the document names it.
    pub name: Arc<str>,
    /// JSON pointer into the document.
    pub reference: Arc<str>,
    /// How far it came.
    pub status: Status,
}

impl Instance {
    /// Before anything happened; only [`crate::Event::Started`] fits it.
    pub fn pending() -> Self {
        Self {
            format: FORMAT,
            status: Status::Pending,
            record: Record::pending(),
            body: None,
            outcome: None,
            left: None,
        }
    }

    pub(crate) fn running(record: Record, body: List) -> Self {
        let mut instance = Self {
            format: FORMAT,
            status: Status::Running,
            record,
            body: Some(body),
            outcome: None,
            left: None,
        };
        instance.status = instance.liveliness();
        instance
    }

    pub(crate) fn ended(mut record: Record, outcome: Outcome) -> Self {
        record.close();
        Self {
            format: FORMAT,
            status: match outcome {
                Outcome::Completed(_) => Status::Completed,
                Outcome::Faulted(_) => Status::Faulted,
                Outcome::Cancelled => Status::Cancelled,
            },
            record,
            body: None,
            outcome: Some(outcome),
            left: None,
        }
    }

    /// Ended by a failed call: the record of before the failure is kept for a retry, with what has
    /// come to be known since.
    pub(crate) fn failed(before: &Record, after: Record, fault: Fault, left: Left) -> Self {
        let record = Record {
            minted: after.minted,
            inherited: after.inherited,
            task_runs: after.task_runs,
            ..before.clone()
        };
        Self {
            format: FORMAT,
            status: Status::Faulted,
            record,
            body: None,
            outcome: Some(Outcome::Faulted(fault)),
            left: Some(Box::new(left)),
        }
    }

    /// Phase of the instance.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Id given with [`crate::Event::Started`]; empty before.
    pub fn id(&self) -> &str {
        &self.record.facts.id
    }

    /// The case it belongs to; empty before [`crate::Event::Started`].
    pub fn case(&self) -> &CaseFacts {
        &self.record.facts.case
    }

    /// Person id of who started it; empty before [`crate::Event::Started`].
    pub fn started_by(&self) -> &str {
        &self.record.facts.started_by
    }

    /// Digest of the workflow it is pinned to; empty before [`crate::Event::Started`].
    pub fn workflow_digest(&self) -> &str {
        &self.record.facts.digest
    }

    /// Output of a completed instance.
    pub fn output(&self) -> Option<&Value> {
        match self.outcome.as_ref()? {
            Outcome::Completed(output) => Some(output),
            Outcome::Faulted(_) | Outcome::Cancelled => None,
        }
    }

    /// Fault of a faulted instance.
    pub fn fault(&self) -> Option<&Fault> {
        match self.outcome.as_ref()? {
            Outcome::Faulted(fault) => Some(fault),
            Outcome::Completed(_) | Outcome::Cancelled => None,
        }
    }

    /// How it ended; `None` while it goes on.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Who did human work in it and in those joined to it by `run: workflow`.
    pub fn worked(&self) -> Vec<Worked> {
        self.record.worked()
    }

    /// Whether it may have acted outside, asked people, or run another workflow that did.
    pub fn acted(&self) -> bool {
        self.record.minted.key > 0 || !self.record.completions.is_empty()
    }

    /// What would bring it on; empty when it has ended, or when it merely yielded.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.open().iter().filter_map(Open::waiting).collect()
    }

    /// Tasks in the order they started (the last [`crate::TASK_RUNS_MAX`] of them).
    pub fn task_runs(&self) -> &[TaskRun] {
        &self.record.task_runs
    }

    /// Effects that are still open - calls under way, offers, timers, a yield - for recovery.
    pub fn outstanding(&self) -> Vec<Effect> {
        let open = self.open();
        let mut yielded = false;
        let once = |open: &&Open<'_>| {
            // Branches that yielded go on together.
            let again = yielded && matches!(open, Open::Ready);
            yielded |= matches!(open, Open::Ready);
            !again
        };
        open.iter().filter(once).filter_map(Open::effect).collect()
    }

    /// Who may not decide open work items, by number, because of what was done in another branch
    /// since they were offered.
    pub fn excluded_since(&self, workflow: &Workflow) -> Vec<(u32, Vec<Exclusion>)> {
        let since = |open: &Open<'_>| {
            let Open::Offer(offer) = open else {
                return None;
            };
            let Kind::Human(human) = &workflow.task(&offer.reference)?.kind else {
                return None;
            };
            let since = excluded_since(&self.record, human, offer);
            (!since.is_empty()).then_some((offer.item, since))
        };
        self.open().iter().filter_map(since).collect()
    }

    /// Whether the result of this call is still waited for.
    pub fn awaits(&self, delivery: &Delivery) -> bool {
        let call = |open: &Open<'_>| matches!(open, Open::Call(call) if call.delivery == *delivery);
        self.open().iter().any(call)
    }

    /// Everything open, outer before inner.
    pub(crate) fn open(&self) -> Vec<Open<'_>> {
        let mut found = Vec::new();
        if let Some(body) = &self.body {
            found.extend(self.record.timeout.map(|timer| Open::Timer {
                timer,
                purpose: Purpose::Limit,
                reference: "/timeout",
            }));
            body.open(&mut found);
        }
        found
    }

    /// Running while something goes on by itself.
    fn liveliness(&self) -> Status {
        let busy = self
            .open()
            .iter()
            .any(|open| matches!(open, Open::Call(_) | Open::Ready));
        if busy {
            Status::Running
        } else {
            Status::Waiting
        }
    }
}
