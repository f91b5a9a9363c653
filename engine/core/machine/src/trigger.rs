//! `schedule.on`: gathers the events that a workflow begins with, before any instance of it is
//! there.
//!
//! A trigger is a workflow of one `listen`; what is gathered so far is an instance of it, which
//! has no case and wants nothing done. Who keeps it, and what begins, is the shell's affair.

use std::sync::Arc;

use casewright_language::schedule::Trigger;
use casewright_language::{Answers, Question};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{CaseFacts, Event, Fault, Instance, Outcome, RuntimeFacts, Started, Step, step};

/// What an event is to events gathered so far.
#[derive(Debug, Clone)]
pub enum Gathered {
    /// It does not belong to them.
    Passed,
    /// It does, and more is needed.
    More(Box<Instance>),
    /// It was the last: what the instance that begins has as its input.
    Whole(Value),
    /// It is one too many: nothing can come of them.
    Failed(Fault),
}

/// What [`gather`] came to.
#[derive(Debug, Clone)]
pub enum Gathering {
    Done(Gathered),
    /// Answer these and call again with the same arguments.
    Ask(Vec<Question>),
}

/// Offers an event to what was gathered `so_far`, or to nothing yet.
pub fn gather(
    trigger: &Trigger,
    so_far: Option<&Instance>,
    (at, runtime): (Timestamp, &RuntimeFacts),
    event: &Arc<Value>,
    answers: &Answers,
) -> Gathering {
    let workflow = &*trigger.gathers;
    let begun;
    let before = if let Some(so_far) = so_far {
        so_far
    } else {
        let started = Event::Started(Box::new(nobody(at, runtime)));
        begun = match step(workflow, &Instance::pending(), &started, answers) {
            Ok(Step::Done(transition)) => transition.instance,
            Ok(Step::Ask(questions)) => return Gathering::Ask(questions),
            Err(_) => return Gathering::Done(Gathered::Passed),
        };
        &begun
    };
    let received = Event::EventReceived {
        at,
        envelope: Arc::clone(event),
    };
    let after = match step(workflow, before, &received, answers) {
        Ok(Step::Done(transition)) => transition.instance,
        Ok(Step::Ask(questions)) => return Gathering::Ask(questions),
        Err(_) => return Gathering::Done(Gathered::Passed),
    };
    Gathering::Done(match after.outcome() {
        // Events of `until` end what was gathered; alone they are nothing to begin with.
        Some(Outcome::Completed(events)) if *events == json!([]) => Gathered::Passed,
        Some(Outcome::Completed(events)) => Gathered::Whole(events.clone()),
        Some(Outcome::Faulted(fault)) => Gathered::Failed(fault.clone()),
        Some(Outcome::Cancelled) => Gathered::Passed,
        None if after.record.kept.len() > before.record.kept.len() => Gathered::Passed,
        None => Gathered::More(Box::new(after)),
    })
}

/// Nobody starts it, and it belongs to no case.
fn nobody(at: Timestamp, runtime: &RuntimeFacts) -> Started {
    Started {
        at,
        id: String::new(),
        input: json!({}),
        started_by: String::new(),
        case: CaseFacts {
            id: String::new(),
            number: String::new(),
            opened: at,
        },
        runtime: runtime.clone(),
        depth: 0,
        worked: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
