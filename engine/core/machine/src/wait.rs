//! `wait`: a timer; the data pass through.

use std::sync::Arc;

use casewright_language::workflow::Span;

use crate::position::{Progress, Signal, State, Timer};
use crate::run::{Run, Stop};
use crate::task::Here;

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    span: &Span,
) -> Result<Progress<State>, Stop> {
    let millis = run.span(span, here.input, &here.sight(run))?;
    let at = run.after(millis, here.place())?;
    Ok(Progress::Parked(State::Wait(run.set_timer(at))))
}

pub(crate) fn resume(here: &Here<'_>, timer: Timer, signal: &Signal<'_>) -> Progress<State> {
    match signal {
        Signal::Fired(fired) if *fired == timer.timer => Progress::Finished {
            output: Arc::clone(here.input),
            then: None,
        },
        Signal::Fired(_)
        | Signal::Returned { .. }
        | Signal::Completed(_)
        | Signal::ChildEnded(_)
        | Signal::Arrived(_)
        | Signal::Resumed => Progress::Parked(State::Wait(timer)),
    }
}
