//! Looking at an instance, its history, and cancelling it.

use std::sync::Arc;

use casewright_casework::audit::Action;
use casewright_casework::{Principal, WorkItem};
use casewright_machine::{Effect, Event, Instance, Retry, TaskRun, Transition, Waiting};
use casewright_store::Table;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::children::child_id;
use super::decide::{shown, status};
use super::draft::{RunError, moment_of, replay};
use super::pending::Awaited;
use super::requests::{Ask, Asked};
use super::resident::ended;
use super::shared::{Shared, no_workflow, unreadable};
use super::start::may_start;
use super::work_items::item_id;
use super::{Engine, Refused, RequestKey};
use crate::record::{self, EventRead, InstanceRow};
use crate::view::{HistoryEntry, InstanceView, WaitingView};

/// Entries of one answer; ask again after the last.
const HISTORY_MAX: usize = 500;

impl Engine {
    /// An instance as it stands on disk.
    pub async fn instance(&self, who: &Principal, id: &str) -> Result<InstanceView, Refused> {
        self.shared.seen_instance(who, id)?;
        self.shared.instance_view(who, id).await
    }

    /// Grows with every change that is on disk, whoever made it: for pages that follow live. It
    /// tells nothing of what changed.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.changes().subscribe()
    }

    /// Instances in memory, for metrics.
    pub fn resident_count(&self) -> usize {
        self.shared.residents.len()
    }

    /// The tasks of an instance in the order they started, as it stands on disk.
    pub async fn task_runs(&self, who: &Principal, id: &str) -> Result<Vec<TaskRun>, Refused> {
        self.shared.seen_instance(who, id)?;
        let held = self.shared.hold(id).await?;
        let runs = held.instance.task_runs().to_vec();
        let (flushed, events) = (held.flushed.subscribe(), held.events);
        drop(held);
        shown(flushed, events).await?;
        Ok(runs)
    }

    /// What happened to an instance, after the entry with this sequence (0: from the beginning).
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn history(
        &self,
        who: &Principal,
        id: &str,
        after: u64,
    ) -> Result<Vec<HistoryEntry>, Refused> {
        let row = self.shared.seen_instance(who, id)?;
        self.shared.history_of(id, &row, after)
    }

    /// Ends an instance before its time; its work items are withdrawn.
    pub async fn cancel(
        &self,
        who: &Principal,
        id: &str,
        reason: Option<String>,
        key: Option<RequestKey>,
    ) -> Result<InstanceView, Refused> {
        let admitted = self.shared.admit()?;
        let row = self.shared.seen_instance(who, id)?;
        if !self.shared.may_administer(who) {
            may_start(&*self.shared.deployment(&row.deployment)?, who)?;
        }
        let ask = match self.shared.ask(who, &format!("cancel {id}"), key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let (shared, who, id) = (Arc::clone(&self.shared), who.clone(), id.to_owned());
        Shared::carry(async move {
            let cancelled = shared.cancel(&who, &id, reason, ask.as_ref()).await;
            drop(admitted);
            cancelled
        })
        .await
    }
}

impl Shared {
    pub(crate) async fn instance_view(
        &self,
        who: &Principal,
        id: &str,
    ) -> Result<InstanceView, Refused> {
        let held = self.hold(id).await?;
        let mut view = view(&held.row, id, &held.instance, &held.awaited);
        let pinned = held.row.deployment.clone();
        let (flushed, events) = (held.flushed.subscribe(), held.events);
        drop(held);
        shown(flushed, events).await?;
        for waiting in &mut view.waiting {
            let child = waiting.instance.as_deref();
            if child.map_or(Ok(true), |child| self.sees_run(who, child))? {
                waiting.title = self.title_of(&pinned, waiting)?;
            } else {
                waiting.instance = None;
            }
        }
        Ok(view)
    }

    /// What people call that which is waited for; `None` where only the document has a name for it.
    fn title_of(&self, pinned: &str, waiting: &WaitingView) -> Result<Option<String>, Refused> {
        if let Some(id) = &waiting.work_item {
            let item = self.read::<WorkItem>(Table::WorkItem, id.as_bytes(), "a work item")?;
            return Ok(item.map(|item| item.title));
        }
        let Some(child) = &waiting.instance else {
            return Ok(None);
        };
        let row = self.read::<InstanceRow>(Table::Instance, child.as_bytes(), "an instance row")?;
        let deployment = self.deployment(pinned)?;
        let workflow = row.and_then(|row| deployment.workflows.get(&row.workflow));
        Ok(workflow.and_then(|workflow| workflow.document.title.clone()))
    }

    async fn cancel(
        self: &Arc<Self>,
        who: &Principal,
        id: &str,
        reason: Option<String>,
        ask: Option<&Ask>,
    ) -> Result<InstanceView, Refused> {
        let mut held = self.hold(id).await?;
        let decided = self
            .decide(
                &mut held,
                ask,
                |draft| {
                    // What failed and could be retried is given up so.
                    let last = draft.instance().retry() == Retry::Nothing;
                    if ended(draft.instance().status()) && last {
                        return Err(over());
                    }
                    if draft.resident.row.opening.is_some() {
                        // It begins this moment; ask again.
                        return Err(Refused::Busy);
                    }
                    draft.admit(who)?;
                    draft.note(&who.id, Action::InstanceCancelled, None, None);
                    Ok(Some(Event::Cancelled {
                        at: draft.at,
                        by: who.id.clone(),
                        reason: reason.clone(),
                    }))
                },
                |draft| {
                    Ok(view(
                        &draft.resident.row,
                        id,
                        draft.instance(),
                        &draft.awaited,
                    ))
                },
            )
            .await;
        drop(held);
        let (view, settling) = decided.map_err(|error| match error {
            RunError::Mismatch => over(),
            RunError::Refused(refused) => refused,
        })?;
        settling.settle().await?;
        Ok(view)
    }

    /// The journal told again, with the tasks that began or ended in each event.
    fn history_of(
        &self,
        id: &str,
        row: &InstanceRow,
        after: u64,
    ) -> Result<Vec<HistoryEntry>, Refused> {
        let mut instance = Instance::pending();
        let mut entries = Vec::new();
        let events = self.parts.store.events(id).map_err(unreadable)?;
        for (sequence, bytes) in (1_u64..).zip(&events) {
            let read: EventRead = record::decode("an event", bytes)?;
            let deployment = self.deployment(row.deployment_at(sequence))?;
            let workflow = deployment.workflows.get(&row.workflow);
            let workflow = workflow.ok_or_else(|| no_workflow(id))?;
            let transition = replay(workflow, &instance, &read, id)?;
            if sequence > after {
                entries.push(entry(sequence, &read.event, &transition));
            }
            instance = transition.instance;
            if entries.len() == HISTORY_MAX {
                break;
            }
        }
        Ok(entries)
    }
}

fn entry(sequence: u64, event: &Event, transition: &Transition) -> HistoryEntry {
    let name = match event {
        Event::Started(_) => "started",
        Event::CallReturned { .. } => "call-returned",
        Event::WorkItemCompleted { .. } => "work-item-completed",
        Event::ChildEnded { .. } => "workflow-ended",
        Event::TimerFired { .. } => "timer-fired",
        Event::EventReceived { .. } => "event-received",
        Event::Resumed { .. } => "resumed",
        Event::Retried { .. } => "retried",
        Event::Migrated { .. } => "migrated",
        Event::Cancelled { .. } => "cancelled",
    };
    let (by, reason) = match event {
        Event::Retried { by, reason, .. } | Event::Cancelled { by, reason, .. } => {
            (Some(by.clone()), reason.clone())
        }
        Event::Migrated { by, reason, .. } => (Some(by.clone()), Some(reason.clone())),
        Event::Started(_)
        | Event::CallReturned { .. }
        | Event::WorkItemCompleted { .. }
        | Event::ChildEnded { .. }
        | Event::TimerFired { .. }
        | Event::EventReceived { .. }
        | Event::Resumed { .. } => (None, None),
    };
    HistoryEntry {
        sequence,
        at: moment_of(event),
        event: name.to_owned(),
        tasks: transition.notes.iter().map(written).collect(),
        choices: transition.choices.iter().map(written).collect(),
        by,
        reason,
    }
}

fn written<T: Serialize>(one: &T) -> Value {
    serde_json::to_value(one).unwrap_or(Value::Null)
}

fn over() -> Refused {
    Refused::Invalid {
        code: "already-ended",
        status: 409,
        message: "this instance has ended already".to_owned(),
    }
}

pub(super) fn view(
    row: &InstanceRow,
    id: &str,
    instance: &Instance,
    awaited: &Awaited,
) -> InstanceView {
    InstanceView {
        id: id.to_owned(),
        workflow: row.workflow.clone(),
        version: row.version.clone(),
        case: row.case.clone(),
        status: status(instance, awaited),
        output: instance.output().cloned(),
        error: instance
            .fault()
            .and_then(|fault| serde_json::to_value(fault).ok()),
        parent: row.parent.as_ref().map(|parent| parent.instance.clone()),
        waiting: waits(id, instance, awaited),
        retryable: instance.retry() != Retry::Nothing,
        started: Some(row.started_at),
        ended: row.ended_at,
    }
}

fn waits(id: &str, instance: &Instance, awaited: &Awaited) -> Vec<WaitingView> {
    // What is waited for and what is open come in one order.
    let mut calls = instance
        .outstanding()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Call(call) => Some(call.delivery),
            _ => None,
        });
    let waiting = instance.waiting().into_iter().map(|waiting| {
        let delivery = match waiting {
            Waiting::Call { .. } => calls.next(),
            _ => None,
        };
        let next = delivery.and_then(|delivery| *awaited.get(&delivery)?);
        waited_for(id, waiting, next)
    });
    waiting.collect()
}

fn waited_for(id: &str, waiting: Waiting, next: Option<Timestamp>) -> WaitingView {
    let plain = |kind: &str, task| WaitingView {
        kind: kind.to_owned(),
        task,
        title: None,
        work_item: None,
        instance: None,
        until: None,
        events: Vec::new(),
    };
    match waiting {
        Waiting::WorkItem { task, item } => WaitingView {
            work_item: Some(item_id(id, item)),
            ..plain("work-item", task)
        },
        Waiting::Call { task, .. } => WaitingView {
            until: next,
            ..plain("call", task)
        },
        Waiting::Event { task, types } => WaitingView {
            events: types,
            ..plain("event", task)
        },
        Waiting::Child { task, key, .. } => WaitingView {
            instance: Some(child_id(&key)),
            ..plain("workflow", task)
        },
        Waiting::Timer { task, until } => WaitingView {
            until: Some(until),
            ..plain("timer", task)
        },
        Waiting::Retry { task, until } => WaitingView {
            until: Some(until),
            ..plain("retry", task)
        },
    }
}
