//! Forms: a schema with a layout, read from `forms/*.yaml` of a pack.
//!
//! ```yaml
//! title: Brokerage request
//! schema:
//!   type: object
//!   required: [purpose, money, needed]
//!   properties:
//!     purpose: { type: string, title: What it is for, maxLength: 500 }
//!     money:
//!       title: Amount
//!       type: object
//!       required: [minor, currency]
//!       properties:
//!         minor: { type: integer, minimum: 1, maximum: 200000 }
//!         currency: { const: AUD }
//!     needed: { type: string, format: date, title: Needed by }
//!     urgent: { type: boolean, title: Urgent }
//!     quotes:
//!       type: array
//!       title: Quotes
//!       items:
//!         type: object
//!         required: [supplier]
//!         properties:
//!           supplier: { type: string, title: Supplier }
//! layout:                         # order of the fields; without it, the order of `properties`
//!   - money
//!   - field: purpose
//!     label: What is the money for?
//!     hint: The family sees this
//!     control: long               # or radio, money, date, ... where the schema leaves a choice
//!     error: Say what the money is for
//!   - needed
//!   - urgent
//!   - quotes
//! ```
//!
//! A form knows how to check a value and how to make one from the pairs that a browser posts. It
//! draws nothing: the console does.

mod amount;
mod derive;
mod gather;
mod message;
mod spread;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::Schema;

pub(crate) use derive::read;

#[cfg(test)]
pub(crate) use derive::CONTROLS;

/// Minor units of an amount as people type it: `1,300.00`, `$1300.50`; `None` when it is none of
/// this currency.
pub fn typed_amount(typed: &str, currency: &str) -> Option<i64> {
    amount::read(typed, currency)?["minor"].as_i64()
}

/// A checked form.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Form {
    /// The file's name without `.yaml`.
    pub name: String,
    /// For people.
    pub title: String,
    /// What a value must be.
    pub schema: Schema,
    /// In the author's order.
    pub fields: Vec<Field>,
    /// Members with a single possible value, by dotted name: nobody is asked for them.
    pub constants: Vec<(String, Value)>,
}

/// One thing that a form asks for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Field {
    /// Key in the data; for members of an object `parent.child`.
    pub name: String,
    /// For people.
    pub label: String,
    /// A line of help under the label.
    pub hint: Option<String>,
    /// Whether it must be filled whenever its form or row is.
    pub required: bool,
    /// How it is asked.
    pub control: Control,
    /// The author's own words when the field is wrong.
    pub error: Option<String>,
}

/// How a field is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// One line.
    Text {
        /// In characters.
        length_max: Option<u64>,
    },
    /// Several lines.
    LongText {
        /// In characters.
        length_max: Option<u64>,
    },
    /// A whole number.
    Integer,
    /// Amount in minor units: `{minor, currency}`.
    Money {
        /// ISO 4217.
        currency: String,
    },
    /// A day of the calendar.
    Date,
    /// True or false, with neither chosen before.
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

/// Most rows of a group that are read from a post.
pub const ROWS_MAX: usize = 200;

impl Form {
    /// What is wrong with a value, one sentence for each field in the order of the form; empty when
    /// it may be submitted. Text of nothing but white space counts as not filled.
    pub fn check(&self, value: &Value) -> Vec<FieldError> {
        message::check(self, value)
    }

    /// The value that posted pairs stand for. What cannot be read stays as text, so that
    /// [`Form::check`] names it and the page can show it again.
    pub fn gather(&self, pairs: &[(String, String)]) -> Value {
        gather::gather(self, pairs)
    }

    /// The pairs that stand for a value: what [`Form::gather`] makes the same value from.
    pub fn spread(&self, value: &Value) -> Vec<(String, String)> {
        spread::spread(&self.fields, value)
    }
}

/// The member at a dotted name.
fn lookup<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    name.split('.').try_fold(value, |value, key| value.get(key))
}
