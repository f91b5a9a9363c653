//! Work that is not needed after all: where the document says so, whoever holds a role ends it
//! early with a reason. An approval and a duty that is somebody's own are never skipped.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Decision, REASON_BYTES_MAX, State, WorkItem};
use crate::{Code, Principal, Refusal};

/// Who may skip it, and what comes out then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skippable {
    /// A role.
    pub by: String,
    /// One of its outcomes.
    pub outcome: String,
}

impl WorkItem {
    /// Ends it without an answer.
    pub fn skip(&self, who: &Principal, reason: &str, at: Timestamp) -> Result<Self, Refusal> {
        if !self.visible(who) {
            return Err(Refusal::new(Code::NotFound, "there is no such task"));
        }
        if let Some(reason) = self.excluded.get(&who.id) {
            return Err(Refusal::new(Code::SelfApproval, reason.clone()));
        }
        let Some(skippable) = self.may_be_skipped() else {
            let sentence = "this task cannot be skipped; somebody has to do it";
            return Err(Refusal::new(Code::NotSkippable, sentence));
        };
        if !who.holds(&skippable.by) {
            let sentence = "only another role may skip this task";
            return Err(Refusal::new(Code::NotAssigned, sentence));
        }
        match self.state {
            State::Offered | State::Claimed | State::Held => {}
            State::Completed | State::Withdrawn => return Err(self.over()),
        }
        let reason = reason.trim();
        if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
            let sentence = "say in a few words why this is skipped";
            return Err(Refusal::new(Code::ReasonNeeded, sentence));
        }
        let mut next = self.clone();
        next.decisions.push(Decision {
            person: who.id.clone(),
            display_name: who.display_name.clone(),
            role: skippable.by.clone(),
            at,
            outcome: skippable.outcome.clone(),
            data: Value::Null,
            comment: Some(reason.to_owned()),
            shown: String::new(),
            acting_for: None,
            skipped: true,
        });
        next.state = State::Completed;
        next.claimed_by = None;
        next.alarms.clear();
        next.holds = self.holds_ended(at);
        next.revision += 1;
        Ok(next)
    }

    /// Who may skip it, where anybody may.
    pub fn may_be_skipped(&self) -> Option<&Skippable> {
        let skippable = self.terms.skippable.as_ref();
        skippable.filter(|_| !self.approval && !self.stays())
    }
}

#[cfg(test)]
mod tests;
