//! What time does to an item that nobody has decided: it reminds, and it asks more people. It
//! never decides: silence is no answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Assigned, WorkItem};

/// Something that is to happen at a moment, unless the item is closed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    pub at: Timestamp,
    pub rings: Rings,
}

/// What happens then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rings {
    /// People are told that it waits.
    Remind,
    /// It is offered to these as well.
    Escalate(Assigned),
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
        self.alarms.iter().map(|alarm| alarm.at).min()
    }

    /// Everything that is due by `at`, in order; `None` when nothing is. Claims and decisions stay
    /// as they are.
    pub fn ring(&self, at: Timestamp) -> Option<(Self, Vec<Rings>)> {
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
            }
            rang.push(rings);
        }
        Some((next, rang))
    }

    fn escalate(&mut self, to: Assigned, at: Timestamp) {
        self.escalations.push(Escalation { at, to });
    }
}
