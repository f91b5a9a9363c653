//! An instance in memory, and the slot that keeps it apart from everybody else.
//!
//! Deciders hold the slot from reading the state to queueing the batch; the store keeps the order
//! from there. Nobody holds a slot while waiting for a flush.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use casewright_language::Workflow;
use casewright_machine::{Effect, Instance, Status};
use jiff::Timestamp;
use tokio::sync::{OwnedMutexGuard, watch};

use super::pending::{Awaited, liveliness};
use crate::deployment::Deployment;
use crate::record::InstanceRow;

pub(crate) struct Resident {
    pub(crate) id: String,
    pub(crate) row: InstanceRow,
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) instance: Instance,
    /// Events submitted so far.
    pub(crate) events: u64,
    /// Events that are folded.
    pub(crate) folded: u64,
    /// Time of the latest event; the next is never before it, whatever the clock says.
    pub(crate) at: Timestamp,
    pub(crate) timers: BTreeMap<u32, Timestamp>,
    /// Calls whose answer comes later: nothing of them is in memory.
    pub(crate) awaited: Awaited,
    /// How many events are on disk: outsiders wait for the state they were shown.
    pub(crate) flushed: watch::Sender<Flushed>,
    pub(crate) touched: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    Events(u64),
    /// The store has stopped; what is not on disk may never be.
    Lost,
}

impl Resident {
    pub(crate) fn workflow(&self) -> Option<&Workflow> {
        self.deployment.workflows.get(&self.row.workflow)
    }

    /// Whether it may leave memory.
    pub(crate) fn dormant(&self) -> bool {
        self.quiet() && *self.flushed.borrow() == Flushed::Events(self.events)
    }

    /// Whether nothing but people and time can wake it.
    pub(crate) fn quiet(&self) -> bool {
        match liveliness(&self.instance, &self.awaited) {
            Status::Pending | Status::Running => false,
            Status::Waiting
            | Status::Suspended
            | Status::Completed
            | Status::Faulted
            | Status::Cancelled => true,
        }
    }
}

pub(crate) fn ended(status: Status) -> bool {
    match status {
        Status::Completed | Status::Faulted | Status::Cancelled => true,
        Status::Pending | Status::Running | Status::Waiting | Status::Suspended => false,
    }
}

/// Timers that are set, as the instance knows them.
pub(crate) fn timers(instance: &Instance) -> BTreeMap<u32, Timestamp> {
    let timer = |effect| match effect {
        Effect::SetTimer { timer, at } => Some((timer, at)),
        _ => None,
    };
    instance
        .outstanding()
        .into_iter()
        .filter_map(timer)
        .collect()
}

#[derive(Default)]
pub(crate) struct Slot {
    resident: Option<Resident>,
    /// No longer in the map: whoever waited for it must look again.
    gone: bool,
}

/// All slots. The map's lock is held for look-ups only.
#[derive(Default)]
pub(crate) struct Residents(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Slot>>>>);

/// The right to decide for one instance, which is in memory.
pub(crate) struct Held(OwnedMutexGuard<Slot>);

/// The right to put an instance into its empty slot.
pub(crate) struct Vacant(OwnedMutexGuard<Slot>);

pub(crate) enum Entered {
    Held(Held),
    Vacant(Vacant),
}

impl Residents {
    pub(crate) async fn enter(&self, id: &str) -> Entered {
        loop {
            let slot = Arc::clone(self.slots().entry(id.to_owned()).or_default());
            let slot = slot.lock_owned().await;
            if slot.gone {
                continue;
            }
            return if slot.resident.is_some() {
                Entered::Held(Held(slot))
            } else {
                Entered::Vacant(Vacant(slot))
            };
        }
    }

    /// Only if it is in memory and nobody decides for it.
    pub(crate) fn try_enter(&self, id: &str) -> Option<Held> {
        let slot = Arc::clone(self.slots().get(id)?);
        let slot = slot.try_lock_owned().ok()?;
        (slot.resident.is_some() && !slot.gone).then_some(Held(slot))
    }

    /// Takes an instance out of memory.
    pub(crate) fn evict(&self, mut held: Held) {
        if let Some(resident) = held.0.resident.take() {
            held.0.gone = true;
            self.slots().remove(&resident.id);
        }
    }

    /// Takes back a slot that could not be filled.
    pub(crate) fn abandon(&self, id: &str, mut vacant: Vacant) {
        vacant.0.gone = true;
        self.slots().remove(id);
    }

    pub(crate) fn len(&self) -> usize {
        self.slots().len()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.slots().keys().cloned().collect()
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<tokio::sync::Mutex<Slot>>>> {
        // The map is whole after every operation, also when a holder panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vacant {
    pub(crate) fn fill(mut self, resident: Resident) -> Held {
        self.0.resident = Some(resident);
        Held(self.0)
    }
}

impl Deref for Held {
    type Target = Resident;

    fn deref(&self) -> &Resident {
        self.0
            .resident
            .as_ref()
            .expect("only filled slots are held")
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Resident {
        self.0
            .resident
            .as_mut()
            .expect("only filled slots are held")
    }
}
