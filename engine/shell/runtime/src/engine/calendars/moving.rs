//! Moves what is open to another version of its calendar: one guarded batch after the other, each
//! item once, also over a crash.
//!
//! Where it stands is not written down: an item that has moved says so itself, so whoever begins
//! again passes it over. `casework` computes the moments; here is the way through all of them.

use std::sync::{Arc, Weak};

use casewright_casework::audit::Action;
use casewright_casework::{Calendar, WorkItem};
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};
use jiff::SignedDuration;

use super::row::{self, CalendarRow, Change, State};
use crate::engine::Refused;
use crate::engine::alarms::Moved;
use crate::engine::shared::{ENGINE, Shared, refused, unreadable};
use crate::engine::work_items::{entry, write_item};
use crate::{key, record};

/// Items of one batch: few enough that somebody who works on one of them seldom comes in between.
const ITEMS_OF_BATCH: usize = 16;

/// How long a pass that the store does not take waits for the next try.
const AGAIN_MS: i64 = 500;

/// Held while open items are moved: whoever comes second finds it done.
#[derive(Default)]
pub(crate) struct Moving(tokio::sync::Mutex<()>);

/// Whether a calendar's change has been carried out.
enum Passed {
    Through,
    /// Somebody else was first: the change is another one.
    Changed,
}

impl Shared {
    /// Goes on with every change that is to be carried out. It ends by itself, or when the engine
    /// stops: the next start goes on.
    pub(crate) fn begin_moving(self: &Arc<Self>) {
        let shared = Arc::downgrade(self);
        let going = self.under_way.begin();
        tokio::spawn(async move {
            drive(shared).await;
            drop(going);
        });
    }

    /// Carries out what was decided of an agency's calendars, or of all.
    pub(crate) async fn move_open(&self, agency: Option<&str>) -> Result<(), Refused> {
        let _one_by_one = self.moving.0.lock().await;
        let prefix = agency.map_or_else(Vec::new, |agency| key::prefix(&[agency]));
        let end = agency.map_or_else(|| vec![0xff; 64], |_| key::after(&prefix));
        let rows = self
            .parts
            .store
            .scan(Table::Calendar, &prefix, &end, usize::MAX);
        for (key, row) in rows.map_err(unreadable)? {
            let row: CalendarRow = record::decode(row::WHAT, &row.value)?;
            if matches!(&row.change, Some(change) if change.state != State::Asked) {
                while let Passed::Changed = self.carry_out(&key).await? {}
            }
        }
        Ok(())
    }

    async fn carry_out(&self, key: &[u8]) -> Result<Passed, Refused> {
        let found = self.pending::<CalendarRow>(Table::Calendar, key, row::WHAT)?;
        let Some((row, version)) = found else {
            return Ok(Passed::Through);
        };
        let change = match &row.change {
            Some(change) if change.state != State::Asked => change,
            Some(_) | None => return Ok(Passed::Through),
        };
        let guard = Guard::Row {
            table: Table::Calendar,
            key: key.to_vec(),
            version,
        };
        let (agency, name) = parts(key);
        let deployment = self.deployment(&change.deployment)?;
        let Some(calendar) = deployment.calendar_named(&name) else {
            return Err(Refused::Damaged(format!(
                "the calendar {name} is not in the pack that changed it"
            )));
        };
        if let Passed::Changed = self.pass(&agency, calendar, change, &guard).await? {
            return Ok(Passed::Changed);
        }
        let mut after = row.clone();
        after.moved(self.now());
        let batch = Batch {
            guards: vec![guard],
            puts: vec![Put {
                table: Table::Calendar,
                key: key.to_vec(),
                value: Some(record::encode(&after)),
                under: Under::Agency(agency),
            }],
            ..Batch::default()
        };
        match self.submit(batch) {
            Ok(ticket) => {
                let flushed = ticket.flushed().await;
                self.changed();
                flushed.map_err(refused)?;
                Ok(Passed::Through)
            }
            Err(SubmitError::Guard { .. }) => Ok(Passed::Changed),
            Err(error) => Err(refused(error)),
        }
    }

    /// Once through the open items of an agency. What moves meanwhile has moved already, or comes
    /// later in the list: nothing new is counted by the version before, since whoever offers looks
    /// at the same row.
    async fn pass(
        &self,
        agency: &str,
        calendar: &Calendar,
        change: &Change,
        guard: &Guard,
    ) -> Result<Passed, Refused> {
        let prefix = key::prefix(&[agency, "open"]);
        let (mut start, end) = (prefix.clone(), key::after(&prefix));
        loop {
            if self.stopping() {
                return Err(Refused::Stopping);
            }
            let lines = self
                .parts
                .store
                .scan(Table::Queue, &start, &end, ITEMS_OF_BATCH)
                .map_err(unreadable)?;
            let Some((last, _)) = lines.last() else {
                return Ok(Passed::Through);
            };
            start = [last, &[0][..]].concat();
            let ids = lines
                .iter()
                .filter_map(|(key, _)| key.get(prefix.len() + 8..));
            let ids: Vec<_> = ids.collect();
            if let Passed::Changed = self.move_some(&ids, calendar, change, guard).await? {
                return Ok(Passed::Changed);
            }
        }
    }

    async fn move_some(
        &self,
        ids: &[&[u8]],
        calendar: &Calendar,
        change: &Change,
        guard: &Guard,
    ) -> Result<Passed, Refused> {
        for _ in 0..self.limits.tries_max {
            let mut batch = Batch {
                guards: vec![guard.clone()],
                ..Batch::default()
            };
            let mut moved = Vec::new();
            for id in ids {
                let found = self.pending::<WorkItem>(Table::WorkItem, id, "a work item")?;
                if let Some((item, version)) = found {
                    moved.extend(self.move_one(&item, version, calendar, change, &mut batch));
                }
            }
            if batch.puts.is_empty() {
                return Ok(Passed::Through);
            }
            match self.submit(batch) {
                Ok(ticket) => {
                    let flushed = ticket.flushed().await;
                    self.changed();
                    flushed.map_err(refused)?;
                    for moved in &moved {
                        self.timers.move_alarm(moved);
                    }
                    return Ok(Passed::Through);
                }
                Err(SubmitError::Guard { .. }) if self.stands(guard)? => {}
                Err(SubmitError::Guard { .. }) => return Ok(Passed::Changed),
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    /// Whether the change is still the one that is being carried out.
    fn stands(&self, guard: &Guard) -> Result<bool, Refused> {
        let Guard::Row { key, version, .. } = guard else {
            return Ok(false);
        };
        let found = self.pending::<CalendarRow>(Table::Calendar, key, row::WHAT)?;
        Ok(found.is_some_and(|(_, found)| found == *version))
    }

    fn move_one(
        &self,
        item: &WorkItem,
        version: u64,
        calendar: &Calendar,
        change: &Change,
        batch: &mut Batch,
    ) -> Option<Moved> {
        let now = self.now();
        let next = item.recomputed(calendar, now)?;
        batch.guards.push(Guard::Row {
            table: Table::WorkItem,
            key: item.id.clone().into_bytes(),
            version,
        });
        if let Some(detail) = told(item, &next) {
            let who = match &change.state {
                State::Moving(by) => by.person.as_deref(),
                State::Asked => None,
            };
            let who = who.unwrap_or(ENGINE);
            let action = Action::WorkItemDueMoved;
            batch
                .audit
                .push(entry(&next, who, now, action, Some(detail)));
        }
        write_item(Some(item), &next, now, batch)
    }
}

/// Calendar, old and new moment, for the record; nothing where no moment has changed.
fn told(before: &WorkItem, after: &WorkItem) -> Option<String> {
    let deadline = after.deadline.as_ref()?;
    let was = before.deadline.as_ref()?;
    if deadline.moved == was.moved {
        return None;
    }
    let at_once = deadline.moved.as_ref().is_some_and(|moved| moved.at_once);
    let moment =
        |due: Option<jiff::Timestamp>| due.map_or("none".to_owned(), |due| due.to_string());
    let (from, to) = (moment(before.due), moment(after.due));
    let at_once = if at_once { " at-once" } else { "" };
    Some(format!("{} {from} {to}{at_once}", deadline.calendar))
}

/// Agency and calendar of a row.
fn parts(key: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(key);
    let (agency, name) = text.split_once('\0').unwrap_or((&text, ""));
    (agency.to_owned(), name.to_owned())
}

async fn drive(shared: Weak<Shared>) {
    loop {
        let Some(engine) = shared.upgrade() else {
            return;
        };
        if engine.stopping() {
            return;
        }
        match engine.move_open(None).await {
            Ok(()) | Err(Refused::Stopping) => return,
            Err(refused @ (Refused::Busy | Refused::DiskFull)) => {
                tracing::warn!(
                    refused = refused.in_log(),
                    "open deadlines wait to be moved"
                );
            }
            Err(refused) => {
                tracing::error!(
                    refused = refused.in_log(),
                    "open deadlines could not be moved"
                );
                return;
            }
        }
        let clock = Arc::clone(&engine.parts.clock);
        drop(engine);
        let again = clock.now() + SignedDuration::from_millis(AGAIN_MS);
        clock.wait_until(again).await;
    }
}
