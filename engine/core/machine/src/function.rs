//! A call of a function that the document defines: its task, with the arguments for input.
//!
//! What was read is a copy of the task, with a pointer of its own; so keys, runs and outputs of two
//! calls never meet. It sees nothing of where it is called from but its input.

use std::sync::Arc;

use casewright_language::workflow::Function;

use crate::position::{List, Progress, Signal, State};
use crate::record::Record;
use crate::run::{Run, Stop};
use crate::scope::{Scope, Wall, list_of};
use crate::task::Here;

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    function: &Function,
) -> Result<Progress<State>, Stop> {
    let input = run.value(&function.with, here.input, &here.sight(run))?;
    forget_outputs(&mut run.record, function);
    drive(run, here, function, List::new(Arc::new(input)), None)
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    function: &Function,
    list: List,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    drive(run, here, function, list, Some(signal))
}

fn drive(
    run: &mut Run<'_>,
    here: &Here<'_>,
    function: &Function,
    list: List,
    signal: Option<&Signal<'_>>,
) -> Result<Progress<State>, Stop> {
    let scope = Scope {
        wall: Some(Wall { task: None }),
        ..Scope::within(here.scope)
    };
    let progress = list.drive(run, Some(&scope), &function.tasks, signal)?;
    if matches!(progress, Progress::Finished { .. }) {
        forget_outputs(&mut run.record, function);
    }
    Ok(progress.left().map(State::Do))
}

/// Nobody outside sees them, and each call begins without.
fn forget_outputs(record: &mut Record, function: &Function) {
    if let Some(task) = function.tasks.first() {
        record.forget_outputs(list_of(&task.reference));
    }
}
