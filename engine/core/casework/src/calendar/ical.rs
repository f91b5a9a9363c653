//! Holidays from iCalendar text (RFC 5545): all-day events, and events with local times within one
//! day for half days. Nothing else of the format is used.

use std::collections::BTreeMap;

use icalendar::parser::{Component, read_calendar, unfold};
use jiff::civil::{Date, DateTime, Time};

use super::hours::Part;

/// The longest holiday; a longer one is a mistake in the file.
const HOLIDAY_DAYS_MAX: i32 = 31;

/// What a file says of days.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// Day to name.
    pub(super) holidays: BTreeMap<Date, String>,
    /// When there is no work on a day that is otherwise one.
    pub(super) parts: BTreeMap<Date, Part>,
}

/// The error is a sentence for the author of the pack.
pub(super) fn days(text: &str) -> Result<Days, String> {
    let unfolded = unfold(text);
    let calendar =
        read_calendar(&unfolded).map_err(|_| "the file is not an iCalendar file".to_owned())?;
    let mut days = Days::default();
    for event in calendar
        .components
        .iter()
        .filter(|part| part.name == "VEVENT")
    {
        add(event, &mut days)?;
    }
    Ok(days)
}

fn add(event: &Component<'_>, days: &mut Days) -> Result<(), String> {
    let name = text_of(event, "SUMMARY").unwrap_or_else(|| "holiday".to_owned());
    if event.find_prop("RRULE").is_some() {
        return Err(format!(
            "the event `{name}` repeats (RRULE); write one event for each year, since holidays move"
        ));
    }
    if let Some((day, part)) = part_of(event, &name)? {
        if days.parts.insert(day, part).is_some() {
            return Err(format!(
                "two parts of {day} are without work; write one event for both"
            ));
        }
        return Ok(());
    }
    let first = date_of(event, "DTSTART", &name)?
        .ok_or_else(|| format!("the event `{name}` has no DTSTART"))?;
    // DTEND is exclusive; without it the event is one day long.
    let end = date_of(event, "DTEND", &name)?;
    let length = end.map_or(Ok(1), |end| first.until(end).map(|span| span.get_days()));
    match length {
        Ok(length) if (1..=HOLIDAY_DAYS_MAX).contains(&length) => {
            days.holidays.extend(
                first
                    .series(jiff::Span::new().days(1))
                    .take(usize_of(length))
                    .map(|day| (day, name.clone())),
            );
            Ok(())
        }
        _ => Err(format!(
            "the event `{name}` must last 1 to {HOLIDAY_DAYS_MAX} days"
        )),
    }
}

/// An event with local times: `DTSTART:20261224T120000` to `DTEND:20261224T235959`.
fn part_of(event: &Component<'_>, name: &str) -> Result<Option<(Date, Part)>, String> {
    let local = |key| {
        let text = text_of(event, key)?;
        let zoned = event
            .find_prop(key)?
            .params
            .iter()
            .any(|param| param.key == "TZID");
        let well = text.len() == 15 && !zoned;
        well.then(|| DateTime::strptime("%Y%m%dT%H%M%S", &text).ok())
            .flatten()
    };
    let Some(from) = local("DTSTART") else {
        return Ok(None);
    };
    match local("DTEND") {
        Some(to) if from.date() == to.date() && from < to => {
            Ok(Some((from.date(), (from.time(), to.time()))))
        }
        // Midnight is the end of the day before.
        Some(to) if from.date().tomorrow().ok() == Some(to.date()) && to.time() == Time::MIN => {
            Ok(Some((from.date(), (from.time(), Time::MAX))))
        }
        _ => Err(format!(
            "the event `{name}` begins at a time, so it must end on the same day, as in \
             DTSTART:20261224T120000 with DTEND:20261224T235959"
        )),
    }
}

fn usize_of(length: i32) -> usize {
    usize::try_from(length).expect("the length was checked to be positive")
}

fn text_of(event: &Component<'_>, key: &str) -> Option<String> {
    event
        .find_prop(key)
        .map(|property| property.val.as_str().to_owned())
}

fn date_of(event: &Component<'_>, key: &str, name: &str) -> Result<Option<Date>, String> {
    let Some(text) = text_of(event, key) else {
        return Ok(None);
    };
    let date = (text.len() == 8)
        .then(|| Date::strptime("%Y%m%d", &text).ok())
        .flatten();
    date.map(Some).ok_or_else(|| {
        format!(
            "{key} of the event `{name}` must be a whole day such as 20260403, or a local time \
             such as 20261224T120000 without a zone"
        )
    })
}
