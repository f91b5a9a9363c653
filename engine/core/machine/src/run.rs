//! One event at work: evaluation with its questions, timers, task runs, effects and the budget
//! after which a run yields. It knows no construct.

use std::cell::Cell;

use casewright_language::expression::Interruption;
use casewright_language::workflow::Span;
use casewright_language::{
    Answers, Expression, Period, Question, Schema, Task, Template, Workflow,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::lifecycle::{self, Turn, TurnKind};
use crate::position::{Entry, Open, Timer};
use crate::record::Record;
use crate::retry::Broken;
use crate::scope::Sight;
use crate::{Choice, Effect, Fault, Status, TaskRun, http, listen};

/// Questions to the evaluator that one event may need before the run yields; a single task may go
/// beyond, since it begins and ends as a whole.
pub(crate) const QUESTIONS_MAX: usize = 32;

/// Tasks that one event may enter before the run yields.
pub(crate) const TASKS_MAX: usize = 10_000;

/// Violations of a schema that a fault names.
const VIOLATIONS_SHOWN: usize = 5;

pub(crate) struct Run<'a> {
    pub(crate) workflow: &'a Workflow,
    answers: &'a Answers,
    unanswered: Answers,
    pub(crate) now: Timestamp,
    pub(crate) record: Record,
    pub(crate) effects: Vec<Effect>,
    pub(crate) notes: Vec<TaskRun>,
    pub(crate) choices: Vec<Choice>,
    pub(crate) turns: Vec<Turn>,
    asked: Cell<usize>,
    entered: usize,
    /// Whether a `listen` took the event that came.
    pub(crate) taken: bool,
    /// A fault of this event that a retry may mend, if nothing catches it.
    pub(crate) broken: Option<Broken>,
}

/// Why something did not come to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A fault looking for its `catch`.
    Fault(Box<Fault>),
    /// Nothing has happened until these are answered.
    Ask(Vec<Question>),
    /// The instance or the event does not fit the workflow: what was found.
    Torn(String),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        workflow: &'a Workflow,
        answers: &'a Answers,
        now: Timestamp,
        record: Record,
    ) -> Self {
        Self {
            workflow,
            answers,
            unanswered: Answers::default(),
            now,
            record,
            effects: Vec::new(),
            notes: Vec::new(),
            choices: Vec::new(),
            turns: Vec::new(),
            asked: Cell::new(0),
            entered: 0,
            taken: false,
            broken: None,
        }
    }

    /// Whether it is time to yield before the next task.
    pub(crate) fn spent(&self) -> bool {
        self.entered >= TASKS_MAX || self.asked.get() >= QUESTIONS_MAX
    }

    /// Counts a task against the budget, also one that will be skipped.
    pub(crate) fn enter(&mut self) {
        self.entered += 1;
    }
}

/// Task runs.
impl Run<'_> {
    pub(crate) fn begin(&mut self, task: &Task) -> Entry {
        let run = self.record.runs.entry(task.reference.clone()).or_default();
        *run += 1;
        let run = *run;
        let begun = TaskRun {
            name: task.name.as_str().into(),
            reference: task.reference.as_str().into(),
            status: Status::Running,
        };
        self.notes.push(begun.clone());
        let kind = TurnKind::Began {
            reference: std::sync::Arc::clone(&begun.reference),
            run,
        };
        let number = self.record.begin(begun);
        self.turns.push(Turn { number, kind });
        Entry {
            reference: task.reference.clone(),
            run,
            number,
            started_at: self.now,
            input: None,
            timeout: None,
        }
    }

    /// The task goes on, but looks different.
    pub(crate) fn mark(&mut self, number: u64, status: Status) {
        self.record.mark(number, status);
    }

    /// One way of several is taken here.
    pub(crate) fn choose(&mut self, reference: &str, way: &str) {
        self.choices.push(Choice {
            reference: reference.to_owned(),
            way: way.to_owned(),
        });
    }

    /// The task is over.
    pub(crate) fn end(&mut self, number: u64, status: Status) {
        self.note_end(number, status);
        let kind = TurnKind::Ended(status);
        self.turns.push(Turn { number, kind });
    }

    /// The task is over, and has failed.
    pub(crate) fn fail(&mut self, number: u64, fault: &Fault) {
        self.note_end(number, Status::Faulted);
        let kind = TurnKind::Faulted(lifecycle::cause(self.workflow, fault));
        self.turns.push(Turn { number, kind });
    }

    fn note_end(&mut self, number: u64, status: Status) {
        let note = self.record.mark(number, status).cloned();
        self.notes.extend(note);
    }
}

/// Timers and taking back.
impl Run<'_> {
    pub(crate) fn set_timer(&mut self, at: Timestamp) -> Timer {
        self.record.minted.timer += 1;
        let timer = self.record.minted.timer;
        self.effects.push(Effect::SetTimer { timer, at });
        Timer { timer, at }
    }

    pub(crate) fn cancel_timer(&mut self, timer: Option<Timer>) {
        let cancelled = timer.map(|timer| Effect::CancelTimer { timer: timer.timer });
        self.effects.extend(cancelled);
    }

    /// The moment so many milliseconds from this event on.
    pub(crate) fn after(&self, millis: u64, place: &str) -> Result<Timestamp, Stop> {
        let millis = i64::try_from(millis).ok();
        millis
            .and_then(|millis| {
                self.now
                    .checked_add(SignedDuration::from_millis(millis))
                    .ok()
            })
            .ok_or_else(|| {
                let detail = "the duration reaches beyond the calendar; write a shorter one";
                Fault::validation(place, detail).into()
            })
    }

    /// Takes back everything open, inner tasks first.
    pub(crate) fn withdraw(&mut self, open: &[Open<'_>], reason: &str) {
        for open in open.iter().rev() {
            match open {
                Open::Task(number) => self.end(*number, Status::Cancelled),
                Open::Call(call) => {
                    http::abandoned(&mut self.record, call);
                    self.effects.push(Effect::Abandon(call.delivery.clone()));
                }
                Open::Offer(offer) => self.effects.push(Effect::Withdraw {
                    item: offer.item,
                    reason: reason.to_owned(),
                }),
                Open::Child(child) => self.effects.push(Effect::CancelChild {
                    key: child.key.clone(),
                    reason: reason.to_owned(),
                }),
                Open::Timer { timer, .. } => self.cancel_timer(Some(*timer)),
                Open::Listen { listening, .. } => listen::give_back(self, listening),
                Open::Ready => {}
            }
        }
    }

    /// A key for one intent: opaque, the same whenever this event is replayed.
    pub(crate) fn mint_key(&mut self) -> String {
        self.record.minted.key += 1;
        let mut hash = Sha256::new();
        hash.update(b"casewright idempotency key 1\0");
        hash.update(self.record.facts.id.as_bytes());
        hash.update(self.record.minted.key.to_be_bytes());
        let mut start = [0; 16];
        for (byte, of_hash) in start.iter_mut().zip(hash.finalize()) {
            *byte = of_hash;
        }
        format!("{:032x}", u128::from_be_bytes(start))
    }
}

/// Evaluation. It changes nothing but the count of questions.
impl Run<'_> {
    pub(crate) fn value(
        &self,
        template: &Template,
        input: &Value,
        sight: &Sight<'_>,
    ) -> Result<Value, Stop> {
        let mut questions = Vec::new();
        let value = self.fill(template, input, sight, &mut questions)?;
        if questions.is_empty() {
            Ok(value)
        } else {
            Err(Stop::Ask(questions))
        }
    }

    /// A value that must be text.
    pub(crate) fn text(
        &self,
        template: &Template,
        what: &str,
        input: &Value,
        sight: &Sight<'_>,
    ) -> Result<String, Stop> {
        match self.value(template, input, sight)? {
            Value::String(text) => Ok(text),
            other => Err(Stop::from(Fault::validation(
                sight.place,
                format!("{what} must be text, but is {}", kind_of(&other)),
            ))),
        }
    }

    pub(crate) fn holds(
        &self,
        condition: &Expression,
        input: &Value,
        sight: &Sight<'_>,
    ) -> Result<bool, Stop> {
        let mut questions = Vec::new();
        let holds = self.ask(&mut questions, sight, false, |answers| {
            condition.holds(input, sight, answers)
        })?;
        if questions.is_empty() {
            Ok(holds)
        } else {
            Err(Stop::Ask(questions))
        }
    }

    /// A duration in milliseconds.
    pub(crate) fn span(&self, span: &Span, input: &Value, sight: &Sight<'_>) -> Result<u64, Stop> {
        let expression = match span {
            Span::Fixed(Period(millis)) => return Ok(*millis),
            Span::Computed(expression) => Template::Expression(expression.clone()),
        };
        let text = self.text(&expression, "a duration", input, sight)?;
        match Period::parse_iso(&text) {
            Ok(Period(millis)) => Ok(millis),
            Err(sentence) => Err(Fault::validation(sight.place, sentence).into()),
        }
    }

    pub(crate) fn check(schema: Option<&Schema>, value: &Value, place: &str) -> Result<(), Stop> {
        let violations = schema.map_or_else(Vec::new, |schema| schema.violations(value));
        if violations.is_empty() {
            return Ok(());
        }
        let mut sentences: Vec<String> = violations
            .iter()
            .take(VIOLATIONS_SHOWN)
            .map(|violation| {
                let at = if violation.pointer.is_empty() {
                    "/"
                } else {
                    &violation.pointer
                };
                format!("{at}: {}", violation.message)
            })
            .collect();
        let hidden = violations.len().saturating_sub(VIOLATIONS_SHOWN);
        if hidden > 0 {
            sentences.push(format!("and {hidden} more"));
        }
        Err(Fault::validation(place, sentences.join("; ")).into())
    }

    /// Walks on past questions, so that one round answers all of a template.
    fn fill(
        &self,
        template: &Template,
        input: &Value,
        sight: &Sight<'_>,
        questions: &mut Vec<Question>,
    ) -> Result<Value, Stop> {
        match template {
            Template::Literal(value) => Ok(value.clone()),
            Template::Expression(expression) => {
                self.ask(questions, sight, Value::Null, |answers| {
                    expression.evaluate(input, sight, answers)
                })
            }
            Template::List(items) => items
                .iter()
                .map(|item| self.fill(item, input, sight, questions))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            Template::Map(members) => {
                let mut filled = Map::new();
                for (name, member) in members {
                    filled.insert(name.clone(), self.fill(member, input, sight, questions)?);
                }
                Ok(Value::Object(filled))
            }
        }
    }

    /// Evaluates first without answers, so that exactly the questions are counted; what has no
    /// answer yet is put among `questions`, with `placeholder` in its place.
    fn ask<T>(
        &self,
        questions: &mut Vec<Question>,
        sight: &Sight<'_>,
        placeholder: T,
        evaluate: impl Fn(&Answers) -> Result<T, Interruption>,
    ) -> Result<T, Stop> {
        let question = match evaluate(&self.unanswered) {
            Ok(value) => return Ok(value),
            Err(Interruption::Failed(sentence)) => return Err(failed(sight, sentence)),
            Err(Interruption::Ask(question)) => question,
        };
        self.asked.set(self.asked.get() + 1);
        if self.answers.get(&question).is_none() {
            questions.push(*question);
            return Ok(placeholder);
        }
        match evaluate(self.answers) {
            Ok(value) => Ok(value),
            Err(Interruption::Failed(sentence)) => Err(failed(sight, sentence)),
            Err(Interruption::Ask(question)) => {
                questions.push(*question);
                Ok(placeholder)
            }
        }
    }
}

fn failed(sight: &Sight<'_>, sentence: String) -> Stop {
    Fault::expression(sight.place, sentence).into()
}

/// What a value is, for a sentence; never the value itself.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
