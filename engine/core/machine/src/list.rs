//! A list of tasks: one after another, `then`, and yielding between two of them.

use casewright_language::Task;
use casewright_language::workflow::Then;

use crate::position::{List, Progress, Signal};
use crate::run::{Run, Stop};
use crate::scope::Scope;
use crate::task;

impl List {
    /// Goes on as far as nothing from outside is needed. A signal must answer to something open
    /// in here.
    pub(crate) fn drive(
        mut self,
        run: &mut Run<'_>,
        outer: Option<&Scope<'_>>,
        tasks: &[Task],
        mut signal: Option<&Signal<'_>>,
    ) -> Result<Progress<List>, Stop> {
        loop {
            let Some(task) = tasks.get(self.index) else {
                return Ok(finished(self));
            };
            if self.current.is_none() {
                if run.spent() {
                    return Ok(Progress::Parked(self));
                }
                run.enter();
                *self.entries.entry(self.index).or_default() += 1;
            }
            let scope = Scope {
                outer,
                tasks,
                ordinal: self.entries.get(&self.index).copied().unwrap_or_default(),
                variable: None,
                kept: outer.is_some_and(|outer| outer.kept),
            };
            let progress = match (self.current.take(), signal.take()) {
                (None, _) => task::enter(run, &scope, task, &self.input)?,
                (Some(position), Some(signal)) => {
                    task::resume(run, &scope, task, &self.input, *position, signal)?
                }
                (Some(position), None) => Progress::Parked(*position),
            };
            match progress {
                Progress::Parked(position) => {
                    self.current = Some(Box::new(position));
                    return Ok(Progress::Parked(self));
                }
                Progress::Ended(output) => return Ok(Progress::Ended(output)),
                Progress::Finished { output, then } => {
                    self.input = output;
                    match then.unwrap_or(Then::Continue) {
                        Then::Continue => self.index += 1,
                        Then::Task(index) => self.index = index,
                        Then::Exit => return Ok(finished(self)),
                        Then::End => return Ok(Progress::Ended(self.input)),
                    }
                }
            }
        }
    }
}

fn finished(list: List) -> Progress<List> {
    Progress::Finished {
        output: list.input,
        then: None,
    }
}
