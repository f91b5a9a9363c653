//! Effects, answers and ends as lines of a case. What reads them back is a person.

use std::collections::BTreeMap;

use casewright_language::Answer;
use casewright_language::workflow::Reach;
use casewright_machine::{
    Delivery, Effect, Emit, Instance, Interest, Mismatch, Offer, Outcome, Waiting,
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Writes the script of a case, as it happens.
#[derive(Debug, Default)]
pub(super) struct Printer {
    pub(super) text: String,
    /// Keys are opaque; a case numbers them in the order they appear.
    keys: BTreeMap<String, usize>,
}

impl Printer {
    pub(super) fn line(&mut self, mark: char, line: &str) {
        self.text.push(mark);
        self.text.push(' ');
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn answer(&mut self, source: &str, answer: &Answer) {
        let answer = match answer {
            Answer::One(value) => value.to_string(),
            Answer::None => "none".to_owned(),
            Answer::Many => "many".to_owned(),
            Answer::Failed(sentence) => format!("failed {}", Value::from(sentence.as_str())),
        };
        self.line('?', &format!("{source} -> {answer}"));
    }

    pub(super) fn mismatch(&mut self, mismatch: &Mismatch) {
        self.line('<', &format!("mismatch: {mismatch}"));
    }

    pub(super) fn effect(&mut self, effect: &Effect, now: Timestamp) {
        let line = match effect {
            Effect::Call(call) => {
                let count = self.keys.len();
                let key = *self.keys.entry(call.key.clone()).or_insert(count + 1);
                let version = call.version.as_ref().map(|version| format!("@{version}"));
                let age = now.duration_since(call.since);
                let since = if age.is_zero() {
                    String::new()
                } else {
                    format!(" since -{age}")
                };
                let rounds: Vec<String> = call.rounds.iter().map(u32::to_string).collect();
                let round = if rounds.is_empty() {
                    String::new()
                } else {
                    format!(" round {}", rounds.join("."))
                };
                let because = call.because.as_ref();
                let because = because.map(|because| format!(" because {because:?}"));
                format!(
                    "call {} {}{} {} key {key}{round}{since}{}",
                    name(&call.delivery),
                    call.function,
                    version.unwrap_or_default(),
                    call.input,
                    because.unwrap_or_default()
                )
            }
            Effect::StartChild(child) => {
                let count = self.keys.len();
                let key = *self.keys.entry(child.key.clone()).or_insert(count + 1);
                let version = child.version.as_ref().map(|version| format!(":{version}"));
                let more = [
                    (!child.awaited).then(|| " and goes on".to_owned()),
                    (!child.worked.is_empty()).then(|| format!(" after {}", json!(child.worked))),
                ];
                format!(
                    "run {} {}/{}{} {} depth {} key {key}{}",
                    name(&child.delivery),
                    child.namespace,
                    child.workflow,
                    version.unwrap_or_default(),
                    child.input,
                    child.depth,
                    more.into_iter().flatten().collect::<String>()
                )
            }
            Effect::CancelChild { key, reason } => {
                let key = self.keys.get(key).copied().unwrap_or_default();
                format!("cancel run key {key} {reason}")
            }
            Effect::Abandon(delivery) => format!("abandon {}", name(delivery)),
            Effect::Offer(offer) => offered(offer),
            Effect::Withdraw { item, reason } => format!("withdraw {item} {reason}"),
            Effect::SetTimer { timer, at } => {
                format!("timer {timer} in {}", at.duration_since(now))
            }
            Effect::CancelTimer { timer } => format!("cancel timer {timer}"),
            Effect::Subscribe(interests) => format!("subscribe {}", subscribed(interests)),
            Effect::Unsubscribe(_) => "unsubscribe".to_owned(),
            Effect::Emit(emit) => self.emitted(emit),
            Effect::Listen { task, types } => format!("listen {task} {}", any_of(types)),
            Effect::LetGo { kind } => format!("let go {kind}"),
            Effect::Yield => "yield".to_owned(),
            Effect::Finish(outcome) => format!("finish {}", ended(outcome)),
        };
        self.line('<', &line);
    }

    fn emitted(&mut self, emit: &Emit) -> String {
        let mut event = emit.event.clone();
        let count = self.keys.len();
        let id = event["id"].as_str().unwrap_or_default().to_owned();
        let key = *self.keys.entry(id).or_insert(count + 1);
        event["id"] = Value::from(format!("key {key}"));
        let reach = match emit.reach {
            Reach::Case => "",
            Reach::Agency => " to the agency",
        };
        format!("emit{reach} {event}")
    }

    pub(super) fn ending(&mut self, instance: &Instance, now: Timestamp) {
        let status = word(instance.status());
        self.line('=', &status);
        for waiting in instance.waiting() {
            let line = match waiting {
                Waiting::WorkItem { task, item } => format!("waits for work item {item} of {task}"),
                Waiting::Call { task, function } => format!("waits for {function} of {task}"),
                Waiting::Child { task, workflow, .. } => {
                    format!("waits for workflow {workflow} of {task}")
                }
                Waiting::Timer { task, until } => {
                    format!("waits for {} in {task}", until.duration_since(now))
                }
                Waiting::Event { task, types } => {
                    format!("waits for {} in {task}", any_of(&types))
                }
                Waiting::Retry { task, until } => {
                    format!("tries {task} again in {}", until.duration_since(now))
                }
            };
            self.line('=', &line);
        }
        let runs = instance.task_runs();
        let listed: Vec<String> = runs
            .iter()
            .take(RUNS_SHOWN)
            .map(|run| format!("{}:{}", run.name, word(run.status)))
            .collect();
        let hidden = runs.len() - listed.len();
        let more = if hidden > 0 {
            format!(" and {hidden} more")
        } else {
            String::new()
        };
        self.line('=', format!("tasks {}{more}", listed.join(" ")).trim_end());
    }
}

/// Enough for any case that is as small as its subject.
const RUNS_SHOWN: usize = 20;

/// `pay:1.2`
fn name(delivery: &Delivery) -> String {
    let task = delivery.reference.rsplit('/').next().unwrap_or_default();
    format!("{task}:{}.{}", delivery.run, delivery.attempt)
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed(output) => format!("completed {output}"),
        Outcome::Faulted(fault) => format!("faulted {}", json!(fault)),
        Outcome::Cancelled => "cancelled".to_owned(),
    }
}

/// `org.reply where .data.family is s7, any type`
fn subscribed(interests: &[Interest]) -> String {
    let one = |interest: &Interest| {
        let kind = interest.shape.kind.as_deref().unwrap_or("any type");
        match (&interest.shape.from, &interest.value) {
            (Some(from), Some(value)) => format!("{kind} where {from} is {value}"),
            (_, _) => kind.to_owned(),
        }
    };
    let all: Vec<String> = interests.iter().map(one).collect();
    all.join(", ")
}

fn any_of(types: &[String]) -> String {
    if types.is_empty() {
        "any event".to_owned()
    } else {
        types.join(" or ")
    }
}

/// What differs from the plainest offer.
fn offered(offer: &Offer) -> String {
    let kind = if offer.approval {
        "approval"
    } else {
        "human-task"
    };
    let mut more = json!(offer);
    if let Some(members) = more.as_object_mut() {
        for known in ["item", "task", "reference", "approval"] {
            members.remove(known);
        }
        members.retain(|name, value| {
            let plain = match name.as_str() {
                "approvals" => value == &json!(1),
                _ => value.is_null() || value == &json!([]),
            };
            !plain
        });
    }
    format!("offer {} {kind} {} {more}", offer.item, offer.task)
}

fn word(status: casewright_machine::Status) -> String {
    let word = json!(status);
    word.as_str().unwrap_or_default().to_owned()
}
