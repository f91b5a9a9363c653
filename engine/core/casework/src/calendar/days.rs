//! What is in force on a day: holidays, half days, hours, the days of a working week.
//!
//! A calendar may have several such sets, each in force from its day on; a term that spans a change
//! counts each day by the set of that day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};

use super::{Calendar, Hours, hours, ical};

/// One set of days.
#[derive(Debug, Clone)]
pub(super) struct Days {
    pub(super) holidays: BTreeMap<Date, String>,
    /// Days on which a part is without work.
    pub(super) parts: BTreeMap<Date, hours::Part>,
    pub(super) hours: Hours,
    /// Days of the week without work, Monday as 1.
    pub(super) weekend: BTreeSet<i8>,
}

impl Days {
    pub(super) fn read(ical: Option<&str>) -> Result<Self, String> {
        let ical::Days { holidays, parts } =
            ical.map_or_else(|| Ok(ical::Days::default()), ical::days)?;
        let weekend = [Weekday::Saturday, Weekday::Sunday];
        Ok(Self {
            holidays,
            parts,
            hours: Hours::default(),
            weekend: weekend.map(Weekday::to_monday_one_offset).into(),
        })
    }

    pub(super) fn holiday(&self, day: Date) -> Option<&str> {
        self.holidays.get(&day).map(String::as_str)
    }

    pub(super) fn open_on(&self, day: Date) -> bool {
        !self.weekend.contains(&day.weekday().to_monday_one_offset())
            && !self.holidays.contains_key(&day)
    }
}

impl Calendar {
    /// The same with other days of work in a week. For a calendar that nothing follows yet.
    #[must_use]
    pub fn with_week(mut self, working: &[Weekday]) -> Self {
        let working: BTreeSet<i8> = working
            .iter()
            .map(|day| day.to_monday_one_offset())
            .collect();
        self.first.weekend = (1..=7).filter(|day| !working.contains(day)).collect();
        self.digested()
    }

    /// From a day on, the days of another calendar count. Versions come in their order: the error
    /// is a sentence for the author of the pack.
    pub fn followed_by(mut self, from: Date, next: Self) -> Result<Self, String> {
        if self.later.last().is_some_and(|(last, _)| *last >= from) {
            return Err(format!(
                "what is in force from {from} stands after what is in force later"
            ));
        }
        self.later.push((from, next.first));
        Ok(self.digested())
    }

    /// What is in force on a day.
    pub(super) fn on_day(&self, day: Date) -> &Days {
        let later = self.later.iter().rev().find(|(from, _)| *from <= day);
        later.map_or(&self.first, |(_, days)| days)
    }
}
