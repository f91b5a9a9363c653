//! A value with expressions for leaves: what `set`, `with`, `from` and `as` hold.
//!
//! Only text of the document is evaluated, never data: a result is not looked at again.

use serde_json::Value;

use crate::expression::{Answers, Expression, Interruption, Variables};

#[derive(Debug, Clone)]
pub enum Template {
    Literal(Value),
    Expression(Expression),
    List(Vec<Template>),
    Map(Vec<(String, Template)>),
}

impl Template {
    pub fn evaluate(
        &self,
        _input: &Value,
        _variables: &dyn Variables,
        _answers: &Answers,
    ) -> Result<Value, Interruption> {
        unimplemented!()
    }
}
