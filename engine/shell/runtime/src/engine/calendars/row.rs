//! What is kept of a calendar besides the packs that hold its versions: which version counts for
//! what is open, and what is to become of a change. A format.

use std::collections::BTreeSet;

use casewright_language::pack::WhenChanged;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key;

/// For the sentence when it cannot be read.
pub(crate) const WHAT: &str = "a calendar's change";

/// How many decisions about its changes a calendar remembers.
const DECIDED_MAX: usize = 50;

/// (agency, calendar) -> this. There is none until the calendar changes for the first time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CalendarRow {
    /// Digests of the versions that were in force.
    pub(super) seen: BTreeSet<String>,
    /// The version that counts for runs under way in place of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) standing: Option<Standing>,
    /// A change that is not through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<Change>,
    /// What became of the changes before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) decided: Vec<Decided>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Of the pack that holds the version.
    pub(super) deployment: String,
    /// Digests of the versions that it stands in place of.
    replaces: BTreeSet<String>,
}

/// From one version to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(super) since: Timestamp,
    /// Digest of the new version.
    pub(super) to: String,
    /// Of the pack that holds it.
    pub(super) deployment: String,
    pub(super) state: State,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Somebody is to decide.
    Asked,
    /// Open deadlines are being moved, one batch after the other.
    Moving(By),
}

/// Who decided, and why; nobody where the pack says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct By {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Decided {
    pub(super) at: Timestamp,
    pub(super) to: String,
    pub(super) outcome: Outcome,
    #[serde(default)]
    pub(super) by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Open deadlines were moved.
    Moved,
    /// They stayed.
    Kept,
    /// Nobody decided before the calendar changed again.
    Lapsed,
}

/// A version that takes the place of another.
pub(super) struct Replaced<'a> {
    pub(super) at: Timestamp,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) deployment: &'a str,
}

pub(crate) fn key(agency: &str, calendar: &str) -> Vec<u8> {
    key::join(&[agency, calendar])
}

impl CalendarRow {
    /// What counts in place of a version, if anything does.
    pub(super) fn in_place_of(&self, digest: &str) -> Option<&Standing> {
        let standing = self.standing.as_ref()?;
        standing.replaces.contains(digest).then_some(standing)
    }

    /// A pack with another version is put in force.
    pub(super) fn replaced(&mut self, by: &Replaced<'_>, when: WhenChanged) {
        self.seen.extend([by.from, by.to].map(str::to_owned));
        if let Some(open) = self.change.take() {
            self.decide(by.at, open.to, Outcome::Lapsed, By::default());
        }
        let change = |state| Change {
            since: by.at,
            to: by.to.to_owned(),
            deployment: by.deployment.to_owned(),
            state,
        };
        self.change = match when {
            WhenChanged::Keep => None,
            WhenChanged::Ask => Some(change(State::Asked)),
            WhenChanged::Recompute => {
                let change = change(State::Moving(By::default()));
                self.stand(&change);
                Some(change)
            }
        };
    }

    /// Somebody has decided that what is open follows.
    pub(super) fn apply(&mut self, by: By) {
        if let Some(mut change) = self.change.take() {
            change.state = State::Moving(by);
            self.stand(&change);
            self.change = Some(change);
        }
    }

    /// Somebody has decided that what is open stays.
    pub(super) fn keep(&mut self, at: Timestamp, by: By) {
        if let Some(change) = self.change.take() {
            self.decide(at, change.to, Outcome::Kept, by);
        }
    }

    /// Everything that is open has moved.
    pub(super) fn moved(&mut self, at: Timestamp) {
        match self.change.take() {
            Some(Change {
                to,
                state: State::Moving(by),
                ..
            }) => self.decide(at, to, Outcome::Moved, by),
            other => self.change = other,
        }
    }

    fn stand(&mut self, change: &Change) {
        let mut replaces = self.seen.clone();
        replaces.remove(&change.to);
        self.standing = Some(Standing {
            deployment: change.deployment.clone(),
            replaces,
        });
    }

    fn decide(&mut self, at: Timestamp, to: String, outcome: Outcome, by: By) {
        self.decided.push(Decided {
            at,
            to,
            outcome,
            by,
        });
        let over = self.decided.len().saturating_sub(DECIDED_MAX);
        self.decided.drain(..over);
    }
}
