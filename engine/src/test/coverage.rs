//! What of a pack's workflows its tests reach, and what they never reach: tasks, cases of a
//! `switch`, outcomes of human work, handlers. Told from the histories of the tests' runs.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use casewright_language::reach::{self, Reach, Way};
use casewright_language::read::outline::outline;
use casewright_runtime::Deployment;
use serde_json::{Value, json};

use super::stage::{Stage, failed};

/// By workflow: a task's reference, and the way that was taken there.
#[derive(Default)]
pub(super) struct Reached(BTreeMap<String, BTreeSet<(String, Option<String>)>>);

/// Of one workflow.
pub(super) struct Coverage {
    pub(super) workflow: String,
    /// As it was pointed at.
    pub(super) file: String,
    tasks: Count,
    ways: Count,
    missed: Vec<Reach>,
}

#[derive(Default)]
struct Count {
    all: usize,
    reached: usize,
}

impl Reached {
    /// Adds what the runs of a test came to.
    pub(super) async fn add(&mut self, stage: &Stage) -> io::Result<()> {
        for instance in stage.all_instances().await? {
            let reached = self.0.entry(instance.workflow).or_default();
            let mut after = 0;
            loop {
                let engine = &stage.engine;
                let history = engine.history(&stage.onlooker, &instance.id, after).await;
                let history = history.map_err(|error| failed(&error))?;
                let Some(last) = history.last() else { break };
                after = last.sequence;
                for entry in &history {
                    reached.extend(
                        entry
                            .tasks
                            .iter()
                            .map(|task| (text(task, "reference"), None)),
                    );
                    let ways = entry.choices.iter();
                    reached
                        .extend(ways.map(|one| (text(one, "reference"), Some(text(one, "way")))));
                }
            }
        }
        Ok(())
    }

    /// Of all workflows of the pack; with `only_met` of those that some test began.
    pub(super) fn of_pack(&self, pack: &Deployment, root: &Path, only_met: bool) -> Vec<Coverage> {
        let nothing = BTreeSet::new();
        let documents = pack.files.iter().filter(|(path, _)| !path.contains('/'));
        let covered = documents.filter_map(|(path, source)| {
            let (name, _) = outline(source)?;
            let workflow = pack.workflows.get(&name)?;
            let reached = self.0.get(&name);
            if only_met && reached.is_none() {
                return None;
            }
            let reached = reached.unwrap_or(&nothing);
            let file = root.join(path).display().to_string();
            Some(Coverage::of(
                name,
                file,
                reach::reach(workflow, source),
                reached,
            ))
        });
        covered.collect()
    }
}

impl Coverage {
    fn of(
        workflow: String,
        file: String,
        all: Vec<Reach>,
        reached: &BTreeSet<(String, Option<String>)>,
    ) -> Self {
        let (mut tasks, mut ways, mut missed) = (Count::default(), Count::default(), Vec::new());
        for one in all {
            let way = one.way.as_ref().map(|way| way.name().to_owned());
            let count = if way.is_some() { &mut ways } else { &mut tasks };
            count.all += 1;
            if reached.contains(&(one.reference.clone(), way)) {
                count.reached += 1;
            } else {
                missed.push(one);
            }
        }
        Self {
            workflow,
            file,
            tasks,
            ways,
            missed,
        }
    }

    /// `brokerage: 11 of 12 tasks, 7 of 9 branches`, and below it each place that was missed. What
    /// parts at a task that was never reached says nothing new.
    pub(super) fn told(&self) -> Vec<String> {
        let Count { all, reached } = self.tasks;
        let first = format!(
            "{}: {reached} of {all} tasks, {} of {} branches",
            self.workflow, self.ways.reached, self.ways.all
        );
        let tasks = self.missed.iter().filter(|one| one.way.is_none());
        let tasks: BTreeSet<_> = tasks.map(|one| one.reference.as_str()).collect();
        let worth = |one: &&Reach| one.way.is_none() || !tasks.contains(one.reference.as_str());
        let missed = self.missed.iter().filter(worth).map(|one| {
            let what = match &one.way {
                None => format!("task `{}`", one.task),
                Some(Way::Case(name)) => format!("case `{name}` of `{}`", one.task),
                Some(Way::Outcome(name)) => format!("outcome `{name}` of `{}`", one.task),
                Some(Way::Catch) => format!("`catch` of `{}`", one.task),
            };
            format!("  {}:{}: never reached: {what}", self.file, one.line)
        });
        [first].into_iter().chain(missed).collect()
    }

    pub(super) fn json(&self) -> Value {
        let count = |count: &Count| json!({ "all": count.all, "reached": count.reached });
        let missed = self.missed.iter().map(|one| {
            let kind = match &one.way {
                None => "task",
                Some(Way::Case(_)) => "case",
                Some(Way::Outcome(_)) => "outcome",
                Some(Way::Catch) => "catch",
            };
            json!({
                "kind": kind,
                "task": one.task,
                "reference": one.reference,
                "branch": one.way.as_ref().map(Way::name),
                "line": one.line,
            })
        });
        json!({
            "workflow": self.workflow,
            "file": self.file,
            "tasks": count(&self.tasks),
            "branches": count(&self.ways),
            "missed": missed.collect::<Vec<_>>(),
        })
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
