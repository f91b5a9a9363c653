//! Keeps memory and the journal's tail small: ended and idle instances are folded and leave
//! memory, long-lived ones are folded in place when their events hold up the tail.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use casewright_store::{Batch, Fold, Guard};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::Refused;
use super::resident::{Held, Resident};
use super::shared::{Shared, refused};
use crate::record::{self, Snapshot};

pub(crate) struct Sweep {
    ended: Mutex<Vec<String>>,
    wake: Notify,
    scanned: Mutex<Timestamp>,
}

/// Least time between two looks at all residents: a look costs what a few decisions cost.
const SCAN_MS: i64 = 100;

/// A history of so many events has no snapshot: it is replayed, which takes less than reading a
/// snapshot does and spares the disk most of what a waiting run takes.
const REPLAYED_MAX: u64 = 4;

impl Default for Sweep {
    fn default() -> Self {
        Self {
            ended: Mutex::default(),
            wake: Notify::new(),
            scanned: Mutex::new(Timestamp::MIN),
        }
    }
}

impl Sweep {
    /// An instance that has ended, or was only looked at, needs no memory.
    pub(crate) fn rest(&self, instance: &str) {
        self.list().push(instance.to_owned());
        self.wake.notify_one();
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    fn scan_due(&self, now: Timestamp, pause: SignedDuration) -> bool {
        let mut scanned = self.scanned.lock().unwrap_or_else(PoisonError::into_inner);
        let due = *scanned == Timestamp::MIN || now.duration_since(*scanned) >= pause;
        if due {
            *scanned = now;
        }
        due
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        // The list is whole after every operation, also when a holder panicked.
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until the engine stops or is dropped.
pub(crate) async fn drive(shared: Weak<Shared>) {
    loop {
        let Some(engine) = shared.upgrade() else {
            return;
        };
        let mut stop = engine.stop_signal();
        if *stop.borrow_and_update() {
            return;
        }
        let (clock, sweep) = (Arc::clone(&engine.parts.clock), Arc::clone(&engine.sweep));
        // From before the sweep: a clock that jumps meanwhile is not waited for once more.
        let next = clock.now() + idle(&engine);
        engine.sweep();
        drop(engine);
        tokio::select! {
            () = clock.wait_until(next) => {}
            () = sweep.wake.notified() => {}
            _ = stop.changed() => {}
        }
    }
}

fn idle(shared: &Shared) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(shared.limits.idle_ms).unwrap_or(i64::MAX / 2))
}

impl Shared {
    fn sweep(&self) {
        let ended = std::mem::take(&mut *self.sweep.list());
        for id in ended {
            self.park(&id, |_| true);
        }
        self.park_idle();
        self.shorten_tail();
        self.forget_old();
    }

    fn park_idle(&self) {
        let (now, idle) = (self.parts.clock.now(), idle(self));
        let (count, max) = (self.residents.len(), self.limits.residents_max);
        let crowded = count > max;
        let pause = if crowded {
            SignedDuration::from_millis(SCAN_MS)
        } else {
            idle / 2
        };
        if !self.sweep.scan_due(now, pause) {
            return;
        }
        // A tenth below the bound, so that not every start looks at all of them.
        let mut over = if crowded { count - max * 9 / 10 } else { 0 };
        for id in self.residents.ids() {
            let parked = self.park(&id, |resident| {
                over > 0 || now.duration_since(resident.touched) >= idle
            });
            if parked {
                over = over.saturating_sub(1);
            }
        }
    }

    /// Folds the instances that hold the oldest events, whether they stay in memory or not.
    fn shorten_tail(&self) {
        let (bytes, oldest) = self.parts.store.unfolded();
        if bytes < self.limits.unfolded_bytes_max {
            return;
        }
        for id in oldest {
            if let Some(mut held) = self.residents.try_enter(&id)
                && let Err(refused) = self.fold(&mut held)
            {
                tracing::debug!(
                    instance = id,
                    refused = refused.in_log(),
                    "not folded this time"
                );
            }
        }
    }

    /// Takes an instance out of memory if nothing but people and time can wake it.
    fn park(&self, id: &str, wanted: impl Fn(&Resident) -> bool) -> bool {
        let Some(mut held) = self.residents.try_enter(id) else {
            return false;
        };
        if !held.dormant() || !wanted(&held) {
            return false;
        }
        match self.fold(&mut held) {
            Ok(()) => {
                self.residents.evict(held);
                true
            }
            Err(refused) => {
                tracing::debug!(
                    instance = id,
                    refused = refused.in_log(),
                    "not parked this time"
                );
                false
            }
        }
    }

    /// Its events move out of the journal, beside a snapshot unless they are few. Nobody waits for
    /// the flush: until then the journal has it.
    pub(crate) fn fold(&self, held: &mut Held) -> Result<(), Refused> {
        if held.folded == held.events {
            return Ok(());
        }
        let snapshot = (held.events > REPLAYED_MAX).then(|| {
            record::encode(&Snapshot {
                at: held.at,
                instance: held.instance.clone(),
            })
        });
        let batch = Batch {
            guards: vec![Guard::Instance {
                id: held.id.clone(),
                events: held.events,
            }],
            folds: vec![Fold {
                instance: held.id.clone(),
                case: held.row.case.clone(),
                events: held.events,
                snapshot,
                active: !held.quiet(),
            }],
            ..Batch::default()
        };
        self.parts.store.submit(batch).map_err(refused)?;
        held.folded = held.events;
        Ok(())
    }
}
