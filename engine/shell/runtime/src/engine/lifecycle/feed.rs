//! The runs of an agency as a list of what became of them: a row when one begins, goes on after a
//! failure, or ends, in the batch that makes it so.
//!
//! Rows are numbered in the order in which the store takes the batches, which is the order in
//! which they come to the disk: whoever sees a row has seen all rows before it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use casewright_casework::Principal;
use casewright_machine::lifecycle::{Happening, Phase};
use casewright_store::{Batch, Put, SubmitError, Table, Ticket, Under};
use jiff::Timestamp;

use super::{PAGE, PAGE_MAX, Run, row, whole};
use crate::engine::shared::{Shared, unreadable};
use crate::engine::walls::Sight;
use crate::engine::work_lists::bad_cursor;
use crate::engine::{Engine, Refused};
use crate::record::InstanceRow;
use crate::view::{LifecycleEvent, LifecyclePage};
use crate::{id, key};

/// What became of a run in one of its events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// Number of the event in the run's journal.
    pub(crate) sequence: u64,
    pub(crate) at: Timestamp,
    pub(crate) phase: Phase,
}

/// The latest number of each agency, once one was given. Its lock is held while a batch with such
/// rows is submitted, which waits for no disk.
#[derive(Default)]
pub(crate) struct Feed(Mutex<BTreeMap<String, u64>>);

impl Engine {
    /// What became of the agency's runs, in the order in which it came to the disk; for
    /// administrators.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn lifecycles(
        &self,
        who: &Principal,
        cursor: Option<String>,
        limit: Option<usize>,
    ) -> Result<LifecyclePage, Refused> {
        self.shared.only_administrators(who)?;
        let seen = match cursor {
            Some(cursor) => number(&cursor).ok_or_else(bad_cursor)?,
            None => 0,
        };
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        self.shared.fed(who, seen, limit)
    }
}

fn number(cursor: &str) -> Option<u64> {
    let bytes = id::decode(cursor)?;
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

fn place(agency: &str, number: u64) -> Vec<u8> {
    let mut key = key::prefix(&[agency]);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

impl Shared {
    /// Submits a batch and, with it, what became of the run.
    pub(crate) fn submit_told(
        &self,
        mut batch: Batch,
        agency: &str,
        instance: &str,
        told: &[Told],
    ) -> Result<Ticket, SubmitError> {
        if told.is_empty() {
            return self.submit(batch);
        }
        let mut numbers = self.feed.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latest = match numbers.get(agency) {
            Some(latest) => *latest,
            None => self.latest_told(agency).map_err(SubmitError::Read)?,
        };
        for one in told {
            latest += 1;
            batch.puts.push(Put {
                table: Table::Lifecycle,
                key: place(agency, latest),
                value: Some(row::write(instance, one)),
                under: Under::Agency(agency.to_owned()),
            });
        }
        let ticket = self.submit(batch)?;
        numbers.insert(agency.to_owned(), latest);
        Ok(ticket)
    }

    /// Numbers have no gaps, so halving finds the last. Asked once for each agency after a start.
    fn latest_told(&self, agency: &str) -> Result<u64, casewright_store::ReadError> {
        let store = &self.parts.store;
        let there = |number| {
            let found = store.pending(Table::Lifecycle, &place(agency, number));
            found.map(|row| row.is_some())
        };
        let mut beyond = 1;
        while there(beyond)? {
            beyond *= 2;
        }
        let mut latest = beyond / 2;
        while beyond - latest > 1 {
            let between = latest + (beyond - latest) / 2;
            if there(between)? {
                latest = between;
            } else {
                beyond = between;
            }
        }
        Ok(latest)
    }

    fn fed(&self, who: &Principal, seen: u64, limit: usize) -> Result<LifecyclePage, Refused> {
        let (agency, sight) = (who.agency.as_str(), self.sight(who)?);
        let (start, end) = (
            place(agency, seen.saturating_add(1)),
            key::after(&key::prefix(&[agency])),
        );
        let rows = self.parts.store.scan(Table::Lifecycle, &start, &end, limit);
        let rows = rows.map_err(unreadable)?;
        let latest = seen + rows.len() as u64;
        let mut items = Vec::new();
        for (_, found) in rows {
            let (instance, told) = row::read(&found.value).ok_or_else(|| {
                Refused::Damaged("a row of the lifecycle cannot be read".to_owned())
            })?;
            items.extend(self.fed_event(who, &sight, &instance, &told)?);
        }
        let mut next = String::new();
        id::encode(&latest.to_be_bytes(), &mut next);
        Ok(LifecyclePage { items, next })
    }

    /// Of an erased case nothing is left to tell.
    fn fed_event(
        &self,
        who: &Principal,
        sight: &Sight,
        instance: &str,
        told: &Told,
    ) -> Result<Option<LifecycleEvent>, Refused> {
        let row = match self.read(Table::Instance, instance.as_bytes(), "an instance row") {
            Ok(row) => row,
            Err(Refused::Rule(_)) => return Ok(None),
            Err(refused) => return Err(refused),
        };
        let seen = |row: &InstanceRow| {
            row.agency == who.agency && sight.sees(&row.case) && row.seen_by.has(who)
        };
        let Some(row) = row.filter(seen) else {
            return Ok(None);
        };
        let deployment = self.deployment(row.deployment_at(told.sequence))?;
        let Some(workflow) = deployment.workflows.get(&row.workflow) else {
            return Ok(None);
        };
        let run = Run {
            id: instance,
            workflow,
        };
        let one = Happening {
            phase: told.phase.clone(),
            task: None,
        };
        Ok(Some(run.event(
            &whole(told.sequence, &told.phase),
            told.at,
            &one,
        )))
    }
}
