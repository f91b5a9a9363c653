//! What an instance wants done. Values, not actions: `runtime` performs them after the commit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use casewright_language::Term;

use crate::Fault;

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Call(Call),
    /// The result of this delivery no longer matters.
    Abandon(Delivery),
    Offer(Offer),
    /// Take a work item back: a timeout, a fault, a cancellation.
    Withdraw {
        item: u32,
        reason: String,
    },
    SetTimer {
        timer: u32,
        at: Timestamp,
    },
    CancelTimer {
        timer: u32,
    },
    /// Too much done at once: come back with [`crate::Event::Resumed`].
    Yield,
    Finish(Outcome),
}

/// One attempt at one run of a call task; unique within the instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delivery {
    pub reference: String,
    /// From 1; grows with each entry of the task.
    pub run: u32,
    /// From 1; grows with each retry of the same run.
    pub attempt: u32,
}

/// Call a function: `fund.*` of the engine or one of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub delivery: Delivery,
    pub function: String,
    pub version: Option<String>,
    pub input: Value,
    /// Minted once per intent; equal for every attempt.
    pub key: String,
    /// Time of the first attempt.
    pub since: Timestamp,
}

/// Offer human work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// From 1, within the instance.
    pub item: u32,
    /// Name and reference of the task.
    pub task: String,
    pub reference: String,
    pub approval: bool,
    pub title: String,
    pub show: Value,
    pub form: Option<String>,
    pub assign: Assignment,
    pub due: Option<Term>,
    pub outcomes: Vec<String>,
    pub approvals: u32,
    pub limit: Option<Limit>,
    /// Person ids that may not decide, each with the reason, from the instance's history and the
    /// document's rules: starter, completers of human tasks, payee, `differentPersonFrom`.
    pub excluded: Vec<Exclusion>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assignment {
    Role(String),
    Team(String),
    Person(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub policy: String,
    pub minor: i64,
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    pub person: String,
    pub reason: ExclusionReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExclusionReason {
    Started,
    /// Completed this human task.
    Completed(String),
    Payee,
    /// Named by `differentPersonFrom`.
    Different(String),
}

/// How an instance ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Completed(Value),
    Faulted(Fault),
    Cancelled,
}
