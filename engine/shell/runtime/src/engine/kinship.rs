//! Who did human work in instances that run each other (`run: workflow`). While they go on side by
//! side, nobody decides in one what they have worked on in another.
//!
//! What was done before an instance began, and what was done in one that has ended, the machine
//! knows. Here is what happens in between: one row for each tree of instances, written with every
//! piece of work, and guarded by whoever decides.

use std::collections::BTreeMap;

use casewright_casework::WorkItem;
use casewright_casework::work_item::Decision;
use casewright_machine::DEPTH_MAX;
use casewright_store::{Guard, Table};

use super::Refused;
use super::draft::{Draft, worked_on};
use super::shared::Shared;
use crate::key;
use crate::record::InstanceRow;

/// Person id to the task that they worked on.
type Workers = BTreeMap<String, String>;

impl Shared {
    /// The item with everybody excluded who worked in another instance of its tree. The guard holds
    /// until the decision is on disk; without one, nothing has to be held.
    pub(crate) fn with_kin(&self, item: &mut WorkItem) -> Result<Option<Guard>, Refused> {
        if !item.approval {
            return Ok(None);
        }
        let (workers, guard) = self.workers(&item.instance)?;
        for (person, task) in workers {
            item.excluded
                .entry(person)
                .or_insert_with(|| worked_on(&task));
        }
        Ok(Some(guard))
    }

    /// Who worked in the tree of an instance, and the guard that it stays so.
    fn workers(&self, instance: &str) -> Result<(Workers, Guard), Refused> {
        let key = key::join(&["tree-workers", &self.root_of(instance)?]);
        let found = self.pending::<Workers>(Table::Index, &key, "work in instances")?;
        let (workers, version) = found.unwrap_or_default();
        let table = Table::Index;
        let guard = Guard::Row {
            table,
            key,
            version,
        };
        Ok((workers, guard))
    }

    /// The instance that nobody runs, above this one.
    pub(crate) fn root_of(&self, instance: &str) -> Result<String, Refused> {
        let mut id = instance.to_owned();
        for _ in 0..DEPTH_MAX {
            let row = self.pending::<InstanceRow>(Table::Instance, id.as_bytes(), "an instance")?;
            match row.and_then(|(row, _)| row.parent) {
                Some(parent) => id = parent.instance,
                None => break,
            }
        }
        Ok(id)
    }
}

impl Draft<'_> {
    /// Remembers who worked on this item, where others may have to decide beside it.
    pub(super) fn remember_work(&mut self, item: &WorkItem) -> Result<(), Refused> {
        let runs = |found: &casewright_language::Workflow| found.runs_others();
        let alone =
            self.resident.row.parent.is_none() && !self.resident.workflow().is_some_and(runs);
        if item.approval || alone {
            return Ok(());
        }
        let (mut workers, guard) = self.shared.workers(&self.resident.id)?;
        let before = workers.clone();
        let deciders = item.decisions.iter().flat_map(Decision::people);
        for person in deciders.chain(item.editors.iter().map(String::as_str)) {
            workers
                .entry(person.to_owned())
                .or_insert_with(|| item.task.clone());
        }
        if workers == before {
            return Ok(());
        }
        let Guard::Row { table, key, .. } = &guard else {
            unreachable!("it is the guard of a row")
        };
        let (table, key, under) = (*table, key.clone(), self.under());
        self.put(table, key, &workers, under);
        self.batch.guards.push(guard);
        Ok(())
    }
}
