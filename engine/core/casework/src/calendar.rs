//! Business days of a named calendar in a named zone: when something is due.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use crate::Refusal;

/// Working days of one place. Made by [`Calendar::new`], which checks the zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub name: String,
    zone: jiff::tz::TimeZone,
    holidays: BTreeMap<Date, String>,
    weekend: BTreeSet<i8>,
}

/// A length of working time; the same shapes as in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    BusinessDays(u32),
    BusinessHours(u32),
    CalendarDays(u32),
    ExactMs(u64),
}

impl Calendar {
    /// `ical` is the text of an iCalendar file with all-day events for the holidays.
    pub fn new(_name: &str, _zone: &str, _ical: Option<&str>) -> Result<Self, String> {
        unimplemented!()
    }

    /// When a term that begins at `from` is over: days end with the local day.
    pub fn due(&self, _from: Timestamp, _term: Term) -> Result<Timestamp, Refusal> {
        unimplemented!()
    }

    pub fn zone(&self) -> &jiff::tz::TimeZone {
        &self.zone
    }

    pub fn holiday(&self, day: Date) -> Option<&str> {
        self.holidays.get(&day).map(String::as_str)
    }
}
