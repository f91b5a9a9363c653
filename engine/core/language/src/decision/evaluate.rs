//! What follows from an input on a day.

use std::fmt;

use serde_json::{Map, Value};

use super::kind::Wrong;
use super::{Column, Day, Hit, Table};

/// What a table said, and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What the row gives; with `collect` a list of what each row gives.
    pub result: Value,
    /// The first day of the version that was in force.
    pub version: Day,
    /// The rows that fitted, from 1; one unless rows are collected.
    pub rows: Vec<usize>,
}

/// Why a table says nothing. The sentences hold nothing of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// No version is in force yet.
    NotInForce {
        /// When the first one is.
        first: Day,
    },
    /// An input is missing, unknown, or none of its kind.
    Input(String),
    /// An amount is of another currency.
    Currency(String),
    /// Nothing fits. Of a table that was checked it cannot be.
    NoRow,
}

impl Unfit {
    /// A stable code, as errors of workflows carry it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotInForce { .. } => "table-not-in-force",
            Self::Input(_) => "table-input-invalid",
            Self::Currency(_) => "currency-mismatch",
            Self::NoRow => "no-row",
        }
    }
}

/// Without the name of the table.
impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInForce { first } => {
                write!(
                    f,
                    "no version is in force on that day; the first is from {first}"
                )
            }
            Self::Input(sentence) | Self::Currency(sentence) => f.write_str(sentence),
            Self::NoRow => f.write_str("no row fits the input"),
        }
    }
}

impl Table {
    /// Decides by the version that is in force on a day.
    pub fn decide(&self, input: &Value, day: Day) -> Result<Decision, Unfit> {
        let first = self.versions.first().map_or(Day::LEAST, |first| first.from);
        let version = self.version(day).ok_or(Unfit::NotInForce { first })?;
        let point = self.point(input)?;
        let rows = version.rows.iter().enumerate();
        let mut fitting = rows.filter(|(_, row)| {
            let mut parts = row.when.iter().zip(&point);
            parts.all(|(condition, point)| condition.holds(*point))
        });
        let (result, rows) = match self.hit {
            // No two rows fit where exactly one is meant: reading has looked.
            Hit::Unique | Hit::First => {
                let (index, row) = fitting.next().ok_or(Unfit::NoRow)?;
                (Value::Object(row.then.clone()), vec![index + 1])
            }
            Hit::Collect => {
                let (rows, given): (Vec<_>, Vec<_>) = fitting
                    .map(|(index, row)| (index + 1, Value::Object(row.then.clone())))
                    .unzip();
                (Value::Array(given), rows)
            }
        };
        Ok(Decision {
            result,
            version: version.from,
            rows,
        })
    }

    fn point(&self, input: &Value) -> Result<Vec<i128>, Unfit> {
        let names = || {
            let names = self.inputs.iter().map(|column| column.name.as_str());
            crate::diagnostic::listed(names)
        };
        let Value::Object(members) = input else {
            return Err(Unfit::Input(format!(
                "`input` must be a map of {}",
                names()
            )));
        };
        let known = |name: &String| self.inputs.iter().any(|column| column.name == *name);
        if !members.keys().all(known) {
            // The name is the author's or somebody's who filled a form: it is not repeated.
            let sentence = format!(
                "`input` has a member that is no input; it takes {}",
                names()
            );
            return Err(Unfit::Input(sentence));
        }
        let points = self.inputs.iter().map(|column| point(column, members));
        points.collect()
    }
}

fn point(column: &Column, members: &Map<String, Value>) -> Result<i128, Unfit> {
    let name = &column.name;
    let value = members.get(name).unwrap_or(&Value::Null);
    column.point(value).map_err(|wrong| match wrong {
        Wrong::Value if value.is_null() => Unfit::Input(format!(
            "the input `{name}` is missing; it must be {}",
            column.wanted()
        )),
        Wrong::Value => Unfit::Input(format!("the input `{name}` must be {}", column.wanted())),
        Wrong::Currency => {
            Unfit::Currency(format!("the input `{name}` must be {}", column.wanted()))
        }
    })
}
