//! `foreach` of a `listen`: tasks for each event, one event after the other, while listening goes
//! on.
//!
//! Events that come during the work wait in a queue of this `listen`, in the order they came. What
//! is still in it when the `listen` ends is given back to the instance. A condition of `until` is
//! asked after each event on the outputs so far, when its `export` has been made.

use std::sync::Arc;

use casewright_language::workflow::{Foreach, Listen, Then};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Listening, Verdict, as_read, bound, give_back, until};
use crate::Effect;
use crate::position::{Data, List, Progress, Signal, State};
use crate::run::{Run, Stop};
use crate::scope::{Scope, Sight, TaskSight};
use crate::task::Here;

/// What is done with events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Each {
    /// How many events came to their turn.
    count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    round: Option<Round>,
    /// As they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    queue: Vec<Data>,
    /// Whether no other event belongs to it.
    #[serde(default)]
    closed: bool,
}

/// An event at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Round {
    /// As it is read.
    item: Data,
    list: List,
}

impl Each {
    pub(super) fn hears(&self) -> bool {
        !self.closed
    }

    pub(super) fn queue(&self) -> &[Data] {
        &self.queue
    }

    pub(super) fn list(&self) -> Option<&List> {
        self.round.as_ref().map(|round| &round.list)
    }

    pub(super) fn list_mut(&mut self) -> Option<&mut List> {
        self.round.as_mut().map(|round| &mut round.list)
    }

    /// Whether the signal is for a task at work.
    fn answers_to(&self, signal: &Signal<'_>) -> bool {
        let mut open = Vec::new();
        if let Some(list) = self.list() {
            list.open(&mut open);
        }
        open.iter().any(|open| open.answers_to(signal))
    }
}

pub(super) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    listen: &Listen,
    foreach: &Foreach,
    mut listening: Listening,
) -> Result<Progress<State>, Stop> {
    listening.each = Some(Box::default());
    let mut work = Work {
        here,
        listen,
        foreach,
        each: Each::default(),
        listening,
    };
    let mut index = 0;
    while let Some(event) = run.record.kept.get(index).map(Arc::clone) {
        if work.hear(run, &event)? {
            run.record.kept.remove(index);
        } else {
            index += 1;
        }
    }
    let types = work.listening.types.clone();
    let progress = work.go_on(run, None)?;
    if let Progress::Parked(State::Listen(listening)) = &progress
        && listening.hears()
    {
        let task = here.task.name.clone();
        run.effects.push(Effect::Listen { task, types });
    }
    Ok(progress)
}

pub(super) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    listen: &Listen,
    foreach: &Foreach,
    mut listening: Listening,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    let each = listening.each.take();
    let mut work = Work {
        here,
        listen,
        foreach,
        each: *each.unwrap_or_default(),
        listening,
    };
    let inside = work.each.answers_to(signal);
    if let Signal::Arrived(event) = signal
        && work.hear(run, event)?
    {
        run.taken = true;
    }
    if work.each.round.is_some() && !inside {
        return Ok(work.park());
    }
    work.go_on(run, inside.then_some(signal))
}

/// A `listen` with `foreach` being run.
struct Work<'a> {
    here: &'a Here<'a>,
    listen: &'a Listen,
    foreach: &'a Foreach,
    each: Each,
    /// The rest of it.
    listening: Listening,
}

impl Work<'_> {
    /// Whether the event belongs to it; if so, it waits for its turn.
    fn hear(&mut self, run: &mut Run<'_>, event: &Data) -> Result<bool, Stop> {
        if self.each.closed {
            return Ok(false);
        }
        let verdict = self.listening.judge(run, self.here, self.listen, event)?;
        match verdict {
            Verdict::No => return Ok(false),
            Verdict::Stops { last } => self.each.closed = last,
            Verdict::Fits { last } => {
                self.each.closed = last;
                self.each.queue.push(Arc::clone(event));
                bound(&mut self.each.queue, &mut run.effects);
            }
        }
        Ok(true)
    }

    fn park(mut self) -> Progress<State> {
        self.listening.each = Some(Box::new(self.each));
        Progress::Parked(State::Listen(Box::new(self.listening)))
    }

    /// Through the queue as far as nothing from outside is needed.
    fn go_on(
        mut self,
        run: &mut Run<'_>,
        mut signal: Option<&Signal<'_>>,
    ) -> Result<Progress<State>, Stop> {
        loop {
            let round = match self.each.round.take() {
                Some(round) => round,
                None if !self.each.queue.is_empty() => self.next(run),
                None if self.each.closed => return Ok(self.finish(run)),
                None => return Ok(self.park()),
            };
            let item = Arc::clone(&round.item);
            match self.round(run, round, signal.take()) {
                Ok(Progress::Parked(list)) => {
                    self.each.round = Some(Round { item, list });
                    return Ok(self.park());
                }
                Ok(Progress::Finished { then, .. }) => {
                    if then == Some(Then::Exit) {
                        return Ok(self.finish(run));
                    }
                }
                Ok(Progress::Ended(output)) => return Ok(Progress::Ended(output)),
                Err(stop) => {
                    self.leave(run);
                    return Err(stop);
                }
            }
        }
    }

    fn next(&mut self, run: &mut Run<'_>) -> Round {
        // `$steps` shows an event its own outputs only.
        self.forget_outputs(run);
        self.each.count += 1;
        let item = as_read(self.listen.read, &self.each.queue.remove(0));
        let list = List::new(Arc::clone(&item));
        Round { item, list }
    }

    /// One event; `exit` also says that `until` holds.
    fn round(
        &mut self,
        run: &mut Run<'_>,
        round: Round,
        signal: Option<&Signal<'_>>,
    ) -> Result<Progress<List>, Stop> {
        let Round { item, list } = round;
        let tasks = &self.foreach.tasks;
        let progress =
            self.with_variables(&item, |scope| list.drive(run, Some(scope), tasks, signal))?;
        let Progress::Finished { output, then } = progress else {
            return Ok(progress);
        };
        let output = self.close(run, &item, &output)?;
        self.gather(Arc::clone(&output))?;
        let enough = then == Some(Then::Exit)
            || !self.is_endless() && self.listening.enough(run, self.here, self.listen)?;
        Ok(Progress::Finished {
            output,
            then: enough.then_some(Then::Exit),
        })
    }

    /// `output` and `export` of one event.
    fn close(&self, run: &mut Run<'_>, item: &Data, raw: &Data) -> Result<Data, Stop> {
        let here = self.here;
        let value = |run: &Run<'_>, template, input: &Data, output: Option<&Data>| {
            self.with_variables(item, |scope| {
                let sight = Sight {
                    scope: Some(scope),
                    output: output.map(|output| &**output),
                    task: Some(TaskSight {
                        task: here.task,
                        input: here.raw,
                        output: Some(raw),
                        started_at: here.entry.started_at,
                    }),
                    ..here.sight(run)
                };
                run.value(template, input, &sight)
            })
        };
        let output = match &self.foreach.output.transform {
            Some(transform) => Arc::new(value(run, transform, raw, None)?),
            None => Arc::clone(raw),
        };
        Run::check(self.foreach.output.schema.as_ref(), &output, here.place())?;
        if let Some(export) = &self.foreach.export {
            let context = value(run, &export.transform, &output, Some(&output))?;
            Run::check(export.schema.as_ref(), &context, here.place())?;
            run.record.context = Arc::new(context);
        }
        Ok(output)
    }

    /// Who listens for ever never sees the list, so it must not grow: the last is kept for `exit`.
    fn gather(&mut self, output: Data) -> Result<(), Stop> {
        if self.is_endless() {
            self.listening.gathered.clear();
            self.listening.gathered_bytes = 0;
        }
        self.listening.gather(self.here, output)
    }

    /// `until: ${ false }`
    fn is_endless(&self) -> bool {
        until(self.listen).is_some_and(|condition| condition.source().trim() == "false")
    }

    fn finish(mut self, run: &mut Run<'_>) -> Progress<State> {
        self.leave(run);
        self.listening.finish()
    }

    /// Nothing after it sees the outputs within; what had no turn is kept for others.
    fn leave(&mut self, run: &mut Run<'_>) {
        self.forget_outputs(run);
        self.listening.each = Some(Box::new(std::mem::take(&mut self.each)));
        give_back(run, &self.listening);
    }

    fn forget_outputs(&self, run: &mut Run<'_>) {
        let list = format!("{}/foreach/do", self.here.task.reference);
        run.record.forget_outputs(&list);
    }

    /// The event and its index, around the list. Nothing comes back to an event: a retry around
    /// hears others, so intents need not be kept, but those of two events must never meet.
    fn with_variables<T>(&self, item: &Value, then: impl FnOnce(&Scope<'_>) -> T) -> T {
        let index = Value::from(self.each.count.saturating_sub(1));
        let run = Scope {
            ordinal: self.here.entry.run,
            kept: false,
            ..Scope::within(self.here.scope)
        };
        let number = Scope {
            ordinal: self.each.count,
            variable: Some((&self.foreach.at, &index)),
            ..Scope::within(&run)
        };
        then(&Scope {
            variable: Some((&self.foreach.item, item)),
            ..Scope::within(&number)
        })
    }
}
