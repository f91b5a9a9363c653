//! What time does to an item that nobody has decided: it reminds, and it asks more people. It
//! never decides: silence is no answer.

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
        alarms.map(|alarm| alarm.at).chain(back).min()
    }

    /// Everything that is due by `at`, in order; `None` when nothing is. Decisions, and who has it,
    /// stay as they are.
    pub fn ring(&self, at: Timestamp, calendar: &Calendar) -> Option<(Self, Vec<Rings>)> {
        let back = self.on_hold().and_then(|hold| hold.until);
        if let Some(until) = back.filter(|until| *until <= at) {
            let next = self.back(until, calendar);
            let mut rang = vec![Rings::Resume];
            return Some(match next.ring(at, calendar) {
                Some((next, more)) => {
                    rang.extend(more);
                    (next, rang)
                }
                None => (next, rang),
            });
        }
        if self.stopped_at().is_some() {
            return None;
        }
        let mut next = self.clone();
        let (mut due, later) = std::mem::take(&mut next.alarms)
            .into_iter()
            .partition::<Vec<_>, _>(|alarm| alarm.at <= at);
        if due.is_empty() {
            return None;
        }
        due.sort_by_key(|alarm| alarm.at);
        next.alarms = later;
        let mut rang = Vec::new();
        for Alarm { rings, .. } in due {
            match &rings {
                Rings::Remind => next.reminded_at = Some(at),
                Rings::Escalate(to) => next.escalate(to.clone(), at),
                // Its moment is that of the hold, not an alarm of its own.
                Rings::Resume => {}
            }
            rang.push(rings);
        }
        Some((next, rang))
    }

    fn escalate(&mut self, to: Assigned, at: Timestamp) {
        self.escalations.push(Escalation { at, to });
    }
}
