//! Work that somebody arranges for others: given to a named colleague, or to other people for
//! good, with a reason. Nobody gets so what they could not have taken.
//!
//! Whether a role arranges is the pack's to say. What is handed over for a while is in
//! `handover.rs`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::handover::{invalid, not_for_them};
use super::{Assigned, Claim, REASON_BYTES_MAX, State, WorkItem};
use crate::absence::not_arranging;
use crate::{Calendar, Code, Principal, Refusal};

/// How many times one item may go from hand to hand.
pub const MOVES_MAX: usize = 100;

/// One time that it went to somebody by somebody's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub at: Timestamp,
    pub what: What,
    /// Who said so.
    pub person: String,
    pub display_name: String,
    pub to: Assigned,
    /// Until when, where it comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub reason: String,
}

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    HandedOver,
    Given,
    Reassigned,
}

/// Somebody who arranges, and why.
#[derive(Debug, Clone, Copy)]
pub struct Arranger<'a> {
    pub who: &'a Principal,
    /// Whether one of their roles arranges the work of others.
    pub arranges: bool,
    pub at: Timestamp,
    pub reason: &'a str,
}

impl WorkItem {
    /// Gives what nobody has to a colleague who might have taken it themselves.
    pub fn give(&self, by: &Arranger<'_>, to: &Principal) -> Result<Self, Refusal> {
        let reason = self.arranged(by)?;
        if self.claimed_by.is_some() {
            return Err(self.taken());
        }
        self.eligible(to)?;
        self.moved(by, What::Given, Assigned::Person(to.id.clone()), reason)
            .map(|next| next.claimed(to, by.at))
    }

    /// Takes it from whoever has it and gives it to others. An approval stays with those who may
    /// decide it: it goes to one of them. `person` is who `to` names, if it names one.
    pub fn reassign(
        &self,
        by: &Arranger<'_>,
        to: &Assigned,
        person: Option<&Principal>,
        calendar: &Calendar,
    ) -> Result<Self, Refusal> {
        let reason = self.arranged(by)?;
        match (to, person) {
            (Assigned::Person(id), Some(person)) if *id == person.id => {
                if person.agency != self.agency {
                    return Err(invalid("choose a colleague of your agency"));
                }
                if self.approval {
                    self.eligible(person)?;
                } else if self.excluded.contains_key(id) {
                    return Err(not_for_them());
                }
            }
            (Assigned::Person(_), _) => return Err(invalid("choose a colleague of your agency")),
            (Assigned::Role(_) | Assigned::Team(_), _) if self.approval => {
                let sentence = "an approval goes to a person who may decide it, not to other roles";
                return Err(Refusal::new(Code::NotDelegable, sentence));
            }
            (Assigned::Role(_) | Assigned::Team(_), _) => {}
        }
        let free = match self.state {
            State::Held => self.back(by.at, calendar),
            State::Offered | State::Claimed | State::Completed | State::Withdrawn => self.clone(),
        };
        let mut next = free.moved(by, What::Reassigned, to.clone(), reason)?;
        next.claimed_by = None;
        next.state = State::Offered;
        if let (true, Some(person)) = (self.approval, person) {
            return Ok(next.claimed(person, by.at));
        }
        next.assigned = to.clone();
        Ok(next)
    }

    /// The checks that all of them share; the reason as it is kept.
    fn arranged(&self, by: &Arranger<'_>) -> Result<String, Refusal> {
        if !self.visible(by.who) {
            return Err(Refusal::new(Code::NotFound, "there is no such task"));
        }
        // Whoever asked for it does not choose who decides it.
        if let Some(reason) = self.excluded.get(&by.who.id).filter(|_| self.approval) {
            return Err(Refusal::new(Code::SelfApproval, reason.clone()));
        }
        if !by.arranges {
            return Err(not_arranging());
        }
        match self.state {
            State::Offered | State::Claimed | State::Held => {}
            State::Completed | State::Withdrawn => return Err(self.over()),
        }
        self.passes_on()?;
        reason_of(by.reason)
    }

    fn eligible(&self, to: &Principal) -> Result<(), Refusal> {
        if self.admits(to).is_err() || self.has_decided(to.into()) {
            return Err(not_for_them());
        }
        Ok(())
    }

    fn claimed(self, to: &Principal, at: Timestamp) -> Self {
        let claim = Claim {
            person: to.id.clone(),
            display_name: to.display_name.clone(),
            at,
            acting: None,
        };
        Self {
            state: State::Claimed,
            claimed_by: Some(claim),
            ..self
        }
    }

    fn moved(
        &self,
        by: &Arranger<'_>,
        what: What,
        to: Assigned,
        reason: String,
    ) -> Result<Self, Refusal> {
        let mut next = self.clone();
        next.note(Move {
            at: by.at,
            what,
            person: by.who.id.clone(),
            display_name: by.who.display_name.clone(),
            to,
            until: None,
            reason,
        })?;
        Ok(next)
    }

    pub(super) fn note(&mut self, moved: Move) -> Result<(), Refusal> {
        if self.moves.len() == MOVES_MAX {
            return Err(invalid("this task has gone from hand to hand too often"));
        }
        self.moves.push(moved);
        Ok(())
    }
}

/// A reason as it is kept: a few words, without the space around them.
pub(super) fn reason_of(reason: &str) -> Result<String, Refusal> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
        return Err(invalid("say in a few words why"));
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests;
