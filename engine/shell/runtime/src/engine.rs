//! The service: what console, API and command line ask for.

use std::fmt;
use std::sync::Arc;

use casewright_casework::{Principal, Refusal};
use serde_json::Value;

use crate::identity::{NewUser, Secret};
use crate::port::{Clock, Entropy, Evaluate, Invoke};
use crate::view::{
    CaseView, FundView, HistoryEntry, InstanceView, Page, StartedView, TimelineEntry,
    WorkItemFilter, WorkItemView, WorkflowView,
};
use casewright_store::Store;

/// What the engine is made of.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub invoke: Arc<dyn Invoke>,
    pub evaluate: Arc<dyn Evaluate>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// A running engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    _parts: Arc<Parts>,
}

/// Why the engine did not do what was asked. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A rule said no.
    Rule(Refusal),
    /// The request itself is wrong: unknown workflow, input against its schema. Code and sentence.
    Invalid {
        code: &'static str,
        status: u16,
        message: String,
    },
    /// Same `Idempotency-Key`, other body: 422 `key-reused`.
    KeyReused,
    /// 503 with Retry-After.
    Busy,
    /// 507.
    DiskFull,
    /// Stopping: 503.
    Stopping,
    /// A stored value could not be read; the sentence names no content.
    Damaged(String),
}

/// `Idempotency-Key` of a request and the hash of its body.
#[derive(Debug, Clone)]
pub struct RequestKey {
    pub key: String,
    pub body_hash: [u8; 32],
}

/// A request to start an instance.
#[derive(Debug, Clone)]
pub struct Start {
    /// `name` or `namespace/name`.
    pub workflow: String,
    pub version: Option<String>,
    /// Without one a new case is opened.
    pub case: Option<String>,
    pub input: Value,
}

/// A request to complete a work item.
#[derive(Debug, Clone)]
pub struct Complete {
    pub outcome: String,
    pub data: Value,
    pub comment: Option<String>,
    pub revision: Option<u64>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(refusal) => refusal.fmt(f),
            Self::Invalid { message, .. } | Self::Damaged(message) => f.write_str(message),
            Self::KeyReused => f.write_str("this Idempotency-Key was used with another body"),
            Self::Busy => f.write_str("the engine is busy; try again shortly"),
            Self::DiskFull => f.write_str("the disk is full; nothing was changed"),
            Self::Stopping => f.write_str("the engine is stopping"),
        }
    }
}

impl std::error::Error for Refused {}

impl Engine {
    /// Recovers what was open, then drives it. Returns when requests may come.
    pub async fn open(_parts: Parts) -> Result<Self, Refused> {
        unimplemented!()
    }

    /// Puts a checked pack in force for its agency; running instances keep theirs.
    pub async fn deploy(&self, _deployment: crate::Deployment) -> Result<(), Refused> {
        unimplemented!()
    }

    pub async fn start(
        &self,
        _who: &Principal,
        _start: Start,
        _key: Option<RequestKey>,
    ) -> Result<StartedView, Refused> {
        unimplemented!()
    }

    pub async fn instance(&self, _who: &Principal, _id: &str) -> Result<InstanceView, Refused> {
        unimplemented!()
    }

    pub async fn history(
        &self,
        _who: &Principal,
        _id: &str,
        _after: u64,
    ) -> Result<Vec<HistoryEntry>, Refused> {
        unimplemented!()
    }

    pub async fn cancel(
        &self,
        _who: &Principal,
        _id: &str,
        _reason: Option<String>,
        _key: Option<RequestKey>,
    ) -> Result<InstanceView, Refused> {
        unimplemented!()
    }

    /// Sorted by due, those without a due time last.
    pub async fn work_items(
        &self,
        _who: &Principal,
        _filter: WorkItemFilter,
    ) -> Result<Page<WorkItemView>, Refused> {
        unimplemented!()
    }

    pub async fn work_item(&self, _who: &Principal, _id: &str) -> Result<WorkItemView, Refused> {
        unimplemented!()
    }

    pub async fn claim(
        &self,
        _who: &Principal,
        _id: &str,
        _key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        unimplemented!()
    }

    pub async fn release(
        &self,
        _who: &Principal,
        _id: &str,
        _key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        unimplemented!()
    }

    pub async fn complete(
        &self,
        _who: &Principal,
        _id: &str,
        _complete: Complete,
        _key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        unimplemented!()
    }

    /// The pinned form of a work item, or of a workflow's start.
    pub async fn form(
        &self,
        _who: &Principal,
        _work_item: &str,
    ) -> Result<Option<casewright_language::Form>, Refused> {
        unimplemented!()
    }

    pub async fn start_form(
        &self,
        _who: &Principal,
        _workflow: &str,
    ) -> Result<Option<casewright_language::Form>, Refused> {
        unimplemented!()
    }

    /// Audited: opening a case is one entry.
    pub async fn case(&self, _who: &Principal, _id: &str) -> Result<CaseView, Refused> {
        unimplemented!()
    }

    pub async fn timeline(
        &self,
        _who: &Principal,
        _case: &str,
    ) -> Result<Vec<TimelineEntry>, Refused> {
        unimplemented!()
    }

    /// The audit chain of a case, to be verified elsewhere. Audited like opening the case.
    pub async fn audit(
        &self,
        _who: &Principal,
        _case: &str,
    ) -> Result<Vec<casewright_casework::audit::Link>, Refused> {
        unimplemented!()
    }

    pub async fn cases(
        &self,
        _who: &Principal,
        _cursor: Option<String>,
    ) -> Result<Page<CaseView>, Refused> {
        unimplemented!()
    }

    pub async fn funds(&self, _who: &Principal) -> Result<Vec<FundView>, Refused> {
        unimplemented!()
    }

    pub async fn workflows(&self, _who: &Principal) -> Result<Vec<WorkflowView>, Refused> {
        unimplemented!()
    }

    /// Local time zone of the principal's agency, for pages.
    pub fn zone(&self, _who: &Principal) -> jiff::tz::TimeZone {
        unimplemented!()
    }

    /// The engine's clock: pages say "today" by it.
    pub fn now(&self) -> jiff::Timestamp {
        unimplemented!()
    }

    /// Creates or replaces a user (and ends their sessions).
    pub async fn put_user(&self, _user: NewUser) -> Result<(), Refused> {
        unimplemented!()
    }

    /// A new service token acting as this user; all earlier ones with the same label end.
    pub async fn mint_token(&self, _user: &str, _label: &str) -> Result<Secret, Refused> {
        unimplemented!()
    }

    /// Takes as long for an unknown name as for a wrong passphrase.
    pub async fn sign_in(&self, _name: &str, _passphrase: &str) -> Result<Option<Secret>, Refused> {
        unimplemented!()
    }

    pub async fn sign_out(&self, _session: &str) -> Result<(), Refused> {
        unimplemented!()
    }

    /// A session or a bearer token; `None` when unknown, ended or expired.
    pub async fn authenticate(&self, _secret: &str) -> Result<Option<Principal>, Refused> {
        unimplemented!()
    }

    /// Whether requests are served: store open, recovery done.
    pub fn ready(&self) -> bool {
        unimplemented!()
    }

    /// Stops taking work, waits for calls under way up to a limit, closes the store.
    pub async fn stop(&self) {
        unimplemented!()
    }
}
