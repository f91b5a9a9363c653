//! Acting for somebody: a piece of work handed to a colleague for a while, or taken up by whoever
//! stands in for somebody who is away. What is done so counts as done by both, for good: what
//! either may not do is not done, and neither counts twice.
//!
//! Who is away and who stands in is `absence`'s to say. Work that goes to others for good is in
//! `arrange.rs`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::arrange::{Move, What, reason_of};
use super::{Assigned, Claim, State, WorkItem, decided_before};
use crate::absence::{Absence, DAYS_MAX};
use crate::{Calendar, Code, Principal, Refusal};

/// For whom whoever has an item acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acting {
    pub person: String,
    pub display_name: String,
    /// Since when it was theirs; nothing when they had not taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    pub until: Timestamp,
    /// The absence in which somebody stands in; nothing when it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absence: Option<String>,
}

/// Somebody by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub person: String,
    pub display_name: String,
}

/// Whoever works on an item, and for whom. One who acts for somebody comes from
/// [`WorkItem::actor`] alone, which looks whether they still do.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    pub(super) who: &'a Principal,
    pub(super) stead: Option<&'a Principal>,
}

impl<'a> From<&'a Principal> for Actor<'a> {
    fn from(who: &'a Principal) -> Self {
        Self { who, stead: None }
    }
}

impl<'a> Actor<'a> {
    /// Everybody it counts for.
    pub(super) fn people(self) -> impl Iterator<Item = &'a Principal> {
        std::iter::once(self.who).chain(self.stead)
    }

    pub(super) fn stead_named(self) -> Option<Named> {
        self.stead.map(|person| Named {
            person: person.id.clone(),
            display_name: person.display_name.clone(),
        })
    }
}

impl WorkItem {
    /// For whom this person has it, if they act for somebody.
    pub fn acting(&self, who: &Principal) -> Option<&Acting> {
        let claim = self.claimed_by.as_ref()?;
        claim.acting.as_ref().filter(|_| claim.person == who.id)
    }

    /// Whoever works on it. Acting for somebody needs that person, and their absence where it rests
    /// on one: both as they are at this moment.
    pub fn actor<'a>(
        &self,
        who: &'a Principal,
        stead: Option<&'a Principal>,
        absence: Option<&Absence>,
        at: Timestamp,
    ) -> Result<Actor<'a>, Refusal> {
        let Some(acting) = self.acting(who) else {
            return Ok(who.into());
        };
        let stands = acting.absence.as_ref().is_none_or(|id| {
            absence.is_some_and(|absence| {
                absence.id == *id && absence.stands_in(&who.id, &acting.person, at)
            })
        });
        match stead.filter(|person| person.id == acting.person) {
            Some(person) if stands && at < acting.until => Ok(Actor {
                who,
                stead: Some(person),
            }),
            Some(_) | None => Err(acting_over()),
        }
    }

    /// Whoever has it hands it to a colleague until a moment; then it comes back by itself.
    pub fn hand_over<'a>(
        &self,
        actor: impl Into<Actor<'a>>,
        to: &Principal,
        until: Timestamp,
        reason: &str,
        at: Timestamp,
    ) -> Result<Self, Refusal> {
        let actor = actor.into();
        self.admits(actor)?;
        self.held_now(actor)?;
        if actor.stead.is_some() {
            let sentence = "you act for somebody; you cannot hand it on";
            return Err(Refusal::new(Code::NotDelegable, sentence));
        }
        self.passes_on()?;
        if to.id == actor.who.id {
            return Err(invalid("nobody acts for themselves"));
        }
        let reason = reason_of(reason)?;
        let longest = jiff::SignedDuration::from_hours(24 * i64::from(DAYS_MAX));
        if until <= at || at.checked_add(longest).is_ok_and(|latest| latest < until) {
            let sentence = format!("choose a moment in the next {DAYS_MAX} days");
            return Err(invalid(&sentence));
        }
        let colleague = Actor {
            who: to,
            stead: Some(actor.who),
        };
        if self.admits(colleague).is_err() || self.has_decided(colleague) {
            return Err(not_for_them());
        }
        let claimed_at = self.claimed_by.as_ref().map(|claim| claim.at);
        let mut next = self.clone();
        next.claimed_by = Some(Claim {
            person: to.id.clone(),
            display_name: to.display_name.clone(),
            at,
            acting: Some(Acting {
                person: actor.who.id.clone(),
                display_name: actor.who.display_name.clone(),
                claimed_at,
                until,
                absence: None,
            }),
        });
        next.note(Move {
            at,
            what: What::HandedOver,
            person: actor.who.id.clone(),
            display_name: actor.who.display_name.clone(),
            to: Assigned::Person(to.id.clone()),
            until: Some(until),
            reason,
        })?;
        Ok(next)
    }

    /// Whoever stands in takes up what was given to somebody who is away by name, or what they
    /// have. Repeating it changes nothing.
    pub fn claim_for(
        &self,
        who: &Principal,
        absent: &Principal,
        absence: &Absence,
        at: Timestamp,
    ) -> Result<Self, Refusal> {
        if !absence.stands_in(&who.id, &absent.id, at) {
            return Err(acting_over());
        }
        let actor = Actor {
            who,
            stead: Some(absent),
        };
        self.admits(actor)?;
        match self.state {
            State::Offered | State::Claimed | State::Held => {}
            State::Completed | State::Withdrawn => return Err(self.over()),
        }
        if self
            .acting(who)
            .is_some_and(|acting| acting.person == absent.id)
        {
            return Ok(self.clone());
        }
        let claimed_at = match &self.claimed_by {
            Some(claim) if claim.person == absent.id && claim.acting.is_none() => Some(claim.at),
            Some(_) => return Err(self.taken()),
            None if self.offered_by_name(absent) => None,
            None => return Err(super::not_assigned()),
        };
        if self.has_decided(actor) {
            return Err(decided_before());
        }
        let mut next = self.clone();
        if next.state == State::Offered {
            next.state = State::Claimed;
        }
        next.claimed_by = Some(Claim {
            person: who.id.clone(),
            display_name: who.display_name.clone(),
            at,
            acting: Some(Acting {
                person: absent.id.clone(),
                display_name: absent.display_name.clone(),
                claimed_at,
                until: absence.ends_at,
                absence: Some(absence.id.clone()),
            }),
        });
        Ok(next)
    }

    /// Whose it is, for whom it would be taken up by somebody standing in: whoever has it
    /// themselves, or who it was given to by name.
    pub fn waits_for(&self) -> Option<&str> {
        match &self.claimed_by {
            Some(claim) => claim.acting.is_none().then_some(claim.person.as_str()),
            None => self.offered_to().find_map(|assigned| match assigned {
                Assigned::Person(person) => Some(person.as_str()),
                Assigned::Role(_) | Assigned::Team(_) => None,
            }),
        }
    }

    /// A duty with a fixed time, or one that the document calls somebody's own, stays with those
    /// it was given to.
    pub fn stays(&self) -> bool {
        self.terms.non_delegable || self.clock == super::Clock::Wall
    }

    pub(super) fn passes_on(&self) -> Result<(), Refusal> {
        if self.stays() {
            let sentence = "this is a duty of those it was given to; it is not handed over";
            return Err(Refusal::new(Code::NotDelegable, sentence));
        }
        Ok(())
    }

    /// To approve for somebody one needs their standing: the role or team it is offered to, or
    /// every role of a person it was given to by name.
    pub(super) fn stands_level(&self, who: &Principal, stead: &Principal) -> bool {
        if self.assignment_of(who).is_some() {
            return true;
        }
        let own = |role: &&String| !role.contains(':');
        self.offered_by_name(stead) && stead.roles.iter().filter(own).all(|role| who.holds(role))
    }

    /// Back to those it was handed over by, or offered again.
    pub(super) fn given_back(&self) -> Self {
        let mut next = self.clone();
        let acting = next.claimed_by.take().and_then(|claim| claim.acting);
        next.claimed_by = acting.and_then(|acting| {
            acting.claimed_at.map(|at| Claim {
                person: acting.person,
                display_name: acting.display_name,
                at,
                acting: None,
            })
        });
        if next.claimed_by.is_none() {
            next.state = State::Offered;
        }
        next
    }

    /// When whoever acts for somebody has it no longer.
    pub(super) fn acting_until(&self) -> Option<Timestamp> {
        let acting = self.claimed_by.as_ref()?.acting.as_ref()?;
        Some(acting.until)
    }

    /// The time in which somebody acts for another is over by `at`.
    pub(super) fn returned(&self, at: Timestamp, calendar: &Calendar) -> Option<Self> {
        let until = self.acting_until().filter(|until| *until <= at)?;
        let back = self.given_back();
        if back.claimed_by.is_none() && self.state == State::Held {
            return Some(self.back(until, calendar).given_back());
        }
        Some(back)
    }

    fn offered_by_name(&self, who: &Principal) -> bool {
        let by_name = Assigned::Person(who.id.clone());
        self.offered_to().any(|assigned| *assigned == by_name)
    }
}

pub(super) fn acting_over() -> Refusal {
    let sentence = "the time in which you act for somebody is over; give the task back";
    Refusal::new(Code::ActingOver, sentence)
}

pub(super) fn not_for_them() -> Refusal {
    let sentence = "this cannot go to them: they asked for it or worked on it, decided it before, \
                    or lack what it needs";
    Refusal::new(Code::NotDelegable, sentence)
}

pub(super) fn invalid(sentence: &str) -> Refusal {
    Refusal::new(Code::HandoverInvalid, sentence)
}

#[cfg(test)]
mod tests;
