//! What the specification calls lifecycle events, read from transitions that happened: which tasks
//! began, were tried again, ended, and what became of the run as a whole.
//!
//! It says what, not when, and carries nothing that a run worked on: no input, no output, and of
//! an error its type and status alone. It adds nothing to the state of an instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_language::workflow::{Kind, Problem};
use casewright_language::{Task, Template, Workflow};

use crate::fault::{OWN_PREFIX, standard};
use crate::position::{Open, Purpose};
use crate::{Effect, Event, Fault, Instance, Outcome, Retry, Status, Transition};

/// Longest error type that is told.
const KIND_LEN_MAX: usize = 200;

/// Something that began, went on or ended in one transition; no part of the state.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Of the run of the task, as counted from the start of the instance.
    pub(crate) number: u64,
    pub(crate) kind: TurnKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TurnKind {
    Began {
        reference: Arc<str>,
        run: u32,
    },
    /// After the whole run had failed.
    Again,
    Ended(Status),
    Faulted(Cause),
}

/// What may be said of an error: nothing that anybody wrote into it at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// A standard type, one of the engine or a plugin, or one written in the document.
    pub kind: String,
    /// As HTTP would give it.
    pub status: i64,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// What.
    pub phase: Phase,
    /// To which task; `None` for the run as a whole.
    pub task: Option<TaskAt>,
}

/// A run of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskAt {
    /// Of the task: unique within its document.
    pub reference: String,
    /// JSON pointer to where its author wrote it.
    pub pointer: String,
    /// Which run of the task it is, from 1.
    pub run: u32,
}

/// What happened to a task or to a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    Created,
    Started,
    Suspended,
    Resumed,
    Retried,
    CorrelationStarted,
    CorrelationCompleted,
    Cancelled,
    Faulted(Cause),
    Completed,
}

/// Goes through the transitions of one instance, from its first.
#[derive(Debug, Clone, Default)]
pub struct Chronicle {
    /// Tasks that have begun and not ended, by the number of their run.
    open: BTreeMap<u64, (String, u32)>,
    /// Which task offered a work item.
    offered: BTreeMap<u32, TaskAt>,
}

impl Phase {
    /// As the specification names it in the type of an event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Started => "started",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Retried => "retried",
            Self::CorrelationStarted => "correlation-started",
            Self::CorrelationCompleted => "correlation-completed",
            Self::Cancelled => "cancelled",
            Self::Faulted(_) => "faulted",
            Self::Completed => "completed",
        }
    }
}

impl Chronicle {
    /// What the event did, in order. `workflow` is the version that decided it, `before` the
    /// instance as it stood.
    pub fn tell(
        &mut self,
        workflow: &Workflow,
        before: &Instance,
        event: &Event,
        transition: &Transition,
    ) -> Vec<Happening> {
        let mut told: Vec<_> = begun(event).map(whole).into_iter().collect();
        if let Event::Migrated { moves, .. } = event {
            for (reference, _) in self.open.values_mut() {
                if let Some(place) = moves.get(reference) {
                    reference.clone_from(place);
                }
            }
        }
        if let Event::TimerFired { timer, .. } = event {
            let again = retried(before, *timer).and_then(|at| self.latest(workflow, at));
            told.extend(again.map(|task| of(Phase::Retried, task)));
        }
        let failed = failed(before);
        for turn in &transition.turns {
            self.turn(workflow, failed.as_deref(), turn, &mut told);
        }
        for effect in &transition.effects {
            if let Effect::Offer(offer) = effect
                && let Some(task) = self.latest(workflow, &offer.reference)
            {
                self.offered.insert(offer.item, task);
            }
        }
        told.extend(ended(workflow, &transition.effects).map(whole));
        told
    }

    /// The task that offered this work item.
    pub fn offered_by(&self, item: u32) -> Option<&TaskAt> {
        self.offered.get(&item)
    }

    fn turn(
        &mut self,
        workflow: &Workflow,
        failed: Option<&str>,
        turn: &Turn,
        told: &mut Vec<Happening>,
    ) {
        if let TurnKind::Began { reference, run } = &turn.kind {
            self.open.insert(turn.number, (reference.to_string(), *run));
        }
        let Some((reference, run)) = self.open.get(&turn.number) else {
            return;
        };
        let listens = listens(workflow, reference);
        let task = at(workflow, reference, *run);
        let mut say = |phase| told.push(of(phase, task.clone()));
        match &turn.kind {
            TurnKind::Began { .. } => {
                say(Phase::Created);
                say(Phase::Started);
                if listens {
                    say(Phase::CorrelationStarted);
                }
            }
            TurnKind::Again if failed == Some(&**reference) => say(Phase::Retried),
            TurnKind::Again => say(Phase::Resumed),
            TurnKind::Faulted(cause) => say(Phase::Faulted(cause.clone())),
            TurnKind::Ended(Status::Cancelled) => say(Phase::Cancelled),
            TurnKind::Ended(_) => {
                if listens {
                    say(Phase::CorrelationCompleted);
                }
                say(Phase::Completed);
            }
        }
        // What ended otherwise may go on when the run is retried: it is not forgotten.
        if turn.kind == TurnKind::Ended(Status::Completed) {
            self.open.remove(&turn.number);
        }
    }

    /// The latest run of this task.
    fn latest(&self, workflow: &Workflow, reference: &str) -> Option<TaskAt> {
        let mut runs = self.open.values().rev();
        let (_, run) = runs.find(|(known, _)| known == reference)?;
        Some(at(workflow, reference, *run))
    }
}

fn at(workflow: &Workflow, reference: &str, run: u32) -> TaskAt {
    let pointer = workflow.task(reference).map(Task::pointer);
    TaskAt {
        reference: reference.to_owned(),
        pointer: pointer.unwrap_or(reference).to_owned(),
        run,
    }
}

const fn whole(phase: Phase) -> Happening {
    Happening { phase, task: None }
}

const fn of(phase: Phase, task: TaskAt) -> Happening {
    Happening {
        phase,
        task: Some(task),
    }
}

fn listens(workflow: &Workflow, reference: &str) -> bool {
    let task = workflow.task(reference);
    task.is_some_and(|task| matches!(task.kind, Kind::Listen(_)))
}

/// The task that rested until this timer, to be tried again.
fn retried(before: &Instance, fired: u32) -> Option<&str> {
    before.open().iter().find_map(|open| match open {
        Open::Timer {
            timer,
            purpose: Purpose::Retry,
            reference,
        } if timer.timer == fired => Some(*reference),
        _ => None,
    })
}

/// The task with which the whole run failed.
fn failed(before: &Instance) -> Option<String> {
    match before.retry() {
        Retry::Call { delivery, .. } => Some(delivery.reference),
        Retry::Child { key } => before.failed_child(&key),
        Retry::Nothing | Retry::Torn { .. } => None,
    }
}

/// What the event did to the run as a whole before anything else.
pub fn begun(event: &Event) -> Option<Phase> {
    match event {
        Event::Started(_) => Some(Phase::Started),
        Event::Retried { .. } => Some(Phase::Resumed),
        Event::CallReturned { .. }
        | Event::WorkItemCompleted { .. }
        | Event::TimerFired { .. }
        | Event::ChildEnded { .. }
        | Event::EventReceived { .. }
        | Event::Resumed { .. }
        | Event::Migrated { .. }
        | Event::Cancelled { .. } => None,
    }
}

/// How the run as a whole ended, if it did: its effects end with that.
pub fn ended(workflow: &Workflow, effects: &[Effect]) -> Option<Phase> {
    match effects.last()? {
        Effect::Finish(outcome) => Some(end_of(workflow, outcome)),
        _ => None,
    }
}

fn end_of(workflow: &Workflow, outcome: &Outcome) -> Phase {
    match outcome {
        Outcome::Completed(_) => Phase::Completed,
        Outcome::Faulted(fault) => Phase::Faulted(cause(workflow, fault)),
        Outcome::Cancelled => Phase::Cancelled,
    }
}

/// What may be told of a fault. A document may compute the type of an error that it raises, and so
/// may one that it runs: such a type is told only if it is a standard one.
pub(crate) fn cause(workflow: &Workflow, fault: &Fault) -> Cause {
    let computed = origin(&workflow.tasks, &fault.instance).is_some_and(computes);
    let told = standard(&fault.kind) || (!computed && fault.kind.len() <= KIND_LEN_MAX);
    let kind = if told {
        fault.kind.clone()
    } else {
        format!("{OWN_PREFIX}raised")
    };
    let of_http = (100..=599).contains(&fault.status);
    let status = if of_http { fault.status } else { 500 };
    Cause { kind, status }
}

fn computes(origin: &Task) -> bool {
    let raised = |problem: &Problem| !matches!(problem.kind, Template::Literal(_));
    matches!(origin.kind, Kind::Run(_))
        || matches!(&origin.kind, Kind::Raise(problem) if raised(problem))
}

/// The task that an error names: one of several where a function is called from several places.
fn origin<'w>(tasks: &'w [Task], pointer: &str) -> Option<&'w Task> {
    tasks.iter().find_map(|task| {
        if task.pointer() == pointer {
            return Some(task);
        }
        let mut lists = task.lists().into_iter();
        lists.find_map(|list| origin(list, pointer))
    })
}
