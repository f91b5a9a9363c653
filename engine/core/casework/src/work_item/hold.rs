//! Work that waits for something outside: a reason is given, others see it, and it comes back by
//! itself. Whether its clock stops meanwhile is the document's to say; a duty that runs on the
//! clock on the wall cannot wait at all.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{State, WorkItem};
use crate::calendar::{Calendar, Pace};
use crate::{Code, Principal, Refusal};

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
    /// Whoever has it may let it wait.
    pub fn hold(
        &self,
        who: &Principal,
        at: Timestamp,
        until: Option<Timestamp>,
        reason: &str,
    ) -> Result<Self, Refusal> {
        self.admits(who)?;
        self.held_now(who)?;
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
    pub fn resume(
        &self,
        who: &Principal,
        at: Timestamp,
        calendar: &Calendar,
    ) -> Result<Self, Refusal> {
        self.admits(who)?;
        self.held_now(who)?;
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
