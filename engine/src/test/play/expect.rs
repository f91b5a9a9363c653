//! Steps that expect: an open task, a fund, calls, an end, entries in the record.

use std::io;

use casewright_language::expression::money_text as amount;
use casewright_language::pack_test::{
    Calls, Ended, FundState, History, Moment, OpenTask, Recorded, Spot, TaskName, Written,
};
use casewright_runtime::view::{FundView, InstanceView, TimelineEntry, WorkItemView};
use jiff::Timestamp;
use serde_json::Value;

use super::{Amiss, different, finding};
use crate::test::stage::{Stage, failed};

const NOT_STARTED: &str = "nothing of the kind was started";

impl Stage {
    pub(super) async fn expect_task(&self, spot: Spot, wanted: &OpenTask) -> io::Result<Amiss> {
        let item = match self.item(spot, &wanted.task, false).await? {
            Ok(item) => item,
            Err(amiss) => return Ok(amiss),
        };
        let mut amiss = Amiss::new();
        if let Some(assigned) = &wanted.assigned {
            let found = item
                .assigned
                .as_object()
                .and_then(|one| one.values().next());
            let found = found.and_then(Value::as_str).unwrap_or_default();
            amiss.extend(same("the task to be for", assigned, found));
        }
        if let Some(title) = &wanted.title {
            amiss.extend(same("the title", title, &item.title));
        }
        if let Some(due) = &wanted.due {
            amiss.extend(self.due(due, &item));
        }
        if let Some(overdue) = wanted
            .overdue
            .as_ref()
            .filter(|one| one.value != item.overdue)
        {
            let message = match item.due {
                Some(due) if item.overdue => {
                    format!("the task is overdue: it was due {}", self.local_time(due))
                }
                Some(due) => format!(
                    "the task is not overdue: it is due {}",
                    self.local_time(due)
                ),
                None => "the task has no due time".to_owned(),
            };
            amiss.push(finding(overdue.spot, message, None));
        }
        if let Some(outcomes) = wanted
            .outcomes
            .as_ref()
            .filter(|one| one.value != item.outcomes)
        {
            let message = format!("the outcomes are {}", item.outcomes.join(", "));
            amiss.push(finding(outcomes.spot, message, None));
        }
        if let Some(person) = &wanted.claimed_by {
            let holder = item.claimed_by.as_ref().map(|holder| holder.id.as_str());
            amiss.extend(same(
                "the task to be with",
                person,
                holder.unwrap_or("nobody"),
            ));
        }
        amiss.extend(different(
            "what the task shows",
            wanted.shows.as_ref(),
            &item.show,
        ));
        Ok(amiss)
    }

    fn due(&self, wanted: &Written<Moment>, item: &WorkItemView) -> Amiss {
        let as_written = |due: Timestamp| {
            let local = due.to_zoned(self.zone().clone());
            let day = (local.year(), local.month(), local.day());
            let time = (local.hour(), local.minute());
            let Moment {
                year,
                month,
                day: of_month,
                time: wanted,
                ..
            } = wanted.value;
            day == (year, month, of_month) && wanted.is_none_or(|wanted| wanted == time)
        };
        if item.due.is_some_and(as_written) {
            return Amiss::new();
        }
        let message = match item.due {
            Some(due) => format!("the task is due {}", self.local_time(due)),
            None => "the task has no due time".to_owned(),
        };
        vec![finding(wanted.spot, message, None)]
    }

    pub(super) async fn expect_no_task(&self, spot: Spot, task: &TaskName) -> io::Result<Amiss> {
        let found = self.items(task, None).await?;
        let told = found.first().map(|item| {
            let message = format!("the task `{}` is open: {}", item.task, item.title);
            finding(spot, message, None)
        });
        Ok(told.into_iter().collect())
    }

    pub(super) async fn expect_fund(&self, spot: Spot, wanted: &FundState) -> io::Result<Amiss> {
        let funds = self.engine.funds(&self.onlooker).await;
        let funds = funds.map_err(|error| failed(&error))?;
        let Some(fund) = funds.iter().find(|fund| fund.name == wanted.name) else {
            let message = format!("there is no fund `{}`", wanted.name);
            return Ok(vec![finding(spot, message, None)]);
        };
        let told = wanted.amounts.iter().filter_map(|(part, written)| {
            let found = part_of(fund, part);
            let message = format!(
                "expected {} to be {part}, found {}",
                amount(written.value, &fund.currency),
                amount(found, &fund.currency)
            );
            (found != written.value).then(|| finding(written.spot, message, None))
        });
        Ok(told.collect())
    }

    pub(super) fn expect_calls(&self, spot: Spot, wanted: &Calls) -> Amiss {
        let made = self.partner.made();
        let of_function: Vec<_> = made
            .iter()
            .filter(|made| made.function == wanted.function)
            .collect();
        let count = of_function.len() as u64;
        if count != wanted.times {
            let name = &wanted.function;
            let times = |count: u64| match count {
                1 => "once".to_owned(),
                count => format!("{count} times"),
            };
            let (wanted, found) = (times(wanted.times), times(count));
            let message = format!("expected {name} to be called {wanted}, it was called {found}");
            return vec![finding(spot, message, None)];
        }
        let Some(latest) = of_function.last() else {
            return Amiss::new();
        };
        let mut amiss = different("the input", wanted.input.as_ref(), &latest.input);
        match (&latest.answer, &wanted.returned) {
            (Ok(value), returned) => {
                amiss.extend(different("the answer", returned.as_ref(), value));
            }
            (Err(code), Some(returned)) => {
                let message = format!("the call failed with `{code}`");
                amiss.push(finding(returned.spot(), message, None));
            }
            (Err(_), None) => {}
        }
        amiss
    }

    pub(super) async fn expect_end(&self, spot: Spot, wanted: &Ended) -> io::Result<Amiss> {
        let Some(instance) = self.meant(wanted.of.as_deref()).await? else {
            return Ok(vec![finding(spot, NOT_STARTED.to_owned(), None)]);
        };
        if instance.status != wanted.status.value {
            let (name, status) = (&instance.workflow, &instance.status);
            let message = format!(
                "expected `{name}` to be {}, it is {status}",
                wanted.status.value
            );
            let help = Some(self.how_it_stands().await?);
            return Ok(vec![finding(wanted.status.spot, message, help)]);
        }
        let output = instance.output.unwrap_or(Value::Null);
        let fault = instance.error.unwrap_or(Value::Null);
        let mut amiss = different("the output", wanted.output.as_ref(), &output);
        amiss.extend(different("the fault", wanted.fault.as_ref(), &fault));
        Ok(amiss)
    }

    pub(super) async fn expect_recorded(&self, spot: Spot, wanted: &Recorded) -> io::Result<Amiss> {
        let mut count = 0;
        for case in &self.cases {
            let timeline = self.engine.timeline(&self.onlooker, case).await;
            for entry in timeline.map_err(|error| failed(&error))? {
                if self.is_meant(wanted, &entry).await {
                    count += 1;
                }
            }
        }
        let amiss = match wanted.times {
            None if count > 0 => return Ok(Amiss::new()),
            Some(times) if times == count => return Ok(Amiss::new()),
            None => format!("the record of the case has no such `{}`", wanted.action),
            Some(times) => format!(
                "expected `{}` in the record of the case {times} times, found it {count} times",
                wanted.action
            ),
        };
        Ok(vec![finding(spot, amiss, None)])
    }

    pub(super) async fn expect_history(&self, spot: Spot, wanted: &History) -> io::Result<Amiss> {
        let Some(instance) = self.meant(wanted.of.as_deref()).await? else {
            return Ok(vec![finding(spot, NOT_STARTED.to_owned(), None)]);
        };
        let found = self.task_names(&instance.id).await?;
        if found == wanted.tasks.value {
            return Ok(Amiss::new());
        }
        let same = found.iter().zip(&wanted.tasks.value);
        let same = same.take_while(|(found, wanted)| found == wanted).count();
        let at = |names: &[String]| match names.get(same) {
            Some(name) => format!("`{name}`"),
            None => "the end".to_owned(),
        };
        let (wanted_here, found_here) = (at(&wanted.tasks.value), at(&found));
        let message = format!(
            "expected {wanted_here} as task {} of `{}`, found {found_here}",
            same + 1,
            instance.workflow
        );
        let help = format!("it went through: {}", found.join(", "));
        Ok(vec![finding(wanted.tasks.spot, message, Some(help))])
    }

    /// Tasks of a run in the order they began.
    pub(in crate::test) async fn task_names(&self, id: &str) -> io::Result<Vec<String>> {
        let runs = self.engine.task_runs(&self.onlooker, id).await;
        let runs = runs.map_err(|error| failed(&error))?;
        Ok(runs.iter().map(|run| run.name.to_string()).collect())
    }

    /// The run that a step is about: the latest of that workflow, or the last that was started.
    async fn meant(&self, of: Option<&str>) -> io::Result<Option<InstanceView>> {
        let all = self.all_instances().await?;
        let last = self.instances.last();
        let is_meant = |one: &InstanceView| match of {
            Some(workflow) => one.workflow == workflow,
            None => Some(&one.id) == last,
        };
        Ok(all.into_iter().rev().find(is_meant))
    }

    async fn is_meant(&self, wanted: &Recorded, entry: &TimelineEntry) -> bool {
        let by = wanted.by.as_ref().is_none_or(|by| entry.who.id == *by);
        let detail = wanted.detail.is_none() || entry.detail == wanted.detail;
        if entry.action != wanted.action || !by || !detail {
            return false;
        }
        let Some(about) = &wanted.about else {
            return true;
        };
        let Some(subject) = &entry.subject else {
            return false;
        };
        let item = self.engine.work_item(&self.onlooker, subject).await;
        item.is_ok_and(|item| item.task == *about)
    }
}

fn part_of(fund: &FundView, part: &str) -> i64 {
    match part {
        "available" => fund.available_minor,
        "reserved" => fund.reserved_minor,
        _ => fund.committed_minor,
    }
}

fn same(what: &str, wanted: &Written<String>, found: &str) -> Amiss {
    if wanted.value == found {
        return Amiss::new();
    }
    let message = format!("expected {what} `{}`, found `{found}`", wanted.value);
    vec![finding(wanted.spot, message, None)]
}
