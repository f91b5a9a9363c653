//! What `use.extensions` adds around a task: tasks before and after it.
//!
//! ```text
//! if ─ input ─▶ [ before 1 ─▶ [ before 2 ─▶ task ─▶ after 2 ] ─▶ after 1 ] ─▶ output ─ export
//! ```
//!
//! They stand between the input of the task and its output, and change neither: what they give is
//! dropped, but for `then: exit` in `before`, which gives its output instead of the task. The first
//! extension is the outermost; one that began has its `after`, unless it left the task out itself.

use std::sync::Arc;

use casewright_language::Task;
use casewright_language::workflow::{Extension, Then};
use serde::{Deserialize, Serialize};

use crate::Status;
use crate::position::{Data, List, Open, Progress, Signal, State};
use crate::run::{Run, Stop};
use crate::scope::{Scope, Sight, TaskSight, Wall, list_of};
use crate::task::{self, Here};

/// A task with extensions at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extending {
    /// Extensions by index whose `before` is over and whose `after` is to come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    applied: Vec<usize>,
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stage {
    Before {
        /// Which extension's.
        index: usize,
        list: List,
    },
    Within(State),
    After {
        index: usize,
        list: List,
        /// What the task gave.
        output: Data,
        /// Where it leads, if it says so itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        then: Option<Then>,
    },
}

/// What is at work in it.
pub(crate) enum Part<'a> {
    List(&'a mut List),
    Within(&'a mut State),
}

impl Extending {
    pub(crate) fn open<'a>(&'a self, reference: &'a str, found: &mut Vec<Open<'a>>) {
        match &self.stage {
            Stage::Before { list, .. } | Stage::After { list, .. } => list.open(found),
            Stage::Within(state) => state.open(reference, found),
        }
    }

    pub(crate) fn status(&self) -> Status {
        match &self.stage {
            Stage::Before { .. } | Stage::After { .. } => Status::Running,
            Stage::Within(state) => state.status(),
        }
    }

    /// For what must be opened again or put back after reading.
    pub(crate) fn part_mut(&mut self) -> Part<'_> {
        match &mut self.stage {
            Stage::Before { list, .. } | Stage::After { list, .. } => Part::List(list),
            Stage::Within(state) => Part::Within(state),
        }
    }
}

pub(crate) fn enter(run: &mut Run<'_>, here: &Here<'_>) -> Result<Progress<State>, Stop> {
    let around = Around {
        here,
        applied: Vec::new(),
    };
    around.go_in(run, 0)
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    extending: Extending,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    let Extending { applied, stage } = extending;
    let mut around = Around { here, applied };
    match stage {
        Stage::Before { index, list } => {
            match around.before(run, around.extension(index)?, list, Some(signal))? {
                Left::On => {
                    around.applied.push(index);
                    around.go_in(run, index + 1)
                }
                Left::Parked(list) => Ok(around.park(Stage::Before { index, list })),
                Left::Skipped(output) => around.go_out(run, output, None),
                Left::Ended(output) => Ok(Progress::Ended(output)),
            }
        }
        Stage::Within(state) => {
            let progress = task::resume_construct(run, here, state, signal)?;
            around.within(run, progress)
        }
        Stage::After {
            index,
            list,
            output,
            then,
        } => {
            let extension = around.extension(index)?;
            match around.after(run, extension, list, &output, Some(signal))? {
                Left::Parked(list) => Ok(around.park(Stage::After {
                    index,
                    list,
                    output,
                    then,
                })),
                Left::Ended(output) => Ok(Progress::Ended(output)),
                Left::On | Left::Skipped(_) => around.go_out(run, output, then),
            }
        }
    }
}

/// The extensions of one task.
struct Around<'a> {
    here: &'a Here<'a>,
    /// As in [`Extending`].
    applied: Vec<usize>,
}

/// How a list of an extension was left.
enum Left {
    On,
    Parked(List),
    /// By `exit`, which may stand for the task.
    Skipped(Data),
    /// `then: end`
    Ended(Data),
}

impl<'a> Around<'a> {
    fn extensions(&self) -> &'a [Extension] {
        &self.here.task.extensions
    }

    fn extension(&self, index: usize) -> Result<&'a Extension, Stop> {
        let torn = || {
            let place = &self.here.task.reference;
            Stop::Torn(format!("an instance in another extension at {place}"))
        };
        self.extensions().get(index).ok_or_else(torn)
    }

    fn park(self, stage: Stage) -> Progress<State> {
        let applied = self.applied;
        Progress::Parked(State::Extended(Box::new(Extending { applied, stage })))
    }

    /// From this extension inwards.
    fn go_in(mut self, run: &mut Run<'_>, first: usize) -> Result<Progress<State>, Stop> {
        for (index, extension) in self.extensions().iter().enumerate().skip(first) {
            if !self.applies(run, extension)? {
                continue;
            }
            forget_outputs(run, &extension.before);
            let list = List::new(Arc::clone(self.here.input));
            match self.before(run, extension, list, None)? {
                Left::On => self.applied.push(index),
                Left::Parked(list) => return Ok(self.park(Stage::Before { index, list })),
                Left::Skipped(output) => return self.go_out(run, output, None),
                Left::Ended(output) => return Ok(Progress::Ended(output)),
            }
        }
        let progress = task::enter_construct(run, self.here)?;
        self.within(run, progress)
    }

    fn within(self, run: &mut Run<'_>, progress: Progress<State>) -> Result<Progress<State>, Stop> {
        match progress {
            Progress::Parked(state) => Ok(self.park(Stage::Within(state))),
            Progress::Finished { output, then } => self.go_out(run, output, then),
            Progress::Ended(output) => Ok(Progress::Ended(output)),
        }
    }

    /// Outwards, through those that began.
    fn go_out(
        mut self,
        run: &mut Run<'_>,
        output: Data,
        then: Option<Then>,
    ) -> Result<Progress<State>, Stop> {
        while let Some(index) = self.applied.pop() {
            let extension = self.extension(index)?;
            forget_outputs(run, &extension.after);
            let list = List::new(Arc::clone(&output));
            match self.after(run, extension, list, &output, None)? {
                Left::Parked(list) => {
                    return Ok(self.park(Stage::After {
                        index,
                        list,
                        output,
                        then,
                    }));
                }
                Left::Ended(output) => return Ok(Progress::Ended(output)),
                Left::On | Left::Skipped(_) => {}
            }
        }
        Ok(Progress::Finished { output, then })
    }

    fn applies(&self, run: &Run<'_>, extension: &Extension) -> Result<bool, Stop> {
        let Some(when) = &extension.when else {
            return Ok(true);
        };
        let scope = self.scope(None);
        let sight = Sight {
            scope: Some(&scope),
            place: &extension.written,
            ..self.here.sight(run)
        };
        run.holds(when, self.here.input, &sight)
    }

    fn before(
        &self,
        run: &mut Run<'_>,
        extension: &Extension,
        list: List,
        signal: Option<&Signal<'_>>,
    ) -> Result<Left, Stop> {
        let left = self.drive(run, &extension.before, list, None, signal)?;
        Ok(match left {
            Left::Skipped(_) if !extension.skips => Left::On,
            left => left,
        })
    }

    fn after(
        &self,
        run: &mut Run<'_>,
        extension: &Extension,
        list: List,
        output: &Data,
        signal: Option<&Signal<'_>>,
    ) -> Result<Left, Stop> {
        self.drive(run, &extension.after, list, Some(output), signal)
    }

    fn drive(
        &self,
        run: &mut Run<'_>,
        tasks: &[Task],
        list: List,
        output: Option<&Data>,
        signal: Option<&Signal<'_>>,
    ) -> Result<Left, Stop> {
        let progress = list.drive(run, Some(&self.scope(output)), tasks, signal)?;
        if matches!(progress, Progress::Finished { .. }) {
            forget_outputs(run, tasks);
        }
        Ok(match progress {
            Progress::Parked(list) => Left::Parked(list),
            Progress::Finished {
                output,
                then: Some(Then::Exit),
            } => Left::Skipped(output),
            Progress::Finished { .. } => Left::On,
            Progress::Ended(output) => Left::Ended(output),
        })
    }

    /// What the tasks of an extension see: the task that is extended, and nothing around it.
    fn scope<'b>(&'b self, output: Option<&'b Data>) -> Scope<'b> {
        let here = self.here;
        let task = TaskSight {
            task: here.task,
            input: here.raw,
            output: output.map(|output| &**output),
            started_at: here.entry.started_at,
        };
        Scope {
            wall: Some(Wall { task: Some(task) }),
            ..Scope::within(here.scope)
        }
    }
}

/// Nobody outside sees them, and each time begins without.
fn forget_outputs(run: &mut Run<'_>, tasks: &[Task]) {
    if let Some(task) = tasks.first() {
        run.record.forget_outputs(list_of(&task.reference));
    }
}
