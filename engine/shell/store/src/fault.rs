//! Planted faults: a store that stops at a chosen flush, or holds its flushes, so that tests reach
//! every state between acceptance and disk without sleeping. It plants crashes and no bugs: those
//! belong into what a test puts around the store.

use std::sync::{Condvar, Mutex, PoisonError};

/// Shared between a test and the writer of a store, see [`crate::Settings::faults`].
#[derive(Debug, Default)]
pub struct Faults {
    plan: Mutex<Plan>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    flush_count: u64,
    stop: Option<(u64, Moment)>,
    held: bool,
    abandoned: bool,
}

/// Which side of durability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing of the group is on disk.
    BeforeFlush,
    /// All of the group is on disk, and nobody was told.
    AfterFlush,
}

impl Faults {
    /// Stops the store at its `n`-th flush from now on, counted from 1, as a crash would.
    pub fn stop_at(&self, n: u64, moment: Moment) {
        let mut plan = self.lock();
        plan.stop = Some((plan.flush_count + n, moment));
    }

    /// The next flush waits for [`Faults::release`]; batches gather behind it.
    pub fn hold(&self) {
        self.lock().held = true;
    }

    /// Lets a held flush go on.
    pub fn release(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }

    /// Flushes begun so far.
    pub fn flush_count(&self) -> u64 {
        self.lock().flush_count
    }

    /// The crash of a memory store: a held flush never happens.
    pub(crate) fn abandon(&self) {
        self.lock().abandoned = true;
        self.changed.notify_all();
    }

    /// Called by the writer before and after it makes a group durable.
    pub(crate) fn pass(&self, moment: Moment) -> Result<(), String> {
        let mut plan = self.lock();
        if moment == Moment::BeforeFlush {
            plan.flush_count += 1;
            while plan.held && !plan.abandoned {
                plan = self
                    .changed
                    .wait(plan)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
        let due = plan.stop == Some((plan.flush_count, moment));
        if due || plan.abandoned {
            return Err(format!("planted fault at flush {}", plan.flush_count));
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Plan> {
        // Plain values: a panic while holding the lock cannot leave them half changed.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
