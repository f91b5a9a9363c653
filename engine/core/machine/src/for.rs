//! `for`: a list of tasks once for each item; what one round gives is the input of the next.
//!
//! The items are evaluated once and kept with the place in them, so that a wake-up costs nothing
//! and a later change of the data changes nothing. `exit` in the list leaves the loop.

use std::sync::Arc;

use casewright_language::Template;
use casewright_language::workflow::{For, Then};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Fault;
use crate::fault::OWN_PREFIX;
use crate::position::{Data, List, Open, Progress, Signal, State};
use crate::record::Record;
use crate::run::{Run, Stop, kind_of};
use crate::scope::{Scope, Sight};
use crate::task::Here;

/// Items of one loop. A snapshot holds them all as long as the loop runs.
pub(crate) const ITEMS_MAX: usize = 100_000;

/// A loop at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Looping {
    items: Data,
    /// The item of the round under way.
    index: usize,
    list: List,
}

impl Looping {
    pub(crate) fn open<'a>(&'a self, found: &mut Vec<Open<'a>>) {
        self.list.open(found);
    }

    /// The list within.
    pub(crate) fn list(&self) -> &List {
        &self.list
    }

    /// The list within, for what must be put back after reading.
    pub(crate) fn list_mut(&mut self) -> &mut List {
        &mut self.list
    }
}

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    r#for: &For,
) -> Result<Progress<State>, Stop> {
    let items = items(run, here, r#for)?;
    let within = Within { here, r#for, items };
    within.rounds(run, 0, Arc::clone(here.input))
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    r#for: &For,
    looping: Looping,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    let Looping { items, index, list } = looping;
    let within = Within { here, r#for, items };
    match within.round(run, index, list, Some(signal))? {
        Round::Next(output) => within.rounds(run, index + 1, output),
        Round::Over(progress) => Ok(progress),
    }
}

fn items(run: &Run<'_>, here: &Here<'_>, r#for: &For) -> Result<Data, Stop> {
    let template = Template::Expression(r#for.items.clone());
    let items = run.value(&template, here.input, &here.sight(run))?;
    match &items {
        Value::Array(list) if list.len() > ITEMS_MAX => Err(Stop::from(Fault {
            kind: format!("{OWN_PREFIX}too-many-items"),
            status: 413,
            title: Some("Too many items for one loop".to_owned()),
            detail: Some(format!(
                "`in` of `{}` gives {} items, a loop takes at most {ITEMS_MAX}; loop over parts \
                 of them",
                here.task.name,
                list.len()
            )),
            instance: here.place().to_owned(),
            details: None,
        })),
        Value::Array(_) => Ok(Arc::new(items)),
        other => {
            let found = kind_of(other);
            let name = &here.task.name;
            let detail = format!("`in` of `{name}` must give a list, but gives {found}");
            Err(Fault::validation(here.place(), detail).into())
        }
    }
}

/// A loop being run.
struct Within<'a> {
    here: &'a Here<'a>,
    r#for: &'a For,
    items: Data,
}

/// What one round came to.
enum Round {
    /// It is over, with this output.
    Next(Data),
    /// No other follows, at least not in this event.
    Over(Progress<State>),
}

impl Within<'_> {
    /// Rounds from this item on.
    fn rounds(
        &self,
        run: &mut Run<'_>,
        first: usize,
        mut output: Data,
    ) -> Result<Progress<State>, Stop> {
        for index in first..self.count() {
            // `$steps` shows a round its own outputs only.
            self.forget_outputs(&mut run.record);
            if !self.goes_on(run, index, &output)? {
                break;
            }
            match self.round(run, index, List::new(output), None)? {
                Round::Next(given) => output = given,
                Round::Over(progress) => return Ok(progress),
            }
        }
        Ok(self.finish(run, output))
    }

    /// Nothing after the loop sees the outputs within.
    fn finish(&self, run: &mut Run<'_>, output: Data) -> Progress<State> {
        self.forget_outputs(&mut run.record);
        Progress::Finished { output, then: None }
    }

    fn count(&self) -> usize {
        self.items.as_array().map_or(0, Vec::len)
    }

    fn forget_outputs(&self, record: &mut Record) {
        record.forget_outputs(&format!("{}/do", self.here.task.reference));
    }

    /// `while`, on what the round before gave.
    fn goes_on(&self, run: &Run<'_>, index: usize, output: &Data) -> Result<bool, Stop> {
        let Some(condition) = &self.r#for.condition else {
            return Ok(true);
        };
        self.with_variables(index, |scope| {
            let sight = Sight {
                scope: Some(scope),
                ..self.here.sight(run)
            };
            run.holds(condition, output, &sight)
        })
    }

    fn round(
        &self,
        run: &mut Run<'_>,
        index: usize,
        list: List,
        signal: Option<&Signal<'_>>,
    ) -> Result<Round, Stop> {
        let tasks = &self.r#for.tasks;
        let progress =
            self.with_variables(index, |scope| list.drive(run, Some(scope), tasks, signal))?;
        Ok(match progress {
            Progress::Finished {
                output,
                then: Some(Then::Exit),
            } => Round::Over(self.finish(run, output)),
            Progress::Finished { output, then: _ } => Round::Next(output),
            Progress::Ended(output) => Round::Over(Progress::Ended(output)),
            Progress::Parked(list) => {
                let items = Arc::clone(&self.items);
                let looping = Looping { items, index, list };
                Round::Over(Progress::Parked(State::For(Box::new(looping))))
            }
        })
    }

    /// The item and its index, around the list.
    fn with_variables<T>(&self, index: usize, then: impl FnOnce(&Scope<'_>) -> T) -> T {
        let place = Value::from(index);
        let number = Scope {
            // Each item is an intent of its own; the list within counts anew for each.
            ordinal: u32::try_from(index + 1).unwrap_or(u32::MAX),
            variable: Some((&self.r#for.at, &place)),
            ..Scope::within(self.here.scope)
        };
        let item = self.items.get(index).unwrap_or(&Value::Null);
        then(&Scope {
            variable: Some((&self.r#for.each, item)),
            ..Scope::within(&number)
        })
    }
}
