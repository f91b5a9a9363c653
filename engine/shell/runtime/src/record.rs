//! How the runtime writes what it stores: JSON with a version in front. No sealing: the store
//! does.
//!
//! A newer engine reads every older version; an older one refuses a newer with a clear sentence.

use std::collections::{BTreeMap, BTreeSet};

use casewright_casework::Fund;
use casewright_casework::access::Audience;
use casewright_language::Answers;
use casewright_machine::{Event, Instance, Worked};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::Refused;

const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a, T> {
    v: u32,
    d: &'a T,
}

#[derive(Deserialize)]
struct Read<T> {
    d: T,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let written = Written {
        v: VERSION,
        d: value,
    };
    serde_json::to_vec(&written).expect("records hold only text keys and finite numbers")
}

/// `what` names the kind of record for the sentence when it cannot be read.
pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Refused> {
    match serde_json::from_slice::<Read<T>>(bytes) {
        Ok(read) => Ok(read.d),
        Err(error) => Err(unreadable(what, bytes, &error)),
    }
}

fn unreadable(what: &str, bytes: &[u8], error: &serde_json::Error) -> Refused {
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { v }) if v > VERSION => Refused::Damaged(format!(
            "{what} has format {v}, this engine knows up to {VERSION}"
        )),
        // The category and place only: the error's own text may quote the value.
        _ => Refused::Damaged(format!(
            "{what} cannot be read: {:?} error at column {}",
            error.classify(),
            error.column()
        )),
    }
}

/// One line of an instance's history, as appended.
#[derive(Serialize)]
pub(crate) struct EventWritten<'a> {
    pub(crate) event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answers: Option<&'a Answers>,
}

/// One line of an instance's history, as read. A replay needs no evaluator.
#[derive(Deserialize)]
pub(crate) struct EventRead {
    pub(crate) event: Event,
    #[serde(default)]
    pub(crate) answers: Answers,
}

/// What is written when an instance leaves memory.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// Time of the latest event: the next is never before it.
    pub(crate) at: Timestamp,
    pub(crate) instance: Instance,
}

/// What lists and loading need to know of an instance. Written when it starts and when it ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InstanceRow {
    pub(crate) agency: String,
    pub(crate) case: String,
    pub(crate) workflow: String,
    pub(crate) version: String,
    /// Digest of the deployment that it is pinned to.
    pub(crate) deployment: String,
    pub(crate) started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<Timestamp>,
    /// The instance that runs it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<ParentRow>,
    /// The versions that it ran before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) earlier: Vec<EarlierRow>,
    /// Who sees it.
    #[serde(default, skip_serializing_if = "Audience::is_everybody")]
    pub(crate) seen_by: Audience,
    /// What it begins with, until it has: its row is written before its first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opening: Option<OpeningRow>,
}

/// A version that an instance was moved away from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EarlierRow {
    /// Digest of the deployment.
    pub(crate) deployment: String,
    /// Of the workflow.
    pub(crate) version: String,
    /// How many events of the instance are its own: the next one moved it.
    pub(crate) events: u64,
}

impl InstanceRow {
    /// Digest of the deployment by which the event of this number, from 1, was decided.
    pub(crate) fn deployment_at(&self, sequence: u64) -> &str {
        let earlier = self.earlier.iter().find(|one| sequence <= one.events);
        earlier.map_or(&self.deployment, |one| &one.deployment)
    }
}

/// The task of another instance that runs this one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ParentRow {
    pub(crate) instance: String,
    /// The key of the intent that started it.
    pub(crate) key: String,
    /// Whether the task waits for the end.
    pub(crate) awaited: bool,
}

/// The start of an instance that has not begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpeningRow {
    pub(crate) input: Value,
    pub(crate) started_by: String,
    #[serde(default)]
    pub(crate) depth: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) worked: Vec<Worked>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FundRow {
    pub(crate) fund: Fund,
    /// Entries written to its ledger so far.
    pub(crate) entries: u64,
    /// Where the timer of the next reservation that expires lies; earlier engines had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timer: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct RequestRow {
    pub(crate) body_hash: String,
    pub(crate) answer: Value,
    /// When it was answered; earlier engines did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DeploymentRow {
    pub(crate) agency: String,
    /// Path of the only document, when it is no whole pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alone: Option<String>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) plugins: BTreeMap<String, String>,
    pub(crate) functions_known: bool,
    pub(crate) signatures: BTreeMap<String, SignatureRow>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SignatureRow {
    pub(crate) title: String,
    pub(crate) input: Value,
    pub(crate) output: Value,
    pub(crate) errors: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pays: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) discloses: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DraftRow {
    pub(crate) at: Timestamp,
    /// Of the work item, when it was saved.
    pub(crate) revision: u64,
    pub(crate) data: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CounterRow {
    /// The first number that no block has taken.
    pub(crate) next: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UserRow {
    pub(crate) agency: String,
    pub(crate) id: String,
    pub(crate) sign_in: String,
    pub(crate) display_name: String,
    pub(crate) roles: BTreeSet<String>,
    /// PHC text of argon2id.
    pub(crate) passphrase: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SessionRow {
    pub(crate) user: String,
    /// Version of the user's row at sign-in: whoever changes the user ends the session.
    pub(crate) user_version: u64,
    pub(crate) opened: Timestamp,
    /// To within some minutes.
    pub(crate) seen: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TokenRow {
    pub(crate) user: String,
    pub(crate) label: String,
}

/// A row that only points to another.
#[derive(Serialize, Deserialize)]
pub(crate) struct PointerRow {
    pub(crate) to: String,
    /// The agency under whose key it is kept.
    pub(crate) agency: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back() {
        let row = CounterRow { next: 33 };
        let bytes = encode(&row);
        assert_eq!(bytes, br#"{"v":1,"d":{"next":33}}"#);
        assert_eq!(decode::<CounterRow>("counter", &bytes).unwrap().next, 33);
    }

    #[test]
    fn a_newer_format_is_refused_by_name_and_number() {
        let refused = decode::<CounterRow>("counter", br#"{"v":2,"d":{"following":33}}"#);
        assert_eq!(
            refused.err(),
            Some(Refused::Damaged(
                "counter has format 2, this engine knows up to 1".into()
            ))
        );
    }

    #[test]
    fn a_broken_record_is_refused_without_its_content() {
        let Some(Refused::Damaged(sentence)) =
            decode::<CounterRow>("counter", br#"{"v":1,"d":{"next":"Nguyen"}}"#).err()
        else {
            panic!("must be refused");
        };
        assert!(!sentence.contains("Nguyen"), "{sentence}");
    }
}
