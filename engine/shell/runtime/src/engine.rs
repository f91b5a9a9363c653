//! The service: what console, API and command line ask for.
//!
//! Here is what is asked and how it may be refused; each file below has one noun of the service.

mod absences;
mod alarms;
mod attempts;
mod calendars;
mod calls;
mod case_file;
mod cases;
mod children;
mod consents;
mod decide;
mod decisions;
mod deploy;
mod disclosures;
mod documents;
mod draft;
mod episodes;
mod events;
mod forgetting;
mod funds;
mod handover;
mod instances;
mod kinship;
mod legends;
mod lifecycle;
mod limits;
mod messages;
mod migrations;
mod notes;
mod numbers;
mod outcomes;
mod packs;
mod pending;
mod persons;
mod pictures;
mod plans;
mod quiet;
mod recovery;
mod requests;
mod resident;
mod retention;
mod retries;
mod runs;
mod schedules;
pub(crate) mod shared;
mod skips;
mod start;
mod subscriptions;
mod sweep;
mod timers;
mod unsent;
mod walls;
mod work_items;
mod work_lists;

use std::fmt;
use std::sync::Arc;

use casewright_casework::Refusal;
use casewright_casework::work_item::Assigned;
use casewright_store::Store;
use jiff::Timestamp;
use serde_json::Value;

pub use absences::NewAbsence;
pub use case_file::CaseFile;
pub use documents::{Arriving, NewDocument, OpenDocument};
pub use funds::{Correction, Unbalanced, unbalanced};
pub use legends::Legend;
pub use limits::Limits;
pub use outcomes::OutcomesView;
pub use packs::NotDeployed;
pub use plans::{PlanVersion, PlanView};
pub use retention::{
    AskedView, ClassView, DeclinedView, DoneView, DueView, ErasedView, HoldView, Keeper,
    ObstacleView, RetentionView, Skeleton, TransferView, skeletons,
};

use crate::port::{Clock, Entropy, Evaluate, Invoke};
use shared::Shared;

/// What the engine is made of.
pub struct Parts {
    /// Where everything durable lies.
    pub store: Arc<dyn Store>,
    /// Plugins.
    pub invoke: Arc<dyn Invoke>,
    /// Expressions beyond the simple subset.
    pub evaluate: Arc<dyn Evaluate>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// A running engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

/// Why the engine did not do what was asked. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A rule said no.
    Rule(Refusal),
    /// The request itself is wrong: unknown workflow, input against its schema. Code and sentence.
    Invalid {
        /// Stable; API.
        code: &'static str,
        /// What HTTP gives for it.
        status: u16,
        /// A sentence for whoever asked.
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
    /// As the client chose it.
    pub key: String,
    /// SHA-256.
    pub body_hash: [u8; 32],
}

/// A request to start an instance.
#[derive(Debug, Clone)]
pub struct Start {
    /// `name` or `namespace/name`.
    pub workflow: String,
    /// Only this version will do.
    pub version: Option<String>,
    /// Without one a new case is opened.
    pub case: Option<String>,
    /// The calendar that a new case counts its days by; without one its workflows say so.
    pub calendar: Option<String>,
    /// The workflow's input.
    pub input: Value,
}

/// A request to go on from a call that failed.
#[derive(Debug, Clone)]
pub struct Retry {
    /// What was done about the cause, for others.
    pub reason: String,
    /// Whoever asks has made sure that what is in doubt did not happen.
    pub certain: bool,
}

/// A request to move a run to another version of its workflow.
#[derive(Debug, Clone)]
pub struct Migrate {
    /// Where to.
    pub to: MoveTo,
    /// Why, for others.
    pub reason: String,
}

/// A version of a run's workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveTo {
    /// The one in force; with a version only if it is this one.
    InForce(Option<String>),
    /// The one that it was moved away from last.
    Back,
}

/// A decision on a change of a calendar.
#[derive(Debug, Clone)]
pub struct OnChange {
    /// Open deadlines follow the calendar; otherwise they stay.
    pub apply: bool,
    /// The version that was looked at; another one is refused.
    pub version: Option<String>,
    /// Why, for others.
    pub reason: String,
}

/// A request to let a work item wait.
#[derive(Debug, Clone)]
pub struct Wait {
    /// When it comes back by itself.
    pub until: Option<Timestamp>,
    /// For others, in a few words.
    pub reason: String,
}

/// A request to hand a work item to a colleague for a while.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// Id or sign-in name.
    pub to: String,
    /// When it comes back by itself.
    pub until: Timestamp,
    /// For others, in a few words.
    pub reason: String,
}

/// A request to give a work item that nobody has to a colleague.
#[derive(Debug, Clone)]
pub struct Give {
    /// Id or sign-in name.
    pub to: String,
    /// For others, in a few words.
    pub reason: String,
}

/// A request to give a work item to others for good.
#[derive(Debug, Clone)]
pub struct Reassign {
    /// A person may stand by their sign-in name.
    pub to: Assigned,
    /// For others, in a few words.
    pub reason: String,
}

/// An answer that is not finished: nobody checks it.
#[derive(Debug, Clone)]
pub struct Unsent {
    /// As far as the form is filled.
    pub data: Value,
    /// The reason, as far as it is written.
    pub comment: Option<String>,
}

/// A request to complete a work item.
#[derive(Debug, Clone)]
pub struct Complete {
    /// One of the item's outcomes.
    pub outcome: String,
    /// What the form says.
    pub data: Value,
    /// The reason, for people.
    pub comment: Option<String>,
    /// What the decider has seen; another one is refused.
    pub revision: Option<u64>,
    /// Digest of what the decider was shown ([`crate::view::WorkItemView::shown`]); another one is
    /// refused.
    pub shown: Option<String>,
}

impl Refused {
    /// For the log: the code, or what is damaged. A rule's sentence may repeat what somebody wrote
    /// and is for whoever asked alone.
    pub fn in_log(&self) -> &str {
        match self {
            Self::Rule(refusal) => refusal.code.as_str(),
            Self::Invalid { code, .. } => code,
            Self::KeyReused => "key-reused",
            Self::Busy => "busy",
            Self::DiskFull => "disk-full",
            Self::Stopping => "stopping",
            Self::Damaged(what) => what,
        }
    }
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

#[cfg(test)]
mod tests;
