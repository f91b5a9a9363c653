//! A list of tasks: one after another, `then`, and yielding between two of them.

use std::sync::Arc;

use casewright_language::Task;
use casewright_language::workflow::Then;

use crate::position::{List, Progress, Signal};
use crate::run::{Run, Stop};
use crate::scope::Scope;
use crate::task;

impl List {
    /// Goes on as far as nothing from outside is needed. A signal must answer to something open
    /// in here. A list that was left by `exit` is finished with that word.
    pub(crate) fn drive(
        mut self,
        run: &mut Run<'_>,
        outer: Option<&Scope<'_>>,
        tasks: &[Task],
        mut signal: Option<&Signal<'_>>,
    ) -> Result<Progress<List>, Stop> {
        let kept = outer.is_some_and(|outer| outer.kept);
        loop {
            let Some(task) = tasks.get(self.index) else {
                return Ok(self.finished(None));
            };
            if self.current.is_none() {
                if run.spent() {
                    // Between two tasks a list does not know its pointer to look an output up by.
                    self.after = None;
                    return Ok(Progress::Parked(self));
                }
                run.enter();
                if kept {
                    *self.entries.entry(self.index).or_default() += 1;
                }
            }
            let scope = Scope {
                outer,
                tasks,
                ordinal: self.entries.get(&self.index).copied().unwrap_or_default(),
                variable: None,
                wall: None,
                kept,
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
                    // A skipped task passes on what it was given.
                    if !Arc::ptr_eq(&self.input, &output) {
                        self.after = Some(task.name.clone());
                    }
                    self.input = output;
                    match then.unwrap_or(Then::Continue) {
                        Then::Continue => self.index += 1,
                        Then::Task(index) => self.index = index,
                        Then::Exit => return Ok(self.finished(Some(Then::Exit))),
                        Then::End => return Ok(Progress::Ended(self.input)),
                    }
                }
            }
        }
    }

    fn finished(self, then: Option<Then>) -> Progress<Self> {
        let output = self.input;
        Progress::Finished { output, then }
    }
}
