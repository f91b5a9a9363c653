//! `fork`: branches side by side, each with the same input and with a `$context` of its own.
//!
//! All of them: the outputs as a list, in the order of the document. A race (`compete`): the
//! output of the first that completes. Whatever ends a fork before all branches have - a winner, a
//! fault, `end` - takes back what is open in the others. Branches take turns within one event;
//! nothing here runs at the same time.

use std::sync::Arc;

use casewright_language::Task;
use casewright_language::workflow::{Fork, Then};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::position::{Data, Open, Position, Progress, Signal, State};
use crate::run::{Run, Stop};
use crate::scope::Scope;
use crate::task::{self, Here};

/// A fork at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Forking {
    branches: Vec<Branch>,
    /// The branch that comes first next time: one that never ends must not keep the others from
    /// beginning.
    turn: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Branch {
    stage: Stage,
    /// `$context` as this branch made it; `None` while it is that of the fork.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Data>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stage {
    Ready,
    Running(Box<Position>),
    /// Its `if` said no: its output is its input, and it wins no race.
    Skipped,
    Done(Data),
}

impl Forking {
    fn new(count: usize) -> Self {
        let branch = Branch {
            stage: Stage::Ready,
            context: None,
        };
        Self {
            branches: vec![branch; count],
            turn: 0,
        }
    }

    pub(crate) fn open<'a>(&'a self, found: &mut Vec<Open<'a>>) {
        for branch in &self.branches {
            branch.open(found);
        }
    }

    /// The tasks within that are under way.
    pub(crate) fn positions(&self) -> impl Iterator<Item = &Position> {
        self.branches
            .iter()
            .filter_map(|branch| match &branch.stage {
                Stage::Running(position) => Some(&**position),
                Stage::Ready | Stage::Skipped | Stage::Done(_) => None,
            })
    }

    /// The tasks within, for what must be put back after reading.
    pub(crate) fn positions_mut(&mut self) -> impl Iterator<Item = &mut Position> {
        self.branches
            .iter_mut()
            .filter_map(|branch| match &mut branch.stage {
                Stage::Running(position) => Some(&mut **position),
                Stage::Ready | Stage::Skipped | Stage::Done(_) => None,
            })
    }

    fn withdraw(&self, run: &mut Run<'_>, reason: &str) {
        let mut open = Vec::new();
        self.open(&mut open);
        run.withdraw(&open, reason);
    }

    /// Every branch in its turn.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (turn, count) = (self.turn, self.branches.len());
        (turn..count).chain(0..turn.min(count))
    }

    fn over(&self) -> bool {
        self.branches.iter().all(|branch| match branch.stage {
            Stage::Ready | Stage::Running(_) => false,
            Stage::Skipped | Stage::Done(_) => true,
        })
    }

    fn outputs(&self, input: &Data) -> Value {
        let output = |branch: &Branch| match &branch.stage {
            Stage::Done(output) => (**output).clone(),
            Stage::Ready | Stage::Running(_) | Stage::Skipped => (**input).clone(),
        };
        Value::Array(self.branches.iter().map(output).collect())
    }
}

impl Branch {
    fn open<'a>(&'a self, found: &mut Vec<Open<'a>>) {
        match &self.stage {
            Stage::Ready => found.push(Open::Ready),
            Stage::Running(position) => position.open(found),
            Stage::Skipped | Stage::Done(_) => {}
        }
    }

    /// Whether it is to go on: at the beginning, or because the signal is for it.
    fn meant(&self, signal: Option<&Signal<'_>>) -> bool {
        let Some(signal) = signal else {
            return self.stage == Stage::Ready;
        };
        let mut open = Vec::new();
        self.open(&mut open);
        open.iter().any(|open| open.answers_to(signal))
    }
}

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    fork: &Fork,
) -> Result<Progress<State>, Stop> {
    drive(run, here, fork, Forking::new(fork.branches.len()), None)
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    fork: &Fork,
    forking: Forking,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    if forking.branches.len() != fork.branches.len() {
        return Err(Stop::Torn(format!(
            "an instance with {} branches at {}",
            forking.branches.len(),
            here.place()
        )));
    }
    drive(run, here, fork, forking, Some(signal))
}

fn drive(
    run: &mut Run<'_>,
    here: &Here<'_>,
    fork: &Fork,
    mut forking: Forking,
    signal: Option<&Signal<'_>>,
) -> Result<Progress<State>, Stop> {
    let mut next = None;
    for index in forking.order() {
        let branch = &mut forking.branches[index];
        if !branch.meant(signal) {
            continue;
        }
        match advance(run, here, &fork.branches[index], branch, signal) {
            Ok(Pace::On) => {}
            Ok(Pace::Done(output)) if fork.compete => {
                forking.withdraw(run, "another branch was first");
                return Ok(Progress::Finished { output, then: None });
            }
            Ok(Pace::Done(output)) => branch.stage = Stage::Done(output),
            Ok(Pace::Ended(output)) => {
                forking.withdraw(run, "the workflow has ended");
                return Ok(Progress::Ended(output));
            }
            Err(Stop::Fault(fault)) => {
                forking.withdraw(run, "another branch failed");
                return Err(Stop::Fault(fault));
            }
            Err(stop) => return Err(stop),
        }
        if run.spent() && next.is_none() {
            next = Some((index + 1) % fork.branches.len());
        }
    }
    forking.turn = next.unwrap_or(forking.turn);
    Ok(if !forking.over() {
        Progress::Parked(State::Fork(Box::new(forking)))
    } else if fork.compete {
        // Every branch was skipped, and a race that nobody ran changes nothing.
        Progress::Finished {
            output: Arc::clone(here.input),
            then: None,
        }
    } else {
        Progress::finished(forking.outputs(here.input))
    })
}

/// How far one branch came. What is in its stage is open; a branch that is done or has ended holds
/// nothing any more.
enum Pace {
    On,
    Done(Data),
    Ended(Data),
}

fn advance(
    run: &mut Run<'_>,
    here: &Here<'_>,
    task: &Task,
    branch: &mut Branch,
    signal: Option<&Signal<'_>>,
) -> Result<Pace, Stop> {
    if branch.stage == Stage::Ready && run.spent() {
        return Ok(Pace::On);
    }
    // A branch stands in no list: nobody sees its output before the join.
    let scope = Scope::within(here.scope);
    let stage = std::mem::replace(&mut branch.stage, Stage::Skipped);
    let of_fork = Arc::clone(&run.record.context);
    if let Some(own) = branch.context.take() {
        run.record.context = own;
    }
    let progress = match (stage, signal) {
        (Stage::Running(position), Some(signal)) => {
            task::resume(run, &scope, task, here.input, *position, signal)
        }
        (Stage::Running(position), None) => Ok(Progress::Parked(*position)),
        (Stage::Ready | Stage::Skipped | Stage::Done(_), _) => {
            run.enter();
            task::enter(run, &scope, task, here.input)
        }
    };
    let own = std::mem::replace(&mut run.record.context, of_fork);
    Ok(match progress? {
        Progress::Parked(position) => {
            branch.stage = Stage::Running(Box::new(position));
            let changed = !Arc::ptr_eq(&own, &run.record.context);
            branch.context = changed.then_some(own);
            Pace::On
        }
        // A task that was skipped has nothing to say about where to go on.
        Progress::Finished { then: None, .. } => Pace::On,
        Progress::Ended(output)
        | Progress::Finished {
            output,
            then: Some(Then::End),
        } => Pace::Ended(output),
        Progress::Finished { output, .. } => Pace::Done(output),
    })
}
