//! Decision tables: what follows from which values, from which day on, read from
//! `decisions/*.yaml` of a pack.
//!
//! ```yaml
//! title: What a brokerage request needs
//! inputs:
//!   amount: { type: money, currency: AUD }
//!   category: { type: word, words: [household, rent, transport] }
//! outputs:
//!   approvals: { type: number }
//!   quotes: { type: number }
//! hit: unique                     # exactly one row fits; or first, or collect
//! versions:
//!   - from: 2025-07-01            # in force from this day, where the agency is
//!     rows:
//!       - when: { amount: up to 2000, category: [household, transport] }
//!         then: { approvals: 1, quotes: 0 }
//!       - when: { amount: above 2000, category: { not: rent } }
//!         then: { approvals: 2, quotes: 2 }
//!       - when: { category: rent }          # what is not named may be anything
//!         then: { approvals: 2, quotes: 0 }
//! ```
//!
//! Every input is an ordered set of whole numbers (cents, tenths, days, the place of a word in its
//! list), a condition a set of ranges of them, a row a box. So comparing is exact, and whether the
//! boxes of a version leave something out or lie upon each other is known when the table is read.
//!
//! It decides and does not act; who asks, and what is written down of it, is `runtime`.

mod condition;
mod day;
mod evaluate;
mod kind;
mod read;
mod survey;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use day::Day;
pub use evaluate::{Decision, Unfit};
pub use kind::Kind;

pub(crate) use condition::Condition;
pub(crate) use read::read;

#[cfg(test)]
pub(crate) use read::{HIT_WORDS, TYPE_WORDS};

/// A checked table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Table {
    /// The file's name without `.yaml`.
    pub name: String,
    /// For people.
    pub title: String,
    /// In the author's order.
    pub inputs: Vec<Column>,
    /// In the author's order.
    pub outputs: Vec<Column>,
    /// What it means that a row fits.
    pub hit: Hit,
    /// At least one; each in force until the day on which the next begins.
    pub versions: Vec<Version>,
}

/// What a table is given, or gives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// Key in the data.
    pub name: String,
    /// For people; the name in words when the author gave none.
    pub title: String,
    /// What its values are.
    pub kind: Kind,
    /// The least value that an input may have, and the most.
    pub(crate) bounds: (i128, i128),
}

/// Which of the rows that fit are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// Exactly one fits, whatever comes.
    Unique,
    /// The first that fits; one fits, whatever comes.
    First,
    /// All that fit, and perhaps none.
    Collect,
}

/// What is in force from a day on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Version {
    /// Where the agency is.
    pub from: Day,
    /// Why, in the author's words.
    pub note: Option<String>,
    /// In the author's order.
    pub rows: Vec<Row>,
}

/// One line of a version.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Row {
    /// By column of `inputs`.
    pub(crate) when: Vec<Condition>,
    /// What it gives.
    pub then: Map<String, Value>,
    /// Why, in the author's words.
    pub note: Option<String>,
}

impl Table {
    /// The version that is in force on a day.
    pub fn version(&self, day: Day) -> Option<&Version> {
        self.versions.iter().rfind(|version| version.from <= day)
    }

    /// What a row asks of each input, in the words in which it could be written; `any` for what it
    /// does not ask.
    pub fn conditions(&self, row: &Row) -> Vec<String> {
        let columns = self.inputs.iter().zip(&row.when);
        columns
            .map(|(column, condition)| condition.written(column))
            .collect()
    }

    /// What a row gives, in words, by column of `outputs`.
    pub fn given(&self, row: &Row) -> Vec<String> {
        let columns = self.outputs.iter();
        columns
            .map(|column| {
                let value = row.then.get(&column.name).unwrap_or(&Value::Null);
                column.kind.told(value)
            })
            .collect()
    }
}

impl Hit {
    /// As authors write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::First => "first",
            Self::Collect => "collect",
        }
    }
}
