//! When something recurs: moments of a wall clock, or the same time again and again.
//!
//! What a wall clock shows is looked for by the crate `cron` as if clocks were never changed; the
//! zone says when it is. A time that the clock skips comes when it jumps; one that it shows twice
//! counts the first time. Nothing here begins anything or knows what was missed.

use chrono::{Datelike, NaiveDate, Timelike};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Times of the wall clock that may lie before the moment looked for: as many as a clock that is
/// set back by a day can show twice.
const LOOK_MAX: usize = 1_500;

/// When something recurs.
#[derive(Debug, Clone)]
pub struct Recurrence(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Every(SignedDuration),
    Wall {
        /// A time of any of them will do.
        times: Vec<cron::Schedule>,
        zone: TimeZone,
    },
}

impl Recurrence {
    /// Again after this much time; `None` unless it is more than nothing.
    pub fn every(time: SignedDuration) -> Option<Self> {
        time.is_positive().then_some(Self(Kind::Every(time)))
    }

    /// At times of the wall clock of a zone, written with six fields: second first, Sunday is 1.
    pub fn wall(expressions: &[String], zone: TimeZone) -> Result<Self, String> {
        let parse = |text: &String| text.parse().map_err(|error| format!("{text}: {error}"));
        let times = expressions.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self(Kind::Wall { times, zone }))
    }

    /// The first moment after this one; `None` when none is left in the calendar. Equal times are
    /// counted from the anchor, so that they do not drift.
    pub fn next(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            Kind::Every(time) => next_equal(anchor, after, *time),
            Kind::Wall { times, zone } => {
                let next = |times| next_shown(times, zone, after);
                times.iter().filter_map(next).min()
            }
        }
    }
}

fn next_equal(anchor: Timestamp, after: Timestamp, time: SignedDuration) -> Option<Timestamp> {
    let passed = after.duration_since(anchor).as_millis();
    let step = time.as_millis();
    if step <= 0 {
        return None;
    }
    let count = passed.div_euclid(step) + 1;
    let ahead = i64::try_from(count.checked_mul(step)?).ok()?;
    anchor.checked_add(SignedDuration::from_millis(ahead)).ok()
}

fn next_shown(times: &cron::Schedule, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let shown = after.to_zoned(zone.clone()).datetime();
    let shown = as_if_utc(shown)?;
    times
        .after(&shown)
        .take(LOOK_MAX)
        .filter_map(|time| moment(from_utc(&time)?, zone))
        .find(|moment| *moment > after)
}

/// When the clock shows this time first, or jumps over it.
fn moment(shown: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(shown);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            ambiguous.earlier().ok()
        }
        AmbiguousOffset::Gap { .. } => {
            let behind = ambiguous.later().ok()?;
            let behind = behind.checked_add(SignedDuration::from_secs(1)).ok()?;
            let jump = zone.preceding(behind).next()?;
            Some(jump.timestamp())
        }
    }
}

fn as_if_utc(shown: DateTime) -> Option<chrono::DateTime<chrono::Utc>> {
    let part = |part: i8| u32::try_from(part).ok();
    let day = NaiveDate::from_ymd_opt(
        i32::from(shown.year()),
        part(shown.month())?,
        part(shown.day())?,
    )?;
    let time = day.and_hms_opt(
        part(shown.hour())?,
        part(shown.minute())?,
        part(shown.second())?,
    )?;
    Some(time.and_utc())
}

fn from_utc(time: &chrono::DateTime<chrono::Utc>) -> Option<DateTime> {
    let part = |part: u32| i8::try_from(part).ok();
    DateTime::new(
        i16::try_from(time.year()).ok()?,
        part(time.month())?,
        part(time.day())?,
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests;
