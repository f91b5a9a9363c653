//! Reminders and escalations of work items. They are timers of the item, not of its instance: an
//! instance need not be in memory for them, and its events and snapshot do not grow with them.
//!
//! What a reminder or an escalation means is `casework`'s; here are their moments, rows and audit
//! entries.

use std::sync::Arc;

use casewright_casework::WorkItem;
use casewright_casework::audit::Action;
use casewright_casework::calendar::{Calendar, Pace};
use casewright_casework::work_item::{Alarm, Clock, Rings, When};
use casewright_language::workflow::{After, Clock as Written, Remind};
use casewright_machine::Offer;
use casewright_machine::effect::{Assignment, Escalation};
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};
use jiff::Timestamp;

use super::Refused;
use super::draft::{assigned, term};
use super::shared::{ENGINE, Shared, not_found, refused};
use super::timers::Due;
use super::work_items::{ALARM, bucket, entry, write_item};
use crate::key;

/// How a change of an item moves its timer.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) item: String,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
}

/// What is to happen to a new item while nobody decides, earliest first. A reminder whose moment
/// has passed by then is none; what lies beyond the calendar never comes.
pub(crate) fn of_offer(
    offer: &Offer,
    at: Timestamp,
    due: Option<Timestamp>,
    calendar: &Calendar,
) -> Vec<Alarm> {
    let alarm = |by: When, rings| {
        Some(Alarm {
            at: by.moment(calendar, at, due)?,
            rings,
            by: Some(by),
        })
    };
    let reminders = offer.remind.iter().filter_map(|remind| {
        let by = match *remind {
            Remind::Before(before) => When::Before(term(before)),
            Remind::After(after) => When::After(term(after)),
        };
        alarm(by, Rings::Remind).filter(|alarm| alarm.at > at)
    });
    let escalations = offer.escalate.iter().filter_map(|escalation| {
        let by = match escalation.after {
            After::Due => When::Due,
            After::Offer(after) => When::Offered(term(after)),
        };
        alarm(by, Rings::Escalate(assigned(escalation.to.clone())))
    });
    // What a person was given by name is looked at when it is late: they may be away.
    let by_name = matches!(offer.assign, Assignment::Person(_));
    let own = offer.non_delegable || offer.clock == Written::Wall;
    let late = due.filter(|_| by_name && !own).map(|at| Alarm {
        at,
        rings: Rings::Overdue,
        by: Some(When::Due),
    });
    let mut alarms: Vec<_> = reminders.chain(late).chain(escalations).collect();
    alarms.sort_by_key(|alarm| alarm.at);
    alarms
}

/// What a pause takes out of the item's moments: what its `due` counts, or its first escalation.
pub(crate) fn pace(offer: &Offer) -> Pace {
    let after = |escalation: &Escalation| match escalation.after {
        After::Due => None,
        After::Offer(after) => Some(after),
    };
    let first = offer.due.or_else(|| offer.escalate.iter().find_map(after));
    first.map_or(Pace::Exact, |first| term(first).into())
}

pub(crate) fn clock(clock: Written) -> Clock {
    match clock {
        Written::Runs => Clock::Runs,
        Written::StopsOnHold => Clock::StopsOnHold,
        Written::Wall => Clock::Wall,
    }
}

/// The row of the item's next alarm.
pub(crate) fn write(before: Option<&WorkItem>, now: &WorkItem, batch: &mut Batch) -> Option<Moved> {
    let from = before.and_then(WorkItem::next_alarm);
    let to = now.next_alarm();
    if from == to {
        return None;
    }
    for (at, value) in [(from, None), (to, Some(Vec::new()))] {
        batch.puts.extend(at.map(|at| row(now, at, value)));
    }
    Some(Moved {
        item: now.id.clone(),
        from,
        to,
    })
}

fn row(item: &WorkItem, at: Timestamp, value: Option<Vec<u8>>) -> Put {
    Put {
        table: Table::Timer,
        key: key::timer(at, &item.id, ALARM),
        value,
        under: Under::Case(item.case.clone()),
    }
}

impl Shared {
    /// The timer of an item has come: whatever is due happens once, in one batch with the next
    /// timer. One that is no longer wanted only loses its row.
    pub(crate) fn ring(self: &Arc<Self>, (at, id, _): &Due) -> Result<(), Refused> {
        for _ in 0..self.limits.tries_max {
            let (item, version) = self
                .pending::<WorkItem>(Table::WorkItem, id.as_bytes(), "a work item")?
                .ok_or_else(not_found)?;
            let mut batch = Batch {
                guards: vec![Guard::Row {
                    table: Table::WorkItem,
                    key: id.as_bytes().to_vec(),
                    version,
                }],
                ..Batch::default()
            };
            let moved = self.rung(&item, *at, &mut batch)?;
            match self.submit(batch) {
                Ok(ticket) => {
                    let (shared, item) = (Arc::clone(self), id.clone());
                    let going = self.under_way.begin();
                    tokio::spawn(async move {
                        if ticket.flushed().await.is_err() {
                            tracing::warn!(item, "an alarm is not on disk");
                        } else if let Some(moved) = moved {
                            shared.timers.move_alarm(&moved);
                        }
                        shared.changed();
                        drop(going);
                    });
                    return Ok(());
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    fn rung(
        &self,
        item: &WorkItem,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Result<Option<Moved>, Refused> {
        let now = self.now();
        let calendar = self.calendar_of(item)?;
        let away = self.away(item, now)?;
        let Some((next, rang)) = item.ring(now, &calendar, away.as_ref()) else {
            batch.puts.push(row(item, at, None));
            return Ok(None);
        };
        for rings in rang {
            let (action, detail) = match &rings {
                Rings::Remind => (Action::WorkItemReminded, None),
                Rings::Tell(to) => (Action::WorkItemReminded, Some(bucket(to))),
                Rings::Escalate(to) => (Action::WorkItemEscalated, Some(bucket(to))),
                Rings::Resume => (Action::WorkItemResumed, None),
                Rings::Return => (Action::WorkItemReturned, None),
                // What follows from it is said by itself.
                Rings::Overdue => continue,
            };
            batch.audit.push(entry(&next, ENGINE, now, action, detail));
        }
        Ok(write_item(Some(item), &next, now, batch))
    }
}
