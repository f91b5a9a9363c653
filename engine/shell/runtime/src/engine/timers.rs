//! Timers: every one is a row; those due soon are in memory as well, where one task waits for the
//! earliest. Never early; overdue ones in the order they were due.
//!
//! They belong to instances, to work items, to schedules and to funds; what an item's timer does is
//! in `alarms.rs`, what a schedule's does in `schedules.rs`, what a fund's does in `funds/`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use casewright_machine::Event;
use casewright_store::{Batch, Put, Table, Under};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::alarms::Moved;
use super::draft::RunError;
use super::schedules::of_owner;
use super::shared::{Shared, unreadable};
use super::work_items::{ALARM, instance_of};
use super::{Refused, funds, pending};
use crate::key;

/// When, of which instance or work item, which one.
pub(crate) type Due = (Timestamp, String, u32);

#[derive(Default)]
pub(crate) struct Timers {
    near: Mutex<Near>,
    changed: Notify,
    /// Held while what is due is fired: whoever comes second finds it done.
    firing: tokio::sync::Mutex<()>,
}

/// Timers up to the horizon.
struct Near {
    due: BTreeSet<Due>,
    /// Every timer row up to here is in `due`; later ones are only rows.
    horizon: Timestamp,
    /// Rows from here on are unread.
    unread: Vec<u8>,
    /// The horizon is where reading stopped for size, not where it wanted to go.
    cut: bool,
}

impl Default for Near {
    fn default() -> Self {
        Self {
            due: BTreeSet::new(),
            horizon: Timestamp::MIN,
            unread: Vec::new(),
            cut: false,
        }
    }
}

impl Near {
    /// When rows are to be read again: half-way to the horizon, or once what was read is done.
    fn refill(&self, reach: SignedDuration) -> Timestamp {
        let ahead = if self.cut {
            SignedDuration::ZERO
        } else {
            reach / 2
        };
        self.horizon.saturating_sub(ahead).unwrap_or(Timestamp::MIN)
    }
}

/// How long a timer that the store does not take waits for the next try.
const AGAIN_MS: i64 = 500;

impl Timers {
    /// After the flush of its row.
    pub(crate) fn arm(&self, at: Timestamp, owner: &str, timer: u32) {
        let at = key::rounded_up(at);
        let mut near = self.near();
        if at <= near.horizon {
            near.due.insert((at, owner.to_owned(), timer));
            drop(near);
            self.changed.notify_one();
        }
    }

    pub(crate) fn disarm(&self, at: Timestamp, owner: &str, timer: u32) {
        let due = (key::rounded_up(at), owner.to_owned(), timer);
        self.near().due.remove(&due);
    }

    /// After the flush of its rows.
    pub(crate) fn move_alarm(&self, moved: &Moved) {
        if let Some(at) = moved.from {
            self.disarm(at, &moved.item, ALARM);
        }
        if let Some(at) = moved.to {
            self.arm(at, &moved.item, ALARM);
        }
    }

    fn near(&self) -> std::sync::MutexGuard<'_, Near> {
        // The set is whole after every operation, also when a holder panicked.
        self.near.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out the earliest that is due.
    fn take_due(&self, now: Timestamp) -> Option<Due> {
        let mut near = self.near();
        let earliest = near.due.first()?;
        (earliest.0 <= now).then(|| near.due.pop_first())?
    }

    /// When there is something to do next: a timer, or rows to read.
    fn next(&self, reach: SignedDuration) -> Timestamp {
        let near = self.near();
        let refill = near.refill(reach);
        near.due.first().map_or(refill, |due| due.0.min(refill))
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
        let looked_at = engine.parts.clock.now();
        if let Err(refused) = engine.fire_due().await {
            tracing::warn!(refused = refused.in_log(), "timers wait");
        }
        let reach = reach(&engine);
        let mut next = engine.timers.next(reach);
        if next <= looked_at {
            // Not taken by the store, or more rows than fit: a moment later. What became due only
            // while the others fired is no such case.
            next = looked_at + SignedDuration::from_millis(AGAIN_MS);
        }
        let (clock, timers) = (Arc::clone(&engine.parts.clock), Arc::clone(&engine.timers));
        drop(engine);
        tokio::select! {
            () = clock.wait_until(next) => {}
            () = timers.changed.notified() => {}
            _ = stop.changed() => {}
        }
    }
}

fn reach(shared: &Shared) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(shared.limits.horizon_ms).unwrap_or(i64::MAX / 2))
}

impl Shared {
    /// Reads rows up to the horizon when it has come near. Whether there may be more to read at
    /// once.
    pub(crate) fn look_ahead(&self) -> Result<bool, Refused> {
        let (now, reach) = (self.parts.clock.now(), reach(self));
        let wanted = now.saturating_add(reach).unwrap_or(Timestamp::MAX);
        let (before, unread) = {
            let mut near = self.timers.near();
            if near.refill(reach) > now {
                return Ok(false);
            }
            // Moved before reading: a timer that is flushed meanwhile arms itself.
            let before = near.horizon;
            near.horizon = before.max(wanted);
            (before, near.unread.clone())
        };
        let mut end = key::moment(wanted).to_vec();
        end.push(0xff);
        let limit = self.limits.timers_read_max;
        let rows = self.parts.store.scan(Table::Timer, &unread, &end, limit);
        let mut near = self.timers.near();
        let rows = rows.map_err(|error| {
            near.horizon = before;
            unreadable(error)
        })?;
        near.cut = rows.len() == limit;
        near.unread = match rows.last() {
            Some((last, _)) if near.cut => [last, &[0][..]].concat(),
            _ => end,
        };
        let due: Vec<Due> = rows
            .iter()
            .filter_map(|(key, _)| key::read_timer(key))
            .collect();
        if let (true, Some(last)) = (near.cut, due.last()) {
            near.horizon = last.0;
        }
        near.due.extend(due);
        Ok(near.cut)
    }

    /// Fires what is due, in order. The next is queued when the one before is, not when it is on
    /// disk: a thousand due at once share flushes.
    pub(crate) async fn fire_due(self: &Arc<Self>) -> Result<(), Refused> {
        let _one_by_one = self.timers.firing.lock().await;
        loop {
            let more = self.look_ahead()?;
            while let Some(due) = self.timers.take_due(self.parts.clock.now()) {
                if self.stopping() {
                    return Ok(());
                }
                self.fire_one(due).await?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn fire_one(self: &Arc<Self>, due: Due) -> Result<(), Refused> {
        if let Some(hash) = pending::timer_hash(&due.1) {
            pending::wake(self, hash);
            return Ok(());
        }
        let fired = if of_owner(&due.1).is_some() {
            self.begin_scheduled(&due).await.map_err(RunError::Refused)
        } else if funds::of_owner(&due.1).is_some() {
            self.expire_reservations(&due).map_err(RunError::Refused)
        } else if instance_of(&due.1).is_ok() {
            self.ring(&due).map_err(RunError::Refused)
        } else {
            self.fire(&due).await
        };
        match fired {
            Ok(()) => Ok(()),
            Err(RunError::Mismatch) => self.forget(&due).await,
            Err(RunError::Refused(refused @ (Refused::Busy | Refused::DiskFull))) => {
                self.timers.near().due.insert(due);
                Err(refused)
            }
            Err(RunError::Refused(refused)) => {
                tracing::error!(
                    owner = due.1,
                    refused = refused.in_log(),
                    "a timer could not fire"
                );
                // Whoever waits for what it would have done looks again, and is told.
                self.changed();
                Ok(())
            }
        }
    }

    async fn fire(self: &Arc<Self>, (_, instance, timer): &Due) -> Result<(), RunError> {
        let timer = *timer;
        let settling = self
            .queue(instance, |draft| {
                draft.clear_timer(timer);
                Ok(Some(Event::TimerFired {
                    at: draft.at,
                    timer,
                }))
            })
            .await?;
        let instance = instance.clone();
        let going = self.under_way.begin();
        tokio::spawn(async move {
            if let Err(refused) = settling.settle().await {
                tracing::warn!(
                    instance,
                    refused = refused.in_log(),
                    "a fired timer is not on disk"
                );
            }
            drop(going);
        });
        Ok(())
    }

    /// The row of a timer that nobody waits for.
    async fn forget(&self, (at, instance, timer): &Due) -> Result<(), Refused> {
        let held = self.hold(instance).await?;
        let batch = Batch {
            puts: vec![Put {
                table: Table::Timer,
                key: key::timer(*at, instance, *timer),
                value: None,
                under: Under::Case(held.row.case.clone()),
            }],
            ..Batch::default()
        };
        drop(held);
        self.commit(batch).await
    }
}

/// Goes on with an instance that let others go first.
pub(crate) fn resume(shared: &Arc<Shared>, instance: &str) {
    let (shared, instance) = (Arc::clone(shared), instance.to_owned());
    let going = shared.under_way.begin();
    tokio::spawn(async move {
        let _going = going;
        loop {
            if shared.stopping() {
                return;
            }
            let resumed = shared
                .deliver(&instance, |draft| Ok(Some(Event::Resumed { at: draft.at })))
                .await;
            match resumed {
                Err(RunError::Refused(Refused::Busy | Refused::DiskFull)) => {
                    let again = shared.parts.clock.now() + SignedDuration::from_millis(AGAIN_MS);
                    shared.parts.clock.wait_until(again).await;
                }
                Err(RunError::Refused(refused)) => {
                    tracing::error!(
                        instance,
                        refused = refused.in_log(),
                        "an instance could not go on"
                    );
                    return;
                }
                Ok(()) | Err(RunError::Mismatch) => return,
            }
        }
    });
}
