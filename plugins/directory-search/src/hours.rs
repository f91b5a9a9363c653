//! Opening hours: days of the week and times of the day, in the service's own time.

use casewright_sdk::Date;

use crate::directory::Schedule;

/// Names of days as calendars write them, from Monday.
const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// A local time, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    day: &'static str,
    minute: u16,
}

impl Local {
    /// `2026-05-12T10:00`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T')?;
        let date: Date = date.parse().ok()?;
        // 1 January 1970 was a Thursday.
        let day = usize::try_from((date.days_since_epoch() + 3).rem_euclid(7)).ok()?;
        Some(Self {
            day: DAYS[day],
            minute: minute(time).filter(|_| time.len() == 5)?,
        })
    }
}

/// Whether one of them says that it is open; `None` when none says anything.
pub(crate) fn open(schedules: &[Schedule], at: Local) -> Option<bool> {
    let said = schedules.iter().filter_map(|schedule| {
        let days = schedule.byday.as_deref()?;
        let opens = minute(schedule.opens_at.as_deref()?)?;
        let closes = minute(schedule.closes_at.as_deref()?)?;
        let today = days.split(',').any(|day| day.trim() == at.day);
        Some(today && (opens..closes).contains(&at.minute))
    });
    said.reduce(|one, other| one || other)
}

/// `08:30` or `08:30:00` as minutes of the day; 24:00 is the end of it.
fn minute(text: &str) -> Option<u16> {
    let (hour, rest) = text.split_once(':')?;
    let minute = rest.split_once(':').map_or(rest, |(minute, _)| minute);
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok())?
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    (hour < 24 && minute < 60 || (hour, minute) == (24, 0)).then_some(hour * 60 + minute)
}
