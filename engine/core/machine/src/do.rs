//! `do`: a list within a task. Its output is that of the last task that ran.

use std::sync::Arc;

use casewright_language::Task;

use crate::position::{List, Progress, Signal, State};
use crate::run::{Run, Stop};
use crate::task::Here;

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    tasks: &[Task],
) -> Result<Progress<State>, Stop> {
    let list = List::new(Arc::clone(here.input));
    let progress = list.drive(run, Some(here.scope), tasks, None)?;
    Ok(progress.left().map(State::Do))
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    tasks: &[Task],
    list: List,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    let progress = list.drive(run, Some(here.scope), tasks, Some(signal))?;
    Ok(progress.left().map(State::Do))
}
