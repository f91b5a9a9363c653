//! When nothing that is due is under way any more: for those who move the clock by hand.
//!
//! It drives nothing by itself: it fires what is due, as the timer task would, and waits for what
//! follows from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use casewright_store::{Batch, Table};
use jiff::Timestamp;
use tokio::sync::Notify;

use super::shared::unreadable;
use super::{Engine, Refused};
use crate::key;

/// Counts what was begun by the engine itself and has not come to rest.
#[derive(Default)]
pub(crate) struct UnderWay {
    count: AtomicUsize,
    rested: Notify,
}

/// Counted until it is dropped.
pub(crate) struct Going(Arc<UnderWay>);

impl UnderWay {
    /// Taken before what is begun is spawned, so that the count never touches zero between.
    pub(crate) fn begin(self: &Arc<Self>) -> Going {
        self.count.fetch_add(1, Ordering::AcqRel);
        Going(Arc::clone(self))
    }

    fn at_rest(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    async fn rested(&self) {
        loop {
            let rested = self.rested.notified();
            if self.at_rest() {
                return;
            }
            rested.await;
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.rested.notify_waiters();
        }
    }
}

impl Engine {
    /// Returns once everything that is due has happened and what followed from it has come to rest
    /// on disk: calls are answered, timers have fired. People and later moments are not waited for.
    ///
    /// With a clock that goes by itself the answer is out of date when it arrives.
    pub async fn quiet(&self) -> Result<(), Refused> {
        loop {
            self.shared.fire_due().await?;
            self.shared.bring_all().await?;
            self.shared.under_way.rested().await;
            // What was queued by then is on disk after it, and seen by the questions below.
            self.shared.commit(Batch::default()).await?;
            let now = self.shared.parts.clock.now();
            if self.next_timer()?.is_none_or(|at| at > now) && self.events_settled()? {
                return Ok(());
            }
        }
    }

    /// The earliest moment that anything waits for.
    pub fn next_timer(&self) -> Result<Option<Timestamp>, Refused> {
        let rows = self
            .shared
            .parts
            .store
            .scan(Table::Timer, &[], &[0xff; 64], 1);
        let rows = rows.map_err(unreadable)?;
        let first = rows.first().and_then(|(key, _)| key::read_timer(key));
        Ok(first.map(|(at, ..)| at))
    }
}
