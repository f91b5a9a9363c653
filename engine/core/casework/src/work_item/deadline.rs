//! What the moments of an item were computed from, so that they can be explained, and computed
//! again by another version of the same calendar.
//!
//! Computing again never decides anything, and moves no duty on the wall clock. Whether a change of
//! a calendar moves what is open is the pack's to say, and the engine's to carry out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Alarm, Clock, State, WorkItem, hold};
use crate::calendar::{Calendar, Term};

/// The rule behind `due` and the alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// How long it may take; `None` where only alarms have a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
    /// From when the term runs, where that is not when the item was offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Name of the calendar.
    pub calendar: String,
    /// Which version of it: [`Calendar::digest`].
    pub digest: String,
    /// The last time that the calendar changed and the moments with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Shift>,
}

/// How a change of the calendar moved a deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    pub at: Timestamp,
    /// When it was due before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The moment by the new calendar had passed, so it became due at once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub at_once: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde calls")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The rule behind an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// So long before it is due.
    Before(Term),
    /// So long after it was due.
    After(Term),
    /// When it is due.
    Due,
    /// So long after it was offered.
    Offered(Term),
}

impl When {
    /// The moment by a calendar. What lies beyond the calendar never comes.
    pub fn moment(
        self,
        calendar: &Calendar,
        offered: Timestamp,
        due: Option<Timestamp>,
    ) -> Option<Timestamp> {
        match self {
            Self::Before(term) => calendar.ahead(due?, term).ok(),
            Self::After(term) => calendar.due(due?, term).ok(),
            Self::Due => due,
            Self::Offered(term) => calendar.due(offered, term).ok(),
        }
    }
}

impl WorkItem {
    /// The same item with its open moments by another version of its calendar; `None` where there
    /// is nothing to compute: another calendar's, the same version, closed, a duty on the wall
    /// clock, an item of an earlier engine.
    ///
    /// Times on hold that did not count are taken out of the new moments as they were of the old
    /// ones. What would lie in the past comes at once instead.
    pub fn recomputed(&self, calendar: &Calendar, now: Timestamp) -> Option<Self> {
        let deadline = self.deadline.as_ref()?;
        let another = deadline.calendar == calendar.name && deadline.digest != calendar.digest();
        let open = matches!(self.state, State::Offered | State::Claimed | State::Held);
        if !another || !open || self.clock == Clock::Wall {
            return None;
        }
        let term = deadline.term;
        let first = term.and_then(|term| calendar.due(self.counted_from(), term).ok());
        // Its own clock may stand still; then that is the moment that nothing lies before.
        let floor = Floor(self.stopped_at().unwrap_or(now));
        let mut next = self.clone();
        let mut at_once = false;
        if let (Some(before), Some(first)) = (self.due, first) {
            let moment = self.paused(first, calendar);
            let due = floor.of(moment, before);
            at_once = moment < before && due != moment && due != before;
            next.due = Some(due);
        }
        let due = next.due;
        for alarm in &mut next.alarms {
            let moment = alarm.by.and_then(|by| match by {
                // It became due at once, so what comes after that counts from there.
                When::After(_) if at_once => by.moment(calendar, self.offered_at, due),
                When::Before(_) | When::After(_) | When::Due | When::Offered(_) => {
                    let moment = by.moment(calendar, self.offered_at, first.or(due))?;
                    Some(self.paused(moment, calendar))
                }
            });
            if let Some(moment) = moment {
                alarm.at = floor.of(moment, alarm.at);
            }
        }
        next.alarms.sort_by_key(|alarm| alarm.at);
        let moved = next.due != self.due || moments(&next.alarms) != moments(&self.alarms);
        let shift = moved.then_some(Shift {
            at: now,
            from: self.due,
            at_once,
        });
        next.deadline = Some(Deadline {
            digest: calendar.digest().to_owned(),
            moved: shift.or_else(|| deadline.moved.clone()),
            ..deadline.clone()
        });
        Some(next)
    }

    /// From when the term runs.
    pub fn counted_from(&self) -> Timestamp {
        let since = self.deadline.as_ref().and_then(|deadline| deadline.since);
        since.unwrap_or(self.offered_at)
    }

    /// A moment later by every time on hold that is over and did not count.
    fn paused(&self, moment: Timestamp, calendar: &Calendar) -> Timestamp {
        if self.clock != Clock::StopsOnHold {
            return moment;
        }
        let over = self
            .holds
            .iter()
            .filter_map(|hold| Some((hold.at, hold.ended_at?)));
        over.fold(moment, |moment, pause| {
            hold::later(calendar, moment, pause, self.pace)
        })
    }
}

/// The moment that nothing new may lie before.
struct Floor(Timestamp);

impl Floor {
    /// A new moment in place of an old one. What had passed already stays when it was.
    fn of(&self, moment: Timestamp, before: Timestamp) -> Timestamp {
        if moment > self.0 {
            moment
        } else {
            before.min(self.0)
        }
    }
}

fn moments(alarms: &[Alarm]) -> Vec<Timestamp> {
    alarms.iter().map(|alarm| alarm.at).collect()
}

#[cfg(test)]
mod tests;
