//! Going on after a failed call: a run that ended because a function, or a workflow that it ran,
//! gave no result keeps where it stood before. `Retried` brings it back there: the call goes out
//! again under the same key with the same input, and what was taken back when the run failed is
//! opened again.
//!
//! What would fail again for certain (an expression, data against a schema, a raised error, time
//! that ran out) keeps nothing. Who may retry, and why, is no affair of the machine.

use casewright_language::Workflow;
use casewright_language::workflow::Kind;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::human::excluded_since;
use crate::lifecycle::{Turn, TurnKind};
use crate::position::{List, Open, Timer, task_name};
use crate::run::{Run, Stop};
use crate::step::Yielded;
use crate::{Delivery, Effect, Fault, Instance, Status, TaskRun, Transition, interest, step};

/// Where a run stood before it failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Left {
    pub(crate) body: List,
    pub(crate) cause: Cause,
    /// When it failed.
    pub(crate) at: Timestamp,
}

/// What gave no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cause {
    Call {
        delivery: Delivery,
        /// Nobody knows whether it happened.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        doubt: bool,
    },
    Child {
        key: String,
    },
}

/// A fault that a retry may mend, on its way to its `catch`.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) cause: Cause,
    pub(crate) fault: Fault,
}

/// What a retry of an instance would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retry {
    /// Send the call that failed again.
    Call {
        /// The attempt that failed.
        delivery: Delivery,
        /// Nobody knows whether it happened: somebody has to make sure first.
        doubt: bool,
    },
    /// Wait again for the workflow that was started under this key and failed.
    Child {
        /// As in [`crate::Child::key`].
        key: String,
    },
    /// Nothing: it would fail again for certain, or it has not failed.
    Nothing,
    /// Nothing: another workflow that this task waited for was cancelled when the run failed.
    Torn {
        /// Name of the task.
        task: String,
    },
}

impl Instance {
    /// What [`crate::Event::Retried`] would do to it.
    pub fn retry(&self) -> Retry {
        let Some(left) = &self.left else {
            return Retry::Nothing;
        };
        let own = |child: &str| matches!(&left.cause, Cause::Child { key } if key == child);
        let mut open = Vec::new();
        left.body.open(&mut open);
        let torn = open.iter().find_map(|open| match open {
            Open::Child(child) if !own(&child.key) => Some(&child.delivery.reference),
            _ => None,
        });
        if let Some(reference) = torn {
            let task = task_name(reference);
            return Retry::Torn { task };
        }
        match left.cause.clone() {
            Cause::Call { delivery, doubt } => Retry::Call { delivery, doubt },
            Cause::Child { key } => Retry::Child { key },
        }
    }

    /// Calls besides the one that failed that a retry would send again: they were given up when
    /// the run failed, and may have happened.
    pub fn given_up(&self) -> Vec<crate::Call> {
        let Some(left) = &self.left else {
            return Vec::new();
        };
        let mut open = Vec::new();
        left.body.open(&mut open);
        let other = |open: &Open<'_>| match open {
            Open::Call(call) if !left.cause.is(&call.delivery) => Some((*call).clone()),
            _ => None,
        };
        open.iter().filter_map(other).collect()
    }
}

impl Instance {
    /// The task that waited for the workflow started under this key, with which the run failed.
    pub(crate) fn failed_child(&self, key: &str) -> Option<String> {
        let mut open = Vec::new();
        self.left.as_ref()?.body.open(&mut open);
        open.iter().find_map(|open| match open {
            Open::Child(child) if child.key == key => Some(child.delivery.reference.clone()),
            _ => None,
        })
    }
}

impl Cause {
    fn is(&self, found: &Delivery) -> bool {
        matches!(self, Self::Call { delivery, .. } if delivery == found)
    }
}

/// Back to where the instance stood, with everything open again.
pub(crate) fn retry(
    instance: &Instance,
    mut run: Run<'_>,
    certain: bool,
) -> Result<Transition, Stop> {
    let refused = || Stop::Torn("a retry".to_owned());
    match instance.retry() {
        Retry::Nothing | Retry::Torn { .. } => return Err(refused()),
        Retry::Call { doubt: true, .. } if !certain => return Err(refused()),
        Retry::Call { .. } | Retry::Child { .. } => {}
    }
    let Left { mut body, at, .. } = *instance.left.clone().ok_or_else(refused)?;
    step::own(instance, run.workflow)?;
    let interests = interest::interests(&run);
    if !interests.is_empty() {
        run.effects.push(Effect::Subscribe(interests));
    }
    // A service may have mended what it says of itself meanwhile.
    run.record.operations.clear();
    let slept = run.now.duration_since(at).max(SignedDuration::ZERO);
    let timeout = run.record.timeout.take();
    run.record.timeout = timeout.map(|timer| again_later(&mut run, timer, slept));
    let mut again = Again {
        run: &mut run,
        slept,
    };
    body.reopen(&mut again);
    Ok(step::park(run, body, Yielded::No))
}

/// Opens what a walk through the positions comes to.
pub(crate) struct Again<'r, 'a> {
    run: &'r mut Run<'a>,
    /// How long the run had failed.
    slept: SignedDuration,
}

impl Again<'_, '_> {
    /// A task is under way again.
    pub(crate) fn task(&mut self, number: u64, status: Status) {
        if let Some(run) = self.run.record.mark(number, status) {
            let begun = TaskRun {
                status: Status::Running,
                ..run.clone()
            };
            self.run.notes.push(begun);
        }
        let kind = TurnKind::Again;
        self.run.turns.push(Turn { number, kind });
    }

    /// The time allowed for something does not run while nothing does.
    pub(crate) fn limit(&mut self, timer: &mut Timer) {
        *timer = again_later(self.run, *timer, self.slept);
    }

    /// A moment that was waited for stays the moment, also when it has passed.
    pub(crate) fn moment(&mut self, timer: &mut Timer) {
        *timer = self.run.set_timer(timer.at);
    }

    /// Another attempt of the same intent.
    pub(crate) fn call(&mut self, call: &mut crate::Call) {
        call.delivery.attempt += 1;
        self.run.effects.push(Effect::Call(call.clone()));
    }

    /// The work is offered anew; whoever has worked since must not decide it either.
    pub(crate) fn offer(&mut self, offer: &mut crate::Offer) {
        let workflow: &Workflow = self.run.workflow;
        if let Some(Kind::Human(human)) = workflow.task(&offer.reference).map(|task| &task.kind) {
            let since = excluded_since(&self.run.record, human, offer);
            offer.excluded.extend(since);
        }
        self.run.record.minted.item += 1;
        offer.item = self.run.record.minted.item;
        self.run
            .effects
            .push(Effect::Offer(Box::new(offer.clone())));
    }

    /// Under the key that was used, its end comes again; or it goes on, if it was retried.
    pub(crate) fn child(&mut self, child: &crate::Child) {
        let child = Box::new(child.clone());
        self.run.effects.push(Effect::StartChild(child));
    }

    pub(crate) fn listen(&mut self, reference: &str, types: &[String]) {
        self.run.effects.push(Effect::Listen {
            task: task_name(reference),
            types: types.to_vec(),
        });
    }
}

fn again_later(run: &mut Run<'_>, timer: Timer, slept: SignedDuration) -> Timer {
    let at = timer.at.checked_add(slept).unwrap_or(timer.at);
    run.set_timer(at)
}
