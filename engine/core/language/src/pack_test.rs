//! The tests of a pack, `tests/*.test.yaml`: text to checked steps with diagnostics.
//!
//! ```yaml
//! workflow: brokerage                  # what `of` and `start` mean where they name nothing else
//! begins: 2026-11-25 09:00             # where the agency is
//! people:
//!   casey: case-worker                 # a role, or a list of roles
//!   lee: team-leader
//! plugins:                             # what functions answer, in order; the last answer stays
//!   payment-issue.pay:
//!     - error: { code: unavailable, kind: retryable }
//!     - returns: { paymentId: P-1, state: paid }
//!   evidence-check.check: real         # the built plugin itself
//! http:                                # what requests of `call: http` are answered, by task
//!   register:                          # as a function it is `http.register`
//!     - error: { status: 503 }
//!     - returns: { id: 7 }
//! samples:                             # data by name, used by `data`, `input` and `but`
//!   bed: { item: A bed, money: { minor: 40000, currency: AUD } }
//! tests:
//!   - test: Somebody else approves
//!     steps:
//!       - { start: brokerage, as: casey }
//!       - { task: request, for: case-worker, due: 2026-12-02 }
//!       - { complete: request, as: casey, data: bed }
//!       - { complete: decision, as: casey, outcome: approve, refused: self-approval }
//!       - { complete: decision, as: lee, outcome: approve }
//!       - { calls: payment-issue.pay, times: 2 }
//!       - { person: Mai, as: casey, relation: parent }   # is added to the case
//!       - { plan: needs-agreement, version: 2 }
//!       - { ended: completed, output: { outcome: paid } }
//! ```
//!
//! What is expected of data names only what matters: members that it does not name may be anything,
//! lists must be as long as they are written, and null also stands for what is not there.
//!
//! It runs nothing: the binary does, through the runtime.

mod expected;
mod read;
mod step;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::yaml::Place;
use crate::{Diagnostic, Severity, Term};

pub use expected::{Difference, Expected};

/// One test: a beginning, people, and steps that are taken in order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Test {
    /// For people.
    pub name: String,
    /// What `of` means where it is not written.
    pub workflow: Option<String>,
    /// Of its name.
    pub spot: Spot,
    /// Local time where the agency is; the binary's own choice without one.
    pub begins: Option<Moment>,
    /// Person to roles.
    pub people: BTreeMap<String, Vec<String>>,
    /// What functions of plugins answer; a request of `call: http` is `http.<task>`.
    pub answers: BTreeMap<String, Answers>,
    pub steps: Vec<Step>,
}

/// A stretch of the test's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spot(Place);

/// What a function of a plugin does in a test.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// The built plugin is called.
    Real,
    /// One after the other; the last one stays.
    Given(Vec<Answer>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Returns(Value),
    Fails(Failure),
}

/// An error that a test lets a function give.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// Without the plugin's name.
    pub code: String,
    pub kind: FailureKind,
    /// Only of a request, whose server gives it.
    pub status: Option<i64>,
    pub message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    Business,
    Permanent,
    Retryable,
    InDoubt,
}

/// A day, or a minute of it, where the agency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    pub year: i16,
    pub month: i8,
    pub day: i8,
    /// Hour and minute.
    pub time: Option<(i8, i8)>,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// Of the word that says what is done.
    pub spot: Spot,
    /// Where the step begins, from 1.
    pub line: usize,
    pub deed: Deed,
}

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written<T> {
    pub value: T,
    pub spot: Spot,
}

/// A task that people do; `of` where the workflow is not the only one that has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskName {
    pub task: String,
    pub of: Option<String>,
}

/// What a step does or expects.
#[derive(Debug, Clone)]
pub enum Deed {
    Start(Start),
    Claim(Act),
    Release(Act),
    Complete(Complete),
    /// Somebody is added to the case.
    Person(Person),
    /// Everybody of the family agrees.
    Consent(Consent),
    /// What they agreed to for a purpose is taken back.
    Withdrawal(Withdrawal),
    /// A way to reach somebody of the family is safe.
    SafeWay(SafeWay),
    /// Somebody of the family is not to be reached any more.
    DoNotContact(DoNotContact),
    Event(Event),
    Task(Box<OpenTask>),
    NoTask(TaskName),
    Wait(Term),
    WaitUntil(Moment),
    Fund(FundState),
    Plan(PlanState),
    Calls(Calls),
    Ended(Ended),
    Recorded(Recorded),
    History(History),
}

impl Deed {
    /// Whether it only looks.
    pub fn expects(&self) -> bool {
        match self {
            Self::Start(_)
            | Self::Claim(_)
            | Self::Release(_)
            | Self::Complete(_)
            | Self::Person(_)
            | Self::Consent(_)
            | Self::Withdrawal(_)
            | Self::SafeWay(_)
            | Self::DoNotContact(_)
            | Self::Event(_)
            | Self::Wait(_)
            | Self::WaitUntil(_) => false,
            Self::Task(_)
            | Self::NoTask(_)
            | Self::Fund(_)
            | Self::Plan(_)
            | Self::Calls(_)
            | Self::Ended(_)
            | Self::Recorded(_)
            | Self::History(_) => true,
        }
    }
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Start {
    pub workflow: String,
    pub who: String,
    /// In the case that the test opened before.
    pub same_case: bool,
    /// What the new case counts its days by.
    pub calendar: Option<String>,
    pub input: Value,
    pub refused: Option<Refusal>,
}

/// Somebody who is added to the case that the test opened last.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    pub name: String,
    /// `parent` and the like.
    pub relation: String,
    pub born: Option<Moment>,
    pub who: String,
}

/// How the plan of the case is expected to stand.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlanState {
    pub status: Written<String>,
    /// The latest.
    pub version: Option<Written<i64>>,
    /// The one in force.
    pub active: Option<Written<i64>>,
}

/// Everybody of the family agrees that a recipient is told for a purpose. Where nobody of the
/// family is in the case, a parent is added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Consent {
    pub purpose: String,
    pub recipient: String,
    pub who: String,
}

/// What was agreed to for a purpose is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Withdrawal {
    pub purpose: String,
    pub who: String,
}

/// A way in which it is safe to reach whoever is this to the case. Where nobody is, they are added,
/// with a number and addresses that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SafeWay {
    pub channel: String,
    pub relation: String,
    /// What may be left there.
    pub leave: String,
    pub who: String,
}

/// Whoever is this to the case is not to be reached in any way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoNotContact {
    pub relation: String,
    pub who: String,
}

/// An event from outside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    pub kind: String,
    /// Without one: the number of the case that the test opened last.
    pub subject: Option<String>,
    pub source: Option<String>,
    /// The same id is the same event; each has its own otherwise.
    pub id: Option<String>,
    pub data: Value,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Act {
    pub task: TaskName,
    pub who: String,
    pub refused: Option<Refusal>,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Complete {
    pub act: Act,
    /// The only one that the task has, when nothing is written.
    pub outcome: Option<String>,
    /// Null without.
    pub data: Value,
    pub comment: Option<String>,
}

/// An expected refusal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Refusal {
    pub code: Written<String>,
    /// Fields of the form that must be among the mistakes, with a part of what they must say.
    pub fields: Vec<Written<Field>>,
}

/// A field of a form, and a part of what is said of it.
pub type Field = (String, Option<String>);

/// An expected open task; what is not written may be anything.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OpenTask {
    pub task: TaskName,
    /// Role, team or person.
    pub assigned: Option<Written<String>>,
    pub title: Option<Written<String>>,
    pub due: Option<Written<Moment>>,
    pub overdue: Option<Written<bool>>,
    pub outcomes: Option<Written<Vec<String>>>,
    pub shows: Option<Expected>,
    pub claimed_by: Option<Written<String>>,
}

/// Expected amounts of a fund, in minor units.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FundState {
    pub name: String,
    /// `available`, `reserved` or `committed`.
    pub amounts: Vec<(&'static str, Written<i64>)>,
}

/// Expected calls of a function since the test began.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Calls {
    pub function: String,
    pub times: u64,
    /// Of the latest call.
    pub input: Option<Expected>,
    /// By the latest call.
    pub returned: Option<Expected>,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ended {
    /// `completed`, `faulted` or `cancelled`.
    pub status: Written<String>,
    pub of: Option<String>,
    pub output: Option<Expected>,
    pub fault: Option<Expected>,
}

/// Expected entries in the record of the case.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recorded {
    /// As `GET /cases/{id}/timeline` names it.
    pub action: String,
    /// At least one where nothing is written.
    pub times: Option<u64>,
    pub by: Option<String>,
    /// The task it is about.
    pub about: Option<String>,
    /// An outcome, the name of a fund, of a task that emits: what else the entry says.
    pub detail: Option<String>,
}

/// Expected tasks of a run, in the order they began.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct History {
    pub tasks: Written<Vec<String>>,
    pub of: Option<String>,
}

/// What a test may name.
#[derive(Debug, Clone, Default)]
pub struct Around {
    pub roles: BTreeSet<String>,
    pub funds: BTreeSet<String>,
    pub calendars: BTreeSet<String>,
    /// Of plugins; `None` when it is not known which there are.
    pub functions: Option<BTreeSet<String>>,
    /// Workflow to the tasks that people do, each with its outcomes.
    pub workflows: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Codes of refusals.
    pub refusals: BTreeSet<String>,
    /// Actions of the record.
    pub actions: BTreeSet<String>,
}

impl Spot {
    /// From 1.
    pub fn line(self) -> usize {
        self.0.line
    }

    /// What a test expected and did not find, as a finding at this place.
    pub fn failure(self, file: &str, message: String, help: Option<String>) -> Diagnostic {
        Diagnostic {
            code: "CW0810",
            severity: Severity::Error,
            message,
            file: file.to_owned(),
            line: self.0.line,
            column: self.0.column,
            end_line: self.0.end_line,
            end_column: self.0.end_column,
            help,
        }
    }
}

impl Around {
    /// The tasks of a workflow that people do, with their outcomes, wherever they stand in it.
    pub fn human_tasks(definition: &Value) -> BTreeMap<String, Vec<String>> {
        let mut found = BTreeMap::new();
        gather(definition, &mut found);
        found
    }
}

/// A task is a map with one key within a list; the nesting of constructs does not matter.
fn gather(value: &Value, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Array(items) => {
            for item in items {
                if let Some((name, task)) = item.as_object().and_then(|one| one.iter().next())
                    && let Some(outcomes) = outcomes(task)
                {
                    found.insert(name.clone(), outcomes);
                }
                gather(item, found);
            }
        }
        Value::Object(members) => members.values().for_each(|member| gather(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `None` for what is no human task.
fn outcomes(task: &Value) -> Option<Vec<String>> {
    let function = task.get("call")?.as_str()?;
    let standard: &[&str] = match function.split(':').next()? {
        "human-task" => &["done"],
        "approval" => &["approve", "decline"],
        _ => return None,
    };
    let written = task.pointer("/with/outcomes").and_then(Value::as_array);
    Some(match written {
        Some(written) => {
            let texts = written.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        None => standard.iter().map(|&text| text.to_owned()).collect(),
    })
}

/// Reads one file of tests. All mistakes at once; no test is to be run when one is an error.
pub fn read(file: &str, text: &str, around: &Around) -> (Vec<Test>, Vec<Diagnostic>) {
    read::read(file, text, around)
}
