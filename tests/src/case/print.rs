//! Effects, answers and ends as lines of a case. What reads them back is a person.

use std::collections::BTreeMap;

use casewright_language::Answer;
use casewright_machine::{Delivery, Effect, Instance, Mismatch, Offer, Outcome, Waiting};
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
                format!(
                    "call {} {}{} {} key {key}{round}{since}",
                    name(&call.delivery),
                    call.function,
                    version.unwrap_or_default(),
                    call.input
                )
            }
            Effect::Abandon(delivery) => format!("abandon {}", name(delivery)),
            Effect::Offer(offer) => offered(offer),
            Effect::Withdraw { item, reason } => format!("withdraw {item} {reason}"),
            Effect::SetTimer { timer, at } => {
                format!("timer {timer} in {}", at.duration_since(now))
            }
            Effect::CancelTimer { timer } => format!("cancel timer {timer}"),
            Effect::Yield => "yield".to_owned(),
            Effect::Finish(outcome) => format!("finish {}", ended(outcome)),
        };
        self.line('<', &line);
    }

    pub(super) fn ending(&mut self, instance: &Instance, now: Timestamp) {
        let status = word(instance.status());
        self.line('=', &status);
        for waiting in instance.waiting() {
            let line = match waiting {
                Waiting::WorkItem { task, item } => format!("waits for work item {item} of {task}"),
                Waiting::Call { task, function } => format!("waits for {function} of {task}"),
                Waiting::Timer { task, until } => {
                    format!("waits for {} in {task}", until.duration_since(now))
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
