//! Takes the steps of a test one after the other. It ends with the first that finds something else
//! than it expects: what comes after would only be confusion.

use std::io;

use casewright_language::Diagnostic;
use casewright_language::pack_test::{
    Act, Complete, Deed, Difference, Event, Expected, Refusal, Spot, Start, Step, TaskName, Test,
};
use casewright_runtime::engine::{self, Refused};
use casewright_runtime::view::{InstanceView, WorkItemFilter, WorkItemView};
use serde_json::{Map, Value};

use super::coverage::Reached;
use super::record::Scribe;
use super::stage::{Stage, failed};

mod consent;
mod contact;
mod expect;
mod person;

/// Who hears of a test while it goes on.
#[derive(Default)]
pub(super) struct Listeners {
    pub(super) reached: Option<Reached>,
    pub(super) scribe: Option<Scribe>,
}

/// What a step found amiss; empty when it is as expected.
pub(super) type Amiss = Vec<Finding>;

/// A place in the test, what is wrong there, and what may help.
pub(super) struct Finding {
    spot: Spot,
    message: String,
    help: Option<String>,
}

pub(super) async fn play(
    mut stage: Stage,
    file: &str,
    test: &Test,
    listeners: &mut Listeners,
) -> io::Result<Vec<Diagnostic>> {
    let mut amiss = Amiss::new();
    if let Some(scribe) = &mut listeners.scribe {
        scribe.begin(&stage).await?;
    }
    for step in &test.steps {
        amiss = stage.take(step).await?;
        if amiss.is_empty() {
            amiss = unexpected_calls(&stage, step.spot);
        }
        if !amiss.is_empty() {
            break;
        }
        if let Some(scribe) = &mut listeners.scribe {
            scribe.after(&stage, step.line).await?;
        }
    }
    if let Some(scribe) = &mut listeners.scribe {
        scribe.end(&stage).await?;
    }
    if let Some(reached) = &mut listeners.reached {
        reached.add(&stage).await?;
    }
    stage.engine.stop().await;
    let failure = |found: Finding| found.spot.failure(file, found.message, found.help);
    Ok(amiss.into_iter().map(failure).collect())
}

fn unexpected_calls(stage: &Stage, spot: Spot) -> Amiss {
    let made = stage.partner.made();
    let unexpected = made.into_iter().find(|made| made.unexpected);
    let told = unexpected.map(|made| {
        let message = format!(
            "{} was called, and the test does not say what it answers",
            made.function
        );
        let help = match made.function.strip_prefix("http.") {
            Some(task) => format!("add it to `http`: `{task}: [ {{ returns: ... }} ]`"),
            None => format!(
                "add it to `plugins`: `{}: [ {{ returns: ... }} ]` or `real`",
                made.function
            ),
        };
        finding(spot, message, Some(help))
    });
    told.into_iter().collect()
}

pub(super) fn finding(spot: Spot, message: String, help: Option<String>) -> Finding {
    Finding {
        spot,
        message,
        help,
    }
}

impl Stage {
    async fn take(&mut self, step: &Step) -> io::Result<Amiss> {
        let spot = step.spot;
        match &step.deed {
            Deed::Start(start) => self.start(spot, start).await,
            Deed::Claim(act) => self.claim(spot, act).await,
            Deed::Release(act) => self.release(spot, act).await,
            Deed::Complete(complete) => self.complete(spot, complete).await,
            Deed::Wait(term) => Ok(said(spot, self.wait(*term).await?)),
            Deed::WaitUntil(moment) => Ok(said(spot, self.wait_for(*moment).await?)),
            Deed::Person(person) => self.add(spot, person).await,
            Deed::Consent(consent) => self.consent(spot, consent).await,
            Deed::Withdrawal(back) => self.withdrawal(spot, back).await,
            Deed::SafeWay(way) => self.safe_way(spot, way).await,
            Deed::DoNotContact(said) => self.do_not_contact(spot, said).await,
            Deed::Event(event) => self.event(spot, event).await,
            Deed::Task(task) => self.expect_task(spot, task).await,
            Deed::NoTask(task) => self.expect_no_task(spot, task).await,
            Deed::Fund(fund) => self.expect_fund(spot, fund).await,
            Deed::Plan(plan) => self.expect_plan(spot, plan).await,
            Deed::Calls(calls) => Ok(self.expect_calls(spot, calls)),
            Deed::Ended(ended) => self.expect_end(spot, ended).await,
            Deed::Recorded(recorded) => self.expect_recorded(spot, recorded).await,
            Deed::History(history) => self.expect_history(spot, history).await,
        }
    }

    async fn start(&mut self, spot: Spot, start: &Start) -> io::Result<Amiss> {
        let case = self.cases.last().filter(|_| start.same_case).cloned();
        let asked = engine::Start {
            workflow: start.workflow.clone(),
            version: None,
            case,
            calendar: start.calendar.clone(),
            input: start.input.clone(),
        };
        let started = self
            .engine
            .start(self.person(&start.who), asked, None)
            .await;
        self.quiet().await?;
        if let Ok(started) = &started {
            self.instances.push(started.id.clone());
            if !self.cases.contains(&started.case) {
                self.cases.push(started.case.clone());
            }
        }
        let done = format!("{} could start `{}`", start.who, start.workflow);
        Ok(judged(spot, started, start.refused.as_ref(), &done))
    }

    async fn claim(&self, spot: Spot, act: &Act) -> io::Result<Amiss> {
        let item = match self.item(spot, &act.task, act.refused.is_some()).await? {
            Ok(item) => item,
            Err(amiss) => return Ok(amiss),
        };
        let claimed = self
            .engine
            .claim(self.person(&act.who), &item.id, None)
            .await;
        self.quiet().await?;
        let done = format!("{} could claim `{}`", act.who, act.task.task);
        Ok(judged(spot, claimed, act.refused.as_ref(), &done))
    }

    async fn release(&self, spot: Spot, act: &Act) -> io::Result<Amiss> {
        let item = match self.item(spot, &act.task, act.refused.is_some()).await? {
            Ok(item) => item,
            Err(amiss) => return Ok(amiss),
        };
        let released = self
            .engine
            .release(self.person(&act.who), &item.id, None)
            .await;
        self.quiet().await?;
        let done = format!("{} could release `{}`", act.who, act.task.task);
        Ok(judged(spot, released, act.refused.as_ref(), &done))
    }

    /// Claims first, as a person does.
    async fn complete(&self, spot: Spot, complete: &Complete) -> io::Result<Amiss> {
        let act = &complete.act;
        let item = match self.item(spot, &act.task, act.refused.is_some()).await? {
            Ok(item) => item,
            Err(amiss) => return Ok(amiss),
        };
        let outcome = match (&complete.outcome, item.outcomes.as_slice()) {
            (Some(outcome), _) => outcome.clone(),
            (None, [only]) => only.clone(),
            (None, several) => {
                let message = format!("`{}` has several outcomes", act.task.task);
                let help = Some(format!(
                    "add `outcome:` with one of: {}",
                    several.join(", ")
                ));
                return Ok(vec![finding(spot, message, help)]);
            }
        };
        let who = self.person(&act.who);
        let done = format!(
            "{} could complete `{}` with `{outcome}`",
            act.who, act.task.task
        );
        // Who sends a form without typing anything sends an empty one.
        let data = match &complete.data {
            Value::Null if item.form.is_some() => Value::Object(Map::new()),
            data => data.clone(),
        };
        let asked = engine::Complete {
            outcome,
            data,
            comment: complete.comment.clone(),
            revision: None,
            shown: None,
        };
        let claimed = self.engine.claim(who, &item.id, None).await;
        let completed = match claimed {
            Ok(_) => self.engine.complete(who, &item.id, asked, None).await,
            Err(refused) => Err(refused),
        };
        self.quiet().await?;
        Ok(judged(spot, completed, act.refused.as_ref(), &done))
    }

    /// Sent as a partner would send it: once it is taken in, everybody who waits for it has it.
    async fn event(&mut self, spot: Spot, event: &Event) -> io::Result<Amiss> {
        self.events += 1;
        let own = format!("event-{}", self.events);
        let of = |text: &Option<String>, otherwise: &str| {
            Value::from(text.clone().unwrap_or_else(|| otherwise.to_owned()))
        };
        let mut envelope = Map::new();
        envelope.insert("specversion".to_owned(), Value::from("1.0"));
        envelope.insert("type".to_owned(), Value::from(event.kind.clone()));
        envelope.insert("id".to_owned(), of(&event.id, &own));
        envelope.insert(
            "source".to_owned(),
            of(&event.source, "urn:casewright:test"),
        );
        let subject = match (&event.subject, self.cases.last()) {
            (Some(subject), _) => Some(subject.clone()),
            (None, Some(case)) => {
                let case = self.engine.case(&self.onlooker, case).await;
                Some(case.map_err(|error| failed(&error))?.number)
            }
            (None, None) => None,
        };
        envelope.extend(subject.map(|subject| ("subject".to_owned(), Value::from(subject))));
        if !event.data.is_null() {
            envelope.insert("data".to_owned(), event.data.clone());
        }
        let sent = self.engine.publish(&self.onlooker, envelope, None).await;
        self.quiet().await?;
        Ok(judged(spot, sent, None, ""))
    }

    /// The open item of a task; a closed one too where a refusal is expected.
    async fn item(
        &self,
        spot: Spot,
        name: &TaskName,
        closed_too: bool,
    ) -> io::Result<Result<WorkItemView, Amiss>> {
        let mut found = self.items(name, None).await?;
        if found.is_empty() && closed_too {
            found = self.items(name, Some("completed")).await?;
            found.extend(self.items(name, Some("withdrawn")).await?);
        }
        let first = found
            .into_iter()
            .min_by_key(|item| (item.offered, item.id.clone()));
        let Some(item) = first else {
            let message = format!("there is no open task `{}`", name.task);
            let help = Some(self.how_it_stands().await?);
            return Ok(Err(vec![finding(spot, message, help)]));
        };
        Ok(Ok(item))
    }

    /// Items of a task in all cases of the test; open ones without a state.
    pub(super) async fn items(
        &self,
        name: &TaskName,
        state: Option<&str>,
    ) -> io::Result<Vec<WorkItemView>> {
        let mut all = self.all_items(state).await?;
        all.retain(|item| item.task == name.task);
        if let Some(workflow) = &name.of {
            let mut of = Vec::new();
            for item in all {
                let instance = self.instance(&item.instance).await?;
                if instance.workflow == *workflow {
                    of.push(item);
                }
            }
            return Ok(of);
        }
        Ok(all)
    }

    pub(super) async fn all_items(&self, state: Option<&str>) -> io::Result<Vec<WorkItemView>> {
        let mut all = Vec::new();
        // The queue, and not the list of each case: that one holds what was done as well, and a
        // case of many months has much of it.
        let mut cursor = None;
        loop {
            let filter = WorkItemFilter {
                state: state.map(str::to_owned),
                cursor: cursor.take(),
                ..WorkItemFilter::default()
            };
            let page = self.engine.work_items(&self.onlooker, filter).await;
            let page = page.map_err(|error| failed(&error))?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                all.retain(|item| self.cases.contains(&item.case));
                return Ok(all);
            }
        }
    }

    pub(super) async fn instance(&self, id: &str) -> io::Result<InstanceView> {
        let view = self.engine.instance(&self.onlooker, id).await;
        view.map_err(|error| failed(&error))
    }

    /// All instances of the test's cases, in the order they were started.
    pub(super) async fn all_instances(&self) -> io::Result<Vec<InstanceView>> {
        let mut all = Vec::new();
        for case in &self.cases {
            let case = self.engine.case(&self.onlooker, case).await;
            all.extend(case.map_err(|error| failed(&error))?.instances);
        }
        Ok(all)
    }

    /// For whoever wonders why something is not there.
    pub(super) async fn how_it_stands(&self) -> io::Result<String> {
        let mut parts = Vec::new();
        for instance in self.all_instances().await? {
            let mut part = format!("`{}` is {}", instance.workflow, instance.status);
            if let Some(error) = &instance.error {
                let of = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
                part = format!(
                    "{part}: {} {} at {}",
                    of("title"),
                    of("detail"),
                    of("instance")
                );
            }
            if let Some(output) = &instance.output {
                part = format!("{part} with {output}");
            }
            let waits = instance.waiting.iter();
            let waits: Vec<_> = waits
                .map(|one| match one.until {
                    Some(until) => format!("`{}` until {}", one.task, self.local_time(until)),
                    None => format!("`{}`", one.task),
                })
                .collect();
            if !waits.is_empty() {
                part = format!("{part} for {}", waits.join(", "));
            }
            parts.push(part);
        }
        if parts.is_empty() {
            return Ok("nothing was started".to_owned());
        }
        Ok(parts.join("; "))
    }
}

fn said(spot: Spot, result: Result<(), String>) -> Amiss {
    let sentence = result.err();
    sentence
        .map(|sentence| finding(spot, sentence, None))
        .into_iter()
        .collect()
}

/// Whether what was asked for was done or refused, as expected.
fn judged<T>(
    spot: Spot,
    result: Result<T, Refused>,
    expected: Option<&Refusal>,
    done: &str,
) -> Amiss {
    match (result, expected) {
        (Ok(_), None) => Vec::new(),
        (Ok(_), Some(expected)) => {
            let message = format!("expected the refusal `{}`, but {done}", expected.code.value);
            vec![finding(expected.code.spot, message, None)]
        }
        (Err(refused), None) => {
            let (code, fields) = told(&refused);
            let message = format!("refused with `{code}`: {refused}");
            let fields: Vec<_> = fields
                .iter()
                .map(|(field, sentence)| format!("{field}: {sentence}"))
                .collect();
            let help = (!fields.is_empty()).then(|| fields.join("; "));
            vec![finding(spot, message, help)]
        }
        (Err(refused), Some(expected)) => as_expected(&refused, expected),
    }
}

fn as_expected(refused: &Refused, expected: &Refusal) -> Amiss {
    let (code, fields) = told(refused);
    if code != expected.code.value {
        let wanted = &expected.code.value;
        let message = format!("expected the refusal `{wanted}`, found `{code}`: {refused}");
        return vec![finding(expected.code.spot, message, None)];
    }
    let mut amiss = Amiss::new();
    for wanted in &expected.fields {
        let (name, says) = &wanted.value;
        let found = fields.iter().find(|(field, _)| field == name);
        let message = match (found, says) {
            (None, _) => format!("the form found no mistake in `{name}`"),
            (Some((_, sentence)), Some(says)) if !sentence.contains(says.as_str()) => {
                format!("of `{name}` the form says: {sentence}")
            }
            (Some(_), _) => continue,
        };
        let all: Vec<_> = fields.iter().map(|(field, _)| field.as_str()).collect();
        let help = Some(format!("mistakes are in: {}", all.join(", ")));
        amiss.push(finding(wanted.spot, message, help));
    }
    amiss
}

/// Code and fields of a refusal.
fn told(refused: &Refused) -> (String, Vec<(String, String)>) {
    match refused {
        Refused::Rule(refusal) => (refusal.code.as_str().to_owned(), refusal.fields.clone()),
        Refused::Invalid { code, .. } => ((*code).to_owned(), Vec::new()),
        Refused::KeyReused => ("key-reused".to_owned(), Vec::new()),
        Refused::Busy => ("busy".to_owned(), Vec::new()),
        Refused::DiskFull => ("disk-full".to_owned(), Vec::new()),
        Refused::Stopping => ("stopping".to_owned(), Vec::new()),
        Refused::Damaged(_) => ("damaged".to_owned(), Vec::new()),
    }
}

/// What is different from expected data, each at its place.
pub(super) fn different(what: &str, expected: Option<&Expected>, found: &Value) -> Amiss {
    let differences = expected.map(|expected| expected.differences(found));
    let told = |one: Difference| {
        let path = match one.path.as_str() {
            "" => what.to_owned(),
            path => format!("`{path}` of {what}"),
        };
        let message = format!(
            "expected {path} to be {}, found {}",
            one.expected, one.found
        );
        finding(one.spot, message, None)
    };
    differences
        .unwrap_or_default()
        .into_iter()
        .map(told)
        .collect()
}
