//! Where an instance stands, looked at in both versions: along the tasks under way, outer before
//! inner, with the tasks before and behind each.

use std::collections::BTreeMap;

use casewright_language::diff::{self, Leaf, Names};
use casewright_language::workflow::{Human, Kind};
use casewright_language::{Task, Workflow};

use super::approval::approvals;
use super::mention::{excluding, names, reader_of, reads};
use super::{Changed, Note, Obstacle, Plan, Reason, Stand};
use crate::position::{List, Position, State};
use crate::record::Record;
use crate::scope::list_of;

pub(super) fn survey(
    before: &Workflow,
    after: &Workflow,
    changed: &Changed,
    record: &Record,
    body: &List,
) -> Plan {
    let (old, new) = (Names::of(before), Names::of(after));
    let moves = moves(&before.tasks, &old, &new);
    let renamed = diff::diff(before, after).tasks;
    let renamed = renamed.into_iter().filter(|one| one.renamed.is_some());
    let mut survey = Survey {
        before,
        after,
        changed,
        record,
        renamed: renamed
            .filter_map(|one| Some((one.before?, one.after?)))
            .collect(),
        old,
        new,
        plan: Plan {
            moves,
            ..Plan::default()
        },
    };
    survey.time_limit();
    survey.list(body);
    survey.people();
    survey.plan
}

/// Pointers that differ.
fn moves(tasks: &[Task], old: &Names, new: &Names) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for task in tasks {
        let place = old.way(&task.reference).and_then(|way| new.place(way));
        if let Some(place) = place.filter(|place| *place != task.reference) {
            found.insert(task.reference.clone(), place.to_owned());
        }
        for list in task.lists() {
            found.extend(moves(list, old, new));
        }
    }
    found
}

struct Survey<'a> {
    before: &'a Workflow,
    after: &'a Workflow,
    changed: &'a Changed,
    record: &'a Record,
    renamed: BTreeMap<String, String>,
    old: Names,
    new: Names,
    plan: Plan,
}

impl Survey<'_> {
    fn list(&mut self, list: &List) {
        // What has not begun is busy, and a busy instance is not looked at.
        let Some(position) = &list.current else {
            return;
        };
        self.position(position);
        let reference = &position.entry.reference;
        let place = self.place(reference);
        let Some(place) = place else { return };
        let (old, new) = (
            siblings(self.before, reference),
            siblings(self.after, &place),
        );
        if !list.entries.is_empty() && shifted(list, old, new) {
            let message = "tasks stand elsewhere in a `try` that may be tried again: their keys \
                           could be taken for those of others";
            self.obstacle(Reason::RetryChanged, None, message.to_owned());
        }
        self.around((reference, old), (&place, new));
    }

    fn position(&mut self, position: &Position) {
        let reference = &position.entry.reference;
        let place = self.place(reference);
        let old = self.before.task(reference);
        let new = place.as_ref().and_then(|place| self.after.task(place));
        self.plan.stands.push(Stand {
            task: old.map_or_else(|| reference.clone(), |task| task.name.clone()),
            before: reference.clone(),
            after: place.clone(),
        });
        let (Some(old), Some(new)) = (old, new) else {
            let renamed = self.renamed.get(reference);
            let renamed = renamed.and_then(|place| self.after.task(place));
            let hint = match renamed {
                Some(task) => format!("; it is called `{}` there: keep its name", task.name),
                None => "; wait until it is done, or keep it in the new version".to_owned(),
            };
            let name = old.map_or(reference.as_str(), |task| task.name.as_str());
            let message = format!("`{name}` is under way and not in the other version{hint}");
            self.obstacle(Reason::TaskGone, Some(name), message);
            return;
        };
        if [old, new].into_iter().any(brings_in) {
            let message = format!(
                "`{}` is under way, and an extension, a function of the document or a `foreach` \
                 belongs to it; wait until it is done",
                old.name
            );
            self.obstacle(Reason::TaskChanged, Some(&old.name), message);
            return;
        }
        if !same_kind(&position.state, &new.kind) {
            let message = format!("`{}` is something else in the other version", old.name);
            self.obstacle(Reason::TaskChanged, Some(&old.name), message);
            return;
        }
        self.own(position, old, new);
        match &position.state {
            State::Do(list) => self.list(list),
            State::For(looping) => self.list(looping.list()),
            State::Fork(forking) => forking
                .positions()
                .for_each(|position| self.position(position)),
            State::Try(trying) => {
                if let Some(list) = trying.list() {
                    self.list(list);
                }
            }
            State::Call(_)
            | State::Human(_)
            | State::Wait(_)
            | State::Child(_)
            | State::Listen(_)
            | State::Extended(_) => {}
        }
    }

    /// What is written otherwise in a task that is under way.
    fn own(&mut self, position: &Position, old: &Task, new: &Task) {
        let leaves = diff::task_leaves(old, new);
        let touches = |key: &str| leaves.iter().any(|leaf| begins(leaf, &[key]));
        let construct = match &new.kind {
            Kind::For(_) if touches("for") || touches("while") => Some(Reason::LoopChanged),
            Kind::Fork(_) if touches("fork") => Some(Reason::ForkChanged),
            Kind::Listen(_) if touches("listen") => Some(Reason::EventsChanged),
            Kind::Run(_) if touches("run") => Some(Reason::TaskChanged),
            Kind::Try(_) if touches("catch") || self.retries_changed() => {
                Some(Reason::RetryChanged)
            }
            _ => None,
        };
        if let Some(code) = construct {
            let words = match code {
                Reason::LoopChanged => "the loop runs over something else",
                Reason::ForkChanged => "the fork has other branches",
                Reason::EventsChanged => "it waits for other events",
                Reason::RetryChanged => "it catches or tries again in another way",
                _ => "it runs another workflow, or gives it something else",
            };
            let message = format!(
                "`{}` is under way, and {words} in the other version",
                old.name
            );
            self.obstacle(code, Some(&old.name), message);
        }
        if let (Kind::Human(old_human), Kind::Human(new_human)) = (&old.kind, &new.kind) {
            self.human(&old.name, (old_human, new_human), &leaves);
        }
        if matches!(new.kind, Kind::Wait(_)) && touches("wait") {
            self.note(
                &old.name,
                "waits until the moment that was set when it began",
            );
        }
        if position.entry.timeout.is_some() && new.timeout.is_none() {
            let message = format!("the time limit of `{}` runs and is gone there", old.name);
            self.obstacle(Reason::TimeLimitGone, Some(&old.name), message);
        } else if touches("timeout") {
            self.note(&old.name, "keeps the time limit that was set when it began");
        }
        if ["output", "export", "then"].iter().any(|key| touches(key)) {
            self.note(&old.name, "ends as the other version says");
        }
    }

    fn human(&mut self, name: &str, (old, new): (&Human, &Human), leaves: &[Leaf]) {
        let form = new.form.as_ref();
        if old.form != new.form {
            let message = format!("the open task `{name}` has another form there");
            self.obstacle(Reason::FormChanged, Some(name), message);
        } else if let Some(form) = form.filter(|form| self.changed.forms.contains(*form)) {
            let message = format!("the form `{form}` of the open task `{name}` was changed");
            self.obstacle(Reason::FormChanged, Some(name), message);
        }
        if old.outcomes != new.outcomes {
            let message = format!(
                "the open task `{name}` can end in other ways there: {}",
                new.outcomes.join(", ")
            );
            self.obstacle(Reason::OutcomesChanged, Some(name), message);
        }
        let rules = leaves.iter().any(|leaf| begins(leaf, &["with", "rules"]));
        let limit = new.limit.as_ref();
        let policy = limit.is_some_and(|limit| self.changed.policies.contains(&limit.policy));
        if rules || policy || old.approval != new.approval {
            let message = format!("who may decide the open task `{name}` is written otherwise");
            self.obstacle(Reason::RulesChanged, Some(name), message);
        }
        let offered = [
            "title",
            "show",
            "assign",
            "due",
            "since",
            "remind",
            "escalate",
            "clock",
            "nonDelegable",
            "skippable",
            "holdAtMost",
        ];
        let offered = offered
            .iter()
            .any(|key| leaves.iter().any(|leaf| begins(leaf, &["with", key])));
        if offered {
            self.note(
                name,
                "stays as it was offered: what is written otherwise counts next time",
            );
        }
    }

    /// Tasks of the list before and behind the one that is under way.
    fn around(&mut self, (here, old): (&str, &[Task]), (there, new): (&str, &[Task])) {
        let index = |tasks: &[Task], reference: &str| {
            tasks.iter().position(|task| task.reference == reference)
        };
        let (Some(old_here), Some(new_here)) = (index(old, here), index(new, there)) else {
            return;
        };
        for (index_before, task) in old.iter().enumerate() {
            let stood_before = index_before < old_here;
            let place = self.place(&task.reference);
            let Some(index_after) = place.and_then(|place| index(new, &place)) else {
                if index_before > old_here {
                    self.note(
                        &task.name,
                        "is not in the other version and will not be done",
                    );
                }
                continue;
            };
            let stands_before = index_after < new_here;
            if stood_before && index_after > new_here && self.ran(task) {
                let message = format!(
                    "`{}` was done and stands behind `{}` there: it would be done again",
                    task.name,
                    name_of(here)
                );
                self.obstacle(Reason::WouldRepeat, Some(&task.name), message);
            }
            if index_before > old_here && stands_before {
                self.passed_over(task);
            }
            let other = new.get(index_after).map(|other| &other.definition);
            if index_after > new_here && other != Some(&task.definition) {
                self.note(&task.name, "is written otherwise and still to come");
            }
        }
        for (index_after, task) in new.iter().enumerate() {
            let way = self.new.way(&task.reference);
            if way.is_some_and(|way| self.old.place(way).is_some()) {
                continue;
            }
            if index_after > new_here {
                self.note(&task.name, "is new and still to come");
                continue;
            }
            self.passed_over(task);
            let output = self.after.definition.get("output");
            let output = output.is_some_and(|output| reads(output, &task.name));
            let reader = reader_of(&task.name, &self.after.tasks, &task.reference);
            if let Some(reader) = reader.or_else(|| output.then(|| "output".to_owned())) {
                let message = format!(
                    "`{reader}` reads `$steps` of `{}`, which this run never did",
                    task.name
                );
                self.obstacle(Reason::ReadsMissing, Some(&task.name), message);
            }
        }
    }

    /// A task that the other version has done by the time it is here, and this run has not.
    fn passed_over(&mut self, task: &Task) {
        let inside = approvals(std::slice::from_ref(task));
        match inside.first() {
            Some((approval, _)) => {
                let message = format!(
                    "the other version asks for `{}` before it comes to where this run is: no run \
                     is moved past an approval",
                    approval.name
                );
                self.obstacle(Reason::ApprovalLost, Some(&approval.name), message);
            }
            None => self.note(
                &task.name,
                "lies behind where the run stands: it is not done",
            ),
        }
    }

    /// Whether the task, or one within it, was begun.
    fn ran(&self, task: &Task) -> bool {
        let mut runs = self.record.runs.keys();
        runs.any(|reference| {
            let below = reference.strip_prefix(task.reference.as_str());
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        })
    }

    /// `differentPersonFrom` goes by names: a task that somebody did under another name excludes
    /// nobody.
    fn people(&mut self) {
        let known = |tasks: &[Task], name: &str| names(tasks).contains(name);
        let done = self.record.completions.iter();
        let forgotten: Vec<_> = done
            .filter(|done| !known(&self.after.tasks, &done.task))
            .map(|done| done.task.clone())
            .collect();
        let Some(task) = forgotten.first() else {
            return;
        };
        let wanted = excluding(&self.after.tasks);
        let fresh = wanted
            .into_iter()
            .find(|name| !known(&self.before.tasks, name));
        if let Some(name) = fresh {
            let message = format!(
                "`differentPersonFrom` names `{name}`, and whoever did `{task}` before it was \
                 taken out or renamed would not be excluded by it"
            );
            self.obstacle(Reason::PersonLost, Some(&name), message);
        }
    }

    /// Of the whole workflow.
    fn time_limit(&mut self) {
        if self.record.timeout.is_some() && self.after.timeout.is_none() {
            let message = "the time limit of the workflow runs and is gone there".to_owned();
            self.obstacle(Reason::TimeLimitGone, None, message);
        }
    }

    fn retries_changed(&self) -> bool {
        let retries = |workflow: &Workflow| workflow.definition.pointer("/use/retries").cloned();
        retries(self.before) != retries(self.after)
    }

    fn place(&self, reference: &str) -> Option<String> {
        let place = self.new.place(self.old.way(reference)?)?;
        Some(place.to_owned())
    }

    fn obstacle(&mut self, code: Reason, task: Option<&str>, message: String) {
        self.plan.obstacles.push(Obstacle {
            code,
            task: task.map(str::to_owned),
            message,
        });
    }

    fn note(&mut self, task: &str, words: &str) {
        self.plan.notes.push(Note {
            task: Some(task.to_owned()),
            message: format!("`{task}` {words}"),
        });
    }
}

/// Whether a task that was entered in this list stands at another index in the other version.
fn shifted(list: &List, old: &[Task], new: &[Task]) -> bool {
    let name = |tasks: &[Task], index: usize| tasks.get(index).map(|task| task.name.clone());
    let mut entered = list.entries.keys();
    entered.any(|index| name(old, *index) != name(new, *index))
}

fn same_kind(state: &State, kind: &Kind) -> bool {
    matches!(
        (state, kind),
        (State::Do(_), Kind::Do(_))
            | (State::For(_), Kind::For(_))
            | (State::Fork(_), Kind::Fork(_))
            | (State::Try(_), Kind::Try(_))
            | (State::Human(_), Kind::Human(_))
            | (State::Wait(_), Kind::Wait(_))
            | (State::Child(_), Kind::Run(_))
            | (State::Listen(_), Kind::Listen(_))
    )
}

fn begins(leaf: &Leaf, path: &[&str]) -> bool {
    // A whole that was written otherwise has each of its members otherwise.
    leaf.path
        .iter()
        .zip(path)
        .all(|(found, wanted)| found == wanted)
}

fn name_of(reference: &str) -> String {
    crate::position::task_name(reference)
}

/// The list that a task stands in.
fn siblings<'t>(workflow: &'t Workflow, reference: &str) -> &'t [Task] {
    fn find<'t>(tasks: &'t [Task], list: &str) -> Option<&'t [Task]> {
        let first = tasks.first()?;
        if list_of(&first.reference) == list {
            return Some(tasks);
        }
        let mut inner = tasks.iter().flat_map(Task::lists);
        inner.find_map(|tasks| find(tasks, list))
    }
    find(&workflow.tasks, list_of(reference)).unwrap_or_default()
}

/// Whether tasks belong to it that stand elsewhere in the document, or that come with each event.
fn brings_in(task: &Task) -> bool {
    let by_kind = match &task.kind {
        Kind::Function(_) => true,
        Kind::Listen(listen) => listen.foreach.is_some(),
        Kind::Do(_)
        | Kind::For(_)
        | Kind::Fork(_)
        | Kind::Set(_)
        | Kind::Switch(_)
        | Kind::Call(_)
        | Kind::Http(_)
        | Kind::OpenApi(_)
        | Kind::Human(_)
        | Kind::Raise(_)
        | Kind::Run(_)
        | Kind::Try(_)
        | Kind::Wait(_)
        | Kind::Emit(_) => false,
    };
    by_kind || !task.extensions.is_empty()
}
