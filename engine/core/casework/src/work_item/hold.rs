//! Work that waits for something outside: a reason is given, others see it, and it comes back by
//! itself. Whether its clock stops meanwhile is the document's to say; a duty that runs on the
//! clock on the wall cannot wait at all.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Actor, State, WorkItem};
use crate::calendar::{Calendar, Pace};
use crate::{Code, Refusal};

/// How many times one item may wait.
pub const HOLDS_MAX: usize = 100;

/// The longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 2_000;

/// What happens to the deadline of an item that is on hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// It comes nearer all the same.
    #[default]
    Runs,
    /// Time on hold does not count.
    StopsOnHold,
    /// A duty that cannot wait: there is no hold.
    Wall,
}

/// One time that it waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub at: Timestamp,
    /// When it comes back by itself.
    pub until: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub reason: String,
    pub person: String,
    pub display_name: String,
}

impl WorkItem {
    /// Whoever has it may let it wait, as long as all its holds together may be; where that is
    /// said, it comes back by itself when no more is left.
    pub fn hold<'a>(
        &self,
        actor: impl Into<Actor<'a>>,
        at: Timestamp,
        until: Option<Timestamp>,
        reason: &str,
        calendar: &Calendar,
    ) -> Result<Self, Refusal> {
        let actor = actor.into();
        self.admits(actor)?;
        self.held_now(actor)?;
        match self.clock {
            Clock::Wall => {
                let sentence = "this is a duty with a fixed time; it cannot wait";
                return Err(Refusal::new(Code::NotHoldable, sentence));
            }
            Clock::Runs | Clock::StopsOnHold => {}
        }
        if self.state == State::Held {
            return Err(on_hold());
        }
        let reason = reason.trim();
        if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
            return Err(invalid("say in a few words why this waits"));
        }
        if until.is_some_and(|until| until <= at) {
            return Err(invalid("the day it comes back must be in the future"));
        }
        if self.holds.len() == HOLDS_MAX {
            return Err(invalid("this task has waited too many times already"));
        }
        let latest = self.holds_end(at, calendar)?;
        if latest.is_some_and(|latest| latest <= at) {
            let sentence = "this task has waited as long as it may in all; it cannot wait again";
            return Err(Refusal::new(Code::NotHoldable, sentence));
        }
        let until = until.into_iter().chain(latest).min();
        let who = actor.who;
        let mut next = self.clone();
        next.state = State::Held;
        next.holds.push(Hold {
            at,
            until,
            ended_at: None,
            reason: reason.to_owned(),
            person: who.id.clone(),
            display_name: who.display_name.clone(),
        });
        Ok(next)
    }

    /// Whoever has it goes on before its day.
    pub fn resume<'a>(
        &self,
        actor: impl Into<Actor<'a>>,
        at: Timestamp,
        calendar: &Calendar,
    ) -> Result<Self, Refusal> {
        let actor = actor.into();
        self.admits(actor)?;
        self.held_now(actor)?;
        if self.state != State::Held {
            let sentence = "this task is not on hold";
            return Err(Refusal::new(Code::NotOnHold, sentence));
        }
        Ok(self.back(at, calendar))
    }

    /// The hold that is on, if one is.
    pub fn on_hold(&self) -> Option<&Hold> {
        self.holds.last().filter(|_| self.state == State::Held)
    }

    /// When a hold that begins at `at` has used up what all holds may be together. It counts from
    /// the first one, moved on by the time in between: a deadline for which work is the pause.
    fn holds_end(&self, at: Timestamp, calendar: &Calendar) -> Result<Option<Timestamp>, Refusal> {
        let Some(total) = self.terms.holds_total else {
            return Ok(None);
        };
        let first = self.holds.first().map_or(at, |hold| hold.at);
        let mut end = calendar.due(first, total)?;
        let begun = self.holds.iter().skip(1).map(|hold| hold.at).chain([at]);
        for (hold, next) in self.holds.iter().zip(begun) {
            let between = (hold.ended_at.unwrap_or(next), next);
            end = later(calendar, end, between, total.into());
        }
        Ok(Some(end))
    }

    /// Its holds once the one that is on, if one is, has ended.
    pub(super) fn holds_ended(&self, at: Timestamp) -> Vec<Hold> {
        let mut holds = self.holds.clone();
        if let (State::Held, Some(hold)) = (self.state, holds.last_mut()) {
            hold.ended_at = Some(at);
        }
        holds
    }

    /// Since when its clock stands still, if it does.
    pub(super) fn stopped_at(&self) -> Option<Timestamp> {
        let hold = self.on_hold()?;
        (self.clock == Clock::StopsOnHold).then_some(hold.at)
    }

    /// Back to whoever has it; a clock that stood still goes on where it was.
    pub(super) fn back(&self, at: Timestamp, calendar: &Calendar) -> Self {
        let mut next = self.clone();
        if let Some(from) = self.stopped_at() {
            let pace = self.pace;
            let later = |moment| later(calendar, moment, (from, at), pace);
            next.due = next.due.map(later);
            for alarm in &mut next.alarms {
                alarm.at = later(alarm.at);
            }
        }
        next.holds = self.holds_ended(at);
        next.state = State::Claimed;
        next
    }
}

/// What lies beyond the calendar stays where it is: rather too early than never.
pub(super) fn later(
    calendar: &Calendar,
    moment: Timestamp,
    pause: (Timestamp, Timestamp),
    pace: Pace,
) -> Timestamp {
    calendar.later(moment, pause, pace).unwrap_or(moment)
}

pub(super) fn on_hold() -> Refusal {
    let sentence = "this task is on hold; take it off hold first";
    Refusal::new(Code::OnHold, sentence)
}

fn invalid(sentence: &str) -> Refusal {
    Refusal::new(Code::HoldInvalid, sentence)
}

#[cfg(test)]
mod tests;
