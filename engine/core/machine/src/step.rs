//! The one function of this crate: an event, a transition.
//!
//! It knows where events go and what an end is; lists, tasks and constructs have their own files.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use casewright_language::{Answers, Question, Workflow};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::lifecycle::Turn;
use crate::position::{ChildEnd, Data, Decision, List, Open, Progress, Signal};
use crate::record::Record;
use crate::retry::{self, Left};
use crate::run::{Run, Stop};
use crate::scope::{Scope, Sight};
use crate::{
    Effect, Event, Fault, Instance, Outcome, Started, Status, TaskRun, interest, listen, migrate,
};

/// What an event made of an instance.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The next state.
    pub instance: Instance,
    /// What it wants done, in order.
    pub effects: Vec<Effect>,
    /// What began or ended in this transition, in order; for timelines. Not part of the state.
    pub notes: Vec<TaskRun>,
    /// Which way was taken where there are several, in order. Not part of the state either.
    pub choices: Vec<Choice>,
    /// For [`crate::Chronicle`]. Not part of the state either.
    pub turns: Vec<Turn>,
}

/// One way of several that was taken: a case of a `switch`, an outcome of human work, a `catch`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Choice {
    /// JSON pointer of the task.
    pub reference: String,
    /// Name of the case, the outcome, or [`CATCH`].
    pub way: String,
}

/// The way that a `try` takes when its handler begins, also one without tasks.
pub const CATCH: &str = "catch";

/// What [`step`] came to.
#[derive(Debug, Clone)]
pub enum Step {
    /// The event has happened.
    Done(Box<Transition>),
    /// Answer these and call again with the same instance and event. Nothing has happened.
    Ask(Vec<Question>),
}

/// The event does not fit the instance: late, repeated or foreign. Nothing has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What the instance could have taken.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl std::error::Error for Mismatch {}

/// Runs on through all tasks that need nothing from outside.
///
/// Recursion is as deep as the document, which reading bounds. The work of one event is bounded:
/// past the budget the run yields with [`Effect::Yield`].
pub fn step(
    workflow: &Workflow,
    instance: &Instance,
    event: &Event,
    answers: &Answers,
) -> Result<Step, Mismatch> {
    let run = |at| Run::new(workflow, answers, at, instance.record.clone());
    let on = |at, signal| go_on(instance, run(at), &signal);
    let stopped = match event {
        Event::Started(started) => start(workflow, instance, started, answers),
        Event::CallReturned {
            at,
            delivery,
            result,
        } => on(*at, Signal::Returned { delivery, result }),
        Event::WorkItemCompleted {
            at,
            on: day,
            item,
            outcome,
            data,
            comment,
            by,
            overdue,
            skipped,
        } => {
            let decision = Decision {
                item: *item,
                on: *day,
                outcome,
                data,
                comment: comment.as_deref(),
                by,
                overdue: *overdue,
                skipped: *skipped,
            };
            on(*at, Signal::Completed(decision))
        }
        Event::ChildEnded {
            at,
            key,
            outcome,
            acted,
            worked,
        } => {
            let end = ChildEnd {
                key,
                outcome,
                acted: *acted,
                worked,
            };
            on(*at, Signal::ChildEnded(end))
        }
        Event::TimerFired { at, timer } => on(*at, Signal::Fired(*timer)),
        Event::EventReceived { at, envelope } => receive(instance, run(*at), envelope),
        Event::Resumed { at } => on(*at, Signal::Resumed),
        Event::Retried { at, certain, .. } => retry::retry(instance, run(*at), *certain),
        Event::Migrated {
            at,
            from,
            to,
            moves,
            interests,
            by: _,
            reason: _,
        } => {
            let there = migrate::There {
                from,
                to,
                moves,
                interests,
            };
            migrate::migrate(instance, run(*at), &there)
        }
        Event::Cancelled { at, .. } => cancel(instance, run(*at)),
    };
    match stopped {
        Ok(transition) => Ok(Step::Done(Box::new(transition))),
        Err(Stop::Ask(questions)) => Ok(Step::Ask(questions)),
        Err(Stop::Torn(found)) => Err(Mismatch {
            expected: expected(instance),
            found,
        }),
        Err(Stop::Fault(fault)) => unreachable!("a fault ends the instance: {}", fault.kind),
    }
}

fn start(
    workflow: &Workflow,
    instance: &Instance,
    started: &Started,
    answers: &Answers,
) -> Result<Transition, Stop> {
    if instance.status() != Status::Pending {
        return Err(Stop::Torn("a second start".to_owned()));
    }
    let record = Record::started(&workflow.digest, started);
    let mut run = Run::new(workflow, answers, started.at, record);
    let interests = interest::interests(&run);
    if !interests.is_empty() {
        run.effects.push(Effect::Subscribe(interests));
    }
    let progress = begin(&mut run, &started.input);
    finish(run, progress, Yielded::No)
}

/// Input and timeout of the workflow, then its tasks.
fn begin(run: &mut Run<'_>, sent: &Value) -> Result<Progress<List>, Stop> {
    let workflow = run.workflow;
    Run::check(workflow.input.schema.as_ref(), sent, "/input")?;
    // Expressions see an object also where the caller sent nothing.
    let raw = match sent {
        Value::Null => Value::Object(Map::new()),
        sent => sent.clone(),
    };
    let input = match &workflow.input.from {
        Some(from) => run.value(from, &raw, &outside(run, "/input"))?,
        None => raw,
    };
    if let Some(timeout) = &workflow.timeout {
        let millis = run.span(timeout, &input, &outside(run, "/timeout"))?;
        let at = run.after(millis, "/timeout")?;
        run.record.timeout = Some(run.set_timer(at));
    }
    List::new(Arc::new(input)).drive(run, None, &workflow.tasks, None)
}

fn go_on(instance: &Instance, mut run: Run<'_>, signal: &Signal<'_>) -> Result<Transition, Stop> {
    let body = admit(instance, run.workflow, describe(signal))?;
    let open = instance.open();
    if !open.iter().any(|open| open.answers_to(signal)) {
        return Err(Stop::Torn(describe(signal)));
    }
    let timed_out = run
        .record
        .timeout
        .take_if(|timer| matches!(signal, Signal::Fired(fired) if *fired == timer.timer));
    let progress = if timed_out.is_some() {
        let mut open = Vec::new();
        body.open(&mut open);
        run.withdraw(&open, "time ran out");
        let detail = "the workflow took longer than its timeout allows";
        Err(Fault::timeout("/timeout", detail).into())
    } else {
        let tasks = &run.workflow.tasks;
        body.clone().drive(&mut run, None, tasks, Some(signal))
    };
    let yielded = match signal {
        Signal::Resumed => Yielded::No,
        Signal::Returned { .. }
        | Signal::Completed(_)
        | Signal::ChildEnded(_)
        | Signal::Fired(_)
        | Signal::Arrived(_) => Yielded::of(&open),
    };
    let broken = run.broken.take();
    let now = run.now;
    let mut transition = finish(run, progress, yielded)?;
    if let (Some(broken), Some(fault)) = (broken, transition.instance.fault().cloned())
        && broken.fault == fault
    {
        let left = Left {
            body: body.clone(),
            cause: broken.cause,
            at: now,
        };
        let after = transition.instance.record;
        transition.instance = Instance::failed(&instance.record, after, fault, left);
    }
    Ok(transition)
}

/// An event from outside goes to every `listen` that waits; what none takes is kept.
fn receive(instance: &Instance, mut run: Run<'_>, event: &Data) -> Result<Transition, Stop> {
    let body = admit(instance, run.workflow, NOT_WANTED.to_owned())?;
    if !listen::wanted(&run, event)? {
        return Err(Stop::Torn(NOT_WANTED.to_owned()));
    }
    let open = instance.open();
    let signal = Signal::Arrived(event);
    let progress = if open.iter().any(|open| open.answers_to(&signal)) {
        let tasks = &run.workflow.tasks;
        body.clone().drive(&mut run, None, tasks, Some(&signal))
    } else {
        Ok(Progress::Parked(body.clone()))
    };
    if !run.taken && matches!(progress, Ok(Progress::Parked(_))) {
        listen::keep(&mut run, event);
    }
    finish(run, progress, Yielded::of(&open))
}

const NOT_WANTED: &str = "an event that no `listen` takes";

fn cancel(instance: &Instance, mut run: Run<'_>) -> Result<Transition, Stop> {
    if instance.left.is_some() {
        // It failed and is not to be retried: everything was taken back then.
        own(instance, run.workflow)?;
        run.record.timeout = None;
        return Ok(end(run, Outcome::Cancelled));
    }
    admit(instance, run.workflow, "a cancellation".to_owned())?;
    run.withdraw(&instance.open(), "cancelled");
    run.record.timeout = None;
    Ok(end(run, Outcome::Cancelled))
}

/// The tasks under way, of an instance that may still go on and belongs to this workflow.
fn admit<'a>(instance: &'a Instance, workflow: &Workflow, found: String) -> Result<&'a List, Stop> {
    let body = instance.body.as_ref().ok_or(Stop::Torn(found))?;
    own(instance, workflow)?;
    Ok(body)
}

/// Whether the instance is pinned to this workflow.
pub(crate) fn own(instance: &Instance, workflow: &Workflow) -> Result<(), Stop> {
    if instance.record.facts.digest == workflow.digest {
        return Ok(());
    }
    Err(Stop::Torn(format!(
        "workflow {}, to which the instance is not pinned",
        workflow.digest
    )))
}

/// Whether the shell already knows that the instance wants to go on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yielded {
    Yes,
    No,
}

impl Yielded {
    fn of(open: &[Open<'_>]) -> Self {
        if open.iter().any(|open| matches!(open, Open::Ready)) {
            Self::Yes
        } else {
            Self::No
        }
    }
}

fn finish(
    mut run: Run<'_>,
    progress: Result<Progress<List>, Stop>,
    before: Yielded,
) -> Result<Transition, Stop> {
    let output = match progress {
        Ok(Progress::Parked(body)) => return Ok(park(run, body, before)),
        Ok(Progress::Finished { output, then: _ } | Progress::Ended(output)) => {
            close(&run, &output)
        }
        Err(stop) => Err(stop),
    };
    let outcome = match output {
        Ok(output) => Outcome::Completed(output),
        Err(Stop::Fault(fault)) => Outcome::Faulted(*fault),
        Err(stop) => return Err(stop),
    };
    let timeout = run.record.timeout.take();
    run.cancel_timer(timeout);
    Ok(end(run, outcome))
}

pub(crate) fn park(mut run: Run<'_>, body: List, before: Yielded) -> Transition {
    let mut open = Vec::new();
    body.open(&mut open);
    if Yielded::of(&open) == Yielded::Yes && before == Yielded::No {
        run.effects.push(Effect::Yield);
    }
    let Run {
        record,
        effects,
        notes,
        choices,
        turns,
        ..
    } = run;
    Transition {
        instance: Instance::running(record, body),
        effects: net(effects),
        notes,
        choices,
        turns,
    }
}

/// `output` of the workflow.
fn close(run: &Run<'_>, last: &Data) -> Result<Value, Stop> {
    let output = match &run.workflow.output.transform {
        Some(transform) => {
            let scope = Scope {
                outer: None,
                tasks: &run.workflow.tasks,
                ordinal: 0,
                variable: None,
                wall: None,
                kept: false,
            };
            let sight = Sight {
                context: true,
                scope: Some(&scope),
                ..outside(run, "/output")
            };
            run.value(transform, last, &sight)?
        }
        None => (**last).clone(),
    };
    Run::check(run.workflow.output.schema.as_ref(), &output, "/output")?;
    Ok(output)
}

fn end(mut run: Run<'_>, outcome: Outcome) -> Transition {
    let interests = interest::interests(&run);
    if !interests.is_empty() {
        run.effects.push(Effect::Unsubscribe(interests));
    }
    let Run {
        record,
        effects,
        notes,
        choices,
        turns,
        ..
    } = run;
    let mut effects = net(effects);
    effects.push(Effect::Finish(outcome.clone()));
    Transition {
        instance: Instance::ended(record, outcome),
        effects,
        notes,
        choices,
        turns,
    }
}

/// Drops what was wanted and taken back within one event: outside it never was.
fn net(effects: Vec<Effect>) -> Vec<Effect> {
    let mut left: Vec<Effect> = Vec::with_capacity(effects.len());
    for effect in effects {
        match left.iter().position(|earlier| undoes(&effect, earlier)) {
            Some(index) => {
                left.remove(index);
            }
            None => left.push(effect),
        }
    }
    left
}

fn undoes(effect: &Effect, earlier: &Effect) -> bool {
    match (effect, earlier) {
        (Effect::CancelTimer { timer }, Effect::SetTimer { timer: set, .. }) => timer == set,
        (Effect::Withdraw { item, .. }, Effect::Offer(offer)) => *item == offer.item,
        (Effect::Abandon(delivery), Effect::Call(call)) => *delivery == call.delivery,
        (Effect::CancelChild { key, .. }, Effect::StartChild(child)) => *key == child.key,
        (Effect::Unsubscribe(_), Effect::Subscribe(_)) => true,
        _ => false,
    }
}

/// What the workflow's own expressions see before it has run.
pub(crate) fn outside<'a>(run: &'a Run<'_>, place: &'a str) -> Sight<'a> {
    Sight {
        workflow: run.workflow,
        record: &run.record,
        place,
        scope: None,
        context: false,
        input: None,
        output: None,
        task: None,
    }
}

fn describe(signal: &Signal<'_>) -> String {
    match signal {
        Signal::Returned { delivery, .. } => format!(
            "the result of {} run {} attempt {}",
            delivery.reference, delivery.run, delivery.attempt
        ),
        Signal::Completed(decision) => format!("the completion of work item {}", decision.item),
        Signal::ChildEnded(_) => "the end of a workflow".to_owned(),
        Signal::Fired(timer) => format!("timer {timer}"),
        Signal::Arrived(_) => NOT_WANTED.to_owned(),
        Signal::Resumed => "a resumption".to_owned(),
    }
}

fn expected(instance: &Instance) -> String {
    if instance.status() == Status::Pending {
        return "the start".to_owned();
    }
    let mut open: Vec<String> = instance
        .open()
        .iter()
        .filter_map(|open| match open {
            Open::Task(_) => None,
            Open::Call(call) => Some(format!(
                "the result of {} run {} attempt {}",
                call.delivery.reference, call.delivery.run, call.delivery.attempt
            )),
            Open::Offer(offer) => Some(format!("the completion of work item {}", offer.item)),
            Open::Child(child) => Some(format!(
                "the end of the workflow that {} run {} runs",
                child.delivery.reference, child.delivery.run
            )),
            Open::Timer { timer, .. } => Some(format!("timer {}", timer.timer)),
            Open::Listen { listening, .. } if !listening.hears() => None,
            Open::Listen { listening, .. } if listening.types.is_empty() => {
                Some("an event".to_owned())
            }
            Open::Listen { listening, .. } => {
                Some(format!("an event {}", listening.types.join(" or ")))
            }
            Open::Ready => Some("a resumption".to_owned()),
        })
        .collect();
    let mut seen = BTreeSet::new();
    open.retain(|open| seen.insert(open.clone()));
    if open.is_empty() {
        "nothing, since the instance has ended".to_owned()
    } else {
        open.join(" or ")
    }
}
