//! jq expressions: checked when read, evaluated here when simple, asked of the shell otherwise.
//!
//! No process, no jq library: a [`Question`] is a value, and so is its [`Answer`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A checked expression.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
}

/// What an expression may see besides `.`: `$context`, `$input`, ... without the dollar sign.
pub trait Variables {
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>>;
}

/// An expression beyond the simple subset, with everything it needs, for the evaluator process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub program: String,
    pub input: Value,
    /// Only the variables that the program names, without the dollar sign.
    pub variables: BTreeMap<String, Value>,
}

/// What the evaluator found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
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
    Ask(Box<Question>),
    /// A sentence for people; becomes an `errors/expression` problem.
    Failed(String),
}

impl Expression {
    /// As written, without `${ }`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The one result, or why there is none.
    pub fn evaluate(
        &self,
        _input: &Value,
        _variables: &dyn Variables,
        _answers: &Answers,
    ) -> Result<Value, Interruption> {
        unimplemented!()
    }

    /// For `if`, `when`, `while`: boolean, null or no result; anything else is an error.
    pub fn holds(
        &self,
        _input: &Value,
        _variables: &dyn Variables,
        _answers: &Answers,
    ) -> Result<bool, Interruption> {
        unimplemented!()
    }
}

impl Question {
    /// Equal questions have equal keys.
    pub fn key(&self) -> String {
        unimplemented!()
    }
}

impl Answers {
    pub fn insert(&mut self, question: &Question, answer: Answer) {
        self.0.insert(question.key(), answer);
    }

    pub fn get(&self, question: &Question) -> Option<&Answer> {
        self.0.get(&question.key())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
