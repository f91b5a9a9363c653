//! `run: workflow`: another workflow as an instance of its own, which this task waits for or not.
//!
//! What it is given is fixed here; that it starts, goes on and ends is the shell's affair. Who
//! worked before it goes with it, and who worked in it comes back: nobody approves their own
//! request on either side of a hand-over.

use std::sync::Arc;

use casewright_language::workflow::Child as Written;
use serde_json::{Map, Value};

use crate::call::intend;
use crate::fault::OWN_PREFIX;
use crate::position::{Progress, Signal, State};
use crate::record::{Fate, Intent};
use crate::retry::{Broken, Cause};
use crate::run::{Run, Stop};
use crate::task::Here;
use crate::{Child, Delivery, Effect, Fault, Outcome};

/// How deep workflows may run each other: one that runs itself must come to an end, and people
/// must still find their way from an instance to the first.
pub const DEPTH_MAX: u32 = 8;

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    written: &Written,
) -> Result<Progress<State>, Stop> {
    let depth = run.record.facts.depth + 1;
    if depth > DEPTH_MAX {
        return Err(too_deep(here.place(), &written.name).into());
    }
    let input = match &written.input {
        Some(input) => run.value(input, here.input, &here.sight(run))?,
        None => Value::Object(Map::new()),
    };
    forget_refused(run, here);
    let (key, since) = intend(run, here, &input)?;
    let child = Child {
        delivery: Delivery {
            reference: here.task.reference.clone(),
            run: here.entry.run,
            attempt: 1,
        },
        namespace: written.namespace.clone(),
        workflow: written.name.clone(),
        version: written.version.clone(),
        input,
        key,
        since,
        awaited: written.awaited,
        depth,
        worked: run.record.worked(),
    };
    run.effects
        .push(Effect::StartChild(Box::new(child.clone())));
    if written.awaited {
        return Ok(Progress::Parked(State::Child(Box::new(child))));
    }
    Ok(Progress::Finished {
        output: Arc::clone(here.input),
        then: None,
    })
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    child: Box<Child>,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    let Signal::ChildEnded(end) = signal else {
        return Ok(Progress::Parked(State::Child(child)));
    };
    run.record.inherit(end.worked);
    let mut broken = None;
    let (fault, fate) = match end.outcome {
        Outcome::Completed(output) => return Ok(Progress::finished(output.clone())),
        Outcome::Faulted(fault) => {
            let fault = Fault {
                instance: here.place().to_owned(),
                ..fault.clone()
            };
            let key = child.key.clone();
            broken = Some(Broken {
                cause: Cause::Child { key },
                fault: fault.clone(),
            });
            // What certainly did nothing outside may be run again by a `try`.
            let fate = if end.acted {
                Fate::InDoubt
            } else {
                Fate::Refused
            };
            (fault, fate)
        }
        // Somebody ended it: a `try` must not overrule them.
        Outcome::Cancelled => (cancelled(here.place(), &child.workflow), Fate::InDoubt),
    };
    if here.scope.kept {
        let path = here.scope.entry_path(here.task);
        if let Some(intent) = run.record.intents.get_mut(&path) {
            intent.fate = fate;
        }
    }
    run.broken = broken;
    Err(fault.into())
}

/// What ended without having done anything is run anew, not found again.
fn forget_refused(run: &mut Run<'_>, here: &Here<'_>) {
    if here.scope.kept {
        let path = here.scope.entry_path(here.task);
        let refused = |intent: &Intent| intent.fate == Fate::Refused;
        if run.record.intents.get(&path).is_some_and(refused) {
            run.record.intents.remove(&path);
        }
    }
}

fn too_deep(place: &str, workflow: &str) -> Fault {
    Fault {
        kind: format!("{OWN_PREFIX}too-deep"),
        status: 508,
        title: Some("Workflows run each other too deep".to_owned()),
        detail: Some(format!(
            "`{workflow}` would be workflow {} in a row; at most {DEPTH_MAX} run each other",
            DEPTH_MAX + 1
        )),
        instance: place.to_owned(),
        details: None,
    }
}

fn cancelled(place: &str, workflow: &str) -> Fault {
    Fault {
        kind: format!("{OWN_PREFIX}cancelled"),
        status: 409,
        title: Some("The other workflow was cancelled".to_owned()),
        detail: Some(format!("`{workflow}` was cancelled before its end")),
        instance: place.to_owned(),
        details: None,
    }
}
