//! jq expressions: checked when read, evaluated here when simple, asked of the shell otherwise.
//!
//! ```text
//! text ── scan ──▶ tokens ── parse ──▶ term ── evaluate ──▶ value
//!                                       │           │
//!                                       └───────────┴──▶ Question, where only jq knows
//! ```
//!
//! *Simple* are paths, literals, variables, comparison, arithmetic on numbers, `+` joining texts,
//! arrays and objects, `and or not`, `//`, `if`, construction of objects and arrays, interpolation,
//! `as $x`, and a fixed list of functions that look at each part of a value at most once. What they
//! give equals what jaq gives. No process, no jq library: a [`Question`] is a value, and so is its
//! [`Answer`].

mod absent;
mod evaluate;
mod known;
mod money;
mod origin;
mod parse;
mod scan;
mod secret;
mod term;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use money::{amount as money_text, digits as money_digits};

use evaluate::Stop;
use term::Term;

/// Longest source of an expression.
pub const SOURCE_BYTES_MAX: usize = 4096;
/// How deep brackets and other nested parts of an expression may be.
pub const DEPTH_MAX: usize = 64;
/// Largest result, counted as [`weight`] does.
pub const RESULT_BYTES_MAX: usize = 1 << 20;
/// Deepest result: arrays and objects within each other. Readers of JSON stop at 128, and results
/// are kept within other JSON.
pub const RESULT_DEPTH_MAX: usize = 100;

/// A checked expression.
#[derive(Debug, Clone)]
pub struct Expression {
    checked: Arc<Checked>,
}

#[derive(Debug)]
struct Checked {
    source: String,
    /// With parts that are beyond our own evaluator, unless it is simple.
    tree: Term,
    simple: bool,
    variables: Vec<Name>,
    steps: Vec<StepName>,
    money: bool,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionProblem {
    /// In bytes of the source.
    pub offset: usize,
    /// What is wrong; one sentence without full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A variable where an expression names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Without the dollar sign.
    pub name: String,
    /// In bytes of the source.
    pub offset: usize,
}

/// A task that an expression names as `$steps.name` or `$steps["name"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepName {
    /// The name as jq reads it: `my` in `$steps.my-task`.
    pub name: String,
    /// Of the `$`, in bytes of the source.
    pub offset: usize,
    /// `my-task` where that seems to be meant: a hyphen in a path is a subtraction.
    pub hyphenated: Option<String>,
}

/// What an expression may see besides `.`: `$context`, `$input`, ... without the dollar sign.
pub trait Variables {
    /// The value of a variable; `None` where it does not exist.
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>>;

    /// What `$name.member` is, where that is known without putting the whole variable together;
    /// `None` says nothing.
    fn member(&self, _name: &str, _member: &str) -> Option<Cow<'_, Value>> {
        None
    }
}

impl Variables for BTreeMap<String, Value> {
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.get(name).map(Cow::Borrowed)
    }
}

/// An expression beyond the simple subset, with everything it needs, for the evaluator process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// jq, with the helpers it names.
    pub program: String,
    /// What `.` is.
    pub input: Value,
    /// Only the variables that the program names, without the dollar sign.
    pub variables: BTreeMap<String, Value>,
}

/// What the evaluator found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The one result.
    One(Value),
    /// No result: an error for a value, false for a condition.
    None,
    /// More than one result: always an error.
    Many,
    /// What the evaluator said; a sentence for people.
    Failed(String),
}

/// Answers by question; recorded with the event, so that a replay needs no evaluator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers(BTreeMap<String, Answer>);

/// Why an evaluation gave no value.
#[derive(Debug, Clone, PartialEq)]
pub enum Interruption {
    /// Only jq itself knows; evaluate again with the answer.
    Ask(Box<Question>),
    /// A sentence for people; becomes an `errors/expression` problem.
    Failed(String),
}

impl Expression {
    /// Checks the text of an expression, without `${ }`. Length and depth are checked first.
    pub fn new(source: &str) -> Result<Self, ExpressionProblem> {
        scan::limits(source)?;
        let tokens = scan::scan(source)?;
        let (term, findings) = parse::parse(source, &tokens)?;
        Ok(Self {
            checked: Arc::new(Checked {
                source: source.to_owned(),
                simple: term.simple(),
                tree: term,
                variables: findings.variables,
                steps: findings.steps,
                money: findings.money,
            }),
        })
    }

    /// As written, without `${ }`.
    pub fn source(&self) -> &str {
        &self.checked.source
    }

    /// Variables of the surroundings, each time they are named; those bound within the expression
    /// are not among them.
    pub fn variables(&self) -> &[Name] {
        &self.checked.variables
    }

    /// Tasks named through `$steps`.
    pub fn steps_named(&self) -> &[StepName] {
        &self.checked.steps
    }

    /// Whether it is evaluated here; now and then a simple expression still asks, where a value is
    /// one that only jq treats exactly.
    pub fn is_simple(&self) -> bool {
        self.checked.simple
    }

    /// The question whose answer tells whether jq understands the expression; `None` when simple.
    pub fn doubt(&self) -> Option<Question> {
        (!self.is_simple()).then(|| Question {
            program: self.program(),
            input: Value::Null,
            variables: self
                .checked
                .variables
                .iter()
                .map(|named| (named.name.clone(), Value::Null))
                .collect(),
        })
    }

    /// The one result, or why there is none.
    pub fn evaluate(
        &self,
        input: &Value,
        variables: &dyn Variables,
        answers: &Answers,
    ) -> Result<Value, Interruption> {
        self.result(input, variables, answers)?.ok_or_else(|| {
            Interruption::Failed("the expression gives no result; one is needed".to_owned())
        })
    }

    /// For `if`, `when`, `while`: boolean, null or no result; anything else is an error.
    pub fn holds(
        &self,
        input: &Value,
        variables: &dyn Variables,
        answers: &Answers,
    ) -> Result<bool, Interruption> {
        match self.result(input, variables, answers)? {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(holds)) => Ok(holds),
            Some(other) => Err(Interruption::Failed(format!(
                "a condition is true, false or null; this one is {}: compare it with something, \
                 as in `.amount > 0`",
                evaluate::kind(&other)
            ))),
        }
    }

    fn result(
        &self,
        input: &Value,
        variables: &dyn Variables,
        answers: &Answers,
    ) -> Result<Option<Value>, Interruption> {
        let outcome = if self.checked.simple {
            evaluate::evaluate(&self.checked.tree, input, variables)
        } else {
            Err(Stop::Ask)
        };
        let value = match outcome {
            Ok(value) => value,
            Err(Stop::Empty) => return Ok(None),
            Err(Stop::Failed(message)) => return Err(Interruption::Failed(message)),
            Err(Stop::Ask) => return self.answered(input, variables, answers),
        };
        bounded(value).map(Some)
    }

    fn answered(
        &self,
        input: &Value,
        variables: &dyn Variables,
        answers: &Answers,
    ) -> Result<Option<Value>, Interruption> {
        let mut named = BTreeMap::new();
        for Name { name, .. } in &self.checked.variables {
            let value = variables.variable(name).ok_or_else(|| {
                Interruption::Failed(format!("there is no variable `${name}` here"))
            })?;
            named.insert(name.clone(), value.into_owned());
        }
        let question = Question {
            program: self.program(),
            input: input.clone(),
            variables: named,
        };
        match answers.get(&question) {
            None => Err(Interruption::Ask(Box::new(question))),
            Some(Answer::One(value)) => Ok(Some(value.clone())),
            Some(Answer::None) => Ok(None),
            Some(Answer::Many) => Err(Interruption::Failed(
                "the expression gives more than one result; put it in `[ ]` for an array"
                    .to_owned(),
            )),
            Some(Answer::Failed(message)) => Err(Interruption::Failed(message.clone())),
        }
    }

    /// What the evaluator runs: the source, with the definitions of helpers it names.
    pub fn program(&self) -> String {
        let source = &self.checked.source;
        if self.checked.money {
            format!("{}{source}", money::DEFINITION)
        } else {
            source.clone()
        }
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl ExpressionProblem {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for ExpressionProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExpressionProblem {}

impl Question {
    /// Equal questions have equal keys.
    pub fn key(&self) -> String {
        let text = serde_json::to_vec(self).expect("keys of all its maps are text");
        let mut key = String::with_capacity(64);
        for byte in Sha256::digest(&text) {
            let _ = write!(key, "{byte:02x}");
        }
        key
    }
}

impl Answers {
    /// Records what the evaluator said.
    pub fn insert(&mut self, question: &Question, answer: Answer) {
        self.0.insert(question.key(), answer);
    }

    /// What the evaluator said to an equal question.
    pub fn get(&self, question: &Question) -> Option<&Answer> {
        self.0.get(&question.key())
    }

    /// Whether nothing has been asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Refuses a result that is too large or too deep.
pub(crate) fn bounded(value: Value) -> Result<Value, Interruption> {
    match weight(&value, RESULT_DEPTH_MAX) {
        None => Err(Interruption::Failed(format!(
            "the result is nested more than {RESULT_DEPTH_MAX} deep"
        ))),
        Some(weight) if weight > RESULT_BYTES_MAX => Err(Interruption::Failed(
            "the result is larger than 1 MiB".to_owned(),
        )),
        Some(_) => Ok(value),
    }
}

/// Roughly the bytes of a value as JSON; `None` when it is nested more than `depth` deep.
///
/// Counts a number as 8 and everything else by its text, so that it needs no writing.
pub fn weight(value: &Value, depth: usize) -> Option<usize> {
    match value {
        Value::Null | Value::Bool(_) => Some(4),
        Value::Number(_) => Some(8),
        Value::String(text) => Some(text.len() + 2),
        Value::Array(items) => {
            let depth = depth.checked_sub(1)?;
            items.iter().try_fold(2, |total: usize, item| {
                Some(total + 1 + weight(item, depth)?)
            })
        }
        Value::Object(members) => {
            let depth = depth.checked_sub(1)?;
            members.iter().try_fold(2, |total: usize, (key, member)| {
                Some(total + key.len() + 4 + weight(member, depth)?)
            })
        }
    }
}
