//! New pointers in everything that has one. Nothing else changes: numbers, keys, moments and names
//! stay.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_language::Workflow;

use crate::position::{List, Position, State};
use crate::record::Record;

/// Pointers before to pointers after; what is not named stays.
pub(super) struct Moves<'a>(pub(super) &'a BTreeMap<String, String>);

impl Moves<'_> {
    pub(super) fn list(&self, list: &mut List) {
        if let Some(position) = &mut list.current {
            self.position(position);
            if let Some(index) = index_of(&position.entry.reference) {
                list.index = index;
            }
        }
    }

    fn position(&self, position: &mut Position) {
        self.reference(&mut position.entry.reference);
        match &mut position.state {
            State::Do(list) => self.list(list),
            State::For(looping) => self.list(looping.list_mut()),
            State::Fork(forking) => forking
                .positions_mut()
                .for_each(|position| self.position(position)),
            State::Try(trying) => {
                if let Some(list) = trying.list_mut() {
                    self.list(list);
                }
            }
            State::Human(offer) => self.reference(&mut offer.reference),
            State::Child(child) => self.reference(&mut child.delivery.reference),
            // What is at work in an extension is not moved.
            State::Call(_) | State::Wait(_) | State::Listen(_) | State::Extended(_) => {}
        }
    }

    pub(super) fn record(&self, record: &mut Record, digest: &str) {
        let facts = Arc::make_mut(&mut record.facts);
        digest.clone_into(&mut facts.digest);
        record.runs = std::mem::take(&mut record.runs)
            .into_iter()
            .map(|(reference, runs)| (self.of(&reference), runs))
            .collect();
        record.steps = std::mem::take(&mut record.steps)
            .into_iter()
            .map(|(list, outputs)| (self.of_list(&list), outputs))
            .collect();
        record.intents = std::mem::take(&mut record.intents)
            .into_iter()
            .map(|(path, intent)| (self.of_path(&path), intent))
            .collect();
        for run in &mut record.task_runs {
            if let Some(moved) = self.0.get(&*run.reference) {
                run.reference = moved.as_str().into();
            }
        }
    }

    fn reference(&self, reference: &mut String) {
        *reference = self.of(reference);
    }

    fn of(&self, reference: &str) -> String {
        let moved = self.0.get(reference).map(String::as_str);
        moved.unwrap_or(reference).to_owned()
    }

    /// A list moves with the task around it.
    fn of_list(&self, list: &str) -> String {
        let mut task = list;
        while let Some((outer, _)) = task.rsplit_once('/') {
            task = outer;
            if let Some(moved) = self.0.get(task) {
                return format!("{moved}{}", &list[task.len()..]);
            }
        }
        list.to_owned()
    }

    /// `/do/0/pay/#1.1`
    fn of_path(&self, path: &str) -> String {
        match path.rsplit_once("/#") {
            Some((reference, entry)) => format!("{}/#{entry}", self.of(reference)),
            None => path.to_owned(),
        }
    }
}

/// The index that a pointer of a task has in its list.
fn index_of(reference: &str) -> Option<usize> {
    reference.rsplit('/').nth(1)?.parse().ok()
}

/// Whether the workflow has each task under way where it now is.
pub(super) fn fits(list: &List, workflow: &Workflow) -> bool {
    list.current
        .as_ref()
        .is_none_or(|position| fits_within(position, workflow))
}

fn fits_within(position: &Position, workflow: &Workflow) -> bool {
    workflow.task(&position.entry.reference).is_some()
        && match &position.state {
            State::Do(list) => fits(list, workflow),
            State::For(looping) => fits(looping.list(), workflow),
            State::Fork(forking) => forking
                .positions()
                .all(|position| fits_within(position, workflow)),
            State::Try(trying) => trying.list().is_none_or(|list| fits(list, workflow)),
            State::Call(_)
            | State::Human(_)
            | State::Wait(_)
            | State::Child(_)
            | State::Listen(_) => true,
            State::Extended(_) => false,
        }
}
