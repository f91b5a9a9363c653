//! One decision being made: events go through the machine, effects become a batch, and what is to
//! be done after the flush is written down.
//!
//! It changes nothing outside itself; a draft that is dropped has not happened.

mod children;
mod effects;
mod episodes;
mod items;
mod payments;
mod plans;

pub(crate) use items::{assigned, term, worked_on};
pub(crate) use payments::owner;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use casewright_casework::{Case, Principal, WorkItem, audit};
use casewright_language::{Answers, Workflow};
use casewright_machine::lifecycle::{self, Phase};
use casewright_machine::{Call, Event, Instance, Step, Transition, step};
use casewright_store::{AuditAppend, Batch, EventAppend, Guard, Put, Table, Under};
use jiff::Timestamp;
use serde::Serialize;

use super::Refused;
use super::alarms::Moved;
use super::children::Due;
use super::funds::Books;
use super::lifecycle::Told;
use super::pending::{Awaited, OpenRows, TokenSecret};
use super::resident::Resident;
use super::shared::{ENGINE, Shared, no_workflow, not_found};
use crate::deployment::Deployment;
use crate::record::{self, EventRead, EventWritten, InstanceRow};

/// Rounds of questions for one event; the machine yields long before.
const ASK_ROUNDS_MAX: usize = 1_000;

/// Events that one decision may lead to (each booking answers itself); beyond it the rest is
/// decided after the flush.
const EVENTS_MAX: usize = 1_000;

/// What is done after the flush, in order.
#[derive(Debug)]
pub(crate) enum Action {
    Call(Call),
    Book(Call),
    Arm {
        at: Timestamp,
        timer: u32,
    },
    Disarm {
        at: Timestamp,
        timer: u32,
    },
    MoveAlarm(Moved),
    /// Events were kept and want to be brought.
    Bring,
    Resume,
    /// Something is due for an instance that another runs.
    Attend(Due, String),
    /// Look at a pending call at this moment.
    Wake(Timestamp, Vec<u8>),
    /// Not at this one.
    Sleep(Timestamp, Vec<u8>),
    Ended,
}

/// Answers of the evaluator by number of the event within the decision: kept over tries.
pub(crate) type Book = Vec<Answers>;

/// What is decided next within the same decision.
enum Next {
    Event(Event),
    /// Money moves only when its turn comes: until then what happens in another branch may take
    /// the wish back.
    Booking(Call),
}

pub(crate) struct Draft<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) resident: &'a Resident,
    pub(crate) at: Timestamp,
    pub(crate) batch: Batch,
    instance: Option<Instance>,
    pub(super) row: Option<InstanceRow>,
    /// The case that this decision opens.
    pub(super) opened: Option<Case>,
    /// The version that it is moved to by this decision.
    deployment: Option<Arc<Deployment>>,
    queue: VecDeque<Next>,
    pub(super) actions: Vec<Action>,
    /// What became of the run as a whole.
    told: Vec<Told>,
    timers: BTreeMap<u32, Timestamp>,
    items: BTreeMap<String, OpenItem>,
    books: Books,
    ledger: payments::Ledger,
    plan: plans::OpenPlan,
    /// Calls whose answer comes later, as this decision leaves them.
    pub(super) awaited: Awaited,
    pub(super) pending: OpenRows,
    /// Made by this decision.
    pub(super) token_secret: Option<TokenSecret>,
}

struct OpenItem {
    /// As it stood before this decision, with the version of its row.
    before: Option<(WorkItem, u64)>,
    now: WorkItem,
}

/// A draft that can be submitted, and what becomes of the resident when the store takes it.
pub(crate) struct Drafted {
    pub(crate) batch: Batch,
    pub(crate) actions: Vec<Action>,
    pub(crate) instance: Option<Instance>,
    pub(crate) row: Option<InstanceRow>,
    pub(crate) deployment: Option<Arc<Deployment>>,
    pub(crate) events: u64,
    pub(crate) at: Timestamp,
    pub(crate) timers: BTreeMap<u32, Timestamp>,
    pub(crate) awaited: Awaited,
    pub(crate) told: Vec<Told>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(shared: &'a Shared, resident: &'a Resident) -> Self {
        Self {
            shared,
            resident,
            at: shared.now().max(resident.at),
            batch: Batch::default(),
            instance: None,
            row: None,
            opened: None,
            deployment: None,
            queue: VecDeque::new(),
            actions: Vec::new(),
            told: Vec::new(),
            timers: resident.timers.clone(),
            items: BTreeMap::new(),
            books: Books::default(),
            ledger: payments::Ledger::default(),
            plan: plans::OpenPlan::default(),
            awaited: resident.awaited.clone(),
            pending: OpenRows::new(),
            token_secret: None,
        }
    }

    /// The instance as this decision leaves it.
    pub(crate) fn instance(&self) -> &Instance {
        self.instance.as_ref().unwrap_or(&self.resident.instance)
    }

    pub(crate) fn put<T: Serialize>(&mut self, table: Table, key: Vec<u8>, row: &T, under: Under) {
        self.batch.puts.push(Put {
            table,
            key,
            value: Some(record::encode(row)),
            under,
        });
    }

    /// A row that is only a key.
    pub(crate) fn mark(&mut self, table: Table, key: Vec<u8>, set: bool) {
        self.batch.puts.push(Put {
            table,
            key,
            value: set.then(Vec::new),
            under: self.under(),
        });
    }

    pub(crate) fn under(&self) -> Under {
        Under::Case(self.resident.row.case.clone())
    }

    /// Whether whoever decides may open the case, until this is on disk.
    pub(crate) fn admit(&mut self, who: &Principal) -> Result<(), Refused> {
        let guards = self.shared.door(who, &self.resident.row.case)?;
        self.batch.guards.extend(guards);
        Ok(())
    }

    pub(crate) fn note(
        &mut self,
        who: &str,
        action: audit::Action,
        subject: Option<String>,
        detail: Option<String>,
    ) {
        self.batch.audit.push(AuditAppend {
            case: self.resident.row.case.clone(),
            entry: audit::Entry {
                at: self.at,
                who: who.to_owned(),
                action,
                instance: Some(self.resident.id.clone()),
                subject,
                detail,
            },
        });
    }

    pub(crate) fn note_own(
        &mut self,
        action: audit::Action,
        subject: Option<String>,
        detail: Option<String>,
    ) {
        self.note(ENGINE, action, subject, detail);
    }

    /// From here on what it decides is decided by another version; with its row.
    pub(super) fn move_to(&mut self, deployment: Arc<Deployment>, row: InstanceRow) {
        self.deployment = Some(deployment);
        self.row = Some(row);
    }

    /// The version by which it decides.
    pub(super) fn deployment(&self) -> &Arc<Deployment> {
        self.deployment
            .as_ref()
            .unwrap_or(&self.resident.deployment)
    }

    /// Changes the instance's own row.
    pub(crate) fn set_row(&mut self, row: InstanceRow) {
        self.row = Some(row);
    }

    pub(crate) fn after_flush(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Takes an event in, with everything that follows from it at once.
    pub(crate) async fn run(&mut self, event: Event, book: &mut Book) -> Result<(), RunError> {
        self.queue.push_back(Next::Event(event));
        let mut index = 0;
        while let Some(next) = self.queue.pop_front() {
            let event = match next {
                Next::Event(event) => event,
                Next::Booking(call) if index == EVENTS_MAX => {
                    self.actions.push(Action::Book(call));
                    continue;
                }
                Next::Booking(call) => match self.book(&call)? {
                    Some(event) => event,
                    None => continue,
                },
            };
            if book.len() == index {
                book.push(Answers::default());
            }
            self.advance(event, &mut book[index]).await?;
            index += 1;
        }
        Ok(())
    }

    async fn advance(&mut self, event: Event, answers: &mut Answers) -> Result<(), RunError> {
        let deployment = self.deployment.clone();
        let deployment = deployment.as_ref().unwrap_or(&self.resident.deployment);
        let workflow = deployment.workflows.get(&self.resident.row.workflow);
        let workflow = workflow.ok_or_else(|| no_workflow(&self.resident.id))?;
        for _ in 0..ASK_ROUNDS_MAX {
            match step(workflow, self.instance(), &event, answers) {
                Ok(Step::Done(transition)) => {
                    let began = lifecycle::begun(&event);
                    let ended = lifecycle::ended(workflow, &transition.effects);
                    self.tell(&event, began.into_iter().chain(ended));
                    return Ok(self.accept(&event, answers, *transition)?);
                }
                Ok(Step::Ask(questions)) => {
                    for question in questions {
                        let answer = self.shared.parts.evaluate.evaluate(question.clone()).await;
                        answers.insert(&question, answer);
                    }
                }
                Err(_) => return Err(RunError::Mismatch),
            }
        }
        Err(RunError::Refused(Refused::Damaged(format!(
            "instance {} asks without end",
            self.resident.id
        ))))
    }

    fn tell(&mut self, event: &Event, phases: impl Iterator<Item = Phase>) {
        let sequence = self.resident.events + self.batch.events.len() as u64 + 1;
        let at = moment_of(event);
        let told = |phase| Told {
            sequence,
            at,
            phase,
        };
        self.told.extend(phases.map(told));
    }

    fn accept(
        &mut self,
        event: &Event,
        answers: &Answers,
        transition: Transition,
    ) -> Result<(), Refused> {
        let written = EventWritten {
            event,
            answers: (!answers.is_empty()).then_some(answers),
        };
        self.batch.events.push(EventAppend {
            instance: self.resident.id.clone(),
            case: self.resident.row.case.clone(),
            bytes: record::encode(&written),
        });
        self.instance = Some(transition.instance);
        for effect in transition.effects {
            self.perform(effect)?;
        }
        if matches!(
            event,
            Event::WorkItemCompleted { .. } | Event::ChildEnded { .. }
        ) {
            self.exclude()?;
        }
        Ok(())
    }

    /// Guards and rows that are known only at the end.
    pub(crate) fn finish(mut self) -> Drafted {
        let appended = self.batch.events.len() as u64;
        if appended > 0 {
            self.batch.guards.push(Guard::Instance {
                id: self.resident.id.clone(),
                events: self.resident.events,
            });
        }
        self.write_items();
        self.write_pending();
        self.write_ledger();
        self.write_plan();
        let books = std::mem::take(&mut self.books);
        let moved = books.write(&self.resident.row.agency, &mut self.batch);
        self.actions
            .extend(moved.into_iter().map(Action::MoveAlarm));
        if let Some(row) = self.row.clone() {
            let key = self.resident.id.clone().into_bytes();
            self.put(Table::Instance, key, &row, self.under());
        }
        Drafted {
            batch: self.batch,
            actions: self.actions,
            instance: self.instance,
            row: self.row,
            deployment: self.deployment,
            events: self.resident.events + appended,
            at: if appended > 0 {
                self.at
            } else {
                self.resident.at
            },
            timers: self.timers,
            awaited: self.awaited,
            told: self.told,
        }
    }
}

/// Why an event led to nothing.
#[derive(Debug)]
pub(crate) enum RunError {
    /// Late, repeated or foreign: it is simply not taken.
    Mismatch,
    Refused(Refused),
}

impl From<Refused> for RunError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<RunError> for Refused {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Mismatch => not_found(),
            RunError::Refused(refused) => refused,
        }
    }
}

/// When it happened, as it says itself.
pub(crate) fn moment_of(event: &Event) -> Timestamp {
    match event {
        Event::Started(started) => started.at,
        Event::CallReturned { at, .. }
        | Event::ChildEnded { at, .. }
        | Event::WorkItemCompleted { at, .. }
        | Event::TimerFired { at, .. }
        | Event::EventReceived { at, .. }
        | Event::Resumed { at }
        | Event::Retried { at, .. }
        | Event::Migrated { at, .. }
        | Event::Cancelled { at, .. } => *at,
    }
}

/// A step that was made before: everything it asks is answered in the journal.
pub(crate) fn replay(
    workflow: &Workflow,
    instance: &Instance,
    read: &EventRead,
    id: &str,
) -> Result<Transition, Refused> {
    match step(workflow, instance, &read.event, &read.answers) {
        Ok(Step::Done(transition)) => Ok(*transition),
        Ok(Step::Ask(_)) => Err(Refused::Damaged(format!(
            "the journal of instance {id} lacks an answer"
        ))),
        Err(_) => Err(Refused::Damaged(format!(
            "the journal of instance {id} does not fit its workflow"
        ))),
    }
}
