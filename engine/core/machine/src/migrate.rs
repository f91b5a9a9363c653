//! Another version under a running instance: where it would stand there, what keeps it from going
//! there, and the move itself.
//!
//! A task is the same when the names on the way to it are ([`casewright_language::diff`]). The plan
//! is total: it gives either no obstacle or every one with its reason. Whoever moves an instance
//! writes the pointers that change into [`crate::Event::Migrated`], so that a replay needs the
//! earlier version only for the events before.
//!
//! Keys, completions, exclusions and everything that people decided stay as they are. Who may move
//! an instance, and which version is in force, is no affair of the machine.

mod approval;
mod mention;
mod relocate;
mod survey;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use casewright_language::{Answers, Workflow};
use jiff::Timestamp;
use serde::Serialize;

use crate::position::Open;
use crate::run::{Run, Stop};
use crate::step::{Yielded, park};
use crate::{Effect, Event, Instance, Interest, Transition, interest};

/// What a move to another version would do to an instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Tasks under way: where each stands, and where it would stand.
    pub stands: Vec<Stand>,
    /// Why it cannot be moved, every reason; empty when it can.
    pub obstacles: Vec<Obstacle>,
    /// What is worth knowing and no obstacle.
    pub notes: Vec<Note>,
    /// Digests of both versions.
    pub(crate) from: String,
    pub(crate) to: String,
    /// Pointers of tasks that change.
    pub(crate) moves: BTreeMap<String, String>,
    /// Of the earlier version.
    pub(crate) interests: Vec<Interest>,
}

/// A task under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stand {
    /// Name of the task.
    pub task: String,
    /// JSON pointer in the version it runs.
    pub before: String,
    /// JSON pointer in the other one; `None` when it is not there.
    pub after: Option<String>,
}

/// Why an instance cannot be moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// What kind of reason it is.
    pub code: Reason,
    /// Name of the task it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// A sentence for people: what is so, and what may be done.
    pub message: String,
}

/// Kinds of reasons; the names are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It has ended.
    Ended,
    /// Something goes on by itself this moment: a call, its retry, or tasks without waiting.
    Busy,
    /// A task under way is not in the other version.
    TaskGone,
    /// A task under way is something else there.
    TaskChanged,
    /// The form of an open work item asks other questions.
    FormChanged,
    /// An open work item can end in other ways.
    OutcomesChanged,
    /// Who may decide an open work item, or how many must, is written otherwise.
    RulesChanged,
    /// What a `listen` under way waits for is written otherwise.
    EventsChanged,
    /// The loop under way runs over something else.
    LoopChanged,
    /// The fork under way has other branches.
    ForkChanged,
    /// When the `try` under way catches or tries again is written otherwise.
    RetryChanged,
    /// A time limit that runs is not in the other version.
    TimeLimitGone,
    /// A task that was done would be done again.
    WouldRepeat,
    /// An approval would never be asked for, or asks less.
    ApprovalLost,
    /// Somebody's part in the work would be forgotten where it excludes them.
    PersonLost,
    /// A later task reads what only a task gives that this instance never did.
    ReadsMissing,
}

/// What is worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Name of the task it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// A sentence for people.
    pub message: String,
}

impl Plan {
    /// Whether nothing keeps the instance from being moved.
    pub fn possible(&self) -> bool {
        self.obstacles.is_empty()
    }

    /// Pointers of tasks in the version it runs, to those in the other one, where they differ.
    pub fn moves(&self) -> &BTreeMap<String, String> {
        &self.moves
    }

    /// The event that moves it; only when it is [`Plan::possible`].
    pub fn event(&self, at: Timestamp, by: &str, reason: &str) -> Event {
        Event::Migrated {
            at,
            by: by.to_owned(),
            reason: reason.to_owned(),
            from: self.from.clone(),
            to: self.to.clone(),
            moves: self.moves.clone(),
            interests: self.interests.clone(),
        }
    }
}

/// What is not the same in both packs, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Forms.
    pub forms: BTreeSet<String>,
    /// Policies that say who may spend how much.
    pub policies: BTreeSet<String>,
}

/// What a move of the instance from the version it runs to another would do.
pub fn plan(before: &Workflow, after: &Workflow, changed: &Changed, instance: &Instance) -> Plan {
    let Some(body) = &instance.body else {
        let message = "it has ended: there is nothing left to do in another version";
        return refused(Reason::Ended, message);
    };
    let open = instance.open();
    if open.iter().any(|open| busy(open)) {
        let message = "a step goes on by itself this moment: try again once the run waits for \
                       people, events or time";
        return refused(Reason::Busy, message);
    }
    let mut plan = survey::survey(before, after, changed, &instance.record, body);
    approval::compare(before, after, &mut plan.obstacles);
    let answers = Answers::default();
    let run = Run::new(
        before,
        &answers,
        Timestamp::UNIX_EPOCH,
        instance.record.clone(),
    );
    plan.interests = interest::interests(&run);
    plan.from.clone_from(&before.digest);
    plan.to.clone_from(&after.digest);
    plan
}

fn busy(open: &Open<'_>) -> bool {
    match open {
        Open::Call(_) | Open::Ready => true,
        Open::Timer { purpose, .. } => *purpose == crate::position::Purpose::Retry,
        Open::Task(_) | Open::Offer(_) | Open::Child(_) | Open::Listen { .. } => false,
    }
}

fn refused(code: Reason, message: &str) -> Plan {
    let obstacle = Obstacle {
        code,
        task: None,
        message: message.to_owned(),
    };
    Plan {
        obstacles: vec![obstacle],
        ..Plan::default()
    }
}

/// Where an event moves an instance.
pub(crate) struct There<'a> {
    /// Digests of the two versions.
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) moves: &'a BTreeMap<String, String>,
    /// Of the earlier version.
    pub(crate) interests: &'a [Interest],
}

/// Puts the instance there. The run is of the version it moves to.
pub(crate) fn migrate(
    instance: &Instance,
    mut run: Run<'_>,
    there: &There<'_>,
) -> Result<Transition, Stop> {
    let torn = |found: &str| Stop::Torn(found.to_owned());
    let body = instance.body.as_ref();
    let mut body = body.cloned().ok_or_else(|| torn("a move after the end"))?;
    if instance.workflow_digest() != there.from {
        return Err(torn("a move from another version than the instance's"));
    }
    if run.workflow.digest != there.to {
        return Err(torn("a move to another version than the one given"));
    }
    let open = instance.open();
    if open.iter().any(busy) {
        return Err(torn("a move while something goes on by itself"));
    }
    let moves = relocate::Moves(there.moves);
    moves.list(&mut body);
    moves.record(&mut run.record, there.to);
    if !relocate::fits(&body, run.workflow) {
        return Err(torn("a move to where the version has no such task"));
    }
    let wanted = interest::interests(&run);
    let only_in = |these: &[Interest], those: &[Interest]| -> Vec<Interest> {
        let those: BTreeSet<_> = those.iter().collect();
        these
            .iter()
            .filter(|one| !those.contains(one))
            .cloned()
            .collect()
    };
    let gone = only_in(there.interests, &wanted);
    let new = only_in(&wanted, there.interests);
    if !gone.is_empty() {
        run.effects.push(Effect::Unsubscribe(gone));
    }
    if !new.is_empty() {
        run.effects.push(Effect::Subscribe(new));
    }
    Ok(park(run, body, Yielded::No))
}
