//! Reminders and escalations of work items. They are timers of the item, not of its instance: an
//! instance need not be in memory for them, and its events and snapshot do not grow with them.
//!
//! What a reminder or an escalation means is `casework`'s; here are their moments, rows and audit
//! entries.

use std::sync::Arc;

use casewright_casework::audit::Action;
use casewright_casework::work_item::{Alarm, Rings};
use casewright_casework::{Calendar, WorkItem};
use casewright_language::workflow::{After, Remind};
use casewright_machine::Offer;
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
    let reminders = offer.remind.iter().filter_map(|remind| {
        let moment = match *remind {
            Remind::Before(before) => calendar.ahead(due?, term(before)),
            Remind::After(after) => calendar.due(due?, term(after)),
        };
        let at = moment.ok().filter(|moment| *moment > at)?;
        Some(Alarm {
            at,
            rings: Rings::Remind,
        })
    });
    let escalations = offer.escalate.iter().filter_map(|escalation| {
        let moment = match escalation.after {
            After::Due => due,
            After::Offer(after) => calendar.due(at, term(after)).ok(),
        };
        Some(Alarm {
            at: moment?,
            rings: Rings::Escalate(assigned(escalation.to.clone())),
        })
    });
    let mut alarms: Vec<_> = reminders.chain(escalations).collect();
    alarms.sort_by_key(|alarm| alarm.at);
    alarms
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
            let moved = self.rung(&item, *at, &mut batch);
            match self.submit(batch) {
                Ok(ticket) => {
                    let (shared, item) = (Arc::clone(self), id.clone());
                    tokio::spawn(async move {
                        if ticket.flushed().await.is_err() {
                            tracing::warn!(item, "an alarm is not on disk");
                        } else if let Some(moved) = moved {
                            shared.timers.move_alarm(&moved);
                        }
                        shared.changed();
                    });
                    return Ok(());
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    fn rung(&self, item: &WorkItem, at: Timestamp, batch: &mut Batch) -> Option<Moved> {
        let now = self.now();
        let Some((next, rang)) = item.ring(now) else {
            batch.puts.push(row(item, at, None));
            return None;
        };
        for rings in rang {
            let (action, detail) = match &rings {
                Rings::Remind => (Action::WorkItemReminded, None),
                Rings::Escalate(to) => (Action::WorkItemEscalated, Some(bucket(to))),
            };
            batch.audit.push(entry(&next, ENGINE, now, action, detail));
        }
        write_item(Some(item), &next, now, batch)
    }
}
