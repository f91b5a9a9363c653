//! The walls of a case, as they are kept: who stands in it, who is shut out of it today, and the
//! guard that it stays so until a decision is on disk. What a wall means is `casework`'s.
//!
//! A mark for each member of staff and case says that there is a wall. Whoever looks asks for that
//! one row, and a list reads the marks of whoever asks once: nobody's persons are searched.

mod change;

use std::collections::{BTreeMap, BTreeSet};

use casewright_casework::audit::Action;
use casewright_casework::work_item::State;
use casewright_casework::{Case, Code, Principal, Refusal, Walls, WorkItem, access};
use casewright_store::{Batch, Guard, Put, Table, Under};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Refused;
use super::shared::{ENGINE, Shared, not_found, unreadable};
use super::work_items::{entry, write_item};
use crate::record::InstanceRow;
use crate::{key, record};

/// Person id to staff id, for family and payees.
type Related = BTreeMap<String, String>;

/// Cases that somebody may not open today, for lists.
pub(crate) struct Sight {
    closed: BTreeSet<String>,
}

impl Sight {
    pub(crate) fn sees(&self, case: &str) -> bool {
        !self.closed.contains(case)
    }
}

impl Shared {
    /// The case if this principal may open it, as it is on disk. Everything that shows something
    /// of a case comes through here, or through [`Shared::sight`] where it is a list.
    pub(crate) fn seen_case(&self, who: &Principal, id: &str) -> Result<Case, Refused> {
        let case = self.read::<Case>(Table::Case, id.as_bytes(), "a case")?;
        let case = case.ok_or_else(not_found)?;
        let walls = self.walls_before(&who.id, &case.agency, id)?;
        let today = self.today(&case.agency);
        if access::may_see_case(who, &case, &walls, today) {
            return Ok(case);
        }
        Err(not_found())
    }

    /// Whether a wall stands between somebody and a case that they were told of before.
    pub(crate) fn before_no_wall(&self, who: &Principal, case: &str) -> Result<(), Refused> {
        let walls = self.walls_before(&who.id, &who.agency, case)?;
        if walls.closed_to(&who.id, self.today(&who.agency)) {
            return Err(not_found());
        }
        Ok(())
    }

    /// Whether this principal sees a run of a case that they see.
    pub(crate) fn sees_run(&self, who: &Principal, id: &str) -> Result<bool, Refused> {
        let row: Option<InstanceRow> =
            self.read(Table::Instance, id.as_bytes(), "an instance row")?;
        Ok(row.is_none_or(|row| row.seen_by.has(who)))
    }

    /// The same for what somebody is about to do there: with guards that hold until it is on disk.
    pub(crate) fn door(&self, who: &Principal, case: &str) -> Result<Vec<Guard>, Refused> {
        let key = mark(&who.agency, &who.id, case);
        let found = self.parts.store.pending(Table::Wall, &key);
        let version = found.map_err(unreadable)?.map(|row| row.version);
        let mut guards = vec![guard(Table::Wall, key, version.unwrap_or(0))];
        if version.is_some() {
            let (walls, more) = self.walls(case)?;
            if walls.closed_to(&who.id, self.today(&who.agency)) {
                return Err(not_found());
            }
            guards.extend(more);
        }
        Ok(guards)
    }

    /// The same for whoever is to be given work of the case by somebody else.
    pub(super) fn open_to(&self, to: &Principal, item: &WorkItem) -> Result<Vec<Guard>, Refused> {
        self.door(to, &item.case).map_err(|refused| {
            if refused != not_found() {
                return refused;
            }
            let sentence = "this colleague does not work on this case; name another";
            Refused::Rule(Refusal::new(Code::HandoverInvalid, sentence))
        })
    }

    /// What this principal may see of a list.
    pub(crate) fn sight(&self, who: &Principal) -> Result<Sight, Refused> {
        let prefix = key::prefix(&["staff", &who.agency, &who.id]);
        let end = key::after(&prefix);
        let marks = self
            .parts
            .store
            .scan(Table::Wall, &prefix, &end, usize::MAX);
        let today = self.today(&who.agency);
        let mut closed = BTreeSet::new();
        for (key, _) in marks.map_err(unreadable)? {
            let case = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            let walls = match self.flushed_walls(&case) {
                Ok(walls) => walls,
                // Of an erased case nothing is left to hide.
                Err(Refused::Rule(_)) => continue,
                Err(refused) => return Err(refused),
            };
            if walls.closed_to(&who.id, today) {
                closed.insert(case);
            }
        }
        Ok(Sight { closed })
    }

    /// The day it is where the agency is.
    pub(crate) fn today(&self, agency: &str) -> Date {
        let zone = self.in_force(agency);
        let zone = zone.map_or(TimeZone::UTC, |found| found.calendar().zone().clone());
        self.now().to_zoned(zone).date()
    }

    /// All walls of a case as deciders must see them, and the guards that they stay so.
    pub(crate) fn walls(&self, case: &str) -> Result<(Walls, [Guard; 2]), Refused> {
        let (related, declared) = (related_key(case), walls_key(case));
        let rows = self.pending::<Related>(Table::Index, &related, "relations of staff")?;
        let (relations, rows_version) = rows.unwrap_or_default();
        let found = self.pending::<Walls>(Table::Wall, &declared, "walls")?;
        let (walls, version) = found.unwrap_or_default();
        let walls = Walls {
            related: relations,
            ..walls
        };
        let guards = [
            guard(Table::Index, related, rows_version),
            guard(Table::Wall, declared, version),
        ];
        Ok((walls, guards))
    }

    /// The item with everybody excluded who stands in the case, also where the wall is lifted. The
    /// guards hold until the decision is on disk; without one, nothing has to be held.
    pub(crate) fn with_related(&self, item: &mut WorkItem) -> Result<Vec<Guard>, Refused> {
        if !item.approval {
            return Ok(Vec::new());
        }
        let (walls, guards) = self.walls(&item.case)?;
        for staff in walls.staff() {
            let sentence = "you stand in this case yourself; another person must decide";
            item.excluded
                .entry(staff.to_owned())
                .or_insert_with(|| sentence.to_owned());
        }
        Ok(guards.into())
    }

    /// The item as others find it: what is held by somebody whose wall is no longer lifted is
    /// theirs to take.
    pub(crate) fn freed(&self, item: &WorkItem) -> Result<Option<WorkItem>, Refused> {
        let Some(claim) = &item.claimed_by else {
            return Ok(None);
        };
        let walls = self.walls_before(&claim.person, &item.agency, &item.case)?;
        if !walls.closed_to(&claim.person, self.today(&item.agency)) {
            return Ok(None);
        }
        let calendar = self.calendar_of(item)?;
        Ok(item.taken_from(&claim.person, self.now(), &calendar))
    }

    /// The rows of changed walls. What those who are shut out now had claimed goes back to those
    /// it was offered to, and nothing of the case can be claimed by them meanwhile.
    pub(super) fn put_walls(
        &self,
        case: &Case,
        next: &Walls,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        let (before, guards) = self.walls(&case.id)?;
        if *next == before {
            return Ok(());
        }
        batch.guards.extend(guards);
        let under = Under::Case(case.id.clone());
        let put = |table, key, value| Put {
            table,
            key,
            value,
            under: under.clone(),
        };
        if next.related != before.related {
            let value = Some(record::encode(&next.related));
            let row = put(Table::Index, related_key(&case.id), value);
            batch.puts.push(row);
        }
        if (&next.declared, &next.lifted) != (&before.declared, &before.lifted) {
            let value = Some(record::encode(next));
            let row = put(Table::Wall, walls_key(&case.id), value);
            batch.puts.push(row);
        }
        let (old, new) = (before.staff(), next.staff());
        for staff in old.symmetric_difference(&new) {
            let value = new.contains(staff).then(Vec::new);
            let key = mark(&case.agency, staff, &case.id);
            batch.puts.push(put(Table::Wall, key, value));
        }
        let today = self.today(&case.agency);
        let shut = |staff: &&&str| next.closed_to(staff, today) && !before.closed_to(staff, today);
        let shut: Vec<&str> = new.iter().filter(shut).copied().collect();
        if shut.is_empty() {
            return Ok(());
        }
        self.take_back(case, &shut, at, batch)
    }

    fn take_back(
        &self,
        case: &Case,
        staff: &[&str],
        at: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        for instance in self.instances_of(&case.id)? {
            for shown in self.items_of(&instance)? {
                if matches!(shown.state, State::Completed | State::Withdrawn) {
                    continue;
                }
                let key = shown.id.as_bytes();
                let found = self.pending::<WorkItem>(Table::WorkItem, key, "a work item")?;
                let (item, version) = found.ok_or_else(not_found)?;
                // Also those that nobody has: a claim that is on its way is decided anew.
                batch
                    .guards
                    .push(guard(Table::WorkItem, key.to_vec(), version));
                let calendar = self.calendar_of(&item)?;
                let taken = |one: &&str| item.taken_from(one, at, &calendar);
                let Some(freed) = staff.iter().find_map(taken) else {
                    continue;
                };
                let released = entry(&freed, ENGINE, at, Action::WorkItemReleased, None);
                batch.audit.push(released);
                // Its timer follows the rows, as all of a change of the file do.
                write_item(Some(&item), &freed, at, batch);
            }
        }
        Ok(())
    }

    /// Walls between one member of staff and a case, as they are on disk; none for most, which is
    /// one row that is not there.
    fn walls_before(&self, staff: &str, agency: &str, case: &str) -> Result<Walls, Refused> {
        let mark = self
            .parts
            .store
            .get(Table::Wall, &mark(agency, staff, case));
        match mark.map_err(unreadable)? {
            None => Ok(Walls::default()),
            Some(_) => self.flushed_walls(case),
        }
    }

    fn flushed_walls(&self, case: &str) -> Result<Walls, Refused> {
        let walls: Option<Walls> = self.read(Table::Wall, &walls_key(case), "walls")?;
        let related = self.read(Table::Index, &related_key(case), "relations of staff")?;
        Ok(Walls {
            related: related.unwrap_or_default(),
            ..walls.unwrap_or_default()
        })
    }

    /// Marks for relations that an engine without marks wrote down.
    pub(super) async fn mark_relations(&self) -> Result<(), Refused> {
        let prefix = key::prefix(&[RELATED]);
        let end = key::after(&prefix);
        let rows = self
            .parts
            .store
            .scan(Table::Index, &prefix, &end, usize::MAX);
        let mut batch = Batch::default();
        for (key, row) in rows.map_err(unreadable)? {
            let related: Related = record::decode("relations of staff", &row.value)?;
            let id = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            let Some(case) = self.read::<Case>(Table::Case, id.as_bytes(), "a case")? else {
                continue;
            };
            for staff in related.into_values().collect::<BTreeSet<_>>() {
                let key = mark(&case.agency, &staff, &id);
                let there = self.parts.store.get(Table::Wall, &key);
                if there.map_err(unreadable)?.is_none() {
                    batch.puts.push(Put {
                        table: Table::Wall,
                        key,
                        value: Some(Vec::new()),
                        under: Under::Case(id.clone()),
                    });
                }
            }
        }
        if batch.puts.is_empty() {
            return Ok(());
        }
        self.commit(batch).await
    }
}

const RELATED: &str = "related-staff";

pub(super) fn related_key(case: &str) -> Vec<u8> {
    key::join(&[RELATED, case])
}

pub(super) fn walls_key(case: &str) -> Vec<u8> {
    key::join(&["case", case])
}

pub(super) fn mark(agency: &str, staff: &str, case: &str) -> Vec<u8> {
    key::join(&["staff", agency, staff, case])
}

fn guard(table: Table, key: Vec<u8>, version: u64) -> Guard {
    Guard::Row {
        table,
        key,
        version,
    }
}
