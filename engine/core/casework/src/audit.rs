//! The record of a case: an append-only chain of hashes. Entries name things, they hold no content.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What somebody did or tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    /// Principal id.
    pub who: String,
    pub action: Action,
    /// Instance, if any.
    pub instance: Option<String>,
    /// Work item, function key, reservation...: an id.
    pub subject: Option<String>,
    /// Outcome, refusal code, function name: from a fixed vocabulary or the workflow document.
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    CaseOpened,
    CaseRead,
    InstanceStarted,
    InstanceCompleted,
    InstanceFaulted,
    InstanceCancelled,
    WorkItemOffered,
    WorkItemClaimed,
    WorkItemReleased,
    WorkItemCompleted,
    WorkItemWithdrawn,
    Refused,
    FunctionCalled,
    FunctionReturned,
    FunctionFailed,
    FundReserved,
    FundCommitted,
    FundReleased,
}

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// From 0, within the case.
    pub index: u64,
    /// Hex SHA-256 over the previous hash and this entry.
    pub hash: String,
    pub entry: Entry,
}

/// The hash before the first entry of a case.
pub fn genesis(_case: &str) -> String {
    unimplemented!()
}

/// The next link.
pub fn link(_previous_hash: &str, _index: u64, _entry: &Entry) -> Link {
    unimplemented!()
}

/// The index of the first link that does not follow from the one before, if any.
pub fn verify(_case: &str, _links: &[Link]) -> Result<(), u64> {
    unimplemented!()
}
