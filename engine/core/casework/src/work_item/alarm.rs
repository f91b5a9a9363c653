//! What time does to an item that nobody has decided: it reminds, and it asks more people. It
//! never decides: silence is no answer. Work of somebody who is away is pointed out to whoever
//! stands in, or to those it would be escalated to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Assigned, When, WorkItem};
use crate::Calendar;

/// Something that is to happen at a moment, unless the item is closed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    pub at: Timestamp,
    pub rings: Rings,
    /// What `at` was computed from; earlier engines did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<When>,
}

/// What happens then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rings {
    /// People are told that it waits.
    Remind,
    /// It is offered to these as well.
    Escalate(Assigned),
    /// A hold is over.
    Resume,
    /// Whoever acts for somebody has it no longer.
    Return,
    /// What was given to a person by name is late.
    Overdue,
    /// It was pointed out to these, to whom it is not offered.
    Tell(Assigned),
}

/// Who stands in for somebody who is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    pub substitute: String,
    /// Whether they could take the item up.
    pub able: bool,
}

/// An escalation that has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    pub at: Timestamp,
    pub to: Assigned,
}

impl WorkItem {
    /// When time has something to say next.
    pub fn next_alarm(&self) -> Option<Timestamp> {
        let back = self.on_hold().and_then(|hold| hold.until);
        let stopped = self.stopped_at().is_some();
        let alarms = self.alarms.iter().filter(|_| !stopped);
        let alarms = alarms.map(|alarm| alarm.at);
        alarms.chain(back).chain(self.acting_until()).min()
    }

    /// Everything that is due by `at`, in order; `None` when nothing is. Decisions stay as they
    /// are, and so does who has it, unless they act for somebody and their time is over. `away` is
    /// for whoever it waits for, when they are.
    pub fn ring(
        &self,
        at: Timestamp,
        calendar: &Calendar,
        away: Option<&Away>,
    ) -> Option<(Self, Vec<Rings>)> {
        let (mut next, mut rang) = (self.clone(), Vec::new());
        let back = self.on_hold().and_then(|hold| hold.until);
        if let Some(until) = back.filter(|until| *until <= at) {
            next = next.back(until, calendar);
            rang.push(Rings::Resume);
        }
        if let Some(returned) = next.returned(at, calendar) {
            next = returned;
            rang.push(Rings::Return);
        }
        if next.stopped_at().is_none() {
            let (mut due, later) = std::mem::take(&mut next.alarms)
                .into_iter()
                .partition::<Vec<_>, _>(|alarm| alarm.at <= at);
            due.sort_by_key(|alarm| alarm.at);
            next.alarms = later;
            for Alarm { rings, .. } in due {
                next.rung(rings, at, away, &mut rang);
            }
        }
        (!rang.is_empty()).then_some((next, rang))
    }

    fn rung(&mut self, rings: Rings, at: Timestamp, away: Option<&Away>, rang: &mut Vec<Rings>) {
        match rings {
            Rings::Remind => {
                self.reminded_at = Some(at);
                rang.push(Rings::Remind);
                if let Some(away) = away {
                    self.tell(Assigned::Person(away.substitute.clone()), at, rang);
                }
            }
            // A duty that is somebody's own is not offered to others: they are told that it waits.
            Rings::Escalate(to) if self.stays() => self.tell(to, at, rang),
            Rings::Escalate(to) => {
                let escalated = Escalation { at, to: to.clone() };
                self.escalations.push(escalated);
                rang.push(Rings::Escalate(to));
            }
            Rings::Overdue => {
                rang.push(Rings::Overdue);
                match away {
                    Some(away) if away.able => {
                        self.tell(Assigned::Person(away.substitute.clone()), at, rang);
                    }
                    Some(_) => self.hasten(at, rang),
                    None => {}
                }
            }
            // Their moments are those of the hold and of the handover, not alarms of their own;
            // to tell is what others lead to.
            Rings::Resume | Rings::Return | Rings::Tell(_) => {}
        }
    }

    /// Nobody can stand in: whoever it would be escalated to next is asked at once.
    fn hasten(&mut self, at: Timestamp, rang: &mut Vec<Rings>) {
        let escalates = |alarm: &Alarm| matches!(alarm.rings, Rings::Escalate(_));
        if let Some(index) = self.alarms.iter().position(escalates) {
            let Alarm { rings, .. } = self.alarms.remove(index);
            self.rung(rings, at, None, rang);
        }
    }

    fn tell(&mut self, to: Assigned, at: Timestamp, rang: &mut Vec<Rings>) {
        if self.told.iter().all(|told| told.to != to) {
            self.told.push(Escalation { at, to: to.clone() });
        }
        rang.push(Rings::Tell(to));
    }
}
