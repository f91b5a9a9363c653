//! The days of a fund: those on which money is put aside, and the last on which it is paid. Both
//! ends of a span belong to it, and days are those of the agency's zone.
//!
//! It moves no money: giving back and correcting are possible on any day.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Code, Refusal};

/// When a fund is open; always, where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Days {
    /// First day on which money is put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day on which money is put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Last day on which what was put aside is paid; `until` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_until: Option<Date>,
}

impl Days {
    /// Whether nothing is said.
    pub fn always(&self) -> bool {
        *self == Self::default()
    }

    /// The last day on which money is paid.
    pub fn last(&self) -> Option<Date> {
        self.settle_until.or(self.until)
    }

    /// Whether money may be put aside on this day.
    pub(super) fn take(&self, on: Date) -> Result<(), Refusal> {
        let early = self.from.is_some_and(|from| on < from);
        let late = self.until.is_some_and(|until| on > until);
        if !early && !late {
            return Ok(());
        }
        let from = self.from.map(|day| format!(" from {day}"));
        let until = self.until.map(|day| format!(" until {day}"));
        let (from, until) = (from.unwrap_or_default(), until.unwrap_or_default());
        let sentence = format!("money of this fund is put aside{from}{until}; today is {on}");
        Err(Refusal::new(Code::FundClosed, sentence))
    }

    /// Whether what was put aside may be paid on this day.
    pub(super) fn settle(&self, on: Date) -> Result<(), Refusal> {
        let Some(last) = self.last().filter(|last| on > *last) else {
            return Ok(());
        };
        let sentence = format!("money of this fund is paid until {last}; today is {on}");
        Err(Refusal::new(Code::FundClosed, sentence))
    }

    /// When a reservation ends that would end then: at the last moment of the last day at most.
    pub(super) fn ends(&self, asked: Option<Timestamp>, zone: &TimeZone) -> Option<Timestamp> {
        let last = self.last().and_then(|last| {
            let next = last.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
            let moment = SignedDuration::from_nanos(1);
            next.timestamp().checked_sub(moment).ok()
        });
        match (asked, last) {
            (Some(asked), Some(last)) => Some(asked.min(last)),
            (one, other) => one.or(other),
        }
    }
}
