//! `casewright test --record`: writes down what holds after each step of a test that expects
//! nothing yet, so that an author only says who starts and who answers what.
//!
//! Lines are added and none is changed, so comments stay. A test that expects something already is
//! left alone. What was added is read and played once more before a file is written.

mod file;
mod insert;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use casewright_language::pack_test::Test;
use casewright_runtime::view::{FundView, InstanceView, WorkItemView};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::stage::{Stage, failed};
pub(super) use file::{File, Recorded, Target};
use words::{scalar, step, value};

/// Tasks of a run that one step lists.
const HISTORY_TASKS_MAX: usize = 60;

/// Entries of the record of a case that no other expectation speaks of.
const WORTH_RECORDING: &[&str] = &[
    "instance-retried",
    "work-item-withdrawn",
    "work-item-reminded",
    "work-item-escalated",
    "work-item-due-moved",
    "refused",
    "function-failed",
    "fund-reserved",
    "fund-committed",
    "fund-released",
    "table-decided",
    "plan-proposed",
    "plan-answered",
    "plan-activated",
    "case-closed",
    "case-reopened",
    "event-received",
    "event-emitted",
    "event-let-go",
];

/// Listens to one test and writes down what is new after each step.
pub(super) struct Scribe {
    /// What `of` means where it is not written.
    workflow: Option<String>,
    before: Seen,
    /// Line of the step, and the steps that come after it.
    pub(super) written: Vec<(usize, Vec<Vec<String>>)>,
}

#[derive(Default, Clone)]
struct Seen {
    items: BTreeMap<String, WorkItemView>,
    funds: BTreeMap<String, Amounts>,
    calls: usize,
    ended: BTreeSet<String>,
}

#[derive(Clone, PartialEq)]
struct Amounts {
    currency: String,
    available: i64,
    reserved: i64,
    committed: i64,
}

/// Whether there is something to record: it does something and expects nothing.
pub(super) fn wants(test: &Test) -> bool {
    !test.steps.is_empty() && !test.steps.iter().any(|step| step.deed.expects())
}

impl Scribe {
    pub(super) fn new(test: &Test) -> Self {
        Self {
            workflow: test.workflow.clone(),
            before: Seen::default(),
            written: Vec::new(),
        }
    }

    pub(super) async fn begin(&mut self, stage: &Stage) -> io::Result<()> {
        self.before.funds = funds(stage).await?;
        Ok(())
    }

    /// What is new since the step before this one, which begins in this line.
    pub(super) async fn after(&mut self, stage: &Stage, line: usize) -> io::Result<()> {
        let mut steps = self.calls(stage);
        let instances = stage.all_instances().await?;
        steps.extend(self.items(stage, &instances).await?);
        let funds = funds(stage).await?;
        let changed = funds
            .iter()
            .filter(|(name, now)| self.before.funds.get(*name) != Some(now));
        steps.extend(changed.map(|(name, now)| now.step(name)));
        self.before.funds = funds;
        for instance in &instances {
            if let Some(ended) = self.ended(instance) {
                steps.push(ended);
            }
        }
        self.written.push((line, steps));
        Ok(())
    }

    /// What the whole test came to goes after its last step.
    pub(super) async fn end(&mut self, stage: &Stage) -> io::Result<()> {
        let mut steps = Vec::new();
        let mut told = BTreeSet::new();
        // A step without a run's own name means the latest one of a workflow.
        for instance in stage.all_instances().await?.into_iter().rev() {
            if !told.insert(instance.workflow.clone()) {
                continue;
            }
            let names = stage.task_names(&instance.id).await?;
            if names.len() <= HISTORY_TASKS_MAX {
                let list = value(&json!(names));
                let of = ("of", scalar(&instance.workflow));
                steps.push(step(&[("history", list), of]));
            }
        }
        steps.extend(recorded(stage).await?);
        if let Some((_, last)) = self.written.last_mut() {
            last.extend(steps);
        }
        Ok(())
    }

    fn calls(&mut self, stage: &Stage) -> Vec<Vec<String>> {
        let made = stage.partner.made();
        let fresh = made.get(self.before.calls..).unwrap_or_default();
        let mut latest = BTreeMap::new();
        for call in fresh {
            latest.insert(call.function.clone(), call.input.clone());
        }
        let told = latest.iter().map(|(function, input)| {
            let times = made.iter().filter(|one| one.function == *function).count();
            step(&[
                ("calls", scalar(function)),
                ("times", times.to_string()),
                ("input", value(input)),
            ])
        });
        let told = told.collect();
        self.before.calls = made.len();
        told
    }

    /// Tasks that were offered or went away.
    async fn items(
        &mut self,
        stage: &Stage,
        instances: &[InstanceView],
    ) -> io::Result<Vec<Vec<String>>> {
        let open = stage.all_items(None).await?;
        let now: BTreeMap<_, _> = open
            .into_iter()
            .map(|item| (item.id.clone(), item))
            .collect();
        let of = |item: &WorkItemView| {
            let found = instances.iter().find(|one| one.id == item.instance);
            let workflow = found.map(|one| one.workflow.clone());
            workflow.filter(|name| self.workflow.as_ref() != Some(name))
        };
        let mut steps = Vec::new();
        for item in self.before.items.values() {
            let others = now.values().any(|other| other.task == item.task);
            if !now.contains_key(&item.id) && !others {
                let mut parts = vec![("noTask", scalar(&item.task))];
                parts.extend(of(item).map(|name| ("of", scalar(&name))));
                steps.push(step(&parts));
            }
        }
        for item in now.values() {
            let known = self.before.items.get(&item.id);
            let same_name = now.values().filter(|other| other.task == item.task);
            // A step means the oldest of several.
            let oldest = same_name.min_by_key(|other| (other.offered, other.id.clone()));
            let meant = oldest.is_some_and(|oldest| oldest.id == item.id);
            let same = known.is_some_and(|known| known.overdue == item.overdue);
            if meant && !same {
                steps.push(task(stage, item, of(item)));
            }
        }
        self.before.items = now;
        Ok(steps)
    }

    fn ended(&mut self, instance: &InstanceView) -> Option<Vec<String>> {
        let over = ["completed", "faulted", "cancelled"].contains(&instance.status.as_str());
        if !over || !self.before.ended.insert(instance.id.clone()) {
            return None;
        }
        let mut parts = vec![
            ("ended", instance.status.clone()),
            ("of", scalar(&instance.workflow)),
        ];
        let output = instance.output.as_ref().filter(|output| !output.is_null());
        parts.extend(output.map(|output| ("output", value(output))));
        if let Some(fault) = &instance.error {
            let kind = json!({ "type": fault["type"], "instance": fault["instance"] });
            parts.push(("fault", value(&kind)));
        }
        Some(step(&parts))
    }
}

impl Amounts {
    fn step(&self, name: &str) -> Vec<String> {
        let money = |minor: i64| value(&json!({ "minor": minor, "currency": self.currency }));
        step(&[
            ("fund", scalar(name)),
            ("available", money(self.available)),
            ("reserved", money(self.reserved)),
            ("committed", money(self.committed)),
        ])
    }
}

fn task(stage: &Stage, item: &WorkItemView, of: Option<String>) -> Vec<String> {
    let mut parts = vec![("task", scalar(&item.task))];
    parts.extend(of.map(|name| ("of", scalar(&name))));
    let assigned = item
        .assigned
        .as_object()
        .and_then(|one| one.values().next());
    let assigned = assigned.and_then(Value::as_str);
    parts.extend(assigned.map(|name| ("for", scalar(name))));
    parts.push(("title", scalar(&item.title)));
    parts.extend(item.due.map(|due| ("due", local(stage, due))));
    if item.overdue {
        parts.push(("overdue", "true".to_owned()));
    }
    parts.push(("outcomes", value(&json!(item.outcomes))));
    step(&parts)
}

/// A day alone stands for its last minute: that is how days end.
fn local(stage: &Stage, due: Timestamp) -> String {
    let text = stage.local_time(due);
    match text.strip_suffix(" 23:59") {
        Some(day) => day.to_owned(),
        None => text,
    }
}

async fn funds(stage: &Stage) -> io::Result<BTreeMap<String, Amounts>> {
    let funds = stage.engine.funds(&stage.onlooker).await;
    let amounts = |fund: FundView| {
        let amounts = Amounts {
            currency: fund.currency,
            available: fund.available_minor,
            reserved: fund.reserved_minor,
            committed: fund.committed_minor,
        };
        (fund.name, amounts)
    };
    let funds = funds.map_err(|error| failed(&error))?;
    Ok(funds.into_iter().map(amounts).collect())
}

/// How often each entry stands in the records of the test's cases.
async fn recorded(stage: &Stage) -> io::Result<Vec<Vec<String>>> {
    let mut counts: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
    for case in &stage.cases {
        let timeline = stage.engine.timeline(&stage.onlooker, case).await;
        for entry in timeline.map_err(|error| failed(&error))? {
            if WORTH_RECORDING.contains(&entry.action.as_str()) {
                *counts.entry((entry.action, entry.detail)).or_default() += 1;
            }
        }
    }
    let told = counts.into_iter().map(|((action, detail), count)| {
        let mut parts = vec![("recorded", action), ("times", count.to_string())];
        parts.extend(detail.map(|detail| ("detail", scalar(&detail))));
        step(&parts)
    });
    Ok(told.collect())
}
