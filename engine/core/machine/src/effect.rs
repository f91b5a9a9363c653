//! What an instance wants done. Values, not actions: `runtime` performs them after the commit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use casewright_language::Term;
use casewright_language::workflow::{After, Clock, Reach, Remind, Skippable};

use crate::{Fault, Interest, Worked};

/// One wish of an instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Call a function; the answer is [`crate::Event::CallReturned`].
    Call(Call),
    /// The result of this delivery no longer matters.
    Abandon(Delivery),
    /// Offer human work; the answer is [`crate::Event::WorkItemCompleted`].
    Offer(Box<Offer>),
    /// Take a work item back: a timeout, a fault, a cancellation.
    Withdraw {
        /// Number of the item within the instance.
        item: u32,
        /// A few words for people.
        reason: String,
    },
    /// Send [`crate::Event::TimerFired`] at that moment or soon after.
    SetTimer {
        /// Number of the timer within the instance.
        timer: u32,
        /// The moment.
        at: Timestamp,
    },
    /// The timer no longer matters.
    CancelTimer {
        /// Number of the timer within the instance.
        timer: u32,
    },
    /// Start another workflow as an instance of its own, once per key; if it is awaited, its end
    /// is [`crate::Event::ChildEnded`]. Under a key that was used before the end comes again.
    StartChild(Box<Child>),
    /// Cancel the instance that was started under this key.
    CancelChild {
        /// As in [`Child::key`].
        key: String,
        /// A few words for people.
        reason: String,
    },
    /// Bring it the events that fit one of these from here on, whether or not a `listen` has begun.
    Subscribe(Vec<Interest>),
    /// The same interests no longer matter.
    Unsubscribe(Vec<Interest>),
    /// Send an event; nothing comes back.
    Emit(Emit),
    /// It waits for events; for the record, since the subscription stands from the start.
    Listen {
        /// Name of the task.
        task: String,
        /// Types written in the document; empty when any will do.
        types: Vec<String>,
    },
    /// Too many events were kept: the oldest was let go.
    LetGo {
        /// Its type.
        kind: String,
    },
    /// Too much done at once: come back with [`crate::Event::Resumed`].
    Yield,
    /// The instance has ended; nothing comes after it.
    Finish(Outcome),
}

/// An event to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Emit {
    /// Name of the task.
    pub task: String,
    /// After `CloudEvents` 1.0; source and id make it the same event.
    pub event: Value,
    /// Which instances it may reach.
    pub reach: Reach,
}

/// One attempt at one run of a call task; unique within the instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delivery {
    /// JSON pointer of the task.
    pub reference: String,
    /// From 1; grows with each entry of the task.
    pub run: u32,
    /// From 1; grows with each retry of the same run.
    pub attempt: u32,
}

/// Call a function: `fund.*` of the engine or one of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Names this attempt; the answer carries it back.
    pub delivery: Delivery,
    /// Rounds of the loops around the task, from 1, outer before inner: a run for another item
    /// stands beside the one before, where any other new run stands in its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<u32>,
    /// Full name: `fund.reserve`, `payment-issue.pay`.
    pub function: String,
    /// Only where the document names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Fixed with the key.
    pub input: Value,
    /// Minted once per intent; equal for every attempt.
    pub key: String,
    /// Time of the first attempt under this key.
    pub since: Timestamp,
    /// Why consent was not sought, where the document takes it from the case. Empty where the case
    /// gives no words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Another workflow, to be run as an instance of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// The task that runs it.
    pub delivery: Delivery,
    /// Of the workflow.
    pub namespace: String,
    /// Its name.
    pub workflow: String,
    /// Only where the document names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Fixed with the key.
    pub input: Value,
    /// Minted once per intent: one key, one instance. Its end carries it back.
    pub key: String,
    /// When the key was minted.
    pub since: Timestamp,
    /// Whether the task waits for its end.
    pub awaited: bool,
    /// How many instances above it run each other.
    pub depth: u32,
    /// Who did human work before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worked: Vec<Worked>,
}

/// A moment as people wrote it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Since {
    /// With its offset from Greenwich.
    Moment(Timestamp),
    /// As a clock on the wall shows it, where the agency is.
    Shown(DateTime),
}

/// Offer human work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// From 1, within the instance.
    pub item: u32,
    /// Name of the task.
    pub task: String,
    /// JSON pointer of the task.
    pub reference: String,
    /// Which round of each loop around it, outermost first; empty outside loops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<u32>,
    /// Whether separation of duties applies.
    pub approval: bool,
    /// What people see in their queue.
    pub title: String,
    /// What people see beside the form; null for nothing.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub show: Value,
    /// Name of a form of the pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// Who may claim it.
    pub assign: Assignment,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Term>,
    /// What `due` counts from; the offer when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// When people are reminded of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remind: Vec<Remind>,
    /// Who may decide it as well once time has passed. Time itself decides nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate: Vec<Escalation>,
    /// What happens to these moments while it is on hold.
    #[serde(default, skip_serializing_if = "runs")]
    pub clock: Clock,
    /// The calendar that counts its days, where the task names one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Whether it stays with those it is given to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub non_delegable: bool,
    /// Who may end it without an answer, and what comes out then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skippable: Option<Skippable>,
    /// How long all the times that it waits may be together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_total: Option<Term>,
    /// What may be decided, in the author's order.
    pub outcomes: Vec<String>,
    /// How many different people must approve.
    pub approvals: u32,
    /// What a decider must be allowed to spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Person ids that may not decide, each with the reason, from the instance's history and the
    /// document's rules: starter, completers of human tasks, payee, `differentPersonFrom`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Exclusion>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde calls")]
fn runs(clock: &Clock) -> bool {
    *clock == Clock::Runs
}

/// Who may claim a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assignment {
    /// Whoever holds this role.
    Role(String),
    /// Whoever is in this team.
    Team(String),
    /// This person.
    Person(String),
}

/// More people who may decide, once time has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// When it comes.
    pub after: After,
    /// Who may claim it from then on as well.
    pub to: Assignment,
}

/// Money that is decided on, and the policy that says who may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Name of a policy of the pack.
    pub policy: String,
    /// Amount in minor units.
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// What else the policy asks for, by its name in the document: goal, supplier, category, fund.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aspects: BTreeMap<String, String>,
}

/// Somebody who may not decide, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Person id.
    pub person: String,
    /// Why.
    pub reason: ExclusionReason,
}

/// Why somebody may not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExclusionReason {
    /// Started the instance.
    Started,
    /// Completed this human task.
    Completed(String),
    /// Is paid.
    Payee,
    /// Named by `differentPersonFrom`.
    Different(String),
}

/// How an instance ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// With this output.
    Completed(Value),
    /// By a fault that nothing caught.
    Faulted(Fault),
    /// By somebody.
    Cancelled,
}
