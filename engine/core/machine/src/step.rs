//! The one function of this crate.

use casewright_language::{Answers, Question, Workflow};

use crate::{Effect, Event, Instance, TaskRun};

/// What an event made of an instance.
#[derive(Debug, Clone)]
pub struct Transition {
    pub instance: Instance,
    pub effects: Vec<Effect>,
    /// What began or ended in this transition, in order; for timelines. Not part of the state.
    pub notes: Vec<TaskRun>,
}

#[derive(Debug, Clone)]
pub enum Step {
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

/// Runs on through all tasks that need nothing from outside.
pub fn step(
    _workflow: &Workflow,
    _instance: &Instance,
    _event: &Event,
    _answers: &Answers,
) -> Result<Step, Mismatch> {
    unimplemented!()
}
