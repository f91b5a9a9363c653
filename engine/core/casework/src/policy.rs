//! Limits: who alone may approve how much, for what and from when; and what was approved before
//! and counts together with it, so that a purchase in parts is still one.
//!
//! It remembers nothing by itself: whoever asks brings what was counted, and keeps it.

mod counted;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Code, Money, Principal, Refusal};

pub use counted::{Counted, Portion};

/// Rows in any order; a role may stand in several currencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    pub rows: Vec<Row>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<Together>,
}

/// This role alone may approve up to and including this amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub role: String,
    pub up_to: Money,
    /// Only for these. A category that one row names is no business of rows that name none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub category: BTreeSet<String>,
    /// Only for these, in the same way.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fund: BTreeSet<String>,
    /// From this day on, in place of an older row for the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
}

/// Requests that are one: those that agree in all of `by`, within so many days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    pub by: BTreeSet<Aspect>,
    pub days: u16,
}

/// What a request for money is about, besides its amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    Family,
    Goal,
    Supplier,
    Category,
    Fund,
}

impl Aspect {
    /// As people read it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Goal => "goal",
            Self::Supplier => "supplier",
            Self::Category => "category",
            Self::Fund => "fund",
        }
    }
}

/// What somebody wants to approve, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub money: &'a Money,
    pub aspects: &'a BTreeMap<Aspect, String>,
    /// The day it is where the agency is.
    pub on: Date,
    /// What was counted before, for each of `together` in its order.
    pub before: &'a [i64],
}

impl Policy {
    /// By which each request stands alone.
    pub fn new(name: &str, rows: Vec<Row>) -> Self {
        Self {
            name: name.to_owned(),
            rows,
            together: Vec::new(),
        }
    }

    /// The role under which this principal may approve it; `over-limit` otherwise.
    pub fn permits(&self, who: &Principal, asked: &Asked<'_>) -> Result<String, Refusal> {
        if asked.money.minor <= 0 {
            return Err(Refusal::new(
                Code::AmountInvalid,
                "the amount must be more than zero",
            ));
        }
        let whole = self.whole(asked);
        let minor = whole.map_or(asked.money.minor, |(minor, _)| minor);
        self.rows_for(who, asked)
            .filter(|row| minor <= row.up_to.minor)
            // The smallest power that suffices is the one used.
            .min_by_key(|row| row.up_to.minor)
            .map(|row| row.role.clone())
            .ok_or_else(|| Refusal::new(Code::OverLimit, self.over_limit(who, asked, whole)))
    }

    /// The largest sum that this is part of, with what it was counted by; nothing when it stands
    /// alone.
    fn whole(&self, asked: &Asked<'_>) -> Option<(i64, &Together)> {
        let sums = self.together.iter().zip(asked.before);
        sums.filter(|(_, before)| **before > 0)
            .map(|(together, before)| (asked.money.minor.saturating_add(*before), together))
            .max_by_key(|(minor, _)| *minor)
    }

    /// The rows that count for this principal and request.
    fn rows_for<'a>(
        &'a self,
        who: &'a Principal,
        asked: &'a Asked<'_>,
    ) -> impl Iterator<Item = &'a Row> {
        let (category, fund) = (Aspect::Category, Aspect::Fund);
        let by_category = self
            .rows
            .iter()
            .any(|row| asked.is(category, &row.category));
        let by_fund = self.rows.iter().any(|row| asked.is(fund, &row.fund));
        self.rows.iter().filter(move |row| {
            let fits = |named: bool, aspect, names: &BTreeSet<String>| {
                if named {
                    asked.is(aspect, names)
                } else {
                    names.is_empty()
                }
            };
            who.holds(&row.role)
                && row.up_to.currency == asked.money.currency
                && fits(by_category, category, &row.category)
                && fits(by_fund, fund, &row.fund)
                && row.begun(asked.on)
                && !self.rows.iter().any(|other| other.replaces(row, asked.on))
        })
    }

    fn over_limit(
        &self,
        who: &Principal,
        asked: &Asked<'_>,
        whole: Option<(i64, &Together)>,
    ) -> String {
        let own = self.rows_for(who, asked).map(|row| &row.up_to);
        let Some(limit) = own.max_by_key(|limit| limit.minor) else {
            let currency = &asked.money.currency;
            return format!("your roles may not approve amounts in {currency} for this");
        };
        let Some((minor, together)) = whole else {
            return format!("you may approve up to {limit}; this is {}", asked.money);
        };
        let by: Vec<_> = together.by.iter().map(|one| one.as_str()).collect();
        let whole = Money::new(minor, &asked.money.currency);
        format!(
            "you may approve up to {limit}; this is {}, and {whole} with what was approved for the \
             same {} within {} days",
            asked.money,
            by.join(" and "),
            together.days
        )
    }
}

impl Asked<'_> {
    fn is(&self, aspect: Aspect, names: &BTreeSet<String>) -> bool {
        let told = self.aspects.get(&aspect);
        told.is_some_and(|told| names.contains(told.trim()))
    }
}

impl Row {
    /// For everything, from ever.
    pub fn new(role: &str, up_to: Money) -> Self {
        Self {
            role: role.to_owned(),
            up_to,
            category: BTreeSet::new(),
            fund: BTreeSet::new(),
            from: None,
        }
    }

    fn begun(&self, on: Date) -> bool {
        self.from.is_none_or(|from| from <= on)
    }

    /// Whether this one is in force in the place of the other.
    fn replaces(&self, other: &Self, on: Date) -> bool {
        self.role == other.role
            && self.up_to.currency == other.up_to.currency
            && self.category == other.category
            && self.fund == other.fund
            && self.begun(on)
            && self.from > other.from
    }
}

#[cfg(test)]
mod tests;
