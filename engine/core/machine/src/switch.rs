//! `switch`: the first case that holds says where to go on; the data pass through.

use std::sync::Arc;

use casewright_language::workflow::Case;

use crate::position::{Progress, State};
use crate::run::{Run, Stop};
use crate::task::Here;

/// Without a matching case the task's own `then` stands.
pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    cases: &[Case],
) -> Result<Progress<State>, Stop> {
    let mut then = None;
    for case in cases {
        let holds = match &case.when {
            Some(when) => run.holds(when, here.input, &here.sight(run))?,
            None => true,
        };
        if holds {
            run.choose(here.place(), &case.name);
            then = Some(case.then);
            break;
        }
    }
    Ok(Progress::Finished {
        output: Arc::clone(here.input),
        then,
    })
}
