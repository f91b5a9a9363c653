//! Forms: a schema with a layout, read from `forms/*.yaml` of a pack.
//!
//! A form knows how to check a value and how to make one from the pairs that a browser posts. It
//! draws nothing: the console does.

use serde_json::Value;

use crate::Schema;

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Form {
    pub name: String,
    pub title: String,
    pub schema: Schema,
    /// In the author's order.
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Field {
    /// Key in the data; for members of an object `parent.child`.
    pub name: String,
    pub label: String,
    pub hint: Option<String>,
    pub required: bool,
    pub control: Control,
    /// The author's own words when the field is wrong.
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// One line.
    Text {
        length_max: Option<u64>,
    },
    /// Several lines.
    LongText {
        length_max: Option<u64>,
    },
    Integer,
    /// Amount in minor units: `{minor, currency}`.
    Money {
        currency: String,
    },
    Date,
    YesNo,
    /// One of `(value, title)`.
    Choice(Vec<(String, String)>),
    /// Any of `(value, title)`.
    Choices(Vec<(String, String)>),
    /// A list of objects, each with these fields.
    Group(Vec<Field>),
}

/// One thing wrong with a filled form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field, `items.0.amount` within a group.
    pub field: String,
    /// A sentence for the person who fills the form: "Enter the amount".
    pub message: String,
}

impl Form {
    /// What is wrong with a value; empty when it may be submitted.
    pub fn check(&self, _value: &Value) -> Vec<FieldError> {
        unimplemented!()
    }

    /// The value that posted pairs stand for. What cannot be read stays as text, so that
    /// [`Form::check`] names it and the page can show it again.
    pub fn gather(&self, _pairs: &[(String, String)]) -> Value {
        unimplemented!()
    }
}
