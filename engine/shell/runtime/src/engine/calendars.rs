//! Which calendar counts the days of a piece of work, and which version of it.
//!
//! A task's own calendar goes before the case's, that before the workflow's, that before the
//! pack's. A run keeps its pack, and with it the version of each calendar, unless a change of that
//! calendar was carried out for what is open (`changes.rs`, `moving.rs`): then what a run offers
//! later is counted by the newer version as well.

mod case;
mod changes;
mod moving;
pub(super) mod row;

use std::sync::Arc;

use casewright_casework::calendar::Calendar;
use casewright_casework::{Case, WorkItem};
use casewright_store::{Guard, Table};

use super::Refused;
use super::draft::Draft;
use super::shared::{Shared, not_found};
use crate::deployment::Deployment;
use crate::record::InstanceRow;
use row::CalendarRow;

pub(super) use case::{agrees, known};
pub(super) use moving::Moving;

impl Draft<'_> {
    /// The calendar that counts for a task, or for what belongs to no task. The rows that say so
    /// are guarded: nothing is counted by a calendar that was changed meanwhile.
    pub(crate) fn calendar(&mut self, task: Option<&str>) -> Result<Arc<Calendar>, Refused> {
        let case = self.case_calendar()?;
        let workflow = &self.resident.row.workflow;
        let own = self
            .deployment()
            .calendar_for(task, case.as_deref(), workflow);
        self.standing(Arc::clone(own))
    }

    fn case_calendar(&mut self) -> Result<Option<String>, Refused> {
        if let Some(opened) = &self.opened {
            return Ok(opened.calendar.clone());
        }
        let key = self.resident.row.case.as_bytes();
        let found = self.shared.pending::<Case>(Table::Case, key, "a case")?;
        let (case, version) = found.ok_or_else(not_found)?;
        self.batch.guards.push(Guard::Row {
            table: Table::Case,
            key: key.to_vec(),
            version,
        });
        Ok(case.calendar)
    }

    /// The version that stands in place of the run's own, if one does.
    fn standing(&mut self, own: Arc<Calendar>) -> Result<Arc<Calendar>, Refused> {
        let agency = &self.resident.row.agency;
        let key = row::key(agency, &own.name);
        let found = self
            .shared
            .pending::<CalendarRow>(Table::Calendar, &key, row::WHAT)?;
        let (row, version) = found.unzip();
        self.batch.guards.push(Guard::Row {
            table: Table::Calendar,
            key,
            version: version.unwrap_or(0),
        });
        let standing = row.and_then(|row| row.in_place_of(own.digest()).cloned());
        let Some(standing) = standing else {
            return Ok(own);
        };
        let deployment = self.shared.deployment(&standing.deployment)?;
        Ok(deployment.calendar_named(&own.name).map_or(own, Arc::clone))
    }
}

impl Shared {
    /// The pack that an item's run is pinned to.
    pub(super) fn deployment_of(&self, item: &WorkItem) -> Result<Arc<Deployment>, Refused> {
        self.deployment(&self.run_of(item)?.deployment)
    }

    fn run_of(&self, item: &WorkItem) -> Result<InstanceRow, Refused> {
        let key = item.instance.as_bytes();
        let found = self.pending::<InstanceRow>(Table::Instance, key, "an instance row")?;
        Ok(found.ok_or_else(not_found)?.0)
    }

    /// The calendar that an item's moments were computed by; the one that counts for its run where
    /// an earlier engine did not write it down.
    pub(super) fn calendar_of(&self, item: &WorkItem) -> Result<Arc<Calendar>, Refused> {
        let row = self.run_of(item)?;
        let own = self.deployment(&row.deployment)?;
        let counts = || Arc::clone(own.calendar_for(None, None, &row.workflow));
        let Some(deadline) = &item.deadline else {
            return Ok(counts());
        };
        let name = &deadline.calendar;
        let same = |pack: &Deployment| {
            let calendar = pack.calendar_named(name)?;
            (calendar.digest() == deadline.digest).then(|| Arc::clone(calendar))
        };
        if let Some(found) = same(&own) {
            return Ok(found);
        }
        let standing = row::key(&item.agency, name);
        let standing = self.pending::<CalendarRow>(Table::Calendar, &standing, row::WHAT)?;
        let standing = standing.and_then(|(row, _)| row.standing);
        let standing = standing.map(|standing| standing.deployment);
        let earlier = row.earlier.iter().map(|earlier| earlier.deployment.clone());
        for digest in standing.into_iter().chain(earlier) {
            if let Some(found) = same(&*self.deployment(&digest)?) {
                return Ok(found);
            }
        }
        let known = own.calendar_named(name).map(Arc::clone);
        Ok(known.unwrap_or_else(counts))
    }
}
