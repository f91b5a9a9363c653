//! Opening and stopping: what was under way goes on, what is under way comes to rest.

use std::sync::Arc;

use casewright_machine::{Call, Effect};
use jiff::SignedDuration;

use super::calls::{self, Sent};
use super::children::{self, Due};
use super::limits::Limits;
use super::resident::Held;
use super::shared::{Shared, unreadable};
use super::{Engine, Parts, Refused, events, funds, sweep, timers};

impl Engine {
    /// Recovers what was open, then drives it. Returns when requests may come.
    pub async fn open(parts: Parts) -> Result<Self, Refused> {
        Self::open_within(parts, Limits::default()).await
    }

    /// The same with other bounds.
    pub async fn open_within(parts: Parts, limits: Limits) -> Result<Self, Refused> {
        let shared = Arc::new(Shared::new(parts, limits));
        shared.load_in_force()?;
        shared.look_ahead()?;
        shared.recover().await?;
        shared.set_ready();
        shared.begin_moving();
        tokio::spawn(timers::drive(Arc::downgrade(&shared)));
        tokio::spawn(events::drive(Arc::downgrade(&shared)));
        tokio::spawn(sweep::drive(Arc::downgrade(&shared)));
        Ok(Self { shared })
    }

    /// Whether requests are served: store open, recovery done.
    pub fn ready(&self) -> bool {
        self.shared.ready()
    }

    /// Stops taking work, waits for calls under way up to a limit, closes the store.
    pub async fn stop(&self) {
        let shared = &self.shared;
        shared.begin_stop();
        shared.calls.close();
        let limit = i64::try_from(shared.limits.stop_ms_max).unwrap_or(i64::MAX / 2);
        let until = shared.parts.clock.now() + SignedDuration::from_millis(limit);
        tokio::select! {
            () = shared.calls.drained() => {}
            () = shared.parts.clock.wait_until(until) => {
                tracing::warn!("stopping with calls under way; the next start goes on with them");
            }
        }
        shared.fold_all();
        let store = Arc::clone(&shared.parts.store);
        if tokio::task::spawn_blocking(move || store.close())
            .await
            .is_err()
        {
            tracing::error!("the store did not close as it should");
        }
    }
}

impl Shared {
    /// One damaged instance does not keep the others from going on.
    async fn recover(self: &Arc<Self>) -> Result<(), Refused> {
        self.let_arrivals_go().await;
        self.mark_relations().await?;
        let (mut recovered, mut failed) = (0_u64, 0_u64);
        for id in self.parts.store.unsettled().map_err(unreadable)? {
            match self.hold(&id).await {
                Ok(held) => {
                    self.go_on(held);
                    recovered += 1;
                }
                Err(refused) => {
                    tracing::error!(instance = id, refused = refused.in_log(), "not recovered");
                    failed += 1;
                }
            }
        }
        if recovered + failed > 0 {
            tracing::info!(recovered, failed, "runs that were under way were looked at");
        }
        self.recover_due()
    }

    /// Work items, timers, other instances, subscriptions and kept events are rows already; calls
    /// and yields are only in the instance.
    fn go_on(self: &Arc<Self>, held: Held) {
        let (id, open) = (held.id.clone(), held.instance.outstanding());
        let (quiet, awaited) = (held.quiet(), held.awaited.clone());
        drop(held);
        for effect in open {
            match effect {
                // Its timer goes on with it.
                Effect::Call(call) if awaited.contains_key(&call.delivery) => {}
                Effect::Call(call) if funds::is_booking(&call) => {
                    funds::book_later(self, &id, call);
                }
                Effect::Call(call) => self.send_again(&id, call),
                Effect::Yield => timers::resume(self, &id),
                // Mostly not ended yet. An end that was told in vain before a retry is told again.
                Effect::StartChild(child) => {
                    children::attend(self, Due::BringBack, &children::child_id(&child.key));
                }
                Effect::Abandon(_)
                | Effect::Offer(_)
                | Effect::Withdraw { .. }
                | Effect::CancelChild { .. }
                | Effect::SetTimer { .. }
                | Effect::CancelTimer { .. }
                | Effect::Subscribe(_)
                | Effect::Unsubscribe(_)
                | Effect::Emit(_)
                | Effect::Listen { .. }
                | Effect::LetGo { .. }
                | Effect::Finish(_) => {}
            }
        }
        if quiet {
            self.sweep.rest(&id);
        }
    }

    fn send_again(self: &Arc<Self>, id: &str, call: Call) {
        tracing::debug!(
            instance = id,
            function = call.function,
            "a call was under way"
        );
        calls::dispatch(self, id, call, Sent::Perhaps);
    }

    fn fold_all(&self) {
        for id in self.residents.ids() {
            let Some(mut held) = self.residents.try_enter(&id) else {
                continue;
            };
            if let Err(refused) = self.fold(&mut held) {
                // The journal has its events: the next start reads them from there.
                tracing::debug!(
                    instance = id,
                    refused = refused.in_log(),
                    "not folded at the stop"
                );
            }
        }
    }
}
