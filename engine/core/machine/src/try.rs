//! `try`: which faults are caught, when to try again, and the handler.
//!
//! Order: `errors.with`, `when` and `exceptWhen`, retry until exhausted, `do`, `then`. Every retry
//! goes through a timer, also one without delay, so that a retry is always a transition.

mod delay;

use std::sync::Arc;

use casewright_language::Expression;
use casewright_language::workflow::{Filter, Retry, Try};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fault::{IN_DOUBT, same_kind};
use crate::position::{Data, List, Open, Progress, Purpose, Signal, State, Timer};
use crate::retry::Again;
use crate::run::{Run, Stop};
use crate::scope::{Scope, Sight};
use crate::step::CATCH;
use crate::task::Here;
use crate::{Fault, Status};

/// A `try` at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trying {
    #[serde(flatten)]
    history: History,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct History {
    retries: u32,
    /// Beginning of the first attempt.
    since: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Phase {
    Trying {
        list: List,
        /// Time that this attempt may take.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Timer>,
    },
    Resting(Timer),
    Handling {
        list: List,
        error: Data,
    },
}

impl Trying {
    pub(crate) fn open<'a>(&'a self, reference: &'a str, found: &mut Vec<Open<'a>>) {
        let timer = |timer, purpose| Open::Timer {
            timer,
            purpose,
            reference,
        };
        match &self.phase {
            Phase::Trying { list, limit } => {
                found.extend(limit.map(|limit| timer(limit, Purpose::Limit)));
                list.open(found);
            }
            Phase::Resting(rest) => found.push(timer(*rest, Purpose::Retry)),
            Phase::Handling { list, .. } => list.open(found),
        }
    }

    pub(crate) fn reopen(&mut self, again: &mut Again<'_, '_>) {
        match &mut self.phase {
            Phase::Trying { list, limit } => {
                if let Some(limit) = limit {
                    again.limit(limit);
                }
                list.reopen(again);
            }
            Phase::Resting(rest) => again.moment(rest),
            Phase::Handling { list, .. } => list.reopen(again),
        }
    }

    /// The list within, unless it rests before the next attempt.
    pub(crate) fn list(&self) -> Option<&List> {
        match &self.phase {
            Phase::Trying { list, .. } | Phase::Handling { list, .. } => Some(list),
            Phase::Resting(_) => None,
        }
    }

    /// The list within, for what must be put back after reading.
    pub(crate) fn list_mut(&mut self) -> Option<&mut List> {
        match &mut self.phase {
            Phase::Trying { list, .. } | Phase::Handling { list, .. } => Some(list),
            Phase::Resting(_) => None,
        }
    }

    pub(crate) fn status(&self) -> Status {
        match self.phase {
            Phase::Trying { .. } | Phase::Handling { .. } => Status::Running,
            Phase::Resting(_) => Status::Waiting,
        }
    }
}

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    r#try: &Try,
) -> Result<Progress<State>, Stop> {
    let history = History {
        retries: 0,
        since: run.now,
    };
    let within = Within {
        here,
        r#try,
        history,
    };
    within.attempt(run)
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    r#try: &Try,
    trying: Trying,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    let Trying { history, phase } = trying;
    let mut within = Within {
        here,
        r#try,
        history,
    };
    match phase {
        Phase::Trying {
            list,
            limit: Some(limit),
        } if matches!(signal, Signal::Fired(fired) if *fired == limit.timer) => {
            let fault = within.interrupt(run, &list);
            within.caught(run, fault)
        }
        Phase::Trying { list, limit } => within.drive(run, list, limit, Some(signal)),
        Phase::Resting(_) => {
            within.history.retries += 1;
            within.attempt(run)
        }
        Phase::Handling { list, error } => within.handle(run, list, error, Some(signal)),
    }
}

/// A `try` being run.
#[derive(Clone, Copy)]
struct Within<'a> {
    here: &'a Here<'a>,
    r#try: &'a Try,
    history: History,
}

impl Within<'_> {
    /// Begins the list afresh, with the input of the `try`.
    fn attempt(self, run: &mut Run<'_>) -> Result<Progress<State>, Stop> {
        let retry = self.r#try.catch.retry.as_ref();
        let limit = match retry.and_then(|retry| retry.attempt_duration_max.as_ref()) {
            Some(span) => {
                let millis = run.span(span, self.here.input, &self.here.sight(run))?;
                let at = run.after(millis, self.here.place())?;
                Some(run.set_timer(at))
            }
            None => None,
        };
        self.drive(run, self.list(), limit, None)
    }

    fn list(self) -> List {
        List::new(Arc::clone(self.here.input))
    }

    fn drive(
        self,
        run: &mut Run<'_>,
        list: List,
        limit: Option<Timer>,
        signal: Option<&Signal<'_>>,
    ) -> Result<Progress<State>, Stop> {
        let scope = Scope {
            kept: self.here.scope.kept || self.r#try.catch.retry.is_some(),
            ..Scope::within(self.here.scope)
        };
        match list.drive(run, Some(&scope), &self.r#try.tasks, signal) {
            Ok(Progress::Parked(list)) => Ok(self.park(Phase::Trying { list, limit })),
            Ok(Progress::Finished { output, then: _ }) => {
                run.cancel_timer(limit);
                Ok(Progress::Finished { output, then: None })
            }
            Ok(Progress::Ended(output)) => {
                run.cancel_timer(limit);
                Ok(Progress::Ended(output))
            }
            Err(Stop::Fault(fault)) => {
                run.cancel_timer(limit);
                self.caught(run, *fault)
            }
            Err(stop) => Err(stop),
        }
    }

    fn park(self, phase: Phase) -> Progress<State> {
        Progress::Parked(State::Try(Trying {
            history: self.history,
            phase,
        }))
    }

    fn interrupt(self, run: &mut Run<'_>, list: &List) -> Fault {
        let mut open = Vec::new();
        list.open(&mut open);
        run.withdraw(&open, "time ran out");
        let detail = format!(
            "an attempt of `{}` took longer than `retry.limit.attempt.duration` allows",
            self.here.task.name
        );
        Fault::timeout(self.here.place(), detail)
    }

    fn caught(self, run: &mut Run<'_>, fault: Fault) -> Result<Progress<State>, Stop> {
        let catch = &self.r#try.catch;
        let error = Arc::new(error_value(&fault));
        let scope = self.error_scope(&error);
        let conditions = (catch.when.as_ref(), catch.except_when.as_ref());
        if !matches(&catch.with, &fault) || !self.wanted(run, &scope, conditions)? {
            return Err(fault.into());
        }
        run.broken = None;
        // What is in doubt is for a person; trying again could do it twice.
        let doubt = fault.kind == IN_DOUBT || run.record.doubts(&self.here.task.reference);
        if let Some(retry) = catch.retry.as_ref().filter(|_| !doubt) {
            let conditions = (retry.when.as_ref(), retry.except_when.as_ref());
            if self.wanted(run, &scope, conditions)?
                && let Some(at) = self.next_attempt(run, retry)?
            {
                return Ok(self.park(Phase::Resting(run.set_timer(at))));
            }
        }
        run.choose(self.here.place(), CATCH);
        self.handle(run, self.list(), error, None)
    }

    /// Runs the handler; without one the input passes through. Its faults are not caught here.
    fn handle(
        self,
        run: &mut Run<'_>,
        list: List,
        error: Data,
        signal: Option<&Signal<'_>>,
    ) -> Result<Progress<State>, Stop> {
        let catch = &self.r#try.catch;
        let tasks = catch.tasks.as_deref().unwrap_or_default();
        let scope = self.error_scope(&error);
        match list.drive(run, Some(&scope), tasks, signal)? {
            Progress::Parked(list) => Ok(self.park(Phase::Handling { list, error })),
            Progress::Finished { output, then: _ } => Ok(Progress::Finished {
                output,
                then: catch.then,
            }),
            Progress::Ended(output) => Ok(Progress::Ended(output)),
        }
    }

    fn error_scope<'b>(&'b self, error: &'b Value) -> Scope<'b> {
        Scope {
            variable: Some((&self.r#try.catch.variable, error)),
            ..Scope::within(self.here.scope)
        }
    }

    /// Whether `when` holds and `exceptWhen` does not.
    fn wanted(
        &self,
        run: &Run<'_>,
        error: &Scope<'_>,
        (when, except_when): (Option<&Expression>, Option<&Expression>),
    ) -> Result<bool, Stop> {
        let sight = Sight {
            scope: Some(error),
            ..self.here.sight(run)
        };
        let holds = |condition| run.holds(condition, self.here.input, &sight);
        Ok(when.map_or(Ok(true), holds)? && !except_when.map_or(Ok(false), holds)?)
    }

    /// When to try again; `None` when exhausted.
    fn next_attempt(&self, run: &Run<'_>, retry: &Retry) -> Result<Option<Timestamp>, Stop> {
        let History { retries, since } = self.history;
        if retry.count_max.is_some_and(|max| retries >= max) {
            return Ok(None);
        }
        let here = self.here;
        let span = |span| run.span(span, here.input, &here.sight(run));
        let delay = retry.delay.as_ref().map_or(Ok(0), span)?;
        let mut millis = delay::grown(delay, retry.backoff, retries);
        if let Some((from, to)) = &retry.jitter {
            let id = &run.record.facts.id;
            let place = &here.task.reference;
            let seed = format!("{id} {place} {} {retries}", here.entry.run);
            millis = millis.saturating_add(delay::jitter(span(from)?, span(to)?, &seed));
        }
        let Ok(at) = run.after(millis, here.place()) else {
            return Ok(None);
        };
        if let Some(max) = &retry.duration_max {
            let taken = at.duration_since(since).as_millis();
            if taken > i128::from(span(max)?) {
                return Ok(None);
            }
        }
        Ok(Some(at))
    }
}

/// What is absent in the filter matches everything.
fn matches(filter: &Filter, fault: &Fault) -> bool {
    fn fits(wanted: Option<&String>, found: Option<&str>) -> bool {
        wanted.is_none_or(|wanted| found == Some(wanted))
    }
    let kind = filter.kind.as_ref();
    kind.is_none_or(|kind| same_kind(kind, &fault.kind))
        && filter.status.is_none_or(|status| status == fault.status)
        && fits(filter.instance.as_ref(), Some(&fault.instance))
        && fits(filter.title.as_ref(), fault.title.as_deref())
        && fits(filter.detail.as_ref(), fault.detail.as_deref())
}

/// The error as the catch variable shows it; every member but `details` is always there.
fn error_value(fault: &Fault) -> Value {
    let mut error = json!({
        "type": fault.kind,
        "status": fault.status,
        "title": fault.title,
        "detail": fault.detail,
        "instance": fault.instance,
    });
    if let (Some(details), Some(members)) = (&fault.details, error.as_object_mut()) {
        members.insert("details".to_owned(), details.clone());
    }
    error
}
