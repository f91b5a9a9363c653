//! Where a run stands, as a tree: lists of tasks, in each the task being run, in it what that
//! construct remembers. It says what is open; it moves nothing.
//!
//! A construct with several tasks at once keeps several [`Position`]s in its state; everything that
//! looks for what is open goes through [`Position::open`], so it needs no change for that.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_language::workflow::Then;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::Calling;
use crate::extension::{Extending, Part};
use crate::r#for::Looping;
use crate::fork::Forking;
use crate::listen::Listening;
use crate::retry::Again;
use crate::r#try::Trying;
use crate::{
    Call, CallError, Child, Decider, Delivery, Effect, Offer, Outcome, Status, Waiting, Worked,
};

/// Shared, because every step begins with a copy of the instance.
pub(crate) type Data = Arc<Value>;

/// A list of tasks being run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct List {
    /// The task being run, or to be run next.
    pub(crate) index: usize,
    /// Raw input of that task.
    #[serde(default)]
    pub(crate) input: Data,
    /// The task of this list whose latest output that input is, if it is one; `$steps` keeps it
    /// as long as the list stands here.
    pub(crate) after: Option<String>,
    /// How often each task was entered since this list was: what tells intents apart. Counted only
    /// where a `try` may come back to them.
    #[serde(default)]
    pub(crate) entries: BTreeMap<usize, u32>,
    /// `None` before the task has begun.
    pub(crate) current: Option<Box<Position>>,
}

/// A task being run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    #[serde(flatten)]
    pub(crate) entry: Entry,
    pub(crate) state: State,
}

/// What every construct remembers of its run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) reference: String,
    pub(crate) run: u32,
    /// Position among all task runs of the instance.
    pub(crate) number: u64,
    pub(crate) started_at: Timestamp,
    /// The transformed input, where it is not the raw one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Data>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Timer>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Do(List),
    For(Box<Looping>),
    Fork(Box<Forking>),
    Try(Trying),
    Call(Calling),
    Human(Box<Offer>),
    Wait(Timer),
    Child(Box<Child>),
    Listen(Box<Listening>),
    Extended(Box<Extending>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timer {
    pub(crate) timer: u32,
    pub(crate) at: Timestamp,
}

/// An event as the tree sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal<'a> {
    Returned {
        delivery: &'a Delivery,
        result: &'a Result<Value, CallError>,
    },
    Completed(Decision<'a>),
    ChildEnded(ChildEnd<'a>),
    Fired(u32),
    /// An event from outside the instance; every `listen` that waits is asked.
    Arrived(&'a Data),
    Resumed,
}

/// What people made of a work item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision<'a> {
    /// The day where the agency is.
    pub(crate) on: Option<Date>,
    pub(crate) item: u32,
    pub(crate) outcome: &'a str,
    pub(crate) data: &'a Value,
    pub(crate) comment: Option<&'a str>,
    pub(crate) by: &'a [Decider],
    pub(crate) overdue: bool,
    pub(crate) skipped: bool,
}

/// What became of a workflow that a task runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChildEnd<'a> {
    pub(crate) key: &'a str,
    pub(crate) outcome: &'a Outcome,
    pub(crate) acted: bool,
    pub(crate) worked: &'a [Worked],
}

/// What running something came to. A fault is no progress: it travels as an error.
#[derive(Debug)]
pub(crate) enum Progress<S> {
    /// It waits for something outside.
    Parked(S),
    /// `then` where the construct decides on it itself; of a list, `exit` where that ended it.
    Finished { output: Data, then: Option<Then> },
    /// `then: end` somewhere inside.
    Ended(Data),
}

/// Something that is open: to be withdrawn when it no longer matters, to be set up again after a
/// crash, to be matched by a signal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Open<'a> {
    /// A task that has begun; its number.
    Task(u64),
    Call(&'a Call),
    Offer(&'a Offer),
    Child(&'a Child),
    Timer {
        timer: Timer,
        purpose: Purpose,
        reference: &'a str,
    },
    Listen {
        listening: &'a Listening,
        reference: &'a str,
    },
    /// A list that yielded before its next task.
    Ready,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The wait is the task.
    Wait,
    /// Until the next attempt.
    Retry,
    /// The time allowed for something.
    Limit,
}

impl<S> Progress<S> {
    pub(crate) fn finished(output: Value) -> Self {
        Self::Finished {
            output: Arc::new(output),
            then: None,
        }
    }

    /// The same, whichever way a list was left: for constructs to which that is all the same.
    pub(crate) fn left(self) -> Self {
        match self {
            Self::Finished { output, then: _ } => Self::Finished { output, then: None },
            Self::Parked(_) | Self::Ended(_) => self,
        }
    }

    pub(crate) fn map<T>(self, state: impl FnOnce(S) -> T) -> Progress<T> {
        match self {
            Self::Parked(inner) => Progress::Parked(state(inner)),
            Self::Finished { output, then } => Progress::Finished { output, then },
            Self::Ended(output) => Progress::Ended(output),
        }
    }
}

impl List {
    pub(crate) fn new(input: Data) -> Self {
        Self {
            index: 0,
            input,
            after: None,
            entries: BTreeMap::new(),
            current: None,
        }
    }

    pub(crate) fn open<'a>(&'a self, found: &mut Vec<Open<'a>>) {
        match &self.current {
            Some(position) => position.open(found),
            None => found.push(Open::Ready),
        }
    }
}

impl Position {
    /// Outer before inner.
    pub(crate) fn open<'a>(&'a self, found: &mut Vec<Open<'a>>) {
        found.push(Open::Task(self.entry.number));
        if let Some(timer) = self.entry.timeout {
            found.push(Open::Timer {
                timer,
                purpose: Purpose::Limit,
                reference: &self.entry.reference,
            });
        }
        self.state.open(&self.entry.reference, found);
    }
}

/// Opening again what was taken back; see `retry`. The same walk as [`Position::open`].
impl List {
    pub(crate) fn reopen(&mut self, again: &mut Again<'_, '_>) {
        // What has not begun yields, and a yield is found when the instance is parked.
        if let Some(position) = &mut self.current {
            position.reopen(again);
        }
    }
}

impl Position {
    pub(crate) fn reopen(&mut self, again: &mut Again<'_, '_>) {
        again.task(self.entry.number, self.state.status());
        if let Some(timer) = &mut self.entry.timeout {
            again.limit(timer);
        }
        self.state.reopen(&self.entry.reference, again);
    }
}

impl State {
    pub(crate) fn reopen(&mut self, reference: &str, again: &mut Again<'_, '_>) {
        match self {
            State::Do(list) => list.reopen(again),
            State::For(looping) => looping.list_mut().reopen(again),
            State::Fork(forking) => {
                for position in forking.positions_mut() {
                    position.reopen(again);
                }
            }
            State::Try(trying) => trying.reopen(again),
            State::Call(calling) => calling.reopen(again),
            State::Human(offer) => again.offer(offer),
            State::Child(child) => again.child(child),
            State::Wait(timer) => again.moment(timer),
            State::Listen(listening) => {
                if listening.hears() {
                    again.listen(reference, &listening.types);
                }
                if let Some(list) = listening.list_mut() {
                    list.reopen(again);
                }
            }
            State::Extended(extending) => match extending.part_mut() {
                Part::List(list) => list.reopen(again),
                Part::Within(state) => state.reopen(reference, again),
            },
        }
    }

    pub(crate) fn open<'a>(&'a self, reference: &'a str, found: &mut Vec<Open<'a>>) {
        match self {
            State::Do(list) => list.open(found),
            State::For(looping) => looping.open(found),
            State::Fork(forking) => forking.open(found),
            State::Try(trying) => trying.open(reference, found),
            State::Call(calling) => calling.open(reference, found),
            State::Human(offer) => found.push(Open::Offer(offer)),
            State::Child(child) => found.push(Open::Child(child)),
            State::Wait(timer) => found.push(Open::Timer {
                timer: *timer,
                purpose: Purpose::Wait,
                reference,
            }),
            State::Listen(listening) => listening.open(reference, found),
            State::Extended(extending) => extending.open(reference, found),
        }
    }

    /// How a parked task looks from outside.
    pub(crate) fn status(&self) -> Status {
        match self {
            State::Do(_) | State::For(_) | State::Fork(_) => Status::Running,
            State::Try(trying) => trying.status(),
            State::Call(calling) => calling.status(),
            State::Extended(extending) => extending.status(),
            State::Listen(listening) => listening.status(),
            State::Human(_) | State::Wait(_) | State::Child(_) => Status::Waiting,
        }
    }
}

impl Open<'_> {
    pub(crate) fn answers_to(&self, signal: &Signal<'_>) -> bool {
        match (self, signal) {
            (Open::Call(call), Signal::Returned { delivery, .. }) => call.delivery == **delivery,
            (Open::Offer(offer), Signal::Completed(decision)) => offer.item == decision.item,
            (Open::Child(child), Signal::ChildEnded(end)) => child.key == end.key,
            (Open::Timer { timer, .. }, Signal::Fired(fired)) => timer.timer == *fired,
            (Open::Listen { listening, .. }, Signal::Arrived(_)) => listening.hears(),
            (Open::Ready, Signal::Resumed) => true,
            _ => false,
        }
    }

    /// The effect that brought it about.
    pub(crate) fn effect(&self) -> Option<Effect> {
        match self {
            // Subscriptions stand from the start.
            Open::Task(_) | Open::Listen { .. } => None,
            Open::Call(call) => Some(Effect::Call((*call).clone())),
            Open::Offer(offer) => Some(Effect::Offer(Box::new((*offer).clone()))),
            Open::Child(child) => Some(Effect::StartChild(Box::new((*child).clone()))),
            Open::Timer { timer, .. } => Some(Effect::SetTimer {
                timer: timer.timer,
                at: timer.at,
            }),
            Open::Ready => Some(Effect::Yield),
        }
    }

    pub(crate) fn waiting(&self) -> Option<Waiting> {
        match self {
            Open::Task(_) | Open::Ready => None,
            Open::Call(call) => Some(Waiting::Call {
                task: task_name(&call.delivery.reference),
                function: call.function.clone(),
            }),
            Open::Offer(offer) => Some(Waiting::WorkItem {
                task: offer.task.clone(),
                item: offer.item,
            }),
            Open::Child(child) => Some(Waiting::Child {
                task: task_name(&child.delivery.reference),
                workflow: child.workflow.clone(),
                key: child.key.clone(),
            }),
            Open::Listen {
                listening,
                reference,
            } => listening.hears().then(|| Waiting::Event {
                task: task_name(reference),
                types: listening.types.clone(),
            }),
            Open::Timer {
                timer,
                purpose,
                reference,
            } => {
                let task = task_name(reference);
                match purpose {
                    Purpose::Wait => Some(Waiting::Timer {
                        task,
                        until: timer.at,
                    }),
                    Purpose::Retry => Some(Waiting::Retry {
                        task,
                        until: timer.at,
                    }),
                    Purpose::Limit => None,
                }
            }
        }
    }
}

/// The name that the pointer of a task ends in.
pub(crate) fn task_name(reference: &str) -> String {
    let segment = reference.rsplit('/').next().unwrap_or(reference);
    segment.replace("~1", "/").replace("~0", "~")
}
