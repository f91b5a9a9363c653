//! Business days of a named calendar in a named zone: when something is due.
//!
//! Days end with the local day, never after 24 hours: a day may have 23 or 25. A half day is a
//! business day with fewer business hours. Each day is counted by what is in force on it
//! (`calendar/days.rs`); several calendars may count together (`calendar/joined.rs`).

mod ahead;
mod days;
mod digest;
mod hours;
mod ical;
mod joined;
mod later;
mod term;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::{Code, Refusal};
use days::Days;

pub use hours::Hours;
pub use joined::Which;
pub use later::Pace;
pub use term::Term;

/// The longest term, in days of any kind or in hours: far beyond any case, and it bounds the
/// search.
pub const TERM_MAX: u32 = 3_660;

/// How many days in a row may be without work before a calendar counts as broken.
const CLOSED_DAYS_MAX: u32 = 370;

/// Working days of one place. Made by [`Calendar::new`], which checks the zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub name: String,
    zone: TimeZone,
    /// In force from the beginning of time.
    first: Days,
    /// In force each from its day on, earliest first.
    later: Vec<(Date, Days)>,
    /// Others that count in its place.
    joined: Option<Box<joined::Joined>>,
    digest: String,
}

impl Calendar {
    /// `ical` is the text of an iCalendar file with all-day events for the holidays, and events
    /// with local times for half days. The error is a sentence for the author of the pack.
    pub fn new(name: &str, zone: &str, ical: Option<&str>) -> Result<Self, String> {
        let zone = TimeZone::get(zone).map_err(|_| {
            format!("there is no time zone `{zone}`; write an IANA name such as Australia/Brisbane")
        })?;
        let first = Days::read(ical)?;
        Ok(Self {
            name: name.to_owned(),
            zone,
            first,
            later: Vec::new(),
            joined: None,
            digest: String::new(),
        }
        .digested())
    }

    /// When a term that begins at `from` is over: days end with the local day.
    pub fn due(&self, from: Timestamp, term: Term) -> Result<Timestamp, Refusal> {
        if let Some(joined) = &self.joined {
            return joined.settle(|each| each.due(from, term));
        }
        let start = from.to_zoned(self.zone.clone());
        match term {
            Term::BusinessDays(count) => {
                let asked = self.asked_on(from)?;
                let day = self.business_day_after(asked, within_limit(count)?)?;
                self.end_of(day)
            }
            Term::CalendarDays(count) => {
                let days = jiff::Span::new().days(i64::from(within_limit(count)?));
                self.end_of(start.date().checked_add(days).map_err(out_of_range)?)
            }
            Term::BusinessHours(count) => {
                let hours = i64::from(within_limit(count)?);
                self.after_business_time(start, SignedDuration::from_hours(hours))
            }
            Term::ExactMs(length) => {
                let length = i64::try_from(length).map_err(out_of_range)?;
                from.checked_add(SignedDuration::from_millis(length))
                    .map_err(out_of_range)
            }
        }
    }

    /// The moment that a clock on the wall shows here. Where it shows the same twice, or never, it
    /// is the earlier: what is counted from it comes sooner and never too late.
    pub fn moment(&self, shown: DateTime) -> Result<Timestamp, Refusal> {
        let told = self.zone.to_ambiguous_timestamp(shown);
        told.earlier().map_err(out_of_range)
    }

    /// The zone that days are counted in.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Name of the holiday on this day, if it is one.
    pub fn holiday(&self, day: Date) -> Option<&str> {
        self.on_day(day).holiday(day)
    }

    fn open_on(&self, day: Date) -> bool {
        self.on_day(day).open_on(day)
    }

    /// Zero business days means today, or the next day of work.
    fn business_day_after(&self, from: Date, count: u32) -> Result<Date, Refusal> {
        let mut day = from;
        if count == 0 {
            return self.first_open_from(day);
        }
        for _ in 0..count {
            day = self.first_open_from(day.tomorrow().map_err(out_of_range)?)?;
        }
        Ok(day)
    }

    fn first_open_from(&self, mut day: Date) -> Result<Date, Refusal> {
        for _ in 0..CLOSED_DAYS_MAX {
            if self.open_on(day) {
                return Ok(day);
            }
            day = day.tomorrow().map_err(out_of_range)?;
        }
        let sentence = format!("calendar {} has no working day for over a year", self.name);
        Err(Refusal::new(Code::AmountInvalid, sentence))
    }

    fn end_of(&self, day: Date) -> Result<Timestamp, Refusal> {
        let next = day
            .tomorrow()
            .and_then(|next| next.to_zoned(self.zone.clone()));
        let midnight = next
            .and_then(|next| next.start_of_day())
            .map_err(out_of_range)?;
        Ok(midnight.timestamp() - SignedDuration::from_millis(1))
    }

    fn after_business_time(
        &self,
        start: Zoned,
        length: SignedDuration,
    ) -> Result<Timestamp, Refusal> {
        let mut left = length;
        let mut now = start;
        loop {
            let day = self.first_open_from(now.date())?;
            let at = |time: Time| day.to_datetime(time).to_zoned(self.zone.clone());
            let (opens, closes) = self.hours_of(day);
            let (opens, closes) = (
                at(opens).map_err(out_of_range)?,
                at(closes).map_err(out_of_range)?,
            );
            if now < opens {
                now = opens;
            }
            if now < closes {
                let open_for = now.duration_until(&closes);
                if left <= open_for {
                    return now.timestamp().checked_add(left).map_err(out_of_range);
                }
                left -= open_for;
            }
            let next = day.tomorrow().map_err(out_of_range)?;
            now = next.to_zoned(self.zone.clone()).map_err(out_of_range)?;
        }
    }
}

fn within_limit(count: u32) -> Result<u32, Refusal> {
    if count <= TERM_MAX {
        return Ok(count);
    }
    Err(Refusal::new(
        Code::AmountInvalid,
        format!("a term may be at most {TERM_MAX} days or hours"),
    ))
}

fn out_of_range<E>(_: E) -> Refusal {
    Refusal::new(
        Code::AmountInvalid,
        "the date is beyond what the calendar can express",
    )
}

#[cfg(test)]
mod tests;
