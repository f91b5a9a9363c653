//! A value with expressions for leaves: what `set`, `with`, `from` and `as` hold.
//!
//! Only text of the document is evaluated, never data: a result is not looked at again.

use serde_json::Value;

use crate::expression::{self, Answers, Expression, Interruption, Variables};

/// A value of a document, where some leaves are expressions.
#[derive(Debug, Clone)]
pub enum Template {
    /// Holds no expression at any depth.
    Literal(Value),
    /// `${ ... }`
    Expression(Expression),
    /// Holds an expression somewhere.
    List(Vec<Template>),
    /// Holds an expression somewhere; in the author's order.
    Map(Vec<(String, Template)>),
}

impl Template {
    /// The value with every expression in it evaluated on the same input; bounded as the result of
    /// an expression is, since a loop may put one value around another.
    pub fn evaluate(
        &self,
        input: &Value,
        variables: &dyn Variables,
        answers: &Answers,
    ) -> Result<Value, Interruption> {
        let value = self.filled(input, variables, answers)?;
        match self {
            Self::Literal(_) | Self::Expression(_) => Ok(value),
            Self::List(_) | Self::Map(_) => expression::bounded(value),
        }
    }

    fn filled(
        &self,
        input: &Value,
        variables: &dyn Variables,
        answers: &Answers,
    ) -> Result<Value, Interruption> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.evaluate(input, variables, answers),
            Self::List(items) => items
                .iter()
                .map(|item| item.filled(input, variables, answers))
                .collect(),
            Self::Map(members) => members
                .iter()
                .map(|(key, member)| Ok((key.clone(), member.filled(input, variables, answers)?)))
                .collect::<Result<_, Interruption>>()
                .map(Value::Object),
        }
    }

    /// All expressions in it, in the author's order.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Expression(expression) => vec![expression],
            Self::List(items) => items.iter().flat_map(Self::expressions).collect(),
            Self::Map(members) => members
                .iter()
                .flat_map(|(_, member)| member.expressions())
                .collect(),
        }
    }
}
