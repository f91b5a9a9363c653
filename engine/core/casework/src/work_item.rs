//! Human work: offered, claimed, completed, withdrawn; and who may do which.
//!
//! Checks come in one order at every door: visible, exclusion, role, state, revision, outcome and
//! form, limit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Money, Policy, Principal, Refusal};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkItem {
    pub id: String,
    pub agency: String,
    pub case: String,
    pub case_number: String,
    pub instance: String,
    /// Number within the instance, for the event that completes it.
    pub number: u32,
    pub task: String,
    pub reference: String,
    pub approval: bool,
    pub title: String,
    pub show: Value,
    /// Name of the form; its text is pinned by the instance's deployment.
    pub form: Option<String>,
    pub assigned: Assigned,
    pub outcomes: Vec<String>,
    pub approvals_needed: u32,
    pub limit: Option<Limit>,
    /// Person id to reason; only ever grows.
    pub excluded: BTreeMap<String, String>,
    pub offered_at: Timestamp,
    pub due: Option<Timestamp>,
    pub state: State,
    pub claimed_by: Option<Claim>,
    pub decisions: Vec<Decision>,
    /// Grows with every change of what a person sees or of the state.
    pub revision: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assigned {
    Role(String),
    Team(String),
    Person(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Offered,
    Claimed,
    Held,
    Completed,
    Withdrawn,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub person: String,
    pub display_name: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub person: String,
    pub display_name: String,
    /// The role under which they decided.
    pub role: String,
    pub at: Timestamp,
    pub outcome: String,
    pub data: Value,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub policy: String,
    pub money: Money,
}

/// What somebody submits.
#[derive(Debug, Clone)]
pub struct Completion<'a> {
    pub at: Timestamp,
    pub outcome: &'a str,
    pub data: &'a Value,
    pub comment: Option<&'a str>,
    pub revision: Option<u64>,
    /// What the form says of `data`: field and sentence; empty when it is well.
    pub form_errors: &'a [(String, String)],
    /// The policy named by the item's limit.
    pub policy: Option<&'a Policy>,
}

/// What a completion led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Completed {
    /// Another approval by a different person is needed; the item is offered again.
    More(WorkItem),
    Done(WorkItem),
}

impl WorkItem {
    /// Whether this principal may know that the item exists.
    pub fn visible(&self, _who: &Principal) -> bool {
        unimplemented!()
    }

    pub fn claim(&self, _who: &Principal, _at: Timestamp) -> Result<Self, Refusal> {
        unimplemented!()
    }

    pub fn release(&self, _who: &Principal, _at: Timestamp) -> Result<Self, Refusal> {
        unimplemented!()
    }

    pub fn complete(&self, _who: &Principal, _by: &Completion<'_>) -> Result<Completed, Refusal> {
        unimplemented!()
    }

    /// The engine takes it back; fits every open state.
    pub fn withdraw(&self, _reason: &str, _at: Timestamp) -> Result<Self, Refusal> {
        unimplemented!()
    }

    pub fn overdue(&self, at: Timestamp) -> bool {
        self.due.is_some_and(|due| at > due)
    }
}
