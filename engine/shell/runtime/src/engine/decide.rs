//! From an event to the disk and on: decide under the instance's slot, queue the batch, let go of
//! the slot, wait for the flush, act.

use std::sync::Arc;

use casewright_machine::{Call, Event};
use casewright_store::{SubmitError, Ticket};
use serde::Serialize;

use super::Refused;
use super::draft::{Action, Book, Draft, Drafted, RunError};
use super::pending::{Awaited, liveliness};
use super::requests::Ask;
use super::resident::{Flushed, Held, Resident, ended};
use super::shared::{Shared, refused};
use super::{calls, children, funds, pending, timers};

/// A decision that the store has taken and that is not on disk yet.
pub(crate) struct Settling {
    shared: Arc<Shared>,
    instance: String,
    ticket: Ticket,
    events: u64,
    flushed: tokio::sync::watch::Sender<Flushed>,
    actions: Vec<Action>,
}

/// A decision that is on disk, with what follows from it.
struct Settled {
    shared: Arc<Shared>,
    instance: String,
    actions: Vec<Action>,
}

impl Shared {
    /// Decides and submits. `prepare` puts into the draft what comes with the event and gives the
    /// event, if the machine is to hear of it; `answer` sees the draft after the event. Both run
    /// again when somebody else was first.
    pub(crate) async fn decide<T: Serialize>(
        self: &Arc<Self>,
        held: &mut Held,
        ask: Option<&Ask>,
        mut prepare: impl FnMut(&mut Draft<'_>) -> Result<Option<Event>, Refused>,
        mut answer: impl FnMut(&Draft<'_>) -> Result<T, Refused>,
    ) -> Result<(T, Settling), RunError> {
        let mut book = Book::new();
        for _ in 0..self.limits.tries_max {
            let mut draft = Draft::new(self, held);
            if let Some(event) = prepare(&mut draft)? {
                draft.run(event, &mut book).await?;
            }
            let reply = answer(&draft)?;
            if let Some(ask) = ask {
                let under = draft.under();
                ask.record(&reply, under, &mut draft.batch);
            }
            let mut drafted = draft.finish();
            let batch = std::mem::take(&mut drafted.batch);
            let agency = &held.row.agency;
            match self.submit_told(batch, agency, &held.id, &drafted.told) {
                Ok(ticket) => return Ok((reply, self.taken(held, drafted, ticket))),
                Err(SubmitError::Guard { .. }) => self.refresh(held)?,
                Err(error) => return Err(RunError::Refused(refused(error))),
            }
        }
        Err(RunError::Refused(Refused::Busy))
    }

    fn taken(self: &Arc<Self>, held: &mut Resident, drafted: Drafted, ticket: Ticket) -> Settling {
        if let Some(instance) = drafted.instance {
            held.instance = instance;
        }
        if let Some(row) = drafted.row {
            held.row = row;
        }
        if let Some(deployment) = drafted.deployment {
            held.deployment = deployment;
        }
        held.events = drafted.events;
        held.at = drafted.at;
        held.timers = drafted.timers;
        held.awaited = drafted.awaited;
        held.touched = self.now();
        Settling {
            shared: Arc::clone(self),
            instance: held.id.clone(),
            ticket,
            events: held.events,
            flushed: held.flushed.clone(),
            actions: drafted.actions,
        }
    }

    /// Only if the store knows more of the instance than memory does; rows are read anew anyway.
    fn refresh(&self, held: &mut Held) -> Result<(), Refused> {
        if held.events == 0 {
            return Ok(());
        }
        let stored = self.parts.store.history(&held.id);
        let stored = stored.map_err(super::shared::unreadable)?;
        let events = stored.map_or(0, |found| found.snapshot_events + found.events.len() as u64);
        if events != held.events {
            let flushed = held.flushed.clone();
            **held = self.rebuild(&held.id)?;
            held.flushed = flushed;
        }
        Ok(())
    }

    /// Brings an event to an instance and sees it through.
    pub(crate) async fn deliver(
        self: &Arc<Self>,
        instance: &str,
        prepare: impl FnMut(&mut Draft<'_>) -> Result<Option<Event>, Refused>,
    ) -> Result<(), RunError> {
        self.queue(instance, prepare).await?.settle().await?;
        Ok(())
    }

    /// The same up to the flush, for those who must keep an order.
    pub(crate) async fn queue(
        self: &Arc<Self>,
        instance: &str,
        prepare: impl FnMut(&mut Draft<'_>) -> Result<Option<Event>, Refused>,
    ) -> Result<Settling, RunError> {
        let mut held = self.hold(instance).await?;
        let decided = self.decide(&mut held, None, prepare, |_| Ok(())).await;
        decided.map(|((), settling)| settling)
    }
}

impl Settling {
    /// Waits for the disk and does what follows. To be run where nobody drops it half-way.
    pub(crate) async fn settle(self) -> Result<(), Refused> {
        self.flushed().await?.act();
        Ok(())
    }

    /// The same, but leaves a last call to who settles: one that has just brought a result home
    /// sends the next itself, and wakes nobody for it.
    pub(crate) async fn settle_to_call(self) -> Result<Option<Call>, Refused> {
        let mut settled = self.flushed().await?;
        let last = settled.actions.pop();
        let (call, action) = match last {
            Some(Action::Call(call)) => (Some(call), None),
            other => (None, other),
        };
        settled.actions.extend(action);
        settled.act();
        Ok(call)
    }

    async fn flushed(self) -> Result<Settled, Refused> {
        if let Err(error) = self.ticket.flushed().await {
            self.flushed.send_replace(Flushed::Lost);
            self.shared.changed();
            return Err(refused(error));
        }
        self.flushed.send_if_modified(|flushed| {
            let later = matches!(flushed, Flushed::Events(before) if *before < self.events);
            if later {
                *flushed = Flushed::Events(self.events);
            }
            later
        });
        self.shared.changed();
        Ok(Settled {
            shared: self.shared,
            instance: self.instance,
            actions: self.actions,
        })
    }
}

impl Settled {
    fn act(self) {
        for action in self.actions {
            act(&self.shared, &self.instance, action);
        }
    }
}

/// Effects of a decision that is on disk.
pub(crate) fn act(shared: &Arc<Shared>, instance: &str, action: Action) {
    match action {
        Action::Call(call) => calls::dispatch(shared, instance, call, calls::Sent::Never),
        Action::Book(call) => funds::book_later(shared, instance, call),
        Action::Arm { at, timer } => shared.timers.arm(at, instance, timer),
        Action::Disarm { at, timer } => shared.timers.disarm(at, instance, timer),
        Action::MoveAlarm(moved) => shared.timers.move_alarm(&moved),
        Action::Bring => shared.inbox.wake(),
        Action::Wake(at, hash) => pending::arm(shared, at, &hash),
        Action::Sleep(at, hash) => pending::disarm(shared, at, &hash),
        Action::Resume => timers::resume(shared, instance),
        Action::Attend(due, other) => children::attend(shared, due, &other),
        Action::Ended => shared.sweep.rest(instance),
    }
}

/// Waits until what was just read of a resident is on disk; the slot may be given back before.
pub(crate) async fn shown(
    mut flushed: tokio::sync::watch::Receiver<Flushed>,
    events: u64,
) -> Result<(), Refused> {
    let reached = flushed.wait_for(|now| match now {
        Flushed::Events(on_disk) => *on_disk >= events,
        Flushed::Lost => true,
    });
    match reached.await.map(|now| *now) {
        Ok(Flushed::Lost) => Err(Refused::Stopping),
        // An error: the resident has left memory, which it does only once all is on disk.
        Ok(Flushed::Events(_)) | Err(_) => Ok(()),
    }
}

/// A name of the status as the API writes it.
pub(crate) fn status(instance: &casewright_machine::Instance, awaited: &Awaited) -> String {
    use casewright_machine::Status;
    let name = match liveliness(instance, awaited) {
        Status::Pending => "pending",
        Status::Running => "running",
        Status::Waiting => "waiting",
        Status::Suspended => "suspended",
        Status::Cancelled => "cancelled",
        Status::Faulted => "faulted",
        Status::Completed => "completed",
    };
    debug_assert!(
        matches!(name, "cancelled" | "faulted" | "completed") == ended(instance.status())
    );
    name.to_owned()
}
